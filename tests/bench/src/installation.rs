//! An installation of `wissel` with an account and a job, copied for each run: every run begins knowing nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use wissel_tests::dovecot::Dovecot;
use wissel_tests::paths;
use wissel_tests::scene::{ACCOUNT, Entry};
use wissel_tests::wissel::Wissel;
use xtask::process;

use crate::post::PROCESSED;

/// The job's name.
pub(crate) const JOB: &str = "Import";

/// The original that runs are made from.
pub(crate) struct Installation {
    original: Wissel,
    /// Where its account is.
    port: u16,
    /// What runs work in; written anew for each.
    run: PathBuf,
}

impl Installation {
    /// Adds Alice's account on `server` and a job that imports her inbox and moves what it imported. Its connectors are
    /// compiled, as they are in use.
    pub(crate) fn make(folder: &Path, server: &Dovecot, more: &[&str]) -> Result<Self> {
        let run = folder.join("wissel");
        let mut original = Wissel::below(folder);
        original.set("WISSEL_LANG", "en");
        let entry = Entry::of(server);
        let arguments = entry.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        original.run_with(&arguments, &entry.secret).success();
        let to = imported(&run).display().to_string();
        let base = ["job", "add", JOB, "--account", ACCOUNT, "--folder", "INBOX", "--to", &to];
        let processed = ["--processed", PROCESSED, "--create-processed"];
        original.run(&[base.as_slice(), &processed, more].concat()).success();
        Ok(Self { original, port: server.tls_port, run })
    }

    /// A fresh copy, whose account is on `port`, for one run.
    pub(crate) fn fresh(&self, port: u16) -> Result<()> {
        if self.run.exists() {
            fs::remove_dir_all(&self.run)?;
        }
        fs::create_dir(&self.run)?;
        process::run(Command::new("cp").arg("-a").arg(self.original.home()).arg(self.home()))?;
        if port == self.port {
            return Ok(());
        }
        let setting = format!("port={port}");
        let mut edit = self.command(&["account", "edit", ACCOUNT, "--set", &setting]);
        let output = edit.output()?;
        ensure!(
            output.status.success(),
            "`wissel account edit`: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// A command on the copy.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::wissel());
        command.args(arguments).env("WISSEL_HOME", self.home()).env("WISSEL_CONNECTORS", paths::connectors());
        command
    }

    /// How many messages the last run brought.
    pub(crate) fn imported(&self) -> usize {
        let files = fs::read_dir(imported(&self.run)).into_iter().flatten().flatten();
        files.filter(|file| file.path().extension().is_some_and(|extension| extension == "eml")).count()
    }

    fn home(&self) -> PathBuf {
        self.run.join("home")
    }
}

fn imported(run: &Path) -> PathBuf {
    run.join("imported")
}
