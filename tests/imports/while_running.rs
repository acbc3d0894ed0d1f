//! The mailbox lives while a job runs: mail arrives, is marked, is removed, and the server tells at any time.

use std::sync::atomic::{AtomicBool, Ordering};

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

#[test]
fn mail_that_arrives_and_changes_meanwhile_harms_nothing() {
    let scene = Scene::start(&Options::default());
    let first = corpus::messages(600, 600);
    scene.server.deliver(ALICE, "INBOX", &first);
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"]);
    let arriving = corpus::messages(601, 400);
    let over = AtomicBool::new(false);
    let delivered = std::thread::scope(|scope| {
        let delivering = scope.spawn(|| {
            let mut session = scene.server.imap(ALICE);
            let mut delivered = 0;
            for sample in &arriving {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                session.append("INBOX", &[sample]);
                delivered += 1;
            }
            delivered
        });
        let changing = scope.spawn(|| {
            let mut session = scene.server.imap(ALICE);
            session.command("SELECT INBOX");
            let mut rounds = 0;
            while !over.load(Ordering::SeqCst) {
                session.command(if rounds % 2 == 0 {
                    "STORE 1:* +FLAGS.SILENT (\\Flagged)"
                } else {
                    "STORE 1:* -FLAGS.SILENT (\\Flagged)"
                });
                rounds += 1;
            }
            rounds
        });
        let imported = scene.run(&["job", "run", "J", "--json"]);
        over.store(true, Ordering::SeqCst);
        let imported = imported.success().json()["imported"].as_u64().unwrap();
        let (delivered, rounds) = (delivering.join().unwrap(), changing.join().unwrap());
        println!("imported {imported}, delivered {delivered} meanwhile, flags changed {rounds} times");
        assert!(delivered > 0 && rounds > 0, "nothing happened meanwhile");
        assert!(imported >= 600);
        delivered
    });
    scene.run(&["job", "run", "J"]).success();
    let mut tokens = corpus::tokens(&first);
    tokens.extend(corpus::tokens(&arriving[..delivered]));
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens, "Verwerkt");
}

#[test]
fn messages_that_vanish_meanwhile_are_no_failure() {
    let scene = Scene::start(&Options::default());
    let samples = corpus::messages(610, 400);
    scene.server.deliver(ALICE, "INBOX", &samples);
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"]);
    let mut running = scene.wissel.spawn(&["job", "run", "J", "--json"]);
    let mut session = scene.server.imap(ALICE);
    session.command("SELECT INBOX");
    for uid in (2..=400).step_by(2) {
        if !running.is_running() {
            break;
        }
        session.command(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
        session.command(&format!("UID EXPUNGE {uid}"));
    }
    let report = running.wait().success().json();
    println!("{} imported, {} vanished", report["imported"], report["vanished"]);
    scene.run(&["job", "run", "J"]).success();
    let sink = Tokens::in_sink(&scene.sink("J"));
    let mailbox = Tokens::in_mailbox(&scene.server, ALICE);
    for (index, sample) in samples.iter().enumerate() {
        assert!(sink.total(&sample.token) <= 1, "message {} twice", index + 1);
        // Uneven ones were never touched; of the others those in the processed folder were imported before.
        if index % 2 == 0 || mailbox.total(&sample.token) == 1 {
            assert_eq!(sink.total(&sample.token), 1, "message {}", index + 1);
            assert_eq!(mailbox.count(&sample.token, "Verwerkt"), 1, "message {}", index + 1);
        }
    }
}
