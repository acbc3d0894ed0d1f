//! Tokens that the issuer gave open a mailbox of Dovecot, and stay fresh: the issuer rotates what renews them, and takes each
//! of them once.

use serde_json::json;
use wissel_tests::dovecot::{Dovecot, Options, Trusted};
use wissel_tests::issuer::Issuer;

use crate::office::{ACCOUNT, ALICE, Office};

const RENEWAL: &str = "refresh_token";

impl Office {
    /// The same, authorised, on a Dovecot that takes the issuer's tokens, with a clock that can be set ahead.
    fn on_dovecot() -> (Self, Dovecot) {
        let mut office = Self::empty(&json!({}));
        let Issuer { address, key_id, key, .. } = &office.issuer;
        let trusted = Trusted { address: address.clone(), key_id: key_id.clone(), key: key.clone() };
        let server = Dovecot::start(&Options { issuer: Some(trusted), ..Options::default() });
        let clock = office.wissel.path("clock");
        office.wissel.set("WISSEL_CLOCK", clock);
        let port = server.tls_port.to_string();
        let ca = server.certificates().ca.display().to_string();
        let more = ["--allow-clear-text", "oauth", "--ca-file", &ca];
        office.add("oauth", &[("client-id", "public"), ("port", &port)], &more).success();
        office.authorize(ALICE).success();
        (office, server)
    }

    /// Sets Wissel's clock ahead: servers keep theirs, so that a token ends for Wissel alone.
    fn ahead(&self, minutes: u32) {
        std::fs::write(self.wissel.path("clock"), (minutes * 60).to_string()).unwrap();
    }
}

fn renewals(issuer: &Issuer) -> (usize, usize) {
    (issuer.grants(RENEWAL, true), issuer.grants(RENEWAL, false))
}

#[test]
fn a_token_of_the_issuer_opens_the_mailbox_and_is_renewed_when_it_ends() {
    let (office, server) = Office::on_dovecot();
    server.deliver(ALICE, "INBOX", &[b"Subject: one\r\n\r\nHello\r\n"]);
    let test = || office.wissel.json(&["account", "test", ACCOUNT]);
    assert_eq!(test()["ok"], true);
    assert_eq!(renewals(&office.issuer), (0, 0), "a token that lasts is used as it is");
    // Each renewal is with what the one before gave.
    for (round, minutes) in [(1, 58), (2, 116), (3, 174)] {
        office.ahead(minutes);
        assert_eq!(test()["ok"], true);
        assert_eq!(renewals(&office.issuer), (round, 0));
    }
    let folders = office.wissel.json(&["folder", "list", ACCOUNT]);
    assert!(folders.to_string().contains("INBOX"));
}

#[test]
fn two_processes_that_renew_at_once_renew_once() {
    let (office, _server) = Office::on_dovecot();
    office.ahead(70);
    let running: Vec<_> =
        (0..4).map(|_| office.wissel.spawn(&["account", "test", ACCOUNT, "--json"])).collect();
    for one in running {
        assert_eq!(one.wait().success().json()["ok"], true);
    }
    assert_eq!(renewals(&office.issuer), (1, 0));
}

#[test]
fn a_revoked_authorisation_is_said_so_asked_once_and_made_again() {
    let (mut office, _server) = Office::on_dovecot();
    office.issuer.forget();
    office.ahead(70);
    for _ in 0..3 {
        let output = office.wissel.run(&["account", "test", ACCOUNT, "--json"]);
        assert_eq!(output.code, Some(4), "{output:?}");
        assert!(
            output.stdout.contains("invalid_grant") && output.stdout.contains("account authorize"),
            "{output:?}"
        );
    }
    assert_eq!(renewals(&office.issuer), (0, 1), "the issuer is not asked again and again");
    let shown = office.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(shown["authorization"]["standing"], "failing", "{shown}");
    office.authorize(ALICE).success();
    assert_eq!(office.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
}

#[test]
fn a_process_that_dies_after_it_stored_a_token_costs_nothing() {
    let (mut office, _server) = Office::on_dovecot();
    office.ahead(70);
    office.wissel.set("WISSEL_FAULT", "token-stored");
    let died = office.wissel.run(&["account", "test", ACCOUNT]);
    assert!(died.stderr.contains("fault point 'token-stored' reached"), "{died:?}");
    office.wissel.set("WISSEL_FAULT", "");
    assert_eq!(office.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
    assert_eq!(renewals(&office.issuer), (1, 0));
}
