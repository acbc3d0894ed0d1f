//! Target directories that cannot be written to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use wissel_tests::scene::unprivileged;

use crate::{Case, assert_failed, assert_failed_in_json};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_without_the_right_to_write_is_named() {
    let case = Case::new();
    let sink = case.scene.sink("J");
    fs::create_dir_all(&sink).unwrap();
    chmod(&sink, 0o555);
    let run = |arguments: &[&str]| case.scene.run_under(unprivileged(), arguments);
    let path = sink.display().to_string();
    assert_failed(&run(&["job", "run", "J"]), 1, &["job 'J'", &path, "right to write"]);
    assert_failed_in_json(&run(&["job", "run", "J", "--json"]), 1, "sink");
    let tested = run(&["job", "test", "J"]);
    assert_eq!(tested.code, Some(1), "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stderr.contains(&path), "{}", tested.stderr);
    case.assert_untouched();
    chmod(&sink, 0o755);
    run(&["job", "test", "J"]).success();
    run(&["job", "run", "J"]).success();
    case.assert_complete();
}

#[test]
fn a_directory_whose_place_is_taken_by_a_file_is_named() {
    let case = Case::new();
    let sink = case.scene.sink("J");
    fs::remove_dir_all(&sink).unwrap();
    fs::write(&sink, "something else").unwrap();
    let path = sink.display().to_string();
    assert_failed(&case.scene.run(&["job", "run", "J"]), 1, &["job 'J'", &path, "another directory"]);
    assert_eq!(fs::read_to_string(&sink).unwrap(), "something else");
    case.assert_untouched();
    fs::remove_file(&sink).unwrap();
    case.assert_recovers();
}

#[test]
fn a_directory_that_becomes_read_only_between_runs_loses_nothing() {
    let case = Case::new();
    case.assert_recovers();
    let more = wissel_tests::corpus::messages(43, 5);
    case.scene.server.deliver(wissel_tests::dovecot::ALICE, "INBOX", &more);
    let sink = case.scene.sink("J");
    for entry in [sink.clone(), sink.join(".incoming")] {
        chmod(&entry, 0o555);
    }
    let refused = case.scene.run_under(unprivileged(), &["job", "run", "J"]);
    assert_failed(&refused, 1, &["job 'J'"]);
    for entry in [sink.clone(), sink.join(".incoming")] {
        chmod(&entry, 0o755);
    }
    assert_eq!(case.scene.import("J"), 5);
}
