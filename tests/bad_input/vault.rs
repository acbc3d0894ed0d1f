//! The vault's key: lost, exchanged, damaged, unreadable, readable by all.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use wissel_tests::dovecot::PASSWORD;
use wissel_tests::scene::{ACCOUNT, discreet, unprivileged};

use crate::{Case, assert_failed};

fn key(case: &Case) -> PathBuf {
    case.scene.wissel.path("vault.key")
}

/// Spoils the key, sees that commands say so, mends it, and sees that nothing was lost.
fn spoiled(spoil: impl FnOnce(&PathBuf), says: &[&str]) {
    let case = Case::new();
    let path = key(&case);
    let good = fs::read(&path).unwrap();
    spoil(&path);
    for command in [["account", "test", ACCOUNT], ["job", "run", "J"]] {
        let refused = case.scene.run_under(unprivileged(), &command);
        assert_failed(&refused, 6, &[&[ACCOUNT], says].concat());
        let text = format!("{}{}", refused.stdout, refused.stderr);
        assert!(!text.contains(&hex::encode(&good)), "the key shows: {text}");
        let may_be_lost = says.iter().any(|word| ["missing", "another key"].contains(word));
        assert_eq!(text.contains("--new-vault-key"), may_be_lost, "a new key is for a lost one: {text}");
    }
    case.assert_untouched();
    let _ = fs::remove_file(&path);
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    case.assert_recovers();
}

#[test]
fn a_lost_key_is_missed_and_no_new_one_is_made() {
    spoiled(|path| fs::remove_file(path).unwrap(), &["vault.key", "missing", "backup"]);
}

#[test]
fn another_key_is_told_from_the_right_one() {
    spoiled(|path| fs::write(path, [7; 32]).unwrap(), &["another key", "vault.key", "wissel account edit"]);
}

#[test]
fn a_damaged_key_is_named() {
    spoiled(|path| fs::write(path, [7; 31]).unwrap(), &["vault.key", "31", "backup"]);
}

#[test]
fn a_key_that_cannot_be_read_is_named() {
    spoiled(
        |path| fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap(),
        &["vault.key", "right"],
    );
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    spoiled(
        |path| fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap(),
        &["vault.key", "chmod 600"],
    );
}

#[test]
fn with_a_lost_key_the_secret_can_be_stored_again() {
    let case = Case::new();
    fs::remove_file(key(&case)).unwrap();
    let edit = ["account", "edit", ACCOUNT, "--password-stdin"];
    let refused = discreet(case.scene.wissel.run_with(&edit, PASSWORD));
    assert_failed(&refused, 6, &["vault.key", "missing"]);
    let edit = [&edit[..], &["--new-vault-key"]].concat();
    discreet(case.scene.wissel.run_with(&edit, PASSWORD)).success();
    case.assert_recovers();
}

#[test]
fn a_key_from_the_environment_must_be_the_right_one() {
    let mut case = Case::new();
    let good = fs::read(key(&case)).unwrap();
    for (value, says) in [("x".to_owned(), "WISSEL_VAULT_KEY"), (hex::encode([9; 32]), "another key")] {
        case.scene.wissel.set("WISSEL_VAULT_KEY", value);
        let refused = case.scene.run(&["job", "run", "J"]);
        assert_failed(&refused, 6, &[ACCOUNT, says, "WISSEL_VAULT_KEY"]);
        assert_eq!(refused.stderr.contains("--new-vault-key"), says == "another key", "{}", refused.stderr);
    }
    case.assert_untouched();
    case.scene.wissel.set("WISSEL_VAULT_KEY", hex::encode(&good));
    fs::remove_file(key(&case)).unwrap();
    case.assert_recovers();
}

#[test]
fn the_database_and_the_key_are_the_owners_alone() {
    let case = Case::new();
    case.assert_recovers();
    for name in ["vault.key", "wissel.db"] {
        let path = case.scene.wissel.path(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
        assert!(!fs::read(&path).unwrap().windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes()));
    }
}
