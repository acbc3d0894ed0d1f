//! Two thousand realistic messages, moved: each once in the sink, each once in the processed folder.

use std::time::Instant;

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens, overwritten, snapshot};
use wissel_tests::scene::Scene;

#[test]
fn two_thousand_messages_are_moved_each_once() {
    let scene = Scene::start(&Options::default());
    let samples = corpus::messages(101, 2000);
    scene.server.deliver(ALICE, "INBOX", &samples);
    let options = ["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"];
    scene.job("J", &options);

    let begun = Instant::now();
    assert_eq!(scene.import("J"), 2000);
    let took = begun.elapsed();
    let octets: usize = samples.iter().map(|sample| sample.bytes.len()).sum();
    println!("2,000 messages ({} MB) in {took:.1?}", octets / 1_000_000);
    assert!(took.as_secs() < 120, "{took:?}");

    let tokens = corpus::tokens(&samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");

    let before = snapshot(&scene.sink("J"));
    let begun = Instant::now();
    assert_eq!(scene.import("J"), 0, "a second run finds nothing new");
    println!("nothing new in {:.1?}", begun.elapsed());
    let after = snapshot(&scene.sink("J"));
    assert!(overwritten(&before, &after).is_empty() && before.len() == after.len());
}
