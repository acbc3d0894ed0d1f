//! `job test` and dry runs: they say what a run will meet, and change nothing anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{Tokens, snapshot};
use wissel_tests::scene::{ACCOUNT, Scene};

const FOLDER: &str = "INBOX/Algemeen";

/// 274 messages, 3 of them unread.
fn mailbox() -> Scene {
    let scene = Scene::start(&Options::default());
    let samples: Vec<_> = (0..274)
        .map(|index| format!("Subject: {index}\r\n\r\n{}\r\n", corpus::message(700, index).token))
        .collect();
    scene.server.deliver(ALICE, FOLDER, &samples);
    let mut session = scene.server.imap(ALICE);
    session.command(&format!("SELECT {FOLDER}"));
    session.command("STORE 1:100,104:274 +FLAGS.SILENT (\\Seen)");
    scene
}

/// All that a command might have changed: the mailbox as clients see it, the sink, the ledger.
#[derive(Debug, PartialEq)]
struct State {
    mailbox: Tokens,
    folders: Vec<String>,
    flags: Vec<String>,
    status: String,
    sink: BTreeMap<PathBuf, String>,
    ledger: serde_json::Value,
    job: serde_json::Value,
}

impl State {
    fn of(scene: &Scene) -> Self {
        let items = "messages unseen uidvalidity uidnext highestmodseq";
        let mut job = scene.wissel.json(&["job", "show", "J"]);
        // When it was looked at is no state of the job.
        job.as_object_mut().unwrap().remove("now");
        Self {
            mailbox: Tokens::in_mailbox(&scene.server, ALICE),
            folders: scene.server.folders(ALICE),
            flags: scene.server.imap(ALICE).flags(FOLDER),
            status: scene.server.doveadm(&["mailbox", "status", "-u", ALICE, items, "INBOX*"]),
            sink: snapshot(&scene.sink("J")),
            ledger: scene.ledger(),
            job,
        }
    }
}

#[test]
fn the_test_says_the_sentence_of_the_manual_and_changes_nothing() {
    let scene = mailbox();
    scene.job("J", &["--folder", "Postvak IN/Algemeen", "--processed", "Verwerkt", "--create-processed"]);
    std::fs::remove_dir_all(scene.sink("J")).unwrap();
    let before = State::of(&scene);
    let output = scene.run(&["job", "test", "J"]).success();
    let sentence =
        "Successfully opened import folder 'Postvak IN/Algemeen' containing 274 messages (3 unread).";
    assert!(output.stdout.lines().any(|line| line == sentence), "{}", output.stdout);
    assert!(output.stdout.contains(ACCOUNT), "{}", output.stdout);
    assert_eq!(State::of(&scene), before);
    assert!(!scene.sink("J").exists(), "the test made the target directory");
    let report = scene.job_test("J");
    assert_eq!(report["ready"], true);
    let folder = &report["accounts"][0]["import_folder"];
    assert_eq!((folder["total"].as_u64(), folder["unread"].as_u64()), (Some(274), Some(3)), "{report:#}");
    assert_eq!(State::of(&scene), before);
}

#[test]
fn the_sentence_is_said_in_dutch_too() {
    let mut scene = mailbox();
    scene.wissel.set("WISSEL_LANG", "nl");
    scene.job("J", &["--folder", "Postvak IN\\Algemeen", "--action", "leave"]);
    let output = scene.run(&["job", "test", "J"]).success();
    let sentence = "De importmap 'Postvak IN/Algemeen' is geopend en bevat 274 berichten (3 ongelezen).";
    assert!(output.stdout.lines().any(|line| line == sentence), "{}", output.stdout);
}

#[test]
fn a_dry_run_lists_and_changes_nothing() {
    let scene = mailbox();
    for action in ["move", "mark-read", "delete"] {
        let name = format!("J {action}");
        let mut options = vec!["--folder", "INBOX/Algemeen", "--action", action];
        if action == "move" {
            options.extend(["--processed", "Nieuw", "--create-processed"]);
        }
        scene.job(&name, &options);
    }
    scene.job("J", &["--folder", "INBOX/Algemeen", "--unread-only", "--action", "leave"]);
    let before = State::of(&scene);
    for (name, count) in [("J move", 274), ("J mark-read", 274), ("J delete", 274), ("J", 3)] {
        let report = scene.run(&["job", "run", name, "--dry-run", "--json"]).success().json();
        assert_eq!(report["candidates"].as_array().unwrap().len(), count, "{name}");
        assert_eq!(report["imported"], 0);
        let written = std::fs::read_dir(scene.sink(name)).unwrap().flatten();
        assert_eq!(written.filter(|entry| entry.path().is_file()).count(), 0, "{name}");
    }
    let output = scene.run(&["job", "run", "J", "--dry-run"]).success();
    assert!(
        output.stdout.contains("3 messages would be imported. Nothing was changed."),
        "{}",
        output.stdout
    );
    assert_eq!(State::of(&scene), before);
    assert_eq!(scene.import("J"), 3, "what was listed is imported afterwards");
}

#[test]
fn the_test_finds_what_a_run_would_trip_over() {
    let scene = mailbox();
    scene.job("J", &["--folder", "INBOX/Algemeen", "--processed", "Verwerkd"]);
    scene.server.create_folder(ALICE, "Verwerkt");
    let output = scene.run(&["job", "test", "J"]);
    assert_ne!(output.code, Some(0));
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains("Verwerkd") && said.contains("'Verwerkt'"), "the nearest is named: {said}");

    let file = scene.wissel.path("a file");
    std::fs::write(&file, "not a directory").unwrap();
    let target = Path::new(&file).join("below").display().to_string();
    let add = ["job", "add", "K", "--account", ACCOUNT, "--folder", "INBOX/Algemeen", "--action", "leave"];
    let refused = scene.run(&[&add[..], &["--to", &target]].concat());
    assert_eq!(refused.code, Some(2), "a new job's directory is tried at once: {}", refused.stdout);
    assert!(refused.stderr.contains("a file"), "{}", refused.stderr);
    let below = scene.wissel.path("a directory");
    scene.run(&[&add[..], &["--to", &below.display().to_string()]].concat()).success();
    std::fs::remove_dir_all(&below).unwrap();
    std::fs::write(&below, "not a directory").unwrap();
    let output = scene.run(&["job", "test", "K"]);
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.contains("a directory"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a directory");
}
