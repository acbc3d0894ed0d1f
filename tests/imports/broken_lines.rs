//! The connection breaks in the middle of a message: nothing is lost, nothing doubled, nothing half written.

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{Entry, Scene};

/// An account over TLS through a proxy, with a job that moves.
fn through_proxy() -> (Scene, Proxy) {
    let scene = Scene::empty(&Options::default());
    let wire = Proxy::to(scene.server.tls_port);
    scene.add(&Entry { port: wire.port, ..Entry::of(&scene.server) }).success();
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"]);
    (scene, wire)
}

/// The most octets of a message that the corpus has at this place; a cut within it is a cut in a literal.
fn large(seed: u64) -> corpus::Sample {
    let mut sample = corpus::message(seed, 0);
    while sample.bytes.len() < 1_000_000 {
        sample.bytes.extend_from_slice(b"Een regel die de levering lang genoeg maakt om te breken.\r\n");
    }
    sample
}

#[test]
fn a_run_recovers_by_itself_wherever_the_connection_breaks() {
    let (scene, wire) = through_proxy();
    let mut all = Vec::new();
    for (round, cut) in (1..).zip([6_000, 12_000, 60_000, 200_000, 555_555, 1_000_000]) {
        let mut samples = corpus::messages(300 + round, 10);
        samples.insert(0, large(400 + round));
        scene.server.deliver(ALICE, "INBOX", &samples);
        wire.cut_next(&[cut]);
        assert_eq!(scene.import("J"), 11, "cut after {cut}");
        assert_eq!(wire.broken(), round as usize, "the connection was not broken after {cut}");
        all.extend(samples);
        let tokens = corpus::tokens(&all);
        Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
        Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
    }
}

#[test]
fn a_connection_that_breaks_again_and_again_is_finished_by_a_later_run() {
    let (scene, wire) = through_proxy();
    let mut samples = vec![large(500)];
    samples.extend(corpus::messages(501, 10));
    scene.server.deliver(ALICE, "INBOX", &samples);
    // Never enough for the large message, which comes first.
    wire.cut_always(Some(300_000));
    let failed = scene.run(&["job", "run", "J"]);
    assert!(matches!(failed.code, Some(1 | 7)), "{:?}: {}{}", failed.code, failed.stdout, failed.stderr);
    assert!(failed.stderr.contains("Inkoop"), "{}", failed.stderr);
    let held = Tokens::in_sink(&scene.sink("J"));
    assert_eq!(held.total(&samples[0].token), 0, "half a message was published");

    wire.cut_always(None);
    scene.run(&["job", "run", "J"]).success();
    let tokens = corpus::tokens(&samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
    assert_eq!(scene.import("J"), 0);
}
