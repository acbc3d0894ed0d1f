//! Where things lie in the checkout, and what Cargo knows about its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The top folder of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// The folder that the host's builds go to, `CARGO_TARGET_DIR` respected.
#[must_use]
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Where Cargo puts the program `name` that it builds for demonstration and tests.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    target().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The folder of the connectors' own Cargo workspace.
#[must_use]
pub fn plugins() -> PathBuf {
    root().join("plugins")
}

/// Whether the connectors' workspace has been begun.
#[must_use]
pub fn has_plugins() -> bool {
    plugins().join("Cargo.toml").is_file()
}

/// Where built connectors are put, one `<name>.wasm` each.
#[must_use]
pub fn built_connectors() -> PathBuf {
    root().join("target/connectors")
}

/// Where built test guests are put, one `<name>.wasm` each.
#[must_use]
pub fn built_guests() -> PathBuf {
    root().join("target/guests")
}

/// `cargo metadata` of the workspace in `folder`; with its dependencies unless `only_members`.
pub fn metadata(folder: &Path, only_members: bool) -> Result<Value> {
    let mut command = cargo();
    command.current_dir(folder).args(["metadata", "--format-version", "1"]);
    if only_members {
        command.arg("--no-deps");
    }
    let text = process::capture(&mut command)?;
    serde_json::from_str(&text).with_context(|| format!("cargo metadata of {}", folder.display()))
}

/// The packages of [`metadata`].
pub fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata.get("packages").and_then(Value::as_array).into_iter().flatten()
}

/// A field of a package (or another JSON object) as text; empty when it has none.
#[must_use]
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The cargo that runs us, in the top folder.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
