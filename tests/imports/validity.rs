//! UIDVALIDITY changes while messages stay, or UIDs are given out a second time: none is imported again, and what is new
//! is.

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

/// Keeps a copy of the folder's files as a backup does, and puts it back: UIDVALIDITY stays, and UIDs are given out anew.
struct Backup {
    folder: std::path::PathBuf,
    copy: tempfile::TempDir,
}

impl Backup {
    fn of(scene: &Scene) -> Self {
        let path = scene.server.doveadm(&["mailbox", "path", "-u", ALICE, FOLDER]);
        let backup = Self { folder: path.trim().into(), copy: tempfile::tempdir().unwrap() };
        copy(&backup.folder, &backup.copy.path().join("folder"));
        backup
    }

    fn restore(&self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        copy(&self.copy.path().join("folder"), &self.folder);
    }
}

/// With owners and times.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    assert!(std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn a_server_that_was_restored_from_a_backup_hides_no_new_mail() {
    // Fewer new messages than were lost, and more: then UIDNEXT has not fallen.
    for (action, count) in
        [(&["--action", "leave"][..], 3), (&["--processed", "Verwerkt", "--create-processed"], 8)]
    {
        let scene = Scene::start(&Options::default());
        let old = samples(1);
        scene.server.deliver(ALICE, FOLDER, &old);
        let backup = Backup::of(&scene);
        let lost = corpus::messages(2, 5);
        scene.server.deliver(ALICE, FOLDER, &lost);
        scene.job("J", &[&["--folder", FOLDER], action].concat());
        assert_eq!(scene.import("J"), 25);

        backup.restore();
        // New mail comes in at another second than what was lost.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let new = corpus::messages(3, count);
        scene.server.deliver(ALICE, FOLDER, &new);
        let before = uid_validity(&scene);
        assert_eq!(scene.import("J"), count, "only what is new: {before}");
        assert_eq!(scene.import("J"), 0);
        let all = [old, lost, new].concat();
        Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&all), SINK);
    }
}

#[test]
fn another_message_with_the_message_id_and_second_of_a_moved_one_is_imported() {
    let scene = Scene::start(&Options::default());
    let mut samples = corpus::messages(5, 2);
    for sample in &mut samples {
        replace_message_id(sample, "Message-ID: <same@example.test>\r\n");
    }
    let deliver = |sample: &Sample| {
        scene.server.imap(ALICE).append_at(FOLDER, "20-Nov-2026 12:00:00 +0100", &sample.bytes);
    };
    scene.server.create_folder(ALICE, FOLDER);
    deliver(&samples[0]);
    scene.job("J", &["--folder", FOLDER, "--processed", "Verwerkt", "--create-processed"]);
    assert_eq!(scene.import("J"), 1);
    scene.server.doveadm(&["mailbox", "update", "-u", ALICE, "--uid-validity", "1234567", FOLDER]);
    deliver(&samples[1]);
    assert_eq!(scene.import("J"), 1);
    // The first one comes back from a backup: it is known by its digest.
    deliver(&samples[0]);
    scene.server.doveadm(&["mailbox", "update", "-u", ALICE, "--uid-validity", "7654321", FOLDER]);
    assert_eq!(scene.import("J"), 0);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&samples), SINK);
}
