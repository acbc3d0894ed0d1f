//! Signing in: TLS modes, mechanisms, refusals.
#![allow(missing_docs)]

mod common;

use common::{open, open_with};
use wissel_connector::testing::ScriptedHost;
use wissel_connector::types::Security;
use wissel_connector::{Connector, ErrorKind, Session, Settings};
use wissel_imap::Imap;

fn refused(host: &ScriptedHost) -> wissel_connector::Error {
    let Err(error) = open_with(host, &[]) else { unreachable!("signed in") };
    error
}

#[test]
fn capabilities_of_greeting_and_answer_save_round_trips() {
    let host = ScriptedHost::new(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2] ready
         C: A1 AUTHENTICATE PLAIN <PLAIN initial>
         S: A1 OK [CAPABILITY IMAP4rev1 IDLE] signed in",
    );
    let session = open(&host);
    host.finish();
    drop(session);
}

#[test]
fn without_sasl_ir_the_answer_waits_for_the_server_and_capabilities_are_read_again() {
    let host = ScriptedHost::new(
        "S: * OK ready
         C: A1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
         S: A1 OK done
         C: A2 AUTHENTICATE PLAIN
         S: +
         C: <PLAIN initial>
         S: A2 OK in
         C: A3 CAPABILITY
         S: * CAPABILITY IMAP4rev1 ID NAMESPACE ENABLE UTF8=ACCEPT
         S: A3 OK done
         C: A4 ID (\"name\" \"Wissel\" \"version\" \"0.1.0\")
         C: A5 ENABLE UTF8=ACCEPT
         C: A6 NAMESPACE
         S: * ID (\"name\" \"Dovecot\" \"version\" NIL)
         S: A4 OK done
         S: * ENABLED UTF8=ACCEPT
         S: A5 OK done
         S: * NAMESPACE ((\"INBOX.\" \".\")) NIL NIL
         S: A6 OK done",
    );
    let mut session = open(&host);
    let identity = session.check().unwrap();
    assert_eq!(identity.mailbox, "alice@example.test");
    assert_eq!(identity.facts.first().unwrap().1, "Dovecot");
    host.finish();
}

#[test]
fn start_tls_comes_first_and_what_was_told_before_it_does_not_count() {
    let host = ScriptedHost::with_security(
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready
         C: A1 STARTTLS
         S: A1 OK begin
         TLS
         C: A2 CAPABILITY
         S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN
         S: A2 OK done
         C: A3 AUTHENTICATE PLAIN <PLAIN initial>
         S: A3 OK [CAPABILITY IMAP4rev1] in",
        Security::StartTlsRequired,
    );
    open(&host);
    host.finish();
}

#[test]
fn what_follows_the_answer_to_starttls_in_the_clear_is_not_trusted() {
    let host = ScriptedHost::with_security(
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
         C: A1 STARTTLS
         S- A1 OK begin\\r\\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\\r\\n
         TLS",
        Security::StartTlsRequired,
    );
    assert!(refused(&host).session_lost);
}

#[test]
fn a_server_without_starttls_is_a_wrong_setting() {
    let host =
        ScriptedHost::with_security("S: * OK [CAPABILITY IMAP4rev1] ready", Security::StartTlsRequired);
    let error = refused(&host);
    assert_eq!((error.kind, error.setting.as_deref()), (ErrorKind::InvalidSetting, Some("security")));
    let host = ScriptedHost::with_security("S: * PREAUTH ready", Security::StartTlsRequired);
    assert_eq!(refused(&host).kind, ErrorKind::Protocol);
}

#[test]
fn login_serves_where_there_is_no_sasl_unless_it_is_disabled() {
    let host = ScriptedHost::new(
        "S: * OK [CAPABILITY IMAP4rev1] ready
         C: A1 LOGIN alice@example.test <password>
         S: A1 OK [CAPABILITY IMAP4rev1] in",
    );
    open(&host);
    host.finish();
    let host = ScriptedHost::new("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI] ready");
    let error = refused(&host);
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("GSSAPI") && error.message.contains("PLAIN"), "{}", error.message);
}

#[test]
fn a_refused_token_answers_the_challenge_and_asks_for_authorization() {
    let host = ScriptedHost::new(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready
         C: A1 AUTHENTICATE XOAUTH2 <XOAUTH2 initial as team@example.test>
         S: + eyJzdGF0dXMiOiI0MDEifQ==
         C: <XOAUTH2 answer as team@example.test>
         S: A1 NO [AUTHENTICATIONFAILED] expired",
    )
    .mechanisms(&["OAUTHBEARER", "XOAUTH2"]);
    let error = open_with(&host, &[("mailbox", "team@example.test")]).err().unwrap();
    assert_eq!(error.kind, ErrorKind::AuthorizationNeeded);
    assert_eq!(error.code.as_deref(), Some("AUTHENTICATIONFAILED"));
    host.finish();
}

#[test]
fn refusals_are_told_apart() {
    let sign_in = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready
        C: A1 AUTHENTICATE PLAIN <PLAIN initial>";
    for (answer, kind) in [
        ("A1 NO wrong password", ErrorKind::AuthorizationNeeded),
        ("A1 BAD invalid credentials", ErrorKind::AuthorizationNeeded),
        ("A1 BAD [CLIENTBUG] authentication aborted", ErrorKind::AuthorizationNeeded),
        ("A1 BAD Request is throttled. Suggested Backoff Time: 1000 milliseconds", ErrorKind::Throttled),
        ("A1 NO [UNAVAILABLE] directory down", ErrorKind::Temporary),
        ("A1 NO [LIMIT] too many", ErrorKind::Throttled),
        ("A1 NO User is authenticated but not connected.", ErrorKind::PermissionMissing),
        ("* BYE shutting down", ErrorKind::Temporary),
    ] {
        let host = ScriptedHost::new(&format!("{sign_in}\nS: {answer}"));
        let error = refused(&host);
        assert_eq!((error.kind, error.session_lost), (kind, true), "{answer}");
    }
    assert_eq!(refused(&ScriptedHost::new("S: * BYE Too many connections")).kind, ErrorKind::Throttled);
    assert_eq!(refused(&ScriptedHost::new("S: 220 mail ESMTP")).kind, ErrorKind::Protocol);
    assert_eq!(refused(&ScriptedHost::new("EOF")).kind, ErrorKind::Temporary);
}

#[test]
fn a_secret_is_not_sent_in_the_clear() {
    let host = ScriptedHost::with_security(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready",
        Security::Clear,
    );
    assert_eq!(refused(&host).kind, ErrorKind::PermissionMissing);
}

#[test]
fn the_description_is_pure_and_carries_this_version() {
    let description: serde_json::Value = serde_json::from_str(&Imap::describe()).unwrap();
    assert_eq!(description["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(Imap::describe(), Imap::describe());
}

#[test]
fn goodbye_does_not_wait() {
    let host = ScriptedHost::new(
        "S: * PREAUTH [CAPABILITY IMAP4rev1] ready
         C: A1 LOGOUT",
    );
    let mut session = Imap::open(host.api(), Settings::default()).unwrap();
    session.close();
    host.finish();
}
