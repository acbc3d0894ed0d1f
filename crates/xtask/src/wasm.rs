//! The standard library for `wasm32-unknown-unknown`, and how to call Cargo with it.
//!
//! Three ways, in this order: it is installed; rustup adds it; on Debian and Ubuntu, where rustup is missing
//! or cannot download, the distribution's compiler for the browser is unpacked (not installed: it would
//! conflict with rustup) and the library built from its source.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// The connectors' target.
pub const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_PACKAGES: [&str; 5] =
    ["rustc-web", "libstd-rust-web-dev", "libstd-rust-web-1.96", "rust-web-src", "libllvm22"];

/// A way to build for [`TARGET`].
#[derive(Debug)]
pub enum Toolchain {
    /// The compiler in use has the target's standard library.
    Installed,
    /// A compiler unpacked into this folder, which builds the standard library as well.
    Unpacked(PathBuf),
}

impl Toolchain {
    /// The way that needs no download, when there is one.
    pub fn present() -> Option<Self> {
        let unpacked = unpacked();
        if installed() {
            Some(Self::Installed)
        } else if compiler(&unpacked).is_file() {
            Some(Self::Unpacked(unpacked))
        } else {
            None
        }
    }

    /// Adds the target through rustup; says whether that worked.
    pub fn add_by_rustup() -> bool {
        let added = Command::new("rustup").args(["target", "add", TARGET]).stdin(Stdio::null()).status();
        added.is_ok_and(|status| status.success()) && installed()
    }

    /// Downloads and unpacks the distribution's compiler. The package lists have to be fresh.
    pub fn unpack_debian() -> Result<Self> {
        let folder = unpacked();
        let downloads = folder.join("packages");
        std::fs::create_dir_all(&downloads)?;
        let mut download = Command::new("apt-get");
        process::run(download.current_dir(&downloads).arg("download").args(DEBIAN_PACKAGES))?;
        // The compiler's presence means "complete": it goes in last.
        let mut packages: Vec<_> = std::fs::read_dir(&downloads)?.collect::<Result<_, _>>()?;
        packages.sort_by_key(|package| package.file_name().to_string_lossy().starts_with("rustc-web_"));
        for package in packages {
            process::run(Command::new("dpkg").arg("-x").arg(package.path()).arg(&folder))?;
        }
        std::fs::remove_dir_all(&downloads)?;
        if !compiler(&folder).is_file() {
            bail!("the packages {} hold no compiler any more", DEBIAN_PACKAGES.join(" "));
        }
        Ok(Self::Unpacked(folder))
    }

    /// `cargo build` for the connectors, in their workspace.
    pub fn build(&self) -> Result<Command> {
        let mut command = workspace::cargo();
        command
            .current_dir(workspace::plugins())
            .env_remove("RUSTFLAGS")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-component-ld")
            // Randomness comes from the contract, through the hook in the SDK.
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg getrandom_backend=\"custom\"")
            .args(["build", "--workspace", "--release", "--target", TARGET]);
        if let Self::Unpacked(folder) = self {
            let tools = tools()?;
            let path = std::env::var_os("PATH").unwrap_or_default();
            let search =
                [tools.clone(), tools.join("gcc-ld")].into_iter().chain(std::env::split_paths(&path));
            command
                .env("RUSTC", compiler(folder))
                .env("RUSTC_BOOTSTRAP", "1")
                .env("LD_LIBRARY_PATH", folder.join("usr/lib").join(multiarch()))
                .env("PATH", std::env::join_paths(search)?)
                .arg("-Zbuild-std=std,panic_abort");
        }
        Ok(command)
    }
}

fn installed() -> bool {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).stderr(Stdio::null());
    process::capture(&mut rustc).is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn unpacked() -> PathBuf {
    workspace::root().join("target/wasm-toolchain")
}

fn compiler(folder: &Path) -> PathBuf {
    folder.join("usr/bin/rustc")
}

/// Debian's name for the folder of this machine's libraries.
fn multiarch() -> String {
    format!("{}-linux-gnu", std::env::consts::ARCH)
}

/// Where the compiler in use keeps `wasm-component-ld` and the linker under it.
fn tools() -> Result<PathBuf> {
    let sysroot = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib");
    let hosts = std::fs::read_dir(&libraries).with_context(|| format!("in {}", libraries.display()))?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin"))
        .find(|tools| tools.join("wasm-component-ld").is_file())
        .with_context(|| {
            format!("no wasm-component-ld under {}; it comes with rustup's Rust", libraries.display())
        })
}
