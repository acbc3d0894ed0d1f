//! An installation of `wissel` with an account and a job, copied for each run: every run begins knowing nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail, ensure};
use wissel_tests::paths;
use wissel_tests::scene::{ACCOUNT, Entry};
use wissel_tests::wissel::Wissel;
use xtask::process;

use crate::disk::put_aside;
use crate::post::PROCESSED;

/// The job's name.
pub(crate) const JOB: &str = "Import";

/// How often a connector is compiled until it is kept.
const ATTEMPTS: usize = 10;

/// Imports and moves what it imported.
pub(crate) const MOVING: &[&str] = &["--folder", "INBOX", "--processed", PROCESSED, "--create-processed"];
/// Imports and leaves the mailbox as it is.
pub(crate) const LEAVING: &[&str] = &["--folder", "INBOX", "--action", "leave"];

/// The original that runs are made from.
pub(crate) struct Installation {
    original: Wissel,
    /// What runs work in; written anew for each.
    run: PathBuf,
}

impl Installation {
    /// Adds the account and a job with these options. Its connectors are compiled, as they are in use.
    pub(crate) fn make(folder: &Path, entry: &Entry, job: &[&str]) -> Result<Self> {
        Self::with(folder, &entry.arguments(), &entry.secret, job)
    }

    /// The same with an account that this command adds, which must call it [`ACCOUNT`].
    pub(crate) fn with(folder: &Path, account: &[String], secret: &str, job: &[&str]) -> Result<Self> {
        let run = folder.join("wissel");
        let mut original = Wissel::below(folder);
        original.set("WISSEL_LANG", "en");
        let account: Vec<&str> = account.iter().map(String::as_str).collect();
        original.run_with(&account, secret).success();
        let to = imported(&run).display().to_string();
        let base = ["job", "add", JOB, "--account", ACCOUNT, "--to", &to];
        original.run(&[base.as_slice(), job].concat()).success();
        // A thread of its own keeps what was compiled, and a command may end before it has. What is missing would be
        // compiled beside each run.
        let wanted = fs::read_dir(paths::connectors())?.count();
        for _ in 0..ATTEMPTS {
            original.run(&["connector", "list"]).success();
            if kept(&original.path("cache/compiled/modules")) >= wanted {
                return Ok(Self { original, run });
            }
        }
        bail!("not every connector is kept as compiled below {}", original.home().display())
    }

    /// A fresh copy for one run.
    pub(crate) fn fresh(&self) -> Result<()> {
        put_aside(&self.run)?;
        fs::create_dir(&self.run)?;
        process::run(Command::new("cp").arg("-a").arg(self.original.home()).arg(self.home()))?;
        Ok(())
    }

    /// Moves the account of the copy to another port of the same server.
    pub(crate) fn turn_to(&self, port: u16) -> Result<()> {
        self.done(&["account", "edit", ACCOUNT, "--set", &format!("port={port}")])
    }

    /// A command on the copy that has to succeed, not measured.
    pub(crate) fn done(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`wissel {}`: {said}", arguments.join(" "));
        Ok(())
    }

    /// A command on the copy.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(paths::wissel());
        command.args(arguments).env("WISSEL_HOME", self.home()).env("WISSEL_CONNECTORS", paths::connectors());
        command
    }

    /// How many messages the runs on the copy brought.
    pub(crate) fn imported(&self) -> usize {
        let files = fs::read_dir(imported(&self.run)).into_iter().flatten().flatten();
        files.filter(|file| file.path().extension().is_some_and(|extension| extension == "eml")).count()
    }

    /// The home of the copy.
    pub(crate) fn home(&self) -> PathBuf {
        self.run.join("home")
    }
}

/// How many compiled connectors are in a cache. It has a folder for each version of what compiles them, and a note beside
/// each connector.
fn kept(modules: &Path) -> usize {
    let versions = fs::read_dir(modules).into_iter().flatten().flatten();
    let files = versions.flat_map(|version| fs::read_dir(version.path()).into_iter().flatten().flatten());
    files.filter(|file| file.path().extension().is_none()).count()
}

fn imported(run: &Path) -> PathBuf {
    run.join("imported")
}
