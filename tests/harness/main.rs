//! The test harness itself: a server that answers as it should, and an observer that counts right.

use std::fs;
use std::time::Instant;

use wissel_tests::certificates::Shown;
use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, BOB, Dovecot, MailFormat, Options, PASSWORD, SCOPE};
use wissel_tests::observer::{SINK, Tokens, overwritten, snapshot};
use wissel_tests::python::{self, Tls};

#[test]
fn both_tls_ports_answer_to_an_independent_client() {
    let server = Dovecot::start(&Options::default());
    let ca = server.certificates().ca.clone();
    for tls in [Tls::Implicit, Tls::StartTls] {
        for mechanism in ["LOGIN", "PLAIN"] {
            python::sign_in(&server, tls, &ca, (mechanism, ALICE, PASSWORD)).unwrap();
            let refused = python::sign_in(&server, tls, &ca, (mechanism, ALICE, "wrong")).unwrap_err();
            assert!(refused.contains("AUTHENTICATIONFAILED"), "{refused}");
        }
    }
}

#[test]
fn certificates_are_trusted_by_their_own_ca_only() {
    let server = Dovecot::start(&Options::default());
    let unrelated = server.certificates().unrelated_ca.clone();
    let refused =
        python::sign_in(&server, Tls::Implicit, &unrelated, ("LOGIN", ALICE, PASSWORD)).unwrap_err();
    assert!(refused.contains("CERTIFICATE_VERIFY_FAILED"), "{refused}");

    let server = Dovecot::start(&Options { certificate: Shown::SelfSigned, ..Options::default() });
    let ca = server.certificates().ca.clone();
    let refused = python::sign_in(&server, Tls::StartTls, &ca, ("LOGIN", ALICE, PASSWORD)).unwrap_err();
    assert!(refused.contains("self-signed"), "{refused}");
}

#[test]
fn tokens_open_their_own_mailbox_while_they_last() {
    let server = Dovecot::start(&Options::default());
    let ca = server.certificates().ca.clone();
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        let with = |token: &str| python::sign_in(&server, Tls::Implicit, &ca, (mechanism, BOB, token));
        with(&server.token(BOB, 3600, SCOPE)).unwrap();
        with(&server.token(BOB, -60, SCOPE)).unwrap_err();
        with(&server.token(BOB, 3600, "Mail.Read")).unwrap_err();
        with(&server.token(ALICE, 3600, SCOPE)).unwrap_err();
    }
}

#[test]
fn two_thousand_messages_arrive_and_are_counted() {
    let samples = corpus::messages(1, 2000);
    let server = Dovecot::start(&Options::default());
    let begun = Instant::now();
    server.deliver(ALICE, "Inkoop/Facturen één", &samples);
    let delivered = begun.elapsed();
    let begun = Instant::now();
    let seen = Tokens::in_mailbox(&server, ALICE);
    println!("delivered in {delivered:?}, counted in {:?}", begun.elapsed());
    seen.assert_each_once(&corpus::tokens(&samples), "Inkoop/Facturen één");
    assert_eq!(seen.different("INBOX"), 0);
}

#[test]
fn capabilities_and_special_uses_are_as_ordered() {
    let options = Options { capability: Some("IMAP4rev1 UIDPLUS".to_owned()), ..Options::default() };
    let server = Dovecot::start(&options);
    let mut session = server.imap(ALICE);
    assert_eq!(session.command("CAPABILITY"), ["* CAPABILITY IMAP4rev1 UIDPLUS"]);
    let sent = session.command("LIST \"\" \"Verzonden items\"");
    assert!(sent.iter().any(|line| line.contains("\\Sent")), "{sent:?}");
}

#[test]
fn access_can_be_taken_away() {
    let server = Dovecot::start(&Options { acl: true, mail: MailFormat::Mdbox, ..Options::default() });
    server.deliver(ALICE, "Gesloten", &corpus::messages(2, 1));
    server.doveadm(&["acl", "set", "-u", ALICE, "Gesloten", "owner", "lookup", "read"]);
    let rights = server.imap(ALICE).command("MYRIGHTS Gesloten");
    assert_eq!(rights, ["* MYRIGHTS Gesloten lr"]);
}

#[test]
fn names_may_hold_what_the_store_uses_itself() {
    let server = Dovecot::start(&Options { separator: '.', special_use: false, ..Options::default() });
    let names = ["R&D", "a/b", "c\\d", "één.twee.drie.vier.vijf.zes.zeven.acht", "\"quoted\""];
    let samples = corpus::messages(3, names.len() as u64);
    for (name, sample) in names.iter().zip(&samples) {
        server.deliver(ALICE, name, std::slice::from_ref(sample));
    }
    let seen = Tokens::in_mailbox(&server, ALICE);
    for (name, sample) in names.iter().zip(&samples) {
        seen.assert_each_once(&[&sample.token], name);
    }
}

#[test]
fn an_independent_client_reads_back_the_bytes() {
    let server = Dovecot::start(&Options::default());
    let samples = corpus::messages(4, 20);
    server.deliver(BOB, "INBOX", &samples);
    let folder = tempfile::tempdir().unwrap();
    python::dump(&server, BOB, "INBOX", folder.path());
    for (uid, sample) in (1..).zip(&samples) {
        assert!(fs::read(folder.path().join(format!("{uid}.eml"))).unwrap() == sample.bytes, "message {uid}");
    }
}

#[test]
fn the_observer_sees_loss_doubles_and_overwriting() {
    let folder = tempfile::tempdir().unwrap();
    let samples = corpus::messages(5, 3);
    let write =
        |name: &str, sample: &corpus::Sample| fs::write(folder.path().join(name), &sample.bytes).unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    write("a.eml", &samples[0]);
    write("below/b.eml", &samples[1]);
    write("c.json", &samples[2]);
    let before = snapshot(folder.path());
    let seen = Tokens::in_sink(folder.path());
    seen.assert_each_once(&corpus::tokens(&samples[..2]), SINK);
    assert_eq!(seen.count(&samples[2].token, SINK), 0, "only messages count");

    write("again.eml", &samples[0]);
    assert_eq!(Tokens::in_sink(folder.path()).count(&samples[0].token, SINK), 2);
    write("a.eml", &samples[0]);
    assert!(overwritten(&before, &snapshot(folder.path())).is_empty(), "the same bytes again");
    write("a.eml", &samples[1]);
    assert_eq!(overwritten(&before, &snapshot(folder.path())), [std::path::Path::new("a.eml")]);
}

#[test]
fn the_corpus_is_the_same_each_time_and_has_the_sizes_of_real_mail() {
    let samples = corpus::messages(6, 2000);
    let mut sizes: Vec<_> = samples.iter().map(|sample| sample.bytes.len()).collect();
    sizes.sort_unstable();
    let (median, mean, largest) = (sizes[1000], sizes.iter().sum::<usize>() / 2000, sizes[1999]);
    assert!((11_000..16_000).contains(&median), "median {median}");
    assert!((34_000..50_000).contains(&mean), "mean {mean}");
    assert!((1_000_000..1_900_000).contains(&largest), "largest {largest}");
    assert!(samples[7].bytes == corpus::message(6, 7).bytes);
}
