//! Which crate may depend on which.

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::workspace::{self, text};

/// What a connector may use: the SDK, and libraries of protocols, formats and plain data.
const FOR_CONNECTORS: [&str; 22] = [
    "wissel-connector",
    "base64",
    "bounded-static",
    "bytes",
    "chrono",
    "encoding_rs",
    "ews",
    "imap-codec",
    "imap-next",
    "imap-types",
    "jiff",
    "mail-parser",
    "memchr",
    "percent-encoding",
    "quick-xml",
    "serde",
    "serde_json",
    "smtp-proto",
    "strsim",
    "thiserror",
    "time",
    "url",
];

/// The names of the packages of the host's workspace, each with what it needs to run.
fn members() -> Vec<(String, BTreeSet<String>)> {
    let metadata = workspace::metadata(&workspace::root(), true).unwrap();
    workspace::packages(&metadata).map(|package| (text(package, "name").to_owned(), needs(package))).collect()
}

/// Dependencies of a package that are not for its tests or build script alone.
fn needs(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    dependencies
        .filter(|dependency| dependency["kind"].is_null())
        .map(|d| text(d, "name").to_owned())
        .collect()
}

/// Every crate of the workspace that `name` needs, itself left out, through others too.
fn reach(name: &str, members: &[(String, BTreeSet<String>)]) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        let Some((_, needs)) = members.iter().find(|(member, _)| *member == next) else { continue };
        open.extend(needs.iter().filter(|need| reached.insert((*need).clone())).cloned());
    }
    reached
}

#[test]
fn only_the_host_depends_on_wasmtime() {
    for (name, needs) in members() {
        let wasm = needs.iter().any(|need| need.starts_with("wasmtime"));
        assert!(!wasm || name == "wissel-host", "{name} depends on wasmtime; only wissel-host may");
    }
}

#[test]
fn the_lower_floors_do_not_know_the_host() {
    let members = members();
    for floor in ["model", "mime", "vault", "auth", "store", "sink", "jobs"] {
        let name = format!("wissel-{floor}");
        assert!(members.iter().any(|(member, _)| *member == name), "{name} is gone: correct this test");
        let reached = reach(&name, &members);
        for above in ["wissel-host", "wissel-cli", "wissel-testbed", "wasmtime"] {
            assert!(!reached.contains(above), "{name} must not depend on {above}");
        }
    }
}

#[test]
fn the_host_does_not_know_store_or_jobs() {
    let reached = reach("wissel-host", &members());
    for other in ["wissel-store", "wissel-jobs", "wissel-sink", "wissel-cli"] {
        assert!(!reached.contains(other), "wissel-host must not depend on {other}");
    }
}

#[test]
fn the_model_the_sdk_and_xtask_stand_alone() {
    let members = members();
    for (name, needs) in &members {
        if !["wissel-model", "wissel-connector", "xtask"].contains(&name.as_str()) {
            continue;
        }
        let inside: Vec<_> =
            needs.iter().filter(|need| members.iter().any(|(member, _)| member == *need)).collect();
        assert!(inside.is_empty(), "{name} must not depend on {inside:?}");
    }
}

#[test]
fn nothing_ships_the_testbed() {
    for (name, needs) in members() {
        let inside = ["wissel-testbed", "xtask", "wissel-tests", "wissel-bench"];
        let found = needs.iter().any(|need| inside.contains(&need.as_str()));
        assert!(!found || inside.contains(&name.as_str()), "{name} depends on what is for tests only");
    }
}

#[test]
fn connectors_depend_on_the_sdk_and_protocol_libraries_only() {
    if !workspace::has_plugins() {
        return;
    }
    let metadata = workspace::metadata(&workspace::plugins(), true).unwrap();
    let plugins = workspace::plugins();
    for package in workspace::packages(&metadata) {
        if !text(package, "manifest_path").starts_with(&*plugins.to_string_lossy()) {
            continue;
        }
        for need in needs(package) {
            let allowed = FOR_CONNECTORS.contains(&need.as_str());
            assert!(allowed, "{} depends on {need}, which is not on the list here", text(package, "name"));
        }
    }
}
