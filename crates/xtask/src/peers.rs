//! Programs by others that tests run against: client libraries in Python for the test bed's faces, and a token issuer on
//! Node.js.
//!
//! The first are a virtual environment in `target/peers` with exactly what `tests/peers/requirements.txt` pins; the second is
//! in `tests/peers/oidc`, as its lock file says. Each is made anew when that file changes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::setup::{apt, say};
use crate::{process, workspace};

/// The Python that has the libraries.
pub fn python() -> PathBuf {
    let path = if cfg!(windows) { "target/peers/Scripts/python.exe" } else { "target/peers/bin/python3" };
    workspace::root().join(path)
}

/// Installs all of them, unless they are there.
pub fn install() -> Result<()> {
    libraries()?;
    issuer()
}

/// The issuer. npm leaves a lock file of its own once it is done.
fn issuer() -> Result<()> {
    let folder = workspace::root().join("tests/peers/oidc");
    let modified = |name: &str| fs::metadata(folder.join(name)).and_then(|meta| meta.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        say("token issuer for the tests", "installed");
        return Ok(());
    }
    let npm = process::find(if cfg!(windows) { "npm.cmd" } else { "npm" }).context("npm is missing")?;
    let mut install = Command::new(npm);
    install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    process::run(&mut install)?;
    say("token issuer for the tests", "installed into tests/peers/oidc/node_modules");
    Ok(())
}

fn libraries() -> Result<()> {
    let folder = workspace::root().join("target/peers");
    let requirements = workspace::root().join("tests/peers/requirements.txt");
    let wanted = fs::read(&requirements).with_context(|| requirements.display().to_string())?;
    // Written last: what was interrupted is begun anew.
    let finished = folder.join("requirements.txt");
    if fs::read(&finished).is_ok_and(|installed| installed == wanted) {
        say("client libraries for the tests", "all there");
        return Ok(());
    }
    let base = if cfg!(windows) { "python" } else { "python3" };
    let mut check = Command::new(base);
    check.args(["-c", "import ensurepip"]).stdin(Stdio::null()).stderr(Stdio::null());
    if !check.status().with_context(|| format!("cannot run {base}"))?.success() {
        apt(&["update", "-qq"])?;
        apt(&["install", "-y", "-qq", "--no-install-recommends", "python3-venv"])?;
    }
    process::run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&folder))?;
    // Most of the modules are never loaded: compiling them all would take longer than the tests.
    let options = ["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "-r"];
    process::run(Command::new(python()).args(options).arg(&requirements))?;
    fs::write(&finished, wanted)?;
    say("client libraries for the tests", "installed into target/peers");
    Ok(())
}
