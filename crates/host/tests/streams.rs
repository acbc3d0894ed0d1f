//! Connections: which certificates are accepted, STARTTLS, and where a secret may go.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use common::server::{Certificates, LineServer, Tls};
use common::{Installed, PASSWORD, TOKEN, account, ends, fetch_three, with_settings};
use wissel_model::{Account, ConnectorError, ErrorKind, Identity};

struct Case {
    server: LineServer,
    account: Account,
    _ca: tempfile::TempDir,
}

/// A server with a certificate for `name`, and an account that trusts its authority.
async fn case(behaviour: &str, tls: Tls, security: &str, name: &str) -> Case {
    let certificates = Certificates::for_name(name);
    let server = LineServer::start(tls, Some(&certificates)).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &certificates.ca_pem).unwrap();
    let port = server.port.to_string();
    let mut account = with_settings(account(behaviour), &[("port", &port), ("security", security)]);
    account.connection.ca_file = Some(ca);
    Case { server, account, _ca: folder }
}

async fn check(account: &Account) -> Result<Identity, ConnectorError> {
    let host = Installed::probe().await;
    ends(host.open(account).await.unwrap().check()).await
}

fn fact(identity: &Identity, label: &str) -> String {
    identity.facts.iter().find(|(l, _)| l == label).map(|(_, value)| value.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_accepted() {
    let case = case("hello", Tls::AtOnce, "implicit", "127.0.0.1").await;
    assert_eq!(fact(&check(&case.account).await.unwrap(), "greeting"), "* welcome");
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_unless_the_account_allows_any() {
    let mut case = case("hello", Tls::AtOnce, "implicit", "127.0.0.1").await;
    case.account.connection.ca_file = None;
    let error = check(&case.account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::InvalidSetting, Some("certificate")));
    assert!(error.message.contains("'line'") && error.message.contains("CA file"), "{}", error.message);
    case.account.connection.allow_untrusted_certificate = true;
    check(&case.account).await.unwrap();
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let case = case("hello", Tls::AtOnce, "implicit", "mail.example.com").await;
    let error = check(&case.account).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("certificate"));
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_named() {
    let mut case = case("hello", Tls::AtOnce, "implicit", "127.0.0.1").await;
    let file = case._ca.path().join("none.pem");
    case.account.connection.ca_file = Some(file.clone());
    let error = check(&case.account).await.unwrap_err();
    assert_eq!((error.kind, error.setting.as_deref()), (ErrorKind::InvalidSetting, Some("ca-file")));
    std::fs::write(&file, "no certificate").unwrap();
    assert!(check(&case.account).await.unwrap_err().message.contains("no certificate"));
}

#[tokio::test]
async fn tls_begins_when_asked_and_is_checked_like_any_other() {
    let case_ = case("start-tls", Tls::WhenAsked, "starttls", "127.0.0.1").await;
    assert_eq!(fact(&check(&case_.account).await.unwrap(), "secure"), "OK");
    assert_eq!(case_.server.lines(), ["STARTTLS", "HELLO"]);
    let other = case("start-tls", Tls::WhenAsked, "starttls", "mail.example.com").await;
    assert_eq!(check(&other.account).await.unwrap_err().code.as_deref(), Some("certificate"));
}

#[tokio::test]
async fn what_was_sent_before_tls_began_is_not_trusted_after_it() {
    let case = case("start-tls", Tls::WhenAskedAfterInjection, "starttls", "127.0.0.1").await;
    let host = Installed::probe().await;
    let mut session = host.open(&case.account).await.unwrap();
    let error = ends(session.check()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Protocol, Some("command-injection")));
    assert!(error.session_lost);
    // What is left on such a connection may be anything: the session is over.
    let again = ends(session.check()).await.unwrap_err();
    assert!(again.session_lost && again.message.contains("ended with an earlier call"), "{again}");
    assert_eq!(case.server.lines(), ["STARTTLS"]);
}

#[tokio::test]
async fn a_secret_goes_out_under_tls_and_only_to_its_endpoint() {
    let case_ = case("sealed", Tls::AtOnce, "implicit", "127.0.0.1").await;
    check(&case_.account).await.unwrap();
    let plain = base64_of(&format!("\0jan@example.com\0{PASSWORD}"));
    assert_eq!(case_.server.lines(), [format!("AUTH PLAIN {plain}")]);

    let case_ = case("password", Tls::AtOnce, "implicit", "127.0.0.1").await;
    check(&case_.account).await.unwrap();
    assert_eq!(case_.server.lines(), [format!("LOGIN \"{PASSWORD}\"")]);

    let case_ = case("sealed-elsewhere", Tls::AtOnce, "implicit", "127.0.0.1").await;
    let error = check(&case_.account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::PermissionMissing, Some("other-endpoint")));
    assert!(case_.server.lines().is_empty());
}

#[tokio::test]
async fn a_token_is_sent_by_the_best_mechanism_for_it() {
    let mut case = case("sealed", Tls::AtOnce, "implicit", "127.0.0.1").await;
    case.account.auth = "token".to_owned();
    check(&case.account).await.unwrap();
    let port = case.server.port;
    let initial =
        format!("n,a=jan@example.com,\x01host=127.0.0.1\x01port={port}\x01auth=Bearer {TOKEN}\x01\x01");
    assert_eq!(case.server.lines(), [format!("AUTH OAUTHBEARER {}", base64_of(&initial))]);
}

#[tokio::test]
async fn a_secret_never_goes_out_in_the_clear_unless_the_endpoint_is_allowed_by_name() {
    for behaviour in ["sealed", "password"] {
        for (security, allowed) in [("none", ""), ("none", "other"), ("starttls", "line")] {
            let mut case = case(behaviour, Tls::Never, security, "127.0.0.1").await;
            case.account.connection.allow_clear_text.insert(allowed.to_owned());
            let error = check(&case.account).await.unwrap_err();
            assert_eq!(
                (error.kind, error.code.as_deref()),
                (ErrorKind::PermissionMissing, Some("clear-text"))
            );
            assert!(error.message.contains("'line'"), "{}", error.message);
            assert!(!case.server.lines().iter().any(|line| line.len() > 12), "{:?}", case.server.lines());
        }
        let mut case = case(behaviour, Tls::Never, "none", "127.0.0.1").await;
        case.account.connection.allow_clear_text.insert("line".to_owned());
        check(&case.account).await.unwrap();
        assert_eq!(case.server.lines().len(), 1);
    }
}

#[tokio::test]
async fn for_an_endpoint_in_the_clear_no_secret_is_even_made() {
    let case = case("unsent", Tls::Never, "none", "127.0.0.1").await;
    let error = check(&case.account).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::PermissionMissing, Some("clear-text")));
}

#[tokio::test]
async fn messages_pass_from_the_connection_into_the_delivery_unchanged() {
    let case = case("literals", Tls::AtOnce, "implicit", "127.0.0.1").await;
    let host = Installed::probe().await;
    let mut session = host.open(&case.account).await.unwrap();
    let (result, received) = fetch_three(&mut *session).await;
    result.unwrap();
    assert_eq!(received.ended.len(), 3);
    for (id, bytes) in received.ended {
        assert!(bytes == format!("message {id}\r\n").repeat(20_000).into_bytes(), "message {id} was changed");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_a_passing_error_that_names_it() {
    let error = check(&account("hello")).await.unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Temporary, true));
    assert!(error.message.contains("127.0.0.1:9"), "{}", error.message);
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
