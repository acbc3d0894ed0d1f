//! A large folder over Microsoft Graph, as the test bed serves it: marked as done once, and looked through again by a run
//! that finds nothing new.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cloud::{Cloud, FOLDER};
use crate::installation::{Installation, JOB};
use crate::measure::{self, Usage};
use crate::scale::message;

/// A mailbox and an installation for it, in a folder of its own.
pub(crate) struct Distant {
    cloud: Cloud,
    wissel: Installation,
    messages: usize,
    _folder: tempfile::TempDir,
}

impl Distant {
    /// With so many messages.
    pub(crate) fn with(folder: &Path, messages: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        let cloud = Cloud::open((0..messages).map(message))?;
        let job = ["--folder", FOLDER, "--action", "leave"];
        let wissel = Installation::with(folder.path(), &cloud.account(), cloud.fact("client_secret"), &job)?;
        Ok(Self { cloud, wissel, messages, _folder: folder })
    }

    /// A baseline of all messages, and the run after it, which must find each of them known.
    pub(crate) fn marked_and_listed(&mut self) -> Result<[Usage; 2]> {
        self.wissel.fresh()?;
        self.cloud.reset()?;
        let run =
            |arguments: &[&str]| measure::run(&mut self.wissel.command(arguments), self.cloud.pid(), &[]);
        let (marked, said) = run(&["job", "baseline", JOB, "--json"])?;
        let said: Value = serde_json::from_slice(&said.stdout)?;
        let total = said.get("total").and_then(Value::as_u64).context("the baseline tells no total")?;
        ensure!(
            usize::try_from(total)? == self.messages,
            "{total} messages of {} were marked",
            self.messages
        );
        let (listed, _) = run(&["job", "run", JOB, "--json"])?;
        ensure!(self.wissel.imported() == 0, "{} messages were not found again", self.wissel.imported());
        self.cloud.seen()?;
        Ok([marked, listed])
    }
}
