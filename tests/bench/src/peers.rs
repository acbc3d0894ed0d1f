//! The other programs, with their configurations in `peers/`, each set up anew for a run.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use wissel_tests::dovecot::{ALICE, PASSWORD};

use crate::disk::put_aside;

/// Messages that fetchmail gets: it takes many times as long as the others.
pub(crate) const FETCHMAIL_MESSAGES: usize = 500;

/// mbsync, which writes a Maildir below `folder`.
pub(crate) fn mbsync(folder: &Path, port: u16, ca: &Path) -> Result<Command> {
    let (folder, config) = configured("mbsync", include_str!("../peers/mbsyncrc"), folder, port, ca)?;
    let mut command = Command::new("mbsync");
    command.arg("-c").arg(config).args(["-q", "bench"]).env("HOME", folder);
    Ok(command)
}

/// mbsync once more, over the Maildir and the state that it left, now with `port`.
pub(crate) fn mbsync_again(folder: &Path, port: u16, ca: &Path) -> Result<Command> {
    let text = filled(include_str!("../peers/mbsyncrc"), &folder.join("mbsync"), port, ca);
    let config = folder.join("mbsync/config");
    fs::write(&config, text)?;
    let mut command = Command::new("mbsync");
    command.arg("-c").arg(config).args(["-q", "bench"]).env("HOME", folder.join("mbsync"));
    Ok(command)
}

/// How many messages mbsync brought into its Maildir below `folder`.
pub(crate) fn mbsync_count(folder: &Path) -> usize {
    let inbox = folder.join("mbsync/INBOX");
    ["new", "cur"].iter().filter_map(|name| Some(fs::read_dir(inbox.join(name)).ok()?.count())).sum()
}

/// fetchmail, which writes one file below `folder`.
pub(crate) fn fetchmail(folder: &Path, port: u16, ca: &Path, messages: usize) -> Result<Command> {
    let (folder, config) = configured("fetchmail", include_str!("../peers/fetchmailrc"), folder, port, ca)?;
    let mut command = Command::new("fetchmail");
    command.arg("-f").arg(config).args(["--nodetach", "--silent", "--fetchlimit", &messages.to_string()]);
    command.env("FETCHMAILHOME", &folder).env("HOME", folder);
    Ok(command)
}

/// How many messages fetchmail brought into its file below `folder`.
pub(crate) fn fetchmail_count(folder: &Path) -> usize {
    let batch = fs::read(folder.join("fetchmail/batch")).unwrap_or_default();
    batch.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"MAIL FROM:")).count()
}

/// Makes the program's folder anew, with its configuration, readable by its owner only.
fn configured(name: &str, config: &str, below: &Path, port: u16, ca: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = below.join(name);
    put_aside(&folder)?;
    fs::create_dir(&folder)?;
    let text = filled(config, &folder, port, ca);
    let file = folder.join("config");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(&file)?.write_all(text.as_bytes())?;
    Ok((folder, file))
}

/// The configuration with its values.
fn filled(config: &str, folder: &Path, port: u16, ca: &Path) -> String {
    let values = [
        ("@PORT@", port.to_string()),
        ("@USER@", ALICE.to_owned()),
        ("@PASSWORD@", PASSWORD.to_owned()),
        ("@CA@", ca.display().to_string()),
        ("@DIR@", folder.display().to_string()),
    ];
    values.iter().fold(config.to_owned(), |text, (place, value)| text.replace(place, value))
}
