//! `cargo xtask mutate`: takes each guard that safety rests on away in turn, and fails unless a test goes red.
//!
//! Works on a copy of the checkout under `target/mutate`, so that a run that is ended half-way leaves no broken guard
//! behind. The guards and the tests that hold them stand in `tests/guards.toml`; a guard whose text is no longer in its
//! file is an error here and in the tidy tests.

mod copy;
pub mod guards;
mod suite;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use self::copy::Copy;
use self::guards::Guard;
use self::suite::{Ended, Suite, build_connectors};
use crate::workspace;

/// Mutates the guards whose names contain `only`, or all.
pub fn run(only: Option<&str>) -> Result<ExitCode> {
    let mut guards = guards::read(&workspace::root())?;
    guards.retain(|guard| only.is_none_or(|part| guard.name.contains(part)));
    ensure!(!guards.is_empty(), "no guard of that name in {}", guards::FILE);
    let copy = Copy::refresh(&workspace::target().join("mutate"))?;
    println!("mutate: {} guards, in {}", guards.len(), copy.root().display());
    ensure!(build_connectors(&copy)?, "the connectors do not build although every guard is in place");
    expect_green(&copy, &guards)?;
    let mut report = Vec::new();
    for guard in &guards {
        let begun = Instant::now();
        let verdict = disable(&copy, guard).with_context(|| format!("guard '{}'", guard.name))?;
        println!("mutate: {:<28} {verdict}", guard.name);
        report.push((guard, verdict, begun.elapsed()));
    }
    Ok(close(&report))
}

/// With every guard in place each suite has to pass, and to have tests: else a red one says nothing.
fn expect_green(copy: &Copy, guards: &[Guard]) -> Result<()> {
    let mut green: Vec<&Suite> = Vec::new();
    for suite in guards.iter().map(|guard| &guard.suite) {
        if green.contains(&suite) {
            continue;
        }
        green.push(suite);
        match suite.run(copy)? {
            Ended::Passed(tests) if tests > 0 => println!("mutate: {suite}: {tests} passed with every guard"),
            Ended::Passed(_) => bail!("{suite} has no test"),
            ended => bail!("{suite} does not pass although every guard is in place: {ended}"),
        }
    }
    Ok(())
}

/// Takes the guard away, runs its suite, and puts the guard back.
fn disable(copy: &Copy, guard: &Guard) -> Result<Ended> {
    let text = copy.read(&guard.file)?;
    copy.write(&guard.file, &guard.disabled_in(&text)?)?;
    let built = guard.is_in_connectors() && guard.suite.uses_built_connectors();
    let ended = if built && !build_connectors(copy)? { Ok(Ended::NotBuilt) } else { guard.suite.run(copy) };
    copy.write(&guard.file, &text)?;
    if built {
        ensure!(build_connectors(copy)?, "the connectors do not build any more");
    }
    ended
}

fn close(report: &[(&Guard, Ended, Duration)]) -> ExitCode {
    println!("\n{:<28} {:<44} {:>8}  ended", "guard", "suite", "seconds");
    for (guard, ended, time) in report {
        let suite = guard.suite.to_string();
        println!("{:<28} {suite:<44} {:>8.1}  {ended}", guard.name, time.as_secs_f64());
    }
    let missed = report.iter().filter(|(_, ended, _)| !ended.is_red()).count();
    println!("{} guards missed when taken away, {missed} not", report.len() - missed);
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
