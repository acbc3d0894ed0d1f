//! The vault's key: rotated and moved, killed at each step, and never lost while something is sealed with it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::office::{Office, SECRETS};

/// The points of a change of the key, in their order.
const POINTS: [&str; 5] =
    ["vault-key-announced", "vault-key-put", "vault-resealed", "vault-key-settled", "vault-key-removed"];

fn status(office: &Office) -> Value {
    office.json(&["vault", "status"])
}

/// One key, which opens everything, in one place, and no traces of another.
fn assert_tidy(office: &Office, place: &str, secrets: u64) -> String {
    let status = status(office);
    let key = status["key"].as_str().unwrap().to_owned();
    assert_eq!(status["place"], place, "{status:#}");
    assert_eq!(status["keys"].as_array().unwrap().len(), 1, "{status:#}");
    assert_eq!(status["keys"][0]["key"], key.as_str());
    assert_eq!((&status["secrets"], &status["unfinished"]), (&secrets.into(), &false.into()), "{status:#}");
    let files = key_files(office.wissel.home());
    assert_eq!(files, if place == "file" { vec!["vault.key"] } else { vec![] }, "key files");
    let keyring = office.wissel.path("keyring");
    if keyring.exists() {
        let entries: Vec<_> = fs::read_dir(&keyring).unwrap().map(|e| e.unwrap().file_name()).collect();
        let expected: Vec<std::ffi::OsString> =
            if place == "keyring" { vec![format!("vault key {key}").into()] } else { vec![] };
        assert_eq!(entries, expected, "entries of the keyring");
    }
    key
}

fn key_files(home: &Path) -> Vec<String> {
    let names = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("vault.key")).collect();
    names.sort();
    names
}

fn audited(office: &Office, action: &str) -> usize {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\
                  print(c.execute('SELECT count(*) FROM audit WHERE action = ?', (sys.argv[2],)).fetchone()[0])\n";
    let mut python = std::process::Command::new("python3");
    let database = office.wissel.path("wissel.db");
    let output = python.args(["-c", script]).arg(database).arg(action).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn a_rotation_seals_everything_again_and_the_old_key_is_gone() {
    let office = Office::new();
    let (before, old) = (assert_tidy(&office, "file", 2), fs::read(office.wissel.path("vault.key")).unwrap());
    let rotated = office.json(&["vault", "rotate"]);
    assert_eq!((rotated["from"].as_str(), &rotated["secrets"]), (Some(&*before), &2.into()));
    let after = assert_tidy(&office, "file", 2);
    assert_eq!(rotated["key"], after.as_str());
    assert_ne!(before, after);
    office.assert_opens(2);
    assert_ne!(fs::read(office.wissel.path("vault.key")).unwrap(), old);
    assert_eq!(audited(&office, "vault.rotate"), 1);
    // What is stored from now on is sealed with the new key too.
    office.add("Drie", SECRETS[0]).success();
    assert_eq!(assert_tidy(&office, "file", 3), after);
    let said = office.run(&["vault", "rotate"]).success();
    assert!(said.stdout.contains("3 secrets are sealed with the new key"), "{said:?}");
}

#[test]
fn a_rotation_that_is_killed_is_finished_or_undone_by_the_next_command() {
    let mut origin = Office::new();
    origin.add_client();
    for point in POINTS {
        for keyring in [false, true] {
            let mut office = origin.copy();
            let place = if keyring { "keyring" } else { "file" };
            if keyring {
                office.with_keyring();
                office.run(&["vault", "move", "--to", "keyring"]).success();
            }
            let before = assert_tidy(&office, place, 4);
            office.dies_at(point, &["vault", "rotate"]);
            // A plain command, which knows nothing of rotations, opens every secret, and leaves all tidy.
            office.assert_opens(4);
            let after = assert_tidy(&office, place, 4);
            let finished = !["vault-key-announced", "vault-key-put"].contains(&point);
            assert_eq!(after != before, finished, "{point}, {place}");
            office.run(&["vault", "rotate"]).success();
            office.assert_opens(4);
            assert_ne!(assert_tidy(&office, place, 4), after);
        }
    }
}

#[test]
fn a_move_to_the_keyring_and_back_survives_death_at_each_step() {
    let origin = Office::new();
    for point in POINTS {
        let mut office = origin.copy();
        office.with_keyring();
        let key = assert_tidy(&office, "file", 2);
        let committed = !["vault-key-announced", "vault-key-put"].contains(&point);
        for (from, to) in [("file", "keyring"), ("keyring", "file")] {
            office.dies_at(point, &["vault", "move", "--to", to]);
            office.assert_opens(2);
            assert_eq!(assert_tidy(&office, if committed { to } else { from }, 2), key, "{point}");
            office.run(&["vault", "move", "--to", to]).success();
            office.assert_opens(2);
            assert_eq!(assert_tidy(&office, to, 2), key, "{point}");
        }
    }
}

#[test]
fn a_draft_that_a_killed_process_left_goes_with_its_key() {
    let office = Office::new();
    let path = office.wissel.path("vault.key");
    fs::copy(&path, office.wissel.path("vault.key.0123456789abcdef.new")).unwrap();
    office.run(&["vault", "rotate"]).success();
    assert_tidy(&office, "file", 2);
}

#[test]
fn a_key_file_of_somebody_else_is_not_replaced() {
    let mut office = Office::new();
    office.with_keyring();
    office.run(&["vault", "move", "--to", "keyring"]).success();
    for name in ["vault.key", "vault.key.next"] {
        let path = office.wissel.path(name);
        write_private(&path, &[7; 32]);
        let refused = office.run(&["vault", "move", "--to", "file"]);
        assert_eq!(refused.code, Some(6), "{refused:?}");
        assert!(refused.stderr.contains(path.to_str().unwrap()), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), [7; 32]);
        fs::remove_file(&path).unwrap();
    }
    office.assert_opens(2);
}

