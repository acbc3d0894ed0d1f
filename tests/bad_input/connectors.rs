//! Connectors that are away, replaced or broken while accounts and jobs use them.

use std::fs;
use std::path::PathBuf;

use wissel_tests::paths;
use wissel_tests::scene::ACCOUNT;

use crate::{Case, assert_failed, assert_failed_in_json};

/// The case, with a directory of connectors of its own, and the component's file in it.
fn with_own_connectors() -> (Case, PathBuf) {
    let mut case = Case::new();
    let own = case.scene.wissel.path("own connectors");
    fs::create_dir(&own).unwrap();
    let file = own.join("imap.wasm");
    fs::copy(paths::connectors().join("imap.wasm"), &file).unwrap();
    case.scene.wissel.set("WISSEL_CONNECTORS", &own);
    case.scene.run(&["account", "test", ACCOUNT]).success();
    (case, file)
}

fn says_how_to_install(case: &Case) {
    for command in [["account", "test", ACCOUNT], ["job", "run", "J"]] {
        assert_failed(&case.scene.run(&command), 3, &[ACCOUNT, "'imap'", "wissel connector install"]);
    }
    let tested = case.scene.run(&["job", "test", "J"]);
    assert_eq!(tested.code, Some(3), "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stderr.contains("'imap'"), "{}", tested.stderr);
    // What needs no connector still works.
    let shown = case.scene.run(&["account", "show", ACCOUNT]).success();
    assert!(shown.stdout.contains("alice@example.test"), "{}", shown.stdout);
    assert!(shown.stdout.contains("not installed"), "{}", shown.stdout);
    case.scene.run(&["job", "list"]).success();
    case.assert_untouched();
}

#[test]
fn a_connector_in_use_is_removed_by_force_only_and_missed_then() {
    let (case, file) = with_own_connectors();
    let refused = case.scene.run(&["connector", "remove", "imap"]);
    assert_failed(&refused, 1, &[ACCOUNT, "--force"]);
    assert!(file.exists());
    case.scene.run(&["connector", "remove", "imap", "--force"]).success();
    assert!(!file.exists());
    says_how_to_install(&case);
    let component = paths::connectors().join("imap.wasm").display().to_string();
    case.scene.run(&["connector", "install", &component]).success();
    case.assert_recovers();
}

#[test]
fn a_connector_that_is_broken_is_missed_and_its_file_is_named_in_the_list() {
    let (case, file) = with_own_connectors();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    says_how_to_install(&case);
    let listed = case.scene.wissel.json(&["connector", "list"]);
    assert_eq!(listed["connectors"][0]["usable"], false, "{listed:#}");
    assert!(listed["connectors"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    fs::write(&file, &whole).unwrap();
    case.assert_recovers();
}

#[test]
fn what_is_no_connector_is_not_installed() {
    let (case, file) = with_own_connectors();
    let whole = fs::read(&file).unwrap();
    let other = case.scene.wissel.path("other.wasm");
    for bytes in [&b"no wasm at all"[..], b"\0asm\x01\0\0\0", b"", &whole[..1000]] {
        fs::write(&other, bytes).unwrap();
        let refused = case.scene.run(&["connector", "install", &other.display().to_string()]);
        assert_failed(&refused, 1, &["other.wasm"]);
    }
    let missing = case.scene.run(&["connector", "install", "/nowhere/x.wasm", "--json"]);
    assert_failed_in_json(&missing, 3, "not-found");
    assert!(fs::read(&file).unwrap() == whole, "the installed one was changed");
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    case.assert_recovers();
}
