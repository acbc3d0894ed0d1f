//! Fuzzing with libFuzzer: finds or installs its driver, and runs the targets of `fuzz/` one after the other.
//!
//! Works with a stable compiler: the coverage that libFuzzer needs is asked of LLVM, and the sanitizers, which are not
//! stable, are left out; in code without `unsafe` a finding is a panic, a hang or memory without end.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// The targets, and what each needs to be built with. The boundary comes last: it builds the WebAssembly runtime,
/// instrumented, which takes long the first time.
const TARGETS: [(&str, &str); 4] = [
    ("naming", "instrumented"),
    ("metadata", "instrumented"),
    ("imap", "instrumented"),
    ("boundary", "instrumented,host"),
];

/// Seconds for one input: what takes longer is a finding.
const SLOWEST: &str = "-timeout=20";
/// MiB that a target may take.
const MEMORY: &str = "-rss_limit_mb=2048";

/// Runs one target, or all, for so many seconds each.
///
/// # Errors
/// When there is no such target, or the driver cannot be installed.
pub fn run(seconds: u64, only: Option<&str>) -> Result<ExitCode> {
    let wanted: Vec<_> = TARGETS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    if wanted.is_empty() {
        let known = TARGETS.map(|(name, _)| name).join(", ");
        bail!("there is no target '{}'; there are {known}", only.unwrap_or_default());
    }
    let path = driver()?;
    let mut broken = Vec::new();
    for (name, features) in wanted {
        println!("\n== {name}: {seconds} seconds");
        if let Err(error) = fuzz(name, features, seconds, &path) {
            eprintln!("{name}: {error:#}");
            broken.push(*name);
        }
    }
    if broken.is_empty() {
        println!("\nno findings");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\nfailed: {}; the inputs of findings are kept in fuzz/regressions/TARGET/", broken.join(", "));
    Ok(ExitCode::FAILURE)
}

/// The search path on which `cargo fuzz` is found; installs it below `target/` where it is missing.
fn driver() -> Result<std::ffi::OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = process::find("cargo-fuzz") {
        println!("cargo-fuzz: {}", found.display());
        return Ok(old);
    }
    let tools = workspace::target().join("tools");
    let folder = tools.join("bin");
    if folder.join("cargo-fuzz").is_file() {
        println!("cargo-fuzz: {}, installed earlier", folder.display());
    } else {
        println!("cargo-fuzz: not found; it is installed into {}", tools.display());
        let install = ["install", "cargo-fuzz", "--locked", "--root"];
        process::run(workspace::cargo().args(install).arg(&tools))
            .context("cargo-fuzz cannot be installed")?;
    }
    let all: Vec<PathBuf> = std::iter::once(folder).chain(std::env::split_paths(&old)).collect();
    Ok(std::env::join_paths(all)?)
}

fn fuzz(name: &str, features: &str, seconds: u64, path: &std::ffi::OsStr) -> Result<()> {
    let fuzz = workspace::root().join("fuzz");
    let [corpus, seeds, regressions] =
        ["corpus", "seeds", "regressions"].map(|folder| fuzz.join(folder).join(name));
    for folder in [&corpus, &regressions] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut command: Command = workspace::cargo();
    command.current_dir(workspace::root()).env("PATH", path).env("CARGO_TARGET_DIR", fuzz.join("target"));
    // New inputs go into the first folder.
    command.args(["fuzz", "run", "--sanitizer", "none", "--features", features, name]);
    command.args([corpus, seeds, regressions.clone()]);
    command.args(["--", SLOWEST, MEMORY, "-print_final_stats=1", &format!("-max_total_time={seconds}")]);
    command.arg(format!("-artifact_prefix={}/", regressions.display()));
    process::run(&mut command)
}

/// The targets as plain tests, over what is kept and some thousand changes of it. (The boundary is among the host's.)
#[must_use]
pub fn over_kept_inputs() -> Command {
    let fuzz = workspace::root().join("fuzz");
    let mut command = workspace::cargo();
    command.current_dir(&fuzz).env("CARGO_TARGET_DIR", fuzz.join("target"));
    command.args(["test", "--locked", "--lib"]);
    command
}
