//! Finds or installs what building and testing need, and says which way it took.
//!
//! Quick when nothing is missing. Installs packages without starting the services in them, and leaves no
//! other change on the system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::wasm::Toolchain;
use crate::workspace;
use crate::{peers, process};

/// Programs that the tests call, each with the Debian package that has it.
const PROGRAMS: [(&str, &str); 8] = [
    ("dovecot", "dovecot-imapd"),
    ("doveadm", "dovecot-core"),
    ("microsocks", "microsocks"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3"),
    ("strace", "strace"),
    ("tinyproxy", "tinyproxy-bin"),
];

/// Which tools a run may count on.
#[derive(Debug)]
pub struct Tools {
    /// How connectors are built.
    pub wasm: Toolchain,
    /// Whether cargo-nextest is there; without it `cargo test` is used.
    pub nextest: bool,
}

/// Sets up everything.
pub fn run() -> Result<Tools> {
    programs()?;
    peers::install()?;
    let wasm = wasm_toolchain()?;
    let nextest = nextest();
    Ok(Tools { wasm, nextest })
}

/// Finds or fetches the standard library for connectors.
pub fn wasm_toolchain() -> Result<Toolchain> {
    if let Some(toolchain) = Toolchain::present() {
        match &toolchain {
            Toolchain::Installed => say("standard library for connectors", "installed"),
            Toolchain::Unpacked(folder) => {
                say("standard library for connectors", &format!("unpacked earlier in {}", folder.display()));
            }
        }
        return Ok(toolchain);
    }
    if Toolchain::add_by_rustup() {
        say("standard library for connectors", "added by rustup");
        return Ok(Toolchain::Installed);
    }
    if process::find("apt-get").is_none() {
        bail!("run `rustup target add {}`: rustup could not add it here", crate::wasm::TARGET);
    }
    apt(&["update", "-qq"])?;
    let toolchain = Toolchain::unpack_debian()?;
    say("standard library for connectors", "Debian's, unpacked into target/wasm-toolchain");
    Ok(toolchain)
}

fn programs() -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(name, _)| process::find(name).is_none()).collect();
    if missing.is_empty() {
        say("programs for the tests", "all there");
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    if process::find("apt-get").is_none() {
        bail!("the tests need {}: install them with this system's package manager", names.join(", "));
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let _quiet = NoServices::hold()?;
    apt(&["update", "-qq"])?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    apt(&[&install, packages.as_slice()].concat())?;
    say("programs for the tests", &format!("installed {}", packages.join(", ")));
    Ok(())
}

/// Runs apt-get, through sudo where it asks no password.
pub(crate) fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = as_root("apt-get", arguments)?;
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
        .with_context(|| format!("run it by hand to see more: apt-get {}", arguments.join(" ")))
}

fn as_root(program: &str, arguments: &[&str]) -> Result<Command> {
    let answers = |command: &mut Command| command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let user = answers(Command::new("id").arg("-u"))?;
    if user.stdout.trim_ascii() == b"0" {
        let mut command = Command::new(program);
        command.args(arguments);
        return Ok(command);
    }
    if answers(Command::new("sudo").args(["-n", "true"])).is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", program]).args(arguments);
        return Ok(command);
    }
    bail!("this needs root. Run: sudo {program} {}", arguments.join(" "))
}

/// Keeps package installation from starting services while it lives: a `policy-rc.d` that forbids it, where
/// the system has none of its own.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn hold() -> Result<Self> {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        if policy.exists() {
            return Ok(Self(None));
        }
        let own = workspace::root().join("target/policy-rc.d");
        fs::create_dir_all(workspace::root().join("target"))?;
        fs::write(&own, "#!/bin/sh\nexit 101\n")?;
        let (from, to) = (own.to_string_lossy(), policy.to_string_lossy());
        process::run(&mut as_root("install", &["-m", "755", &from, &to])?)?;
        fs::remove_file(&own)?;
        Ok(Self(Some(policy.to_path_buf())))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = &self.0 {
            let removed =
                as_root("rm", &["-f", &policy.to_string_lossy()]).and_then(|mut rm| process::run(&mut rm));
            if removed.is_err() {
                say("please remove", &policy.to_string_lossy());
            }
        }
    }
}

fn nextest() -> bool {
    let present = || {
        let mut version = workspace::cargo();
        version.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    if present() {
        say("cargo-nextest", "installed");
        return true;
    }
    let _ = process::run(workspace::cargo().args(["install", "cargo-nextest", "--locked"]));
    let installed = present();
    say(
        "cargo-nextest",
        if installed { "built and installed" } else { "not to be had; `cargo test` instead" },
    );
    installed
}

pub(crate) fn say(what: &str, how: &str) {
    println!("set-up: {what}: {how}");
}
