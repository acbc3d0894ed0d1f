//! `wissel ledger forget`: one message is imported again, and only when somebody says so.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

#[test]
fn a_forgotten_message_is_imported_again_and_no_other_one() {
    let scene = Scene::start(&Options::default());
    let samples = corpus::messages(70, 3);
    scene.server.deliver(ALICE, "INBOX", &samples);
    scene.job("J", &["--folder", "INBOX", "--action", "leave"]);
    assert_eq!(scene.import("J"), 3);
    let key = scene.ledger()["messages"][1]["key"].as_str().unwrap().to_owned();

    let unasked = scene.run(&["ledger", "forget", &key]);
    assert_eq!(unasked.code, Some(2), "{unasked:?}");
    assert!(unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    assert_eq!(scene.run(&["ledger", "forget", "no such key", "--yes"]).code, Some(3));
    assert_eq!(scene.import("J"), 0, "nothing was forgotten");

    scene.run(&["ledger", "forget", &key, "--yes"]).success();
    assert_eq!(scene.run(&["ledger", "forget", &key, "--yes"]).code, Some(3));
    assert_eq!(scene.import("J"), 1);
    assert_eq!(scene.import("J"), 0);
    let sink = Tokens::in_sink(&scene.sink("J"));
    let mut counts: Vec<u32> = samples.iter().map(|sample| sink.count(&sample.token, SINK)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2]);
}
