//! What the sources may say, and how long they may be.

use std::path::{Path, PathBuf};

use super::text::{files, is_below, lines_with, sources};

/// Providers and server products, in lower case.
const PROVIDERS: [&str; 16] = [
    "graph",
    "gmail",
    "ews",
    "entra",
    "outlook",
    "dovecot",
    "exchange",
    "office365",
    "microsoft365",
    "microsoft",
    "google",
    "yahoo",
    "cyrus",
    "courier",
    "zimbra",
    "icloud",
];

/// Where providers may be named: connectors are about them, the rest stands in for them.
const MAY_NAME_PROVIDERS: [&str; 4] = ["crates/testbed", "crates/xtask", "plugins", "tests"];

/// Files that may contain `unsafe`, each for the reason given.
const MAY_BE_UNSAFE: [(&str, &str); 2] = [
    ("crates/sdk/src/bindings.rs", "code that wit-bindgen generates"),
    ("crates/sdk/src/random.rs", "the symbol that getrandom looks up"),
];

const LONGEST: usize = 500;

fn fail_if_any(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n  {}", places.join("\n  "));
}

#[test]
fn no_crate_of_the_host_names_a_provider() {
    let crates = files("crates", "rs").into_iter().chain(files("crates", "sql"));
    let mut places = Vec::new();
    for (path, text) in crates.filter(|(path, _)| !is_below(path, &MAY_NAME_PROVIDERS)) {
        for word in PROVIDERS.iter().chain(&["imap"]) {
            for (number, line) in lines_with(&text, word) {
                places.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    fail_if_any("providers are named by their connectors, not by the host", &places);
}

#[test]
fn unsafe_stands_in_named_files_only() {
    let code = |line: &str| !line.trim_start().starts_with("//") && !line.contains('"');
    let mut places = Vec::new();
    for (path, text) in sources() {
        if MAY_BE_UNSAFE.iter().any(|(file, _)| path == Path::new(file)) {
            continue;
        }
        let text = text.replace("unsafe_code", "");
        let found = lines_with(&text, "unsafe").into_iter().find(|(_, line)| code(line));
        places.extend(found.map(|(number, _)| format!("{}:{number}", path.display())));
    }
    fail_if_any("`unsafe` outside the files that may have it", &places);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    let places: Vec<_> = silent.map(|(path, _)| path.display().to_string()).collect();
    fail_if_any("modules that do not begin with `//!`", &places);
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let long = sources().into_iter().filter(|(_, text)| text.lines().count() > LONGEST);
    let places: Vec<_> =
        long.map(|(path, text)| format!("{}: {}", path.display(), text.lines().count())).collect();
    fail_if_any("files over 500 lines: each is probably two things", &places);
}

#[test]
fn every_crate_takes_the_lints_of_its_workspace() {
    let manifests = ["crates", "plugins", "tests"].iter().flat_map(|folder| files(folder, "toml"));
    let takes = |text: &str| {
        let manifest: toml::Table = toml::from_str(text).unwrap();
        let lints =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        !manifest.contains_key("package") || lints == Some(true)
    };
    let without = manifests.filter(|(path, text)| path.ends_with("Cargo.toml") && !takes(text));
    let places: Vec<PathBuf> = without.map(|(path, _)| path).collect();
    assert!(places.is_empty(), "crates without `[lints] workspace = true`: {places:?}");
}

#[test]
fn nothing_waits_to_be_finished() {
    let marks = ["todo", "fixme", "xxx"];
    let mut places = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("tidy/sources.rs")) {
        for mark in marks {
            places.extend(
                lines_with(&text, mark).into_iter().map(|(number, _)| format!("{}:{number}", path.display())),
            );
        }
    }
    fail_if_any("marks of unfinished work; open an issue instead", &places);
}
