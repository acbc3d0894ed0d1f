//! What is checked of a file without any account.

use std::fs;

use wissel_tests::paths;
use wissel_tests::wissel::Wissel;

use crate::report::{check, ended};

/// A home in which nothing is, and nothing may be made.
fn wissel() -> Wissel {
    let mut wissel = Wissel::new();
    wissel.set("WISSEL_LANG", "en");
    wissel
}

#[test]
fn a_first_party_connector_passes_without_an_account() {
    let wissel = wissel();
    let file = paths::connectors().join("imap.wasm").display().to_string();
    let report = check(&wissel, &file, &[]).success().json();
    assert_eq!(ended(&report, "failed"), [] as [&str; 0]);
    let passed = ended(&report, "passed");
    for name in ["component/loads", "component/describes-alike", "describe/schema", "session/unreachable"] {
        assert!(passed.iter().any(|passed| passed == name), "{name}: {passed:?}");
    }
    assert!(!wissel.path("wissel.db").exists(), "the check needs no installation, and made one");
}

#[test]
fn what_is_no_connector_fails_and_says_why() {
    let wissel = wissel();
    let file = wissel.path("broken.wasm");
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    let output = check(&wissel, &file.display().to_string(), &[]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let report = output.json();
    assert_eq!(ended(&report, "failed"), ["component/loads"]);
    assert!(report["cases"][0]["seen"].as_str().unwrap().contains("not a component"), "{report:#}");
    assert!(report["cases"][0]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let output = check(&wissel(), "nowhere.wasm", &[]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
}
