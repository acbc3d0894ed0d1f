//! The frozen components against the testbed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use wissel_tests::paths;
use wissel_tests::wissel::Wissel;
use xtask::workspace;

fn folder() -> PathBuf {
    workspace::root().join("tests/compat")
}

/// The versions that have a frozen component.
fn versions() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "wasm"));
    files.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_version_that_landed_has_a_frozen_component() {
    let world = fs::read_to_string(workspace::root().join("wit/world.wit")).unwrap();
    let package = world.lines().find_map(|line| line.strip_prefix("package wissel:connector@")).unwrap();
    let current = package.trim_end_matches(';').to_owned();
    let document = fs::read_to_string(workspace::root().join("docs/contract-versions.md")).unwrap();
    let listed: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `wissel:connector@")?.split_once('`'))
        .map(|(version, _)| version.to_owned())
        .collect();
    assert!(
        listed.contains(&current),
        "the contract is now {current}, which docs/contract-versions.md does not list: freeze a component of it"
    );
    assert_eq!(versions(), listed, "tests/compat/README.md says how a component is frozen");
}

#[test]
fn every_frozen_component_loads_describes_itself_and_imports_mail() {
    for version in versions() {
        let file = folder().join(format!("{version}.wasm")).display().to_string();
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        let connectors = wissel.path("connectors of its own");
        fs::create_dir(&connectors).unwrap();
        wissel.set("WISSEL_CONNECTORS", &connectors);
        let ca = wissel.path("ca.pem").display().to_string();
        let mut bed = Command::new(paths::testbed());
        bed.args(["--ca-file", &ca, "--messages", "5"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut bed = bed.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(bed.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).unwrap();

        let installed = wissel.json(&["connector", "install", &file]);
        let name = installed["name"].as_str().unwrap();
        let shown = wissel.json(&["connector", "show", name]);
        assert!(!shown["description"]["operations"].as_array().unwrap().is_empty(), "{version}: {shown}");
        let (_, port) = facts["imaps"].as_str().unwrap().rsplit_once(':').unwrap();
        let (user, port) =
            (format!("user={}", facts["users"][0]["user"].as_str().unwrap()), format!("port={port}"));
        let account = ["account", "add", "Oud", "--connector", name, "--password-stdin", "--ca-file", &ca];
        let settings = ["--set", "host=localhost", "--set", &port, "--set", &user];
        let password = facts["users"][0]["password"].as_str().unwrap();
        wissel.run_with(&[&account[..], &settings].concat(), password).success();
        assert_eq!(wissel.json(&["account", "test", "Oud"])["ok"], true, "{version}");
        let to = wissel.path("imported").display().to_string();
        let job = ["job", "add", "Taak", "--account", "Oud", "--to", &to];
        let folders = ["--folder", "Postvak IN/Algemeen", "--processed", "Postvak IN/Algemeen/Klaar"];
        wissel.run(&[&job[..], &folders, &["--create-processed"]].concat()).success();
        let expected = facts["tokens"].as_array().unwrap().len() as u64;
        assert_eq!(wissel.json(&["job", "run", "Taak"])["imported"], expected, "{version}");
        assert_eq!(
            wissel.json(&["job", "run", "Taak"])["imported"],
            0,
            "{version}: moved, so not imported again"
        );
        let _ = bed.kill();
        let _ = bed.wait();
    }
}
