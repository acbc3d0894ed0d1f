//! UIDVALIDITY changes while messages stay: none is imported again, and what is new is.

use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

const FOLDER: &str = "Facturen";

/// Twenty messages, among them some without Message-ID and two with the same one.
fn samples(seed: u64) -> Vec<Sample> {
    let mut samples = corpus::messages(seed, 20);
    for index in [2, 3, 4] {
        replace_message_id(&mut samples[index], "");
    }
    for index in [7, 8] {
        replace_message_id(&mut samples[index], "Message-ID: <same@example.test>\r\n");
    }
    samples
}

fn replace_message_id(sample: &mut Sample, with: &str) {
    let line = sample.bytes.windows(11).position(|window| window == b"Message-ID:").unwrap();
    let end = line + sample.bytes[line..].windows(2).position(|window| window == b"\r\n").unwrap() + 2;
    sample.bytes.splice(line..end, with.bytes());
}

fn uid_validity(scene: &Scene) -> String {
    scene.server.doveadm(&["-f", "flow", "mailbox", "status", "-u", ALICE, "uidvalidity", FOLDER])
}

fn is_imported_once(change: impl FnOnce(&Scene, &[Sample])) {
    let scene = Scene::start(&Options::default());
    let old = samples(1);
    scene.server.deliver(ALICE, FOLDER, &old);
    scene.job("J", &["--folder", FOLDER, "--action", "leave"]);
    assert_eq!(scene.import("J"), 20);
    let before = uid_validity(&scene);
    change(&scene, &old);
    assert_ne!(uid_validity(&scene), before, "the test did not change UIDVALIDITY");
    let new = corpus::messages(2, 3);
    scene.server.deliver(ALICE, FOLDER, &new);
    assert_eq!(scene.import("J"), 3, "only what is new");
    assert_eq!(scene.import("J"), 0);
    let all = [old, new].concat();
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&all), SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&all), FOLDER);
}

#[test]
fn a_folder_with_a_new_uidvalidity_is_recognised() {
    is_imported_once(|scene, _| {
        scene.server.doveadm(&["mailbox", "update", "-u", ALICE, "--uid-validity", "1234567", FOLDER]);
    });
}

#[test]
fn a_folder_that_was_made_anew_from_a_copy_is_recognised() {
    is_imported_once(|scene, _| {
        let mut session = scene.server.imap(ALICE);
        session.command("CREATE Kopie");
        session.command(&format!("SELECT {FOLDER}"));
        session.command("UID MOVE 1:* Kopie");
        session.command("SELECT Kopie");
        session.command(&format!("DELETE {FOLDER}"));
        // Seconds count: the new folder's UIDVALIDITY is the time it was made.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        session.command(&format!("CREATE {FOLDER}"));
        session.command(&format!("UID MOVE 1:* {FOLDER}"));
    });
}

#[test]
fn a_folder_that_was_filled_again_is_recognised() {
    is_imported_once(|scene, old| {
        scene.server.doveadm(&["mailbox", "delete", "-u", ALICE, FOLDER]);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        scene.server.create_folder(ALICE, FOLDER);
        // As another server would after a restore: new dates of arrival, another order.
        let turned: Vec<&Sample> = old.iter().rev().collect();
        scene.server.deliver(ALICE, FOLDER, &turned);
    });
}

#[test]
fn messages_waiting_to_be_moved_survive_a_new_uidvalidity() {
    let scene = Scene::start(&Options::default());
    let old = samples(1);
    scene.server.deliver(ALICE, FOLDER, &old);
    scene.job("J", &["--folder", FOLDER, "--processed", "Verwerkt", "--create-processed"]);
    assert_eq!(scene.import("J"), 20);
    scene.server.doveadm(&["mailbox", "update", "-u", ALICE, "--uid-validity", "1234567", FOLDER]);
    scene.server.doveadm(&["mailbox", "update", "-u", ALICE, "--uid-validity", "7654321", "Verwerkt"]);
    let new = corpus::messages(2, 3);
    scene.server.deliver(ALICE, FOLDER, &new);
    assert_eq!(scene.import("J"), 3);
    let all = [old, new].concat();
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&all), SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&all), "Verwerkt");
}
