//! Operations and limits that this version does not know are carried, not fatal.

use std::fs;

use wissel_tests::paths;
use wissel_tests::wissel::Wissel;

/// `bytes` with the one `from` in them replaced by `to`, which is as long.
fn changed(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = memchr::memmem::find(&bytes, from.as_bytes()).unwrap_or_else(|| panic!("'{from}' is not there"));
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn unknown_operations_limits_and_members_are_carried() {
    let file = paths::guests().join("rogue.wasm");
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let bytes = changed(bytes, r#""find-folder", "list-messages""#, r#""find-folder", "list-calendars"#);
    let bytes = changed(bytes, r#"list-calendars"#, r#"list-calendar""#);
    let bytes = changed(bytes, r#"{"parallelSessions": 4"#, r#"{"parallelUploads":  4"#);
    let mut wissel = Wissel::new();
    wissel.set("WISSEL_LANG", "en");
    let connectors = wissel.path("connectors of its own");
    fs::create_dir(&connectors).unwrap();
    wissel.set("WISSEL_CONNECTORS", &connectors);
    let newer = wissel.path("newer.wasm");
    fs::write(&newer, bytes).unwrap();
    let _ = wissel.json(&["connector", "install", &newer.display().to_string()]);
    let shown = wissel.json(&["connector", "show", "rogue"]);
    let operations = shown["description"]["operations"].as_array().unwrap();
    assert!(operations.iter().any(|operation| operation == "list-calendar"), "{operations:?}");
    assert_eq!(shown["description"]["limits"]["parallelUploads"], 4);
}
