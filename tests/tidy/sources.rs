//! What the sources may say, and how long they may be.

use std::path::{Path, PathBuf};

use super::text::{files, is_below, lines_with, sources};

/// Providers and server products, in lower case. (A plain "exchange" is also what SASL has.)
const PROVIDERS: [&str; 15] = [
    "graph",
    "gmail",
    "ews",
    "entra",
    "outlook",
    "dovecot",
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

/// Protocols that connectors speak. A comment may refer to one; code of the host may not know it.
const PROTOCOLS: [&str; 3] = ["imap", "smtp", "pop3"];

/// Where providers may be named: connectors are about them, the rest stands in for them.
const MAY_NAME_PROVIDERS: [&str; 4] = ["crates/testbed", "crates/xtask", "plugins", "tests"];

/// Files that may contain `unsafe`, each for the reason given.
const MAY_BE_UNSAFE: [(&str, &str); 2] = [
    ("crates/sdk/src/random.rs", "the symbol that getrandom looks up"),
    ("tests/guests/rogue/src/memory.rs", "values that no sound program makes, to be refused by the host"),
];

const LONGEST: usize = 500;

fn fail_if_any(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n  {}", places.join("\n  "));
}

/// The sources of the crates that ship with the host, their SQL included.
fn host() -> impl Iterator<Item = (PathBuf, String)> {
    let crates = files("crates", "rs").into_iter().chain(files("crates", "sql"));
    crates.filter(|(path, _)| !is_below(path, &MAY_NAME_PROVIDERS))
}

/// The lines of a file in which one of `words` stands, as places to show.
fn places_of(words: &[&str], path: &Path, text: &str) -> Vec<String> {
    let lines = words.iter().flat_map(|word| lines_with(text, word));
    lines.map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim())).collect()
}

#[test]
fn no_crate_of_the_host_names_a_provider() {
    let places: Vec<_> = host().flat_map(|(path, text)| places_of(&PROVIDERS, &path, &text)).collect();
    fail_if_any("providers are named by their connectors, not by the host", &places);
}

#[test]
fn no_code_of_the_host_knows_a_connectors_protocol() {
    let code = |text: &str| {
        let shipped = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        let lines: Vec<_> = shipped.map(|line| line.split("//").next().unwrap_or_default()).collect();
        lines.join("\n")
    };
    let places: Vec<_> = host()
        .filter(|(path, _)| !path.components().any(|folder| folder.as_os_str() == "tests"))
        .flat_map(|(path, text)| places_of(&PROTOCOLS, &path, &code(&text)))
        .collect();
    fail_if_any("protocols are spoken by connectors, not by the host", &places);
}

/// Whether a line of code opens something unsafe; the bare word in a comment, a name or a text does not.
fn opens_unsafe(line: &str) -> bool {
    let opened = ["{", "fn ", "impl", "extern ", "trait ", "("];
    let code = line.split("//").next().unwrap();
    code.match_indices("unsafe").any(|(at, word)| {
        let rest = code[at + word.len()..].trim_start();
        opened.iter().any(|opened| rest.starts_with(opened))
    })
}

#[test]
fn unsafe_stands_in_named_files_only() {
    let mut places = Vec::new();
    for (path, text) in sources() {
        // This folder is about the word.
        let named = MAY_BE_UNSAFE.iter().any(|(file, _)| path == Path::new(file));
        if !named && !path.starts_with("tests/tidy") {
            let found = text.lines().enumerate().filter(|(_, line)| opens_unsafe(line));
            places.extend(found.map(|(index, _)| format!("{}:{}", path.display(), index + 1)));
        }
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