#[test]
fn a_keyring_that_is_gone_after_a_move_out_of_it_keeps_no_secret_closed() {
    let mut office = Office::new();
    let keyring = office.with_keyring();
    office.run(&["vault", "move", "--to", "keyring"]).success();
    office.dies_at("vault-resealed", &["vault", "move", "--to", "file"]);
    office.wissel.set("WISSEL_TEST_KEYRING", "none");
    office.assert_opens(2);
    let warned = office.run(&["vault", "status", "--json"]);
    assert!(warned.stderr.contains("cannot be removed"), "{warned:?}");
    assert_eq!(warned.json()["unfinished"], true);
    office.wissel.set("WISSEL_TEST_KEYRING", &keyring);
    assert_tidy(&office, "file", 2);
}

/// A file that only its owner may read.
fn write_private(path: &Path, octets: &[u8]) {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
    file.write_all(octets).unwrap();
    file.persist(path).unwrap();
}

/// A database that was made before keys were told apart: it does not say which key is the right one.
#[test]
fn a_wrong_key_does_not_become_the_right_one_of_an_older_installation() {
    let office = Office::new();
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute('DELETE FROM vault_key')\nc.commit()\n";
    let mut python = std::process::Command::new("python3");
    assert!(python.args(["-c", script]).arg(office.wissel.path("wissel.db")).status().unwrap().success());
    let path = office.wissel.path("vault.key");
    let good = fs::read(&path).unwrap();
    fs::write(&path, [7; 32]).unwrap();
    for refused in [office.run(&["vault", "rotate"]), office.add("Drie", SECRETS[0])] {
        assert_eq!(refused.code, Some(6), "{refused:?}");
    }
    fs::write(&path, good).unwrap();
    office.add("Drie", SECRETS[0]).success();
    office.run(&["vault", "rotate"]).success();
    office.assert_opens(3);
}

#[test]
fn a_machine_without_a_keyring_says_so_and_keeps_the_file() {
    let mut office = Office::new();
    office.wissel.set("WISSEL_TEST_KEYRING", "none");
    let refused = office.run(&["vault", "move", "--to", "keyring"]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.stderr.contains("keyring of the operating system cannot be used"), "{refused:?}");
    assert!(refused.stderr.contains("keep the key in a file"), "no next step: {refused:?}");
    office.assert_opens(2);
}

#[test]
fn a_keyring_that_lost_the_key_is_named_and_another_place_is_not_tried() {
    let mut office = Office::new();
    let keyring = office.with_keyring();
    office.run(&["vault", "move", "--to", "keyring"]).success();
    let key = assert_tidy(&office, "keyring", 2);
    fs::remove_file(keyring.join(format!("vault key {key}"))).unwrap();
    let refused = office.run(&["vault", "rotate"]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.stderr.contains(&key) && refused.stderr.contains("keyring"), "{refused:?}");
    assert!(key_files(office.wissel.home()).is_empty(), "a new key was made");
}

#[test]
fn a_secret_of_another_key_stops_the_rotation_before_anything_changes() {
    let office = Office::new();
    let path = office.wissel.path("vault.key");
    let good = fs::read(&path).unwrap();
    fs::write(&path, [7; 32]).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = office.run(&["vault", "rotate"]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(&path, good).unwrap();
    office.assert_opens(2);
}

#[test]
fn a_secret_sealed_before_the_rotation_is_not_stored_after_it() {
    let mut office = Office::new();
    let old = fs::read(office.wissel.path("vault.key")).unwrap();
    office.run(&["vault", "rotate"]).success();
    // As a program would that has read the key before the rotation.
    office.wissel.set("WISSEL_VAULT_KEY", hex::encode(old));
    let refused = office.add("Laat", SECRETS[0]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.stderr.contains("another key"), "{refused:?}");
}

#[test]
fn a_key_of_the_operator_is_rotated_with_the_one_that_the_operator_names() {
    let mut office = Office::new();
    let first = fs::read(office.wissel.path("vault.key")).unwrap();
    fs::remove_file(office.wissel.path("vault.key")).unwrap();
    // A credential of the service manager, as `LoadCredential=` makes it.
    let credentials = office.wissel.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("wissel-vault-key"), &first).unwrap();
    office.wissel.set("CREDENTIALS_DIRECTORY", &credentials);
    office.assert_opens(2);
    let refused = office.run(&["vault", "rotate"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--new-key-env"), "{refused:?}");
    office.wissel.set("NEXT_KEY", hex::encode([9; 32]));
    office.run(&["vault", "rotate", "--new-key-env", "NEXT_KEY"]).success();
    fs::write(credentials.join("wissel-vault-key"), hex::encode([9; 32])).unwrap();
    office.assert_opens(2);
    // And into Wissel's own keeping.
    office.run(&["vault", "move", "--to", "file"]).success();
    fs::remove_dir_all(&credentials).unwrap();
    office.assert_opens(2);
    assert_tidy(&office, "file", 2);
}
