//! The benchmarks: builds what is measured, as it is shipped, and starts the program that measures.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{connectors, process, setup, workspace};

/// Other programs that Wissel is measured beside, each with the Debian package that has it.
const PEERS: [(&str, &str); 2] = [("mbsync", "isync"), ("fetchmail", "fetchmail")];

/// Which parts need them.
const WITH_PEERS: [&str; 3] = ["import", "poll", "large"];

/// Which part needs the connector compiled natively.
const WITH_NATIVE: &str = "tax";

/// Runs the benchmarks with these arguments (`--help` says which there are).
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let named: Vec<&String> = arguments.iter().take_while(|argument| !argument.starts_with('-')).collect();
    if named.is_empty() || named.iter().any(|name| WITH_PEERS.contains(&name.as_str())) {
        peers()?;
    }
    let tools = setup::run()?;
    connectors::build(&tools.wasm)?;
    process::run(workspace::cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    if named.is_empty() || named.iter().any(|name| *name == WITH_NATIVE) {
        let manifest = workspace::root().join("tests/bench/native/Cargo.toml");
        let mut build = workspace::cargo();
        build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
        process::run(build.arg("--target-dir").arg(workspace::target()))?;
    }
    let program = |name| workspace::target().join("release").join(name);
    let mut bench = std::process::Command::new(program("wissel-bench"));
    bench.arg("run").args(arguments).arg("--folder").arg(workspace::target().join("bench"));
    bench.env("WISSEL_BIN", program("wissel")).env("WISSEL_CONNECTORS", workspace::built_connectors());
    bench
        .env("WISSEL_TESTBED", program("wissel-testbed"))
        .env("WISSEL_NATIVE", program("wissel-native"))
        .env("WISSEL_GUESTS", workspace::built_guests());
    let status = bench.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what is missing and how to get it. Only the benchmarks need these, so set-up does not install them.
fn peers() -> Result<()> {
    let missing: Vec<_> = PEERS.iter().filter(|(name, _)| process::find(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    bail!(
        "{} to compare with is not installed. On Debian and Ubuntu: sudo apt-get install {}. \
         To do without, name the parts to run, such as `cargo xtask bench start`",
        names.join(" and "),
        packages.join(" ")
    )
}
