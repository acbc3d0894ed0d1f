//! The server with the corpus: its mailbox is brought back to the beginning before each run.
//!
//! Resetting costs next to nothing and writes no mail: the messages of a Maildir never change, so hard links serve;
//! what the server keeps beside them is copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wissel_tests::dovecot::{ALICE, Dovecot, Options};
use wissel_tests::imap::Imap;
use xtask::process;

use crate::disk::put_aside;

/// Where imported messages go.
pub(crate) const PROCESSED: &str = "Verwerkt";

/// A running server and the mailbox as it was at the beginning.
pub(crate) struct Post {
    /// The server.
    pub(crate) server: Dovecot,
    /// Octets of all messages, where they were given.
    pub(crate) bytes: usize,
    original: PathBuf,
}

impl Post {
    /// Starts a server and puts `messages` into Alice's inbox.
    pub(crate) fn open<M: AsRef<[u8]>>(messages: &[M]) -> Result<Self> {
        let bytes = messages.iter().map(|message| message.as_ref().len()).sum();
        // A hundred messages a command keep the server's memory small.
        let fill = |imap: &mut Imap| messages.chunks(100).for_each(|some| imap.append("INBOX", some));
        Ok(Self { bytes, ..Self::prepared(fill)? })
    }

    /// Starts a server and fills Alice's mailbox in another way.
    pub(crate) fn prepared(fill: impl FnOnce(&mut Imap)) -> Result<Self> {
        let server = Dovecot::start(&Options::default());
        let mut imap = server.imap(ALICE);
        fill(&mut imap);
        // An empty one comes into being when it is opened.
        imap.command("SELECT INBOX");
        imap.command("LOGOUT");
        let original = server.mail_folder(ALICE).with_file_name("original");
        copy(&server.mail_folder(ALICE), &original)?;
        Ok(Self { server, bytes: 0, original })
    }

    /// Brings the mailbox back to the beginning.
    pub(crate) fn reset(&self) -> Result<()> {
        let mailbox = self.server.mail_folder(ALICE);
        put_aside(&mailbox)?;
        copy(&self.original, &mailbox)
    }

    /// How many messages lie in a folder.
    pub(crate) fn count(&self, folder: &str) -> Result<usize> {
        let answer =
            self.server.doveadm(&["-f", "flow", "mailbox", "status", "-u", ALICE, "messages", folder]);
        let count = answer.split("messages=").nth(1).and_then(|rest| rest.split_whitespace().next());
        count.and_then(|count| count.parse().ok()).with_context(|| format!("{folder}: {answer}"))
    }
}

/// Copies a mailbox: mail by hard links, the server's own files really.
fn copy(from: &Path, to: &Path) -> Result<()> {
    process::run(Command::new("cp").arg("-al").arg(from).arg(to))?;
    for own in server_files(to)? {
        let copy = own.with_extension("copy");
        process::run(Command::new("cp").arg("-p").arg(&own).arg(&copy))?;
        fs::rename(&copy, &own)?;
    }
    Ok(())
}

/// Every file below `folder` that is no mail.
fn server_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let mail = ["cur", "new", "tmp"].iter().any(|name| folder.ends_with(name));
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if !mail {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}
