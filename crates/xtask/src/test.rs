//! The whole test run: set-up, checks, connectors, tests; the time of each, and one closing line.
//!
//! A suite that fails does not stop the later ones: one run shows everything that is wrong.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::setup::{self, Tools};
use crate::tally::Tally;
use crate::{connectors, fuzz, licences, process, workspace};

/// Builds everything at once, test targets included: a part of the workspace would be built with other features of the
/// dependencies, and so build them twice.
const BUILD: [&str; 3] = ["build", "--workspace", "--all-targets"];

/// Runs every suite. The exit code is a failure when anything failed or no test ran.
pub fn run() -> Result<ExitCode> {
    let mut report = Report::default();
    let begun = Instant::now();
    let tools = match setup::run() {
        Ok(tools) => tools,
        Err(error) => {
            eprintln!("set-up: {error:#}");
            println!("0 passed, 1 failed");
            return Ok(ExitCode::FAILURE);
        }
    };
    report.add("set-up", begun, Tally::check(true));
    checks(&mut report);
    let ran = tests(&mut report, &tools);
    Ok(report.close(ran))
}

fn checks(report: &mut Report) {
    report.check("formatting", || both(&["fmt", "--all", "--check"], &[]));
    report.check("licences", || {
        println!("licences: {} packages within deny.toml", licences::check()?);
        Ok(())
    });
    let mut deny = workspace::cargo();
    if deny.args(["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        let check = ["deny", "--all-features", "check"];
        report.check("cargo deny", || process::run(workspace::cargo().args(check)));
    } else {
        println!("cargo deny: not installed, so advisories were NOT checked (licences were, above)");
    }
    report.check("clippy", || both(&["clippy", "--workspace", "--all-targets"], &["--", "-D", "warnings"]));
}

/// Runs `cargo` in the host's workspace and in the connectors'.
fn both(arguments: &[&str], last: &[&str]) -> Result<()> {
    process::run(workspace::cargo().args(arguments).args(last))?;
    if workspace::has_plugins() {
        process::run(plugins(arguments).args(last))?;
    }
    Ok(())
}

/// `cargo` in the connectors' workspace, whose builds stay apart from the host's.
fn plugins(arguments: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.current_dir(workspace::plugins()).args(arguments);
    command.env("CARGO_TARGET_DIR", workspace::plugins().join("target"));
    command
}

/// Builds what the tests need and runs them; returns how many of them ran.
fn tests(report: &mut Report, tools: &Tools) -> u64 {
    report.check("build", || process::run(workspace::cargo().args(BUILD)));
    report.check("connectors and guests", || connectors::build(&tools.wasm));
    let mut ran = 0;
    let runner = if tools.nextest {
        let config = workspace::root().join(".ci/nextest.toml").to_string_lossy().into_owned();
        ["nextest", "run", "--workspace", "--no-fail-fast", "--config-file", &config]
            .map(str::to_owned)
            .to_vec()
    } else {
        ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"].map(str::to_owned).to_vec()
    };
    let runner: Vec<_> = runner.iter().map(String::as_str).collect();
    if workspace::has_plugins() {
        ran += report.tests("connectors' tests", &mut plugins(&runner));
    }
    ran += report.tests("tests", with_programs(workspace::cargo().args(&runner)));
    ran += report.tests("fuzz targets, kept inputs", &mut fuzz::over_kept_inputs());
    report.tests("documentation's examples", workspace::cargo().args(["test", "--workspace", "--doc"]));
    ran
}

/// Tells the tests where the programs and components are that were just built.
fn with_programs(command: &mut Command) -> &mut Command {
    command
        .env("WISSEL_BIN", workspace::program("wissel"))
        .env("WISSEL_TESTBED", workspace::program("wissel-testbed"))
        .env("WISSEL_CONNECTORS", workspace::built_connectors())
        .env("WISSEL_GUESTS", workspace::built_guests())
}

/// What each suite took and gave.
#[derive(Default)]
struct Report {
    suites: Vec<(String, Duration, Tally)>,
}

impl Report {
    fn add(&mut self, name: &str, begun: Instant, tally: Tally) {
        self.suites.push((name.to_owned(), begun.elapsed(), tally));
    }

    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) {
        println!("\n== {name}");
        let begun = Instant::now();
        let result = check();
        if let Err(error) = &result {
            eprintln!("{name}: {error:#}");
        }
        self.add(name, begun, Tally::check(result.is_ok()));
    }

    /// Runs a test runner and counts along; returns how many tests ran.
    fn tests(&mut self, name: &str, command: &mut Command) -> u64 {
        println!("\n== {name}");
        let begun = Instant::now();
        let mut tally = Tally::default();
        let succeeded = process::read_along(command, |line| tally.read(line));
        // A runner that fails without a failed test could not build or start them.
        if !succeeded.unwrap_or(false) && tally.failed == 0 {
            tally.failed = 1;
        }
        self.add(name, begun, tally);
        tally.passed + tally.failed
    }

    fn close(&self, ran: u64) -> ExitCode {
        println!("\n{:<28}{:>10}{:>9}{:>9}", "suite", "seconds", "passed", "failed");
        for (name, time, tally) in &self.suites {
            println!("{name:<28}{:>10.1}{:>9}{:>9}", time.as_secs_f64(), tally.passed, tally.failed);
        }
        let total = self.suites.iter().fold(Tally::default(), |sum, (_, _, tally)| sum.plus(*tally));
        if ran == 0 {
            println!("no test ran");
        }
        println!("{} passed, {} failed", total.passed, total.failed);
        if ran == 0 || total.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
