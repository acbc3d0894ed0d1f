//! Builds the connectors' workspace and puts each component where the host, the demo and the tests look.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::wasm::Toolchain;
use crate::{component, process, workspace};

/// Builds every connector and test guest; fails when a connector imports anything outside the contract.
/// Test guests may: some are there to be refused.
pub fn build(toolchain: &Toolchain) -> Result<()> {
    let (connectors, guests) = (workspace::built_connectors(), workspace::built_guests());
    let built = if workspace::has_plugins() { compile(toolchain)? } else { Vec::new() };
    let (test_guests, first_party): (Vec<_>, Vec<_>) = built.into_iter().partition(|c| c.guest);
    if first_party.is_empty() {
        println!("connectors: plugins/ has no connector yet");
    }
    for connector in &first_party {
        component::check(&connector.file)?;
    }
    install(&first_party, &connectors)?;
    install(&test_guests, &guests)
}

/// One component as Cargo left it.
struct Built {
    /// The name of its folder.
    name: String,
    file: PathBuf,
    guest: bool,
}

fn compile(toolchain: &Toolchain) -> Result<Vec<Built>> {
    let mut command = toolchain.build()?;
    command.arg("--target-dir").arg(workspace::plugins().join("target"));
    command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let messages = process::capture(&mut command)?;
    Ok(messages.lines().filter_map(|line| component_of(&serde_json::from_str(line).ok()?)).collect())
}

/// The component that one of Cargo's messages tells of, if it does.
fn component_of(message: &Value) -> Option<Built> {
    let kinds = message.get("target")?.get("kind")?.as_array()?;
    if !kinds.iter().any(|kind| kind == "cdylib") {
        return None;
    }
    let files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
    let file = files.map(PathBuf::from).find(|file| file.extension().is_some_and(|e| e == "wasm"))?;
    let folder = Path::new(workspace::text(message, "manifest_path")).parent()?;
    let guest = folder.starts_with(workspace::root().join("tests"));
    Some(Built { name: folder.file_name()?.to_string_lossy().into_owned(), file, guest })
}

/// Puts `built` into `folder`, and takes away what is no longer built. A file that is the same stays
/// untouched: a running service would load it again.
fn install(built: &[Built], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut names = BTreeSet::<OsString>::new();
    for component in built {
        let target = folder.join(format!("{}.wasm", component.name));
        let bytes = fs::read(&component.file).with_context(|| component.file.display().to_string())?;
        if fs::read(&target).ok().as_ref() != Some(&bytes) {
            // Written beside and renamed: a service that watches the folder never sees half a file.
            let beside = target.with_extension("partial");
            fs::write(&beside, &bytes)?;
            fs::rename(&beside, &target)?;
            println!("connectors: {} ({} KiB)", target.display(), bytes.len() / 1024);
        }
        names.extend(target.file_name().map(OsString::from));
    }
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "wasm") && !names.contains(&entry.file_name()) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
