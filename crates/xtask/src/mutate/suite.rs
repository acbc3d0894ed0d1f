//! The tests that hold a guard, and how running them ended.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::copy::Copy;
use crate::tally::Tally;

/// Without a guard a test may wait for ever.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Some tests of the project.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The name of the test target; `lib` for the tests beside the code.
    test: String,
    /// The tests whose names contain this; all when empty.
    #[serde(default)]
    only: String,
    /// The target belongs to the connectors' workspace.
    #[serde(default)]
    connectors: bool,
    /// The tests run the programs, which have to be built before.
    #[serde(default)]
    programs: bool,
}

/// How a run of the tests ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// So many tests passed and none failed: the guard is not missed.
    Passed(u64),
    /// So many failed.
    Failed(u64),
    /// It did not end in time.
    Hung,
    /// The change is none that compiles: the list has to be mended.
    NotBuilt,
}

impl Ended {
    /// Whether the tests noticed.
    #[must_use]
    pub(super) fn is_red(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Hung)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(tests) => write!(f, "NOT MISSED ({tests} tests passed)"),
            Self::Failed(tests) => write!(f, "red ({tests} failed)"),
            Self::Hung => write!(f, "red (did not end in time)"),
            Self::NotBuilt => write!(f, "DOES NOT COMPILE (target/mutate/target/mutate.log)"),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.test, self.only)
    }
}

/// Builds the connectors, which tests of the programs use, as they are in `copy`; false when that fails.
pub(super) fn build_connectors(copy: &Copy) -> Result<bool> {
    succeeds(copy.cargo().args(["xtask", "connectors"]), &log(copy)?)
}

fn log(copy: &Copy) -> Result<File> {
    Ok(File::create(copy.root().join("target/mutate.log"))?)
}

impl Suite {
    /// Whether it tests built connectors, not their sources.
    pub(super) fn uses_built_connectors(&self) -> bool {
        !self.connectors
    }

    /// Builds and runs it in `copy`.
    pub(super) fn run(&self, copy: &Copy) -> Result<Ended> {
        let log = log(copy)?;
        if self.programs && !succeeds(copy.cargo().args(["build", "--workspace", "--bins"]), &log)? {
            return Ok(Ended::NotBuilt);
        }
        if !succeeds(self.command(copy).arg("--no-run"), &log)? {
            return Ok(Ended::NotBuilt);
        }
        let output = copy.root().join("target/mutate-tests.log");
        let log = File::create(&output)?;
        let ended = within(self.command(copy).args(["--", &self.only]), &log)?;
        let mut tally = Tally::default();
        BufReader::new(File::open(&output)?).lines().map_while(Result::ok).for_each(|line| tally.read(&line));
        Ok(match ended {
            None => Ended::Hung,
            Some(true) if tally.failed == 0 => Ended::Passed(tally.passed),
            // A test program that dies counts no test as failed.
            Some(_) => Ended::Failed(tally.failed.max(1)),
        })
    }

    fn command(&self, copy: &Copy) -> Command {
        let mut command = copy.cargo();
        if self.connectors {
            command.current_dir(copy.root().join("plugins"));
        }
        command.args(["test", "--workspace", "--no-fail-fast"]);
        match self.test.as_str() {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
        command
    }
}

/// Whether a build succeeded. It takes its time: the first one in a copy builds everything.
fn succeeds(command: &mut Command, log: &File) -> Result<bool> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    Ok(command.status().context("cannot start cargo")?.success())
}

/// Whether tests succeeded; nothing when it had to be ended.
fn within(command: &mut Command, log: &File) -> Result<Option<bool>> {
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    let mut child = command.spawn().context("cannot start cargo")?;
    let begun = Instant::now();
    while begun.elapsed() < LONGEST {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
