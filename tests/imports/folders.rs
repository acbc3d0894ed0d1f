//! Which folders and messages a job takes: subfolders, the processed folder, special uses, filters.

use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::{ACCOUNT, Scene};

/// Delivers `count` messages of its own to `folder`.
fn deliver(scene: &Scene, seed: u64, folder: &str, count: u64) -> Vec<Sample> {
    let samples = corpus::messages(seed, count);
    scene.server.deliver(ALICE, folder, &samples);
    samples
}

#[test]
fn subfolders_are_imported_and_the_processed_folder_among_them_is_not() {
    let scene = Scene::start(&Options::default());
    let above = deliver(&scene, 1, "Facturen", 5);
    let below = deliver(&scene, 2, "Facturen/2026/november", 5);
    let beside = deliver(&scene, 3, "Offertes", 3);
    let old = deliver(&scene, 4, "Facturen/Verwerkt", 3);
    let older = deliver(&scene, 5, "Facturen/Verwerkt/2025", 3);
    scene.job("J", &["--folder", "Facturen", "--subfolders", "--processed", "Facturen/Verwerkt"]);
    assert_eq!(scene.import("J"), 10);
    let imported = [above, below].concat();
    let sink = Tokens::in_sink(&scene.sink("J"));
    sink.assert_each_once(&corpus::tokens(&imported), SINK);
    assert_eq!(sink.different(SINK), 10);
    let mailbox = Tokens::in_mailbox(&scene.server, ALICE);
    mailbox.assert_each_once(&corpus::tokens(&imported), "Facturen/Verwerkt");
    mailbox.assert_each_once(&corpus::tokens(&old), "Facturen/Verwerkt");
    mailbox.assert_each_once(&corpus::tokens(&older), "Facturen/Verwerkt/2025");
    mailbox.assert_each_once(&corpus::tokens(&beside), "Offertes");
    assert_eq!(scene.import("J"), 0);
}

#[test]
fn without_subfolders_only_the_folder_itself_is_imported() {
    let scene = Scene::start(&Options::default());
    let above = deliver(&scene, 1, "Facturen", 2);
    deliver(&scene, 2, "Facturen/2026", 2);
    scene.job("J", &["--folder", "Facturen", "--action", "leave"]);
    assert_eq!(scene.import("J"), 2);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&above), SINK);
}

#[test]
fn a_missing_processed_folder_is_made_only_when_asked_for() {
    let scene = Scene::start(&Options::default());
    let samples = deliver(&scene, 1, "INBOX", 3);
    let processed = "Archief/Wissel één/2026";
    scene.job("refused", &["--folder", "INBOX", "--processed", processed]);
    let refused = scene.run(&["job", "run", "refused"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains(processed), "{}", refused.stderr);
    assert_eq!(Tokens::in_sink(&scene.sink("refused")).different(SINK), 0, "nothing was imported before");

    scene.job("J", &["--folder", "INBOX", "--processed", processed, "--create-processed"]);
    let tested = scene.run(&["job", "test", "J"]).success();
    assert!(tested.stdout.contains("the first run creates it"), "{}", tested.stdout);
    assert!(!scene.server.folders(ALICE).iter().any(|name| name == processed), "the test made the folder");
    assert_eq!(scene.import("J"), 3);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&samples), processed);
}

#[test]
fn special_uses_are_found_under_any_name() {
    let scene = Scene::start(&Options::default());
    let listed = scene.wissel.json(&["folder", "list", ACCOUNT]);
    let role = |path: &str| {
        let folders = listed["folders"].as_array().unwrap();
        folders.iter().find(|folder| folder["display_path"] == path).map(|folder| folder["role"].clone())
    };
    for (path, expected) in [
        ("INBOX", "inbox"),
        ("Verzonden items", "sent"),
        ("Concepten", "drafts"),
        ("Verwijderde items", "trash"),
        ("Ongewenste e-mail", "junk"),
        ("Archief", "archive"),
    ] {
        assert_eq!(role(path), Some(expected.into()), "{path}: {listed:#}");
    }
    let samples = deliver(&scene, 1, "INBOX", 3);
    scene.job("J", &["--folder", "@inbox", "--processed", "@archive"]);
    assert_eq!(scene.import("J"), 3);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&samples), "Archief");
}

#[test]
fn a_role_comes_from_the_server_and_not_from_the_name() {
    let extra = "namespace inbox {\n  mailbox \"Oude post\" {\n    auto = create\n    special_use = \\Archive\n  }\n}\n";
    let scene = Scene::start(&Options { special_use: false, extra: extra.to_owned(), ..Options::default() });
    scene.server.create_folder(ALICE, "Archive");
    let samples = deliver(&scene, 1, "INBOX", 2);
    scene.job("J", &["--folder", "@inbox", "--processed", "@archive"]);
    assert_eq!(scene.import("J"), 2);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&corpus::tokens(&samples), "Oude post");
}

#[test]
fn filters_take_unread_and_recent_messages_only() {
    let scene = Scene::start(&Options::default());
    let samples = deliver(&scene, 1, "INBOX", 6);
    let mut session = scene.server.imap(ALICE);
    session.command("SELECT INBOX");
    session.command("UID STORE 1,3 +FLAGS (\\Seen)");
    scene.job("unread", &["--folder", "INBOX", "--action", "leave", "--unread-only"]);
    assert_eq!(scene.import("unread"), 4);
    let unread: Vec<_> = [1, 3, 4, 5].map(|index: usize| samples[index].token.as_str()).to_vec();
    let sink = Tokens::in_sink(&scene.sink("unread"));
    sink.assert_each_once(&unread, SINK);
    assert_eq!(sink.different(SINK), 4);
    assert_eq!(scene.server.imap(ALICE).flags("INBOX").iter().filter(|f| f.contains("Seen")).count(), 2);
    // What is marked as unread again was not imported yet.
    session.command("UID STORE 1 -FLAGS (\\Seen)");
    assert_eq!(scene.import("unread"), 1);

    for (days, token) in [(40, &samples[0]), (2, &samples[1])] {
        let date = (jiff::Zoned::now() - jiff::Span::new().days(days)).strftime("%d-%b-%Y %H:%M:%S %z");
        append_dated(&scene, "Oud", &date.to_string(), token);
    }
    scene.job("recent", &["--folder", "Oud", "--action", "leave", "--newer-than", "30d"]);
    assert_eq!(scene.import("recent"), 1);
    let sink = Tokens::in_sink(&scene.sink("recent"));
    sink.assert_each_once(&[&samples[1].token], SINK);
    let since = (jiff::Zoned::now() - jiff::Span::new().days(60)).strftime("%Y-%m-%d").to_string();
    scene.job("since", &["--folder", "Oud", "--action", "leave", "--newer-than", &since]);
    assert_eq!(scene.import("since"), 2);
}

/// Appends with an INTERNALDATE of its own.
fn append_dated(scene: &Scene, folder: &str, date: &str, sample: &Sample) {
    if !scene.server.folders(ALICE).iter().any(|name| name == folder) {
        scene.server.create_folder(ALICE, folder);
    }
    scene.server.imap(ALICE).append_at(folder, date, &sample.bytes);
}
