//! The service `wissel run` while it is measured: started, watched from outside, stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::measure::{self, mib};

/// How long a service may take to end what it was doing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running service. Dropped, it is killed.
pub(crate) struct Service {
    child: Child,
    /// Kept open: what a service says must find a reader.
    _said: BufReader<ChildStdout>,
    log: PathBuf,
    /// Seconds until it said that it runs.
    pub(crate) ready: f64,
}

impl Service {
    /// Starts it, and returns when it has begun to look after its jobs. Its log goes into `folder`.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join("service.log");
        command
            .args(["run", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let begun = Instant::now();
        let mut child = command.spawn().context("cannot start the service")?;
        let mut said = BufReader::new(child.stdout.take().context("the service has no output")?);
        let mut line = String::new();
        while !line.contains("\"started\"") {
            line.clear();
            ensure!(said.read_line(&mut line)? > 0, "the service ended: {}", last(&log));
        }
        Ok(Self { child, _said: said, log, ready: begun.elapsed().as_secs_f64() })
    }

    /// CPU seconds until now.
    pub(crate) fn cpu(&self) -> Result<f64> {
        measure::cpu(self.child.id()).with_context(|| last(&self.log))
    }

    /// MiB that it has in memory now.
    pub(crate) fn memory(&self) -> Result<f64> {
        measure::memory(self.child.id(), "VmRSS").map(mib).with_context(|| last(&self.log))
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the service ended with {status}: {}", last(&self.log));
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the service does not end: {}", last(&self.log))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of its log.
fn last(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
