//! Mailboxes with access lists: what the account may not do is said by name, before and during a run.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::{ACCOUNT, Scene};

/// Leaves the owner of `folder` these rights only; none: all of them again.
fn grant(scene: &Scene, folder: &str, rights: &[&str]) {
    let change = if rights.is_empty() { "delete" } else { "set" };
    scene.server.doveadm(&[&["acl", change, "-u", ALICE, folder, "owner"][..], rights].concat());
}

const READ: [&str; 2] = ["lookup", "read"];

#[test]
fn a_missing_right_is_named_and_nothing_is_imported_twice_for_it() {
    let scene = Scene::start(&Options { acl: true, ..Options::default() });
    let samples = corpus::messages(800, 5);
    scene.server.deliver(ALICE, "Facturen", &samples);
    scene.server.create_folder(ALICE, "Verwerkt");
    grant(&scene, "Facturen", &READ);
    scene.job("J", &["--folder", "Facturen", "--processed", "Verwerkt"]);

    let tested = scene.run(&["job", "test", "J"]);
    assert!(matches!(tested.code, Some(1 | 4)), "{:?}: {}{}", tested.code, tested.stdout, tested.stderr);
    let said = format!("{}{}", tested.stdout, tested.stderr);
    assert!(said.contains("the right to move-messages is missing"), "{said}");
    assert!(said.contains("'Facturen'") && said.contains(ACCOUNT), "{said}");

    scene.job("K", &["--folder", "Facturen", "--action", "mark-read"]);
    let said = scene.run(&["job", "test", "K"]);
    assert!(said.stderr.contains("the right to mark-messages is missing"), "{}", said.stderr);
    scene.job("L", &["--folder", "Facturen", "--action", "leave"]);
    scene.run(&["job", "test", "L"]).success();
    assert_eq!(scene.import("L"), 5, "reading is allowed");

    // A run without the right: at most imported, never twice, and the ledger remembers.
    let first = scene.run(&["job", "run", "J"]);
    assert!(matches!(first.code, Some(4 | 7)), "{:?} {}{}", first.code, first.stdout, first.stderr);
    assert!(first.stderr.contains(ACCOUNT), "{}", first.stderr);
    let _ = scene.run(&["job", "run", "J"]);
    let tokens = corpus::tokens(&samples);
    let sink = Tokens::in_sink(&scene.sink("J"));
    assert!(tokens.iter().all(|token| sink.total(token) <= 1), "{sink:?}");
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Facturen");

    grant(&scene, "Facturen", &[]);
    scene.run(&["job", "test", "J"]).success();
    scene.run(&["job", "run", "J"]).success();
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
}

#[test]
fn a_processed_folder_that_takes_nothing_is_said_before_the_run() {
    let scene = Scene::start(&Options { acl: true, ..Options::default() });
    let samples = corpus::messages(801, 3);
    scene.server.deliver(ALICE, "INBOX", &samples);
    scene.server.create_folder(ALICE, "Verwerkt");
    grant(&scene, "Verwerkt", &READ);
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt"]);
    let tested = scene.run(&["job", "test", "J"]);
    assert_ne!(tested.code, Some(0), "nothing can be moved there: {}", tested.stdout);
    assert!(tested.stderr.contains("Verwerkt") && tested.stderr.contains("right"), "{}", tested.stderr);

    // Whatever the run does before it meets the wall, nothing is lost or doubled.
    let run = scene.run(&["job", "run", "J"]);
    assert!(matches!(run.code, Some(1 | 4 | 7)), "{:?}: {}", run.code, run.stderr);
    let _ = scene.run(&["job", "run", "J"]);
    grant(&scene, "Verwerkt", &[]);
    scene.run(&["job", "run", "J"]).success();
    let tokens = corpus::tokens(&samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
}
