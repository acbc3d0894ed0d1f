//! What the host does with a request until its final answer: limits of a mailbox, pauses, renewed tokens, repetitions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::web::{Asked, Reply, Web};
use common::{Inbox, Installed, TOKEN, account, ends, ids, probe, probe_with, with_settings};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use wissel_model::description::AuthMethod;
use wissel_model::tokens::{AccessToken, RefusedToken, Tokens};
use wissel_model::{Account, ConnectorError, Description, ErrorKind, Identity};

/// An account on `web` whose credential may go there.
fn asking(behaviour: &str, url: &str, auth: &str) -> Account {
    let mut account = with_settings(account(behaviour), &[("url", url)]);
    account.auth = auth.to_owned();
    account.connection.allow_clear_text.insert("web".to_owned());
    account
}

async fn check(host: &Installed, account: &Account) -> Result<Identity, ConnectorError> {
    ends(async { host.open(account).await.unwrap().check().await }).await
}

fn fact<'a>(identity: &'a Identity, name: &str) -> &'a str {
    &identity.facts.iter().find(|(key, _)| key == name).unwrap().1
}

/// The first `refusals` requests are refused like this, the others answered.
fn refusing(refusals: usize, reply: Reply) -> impl Fn(&Asked) -> Reply + Send + Sync {
    move |asked| if asked.number < refusals { reply.clone() } else { Reply::ok("done") }
}

// -- Tokens

/// Gives `token-1`, and the next number for each that was refused.
#[derive(Default)]
struct Issuer {
    number: AtomicUsize,
    refused: Mutex<Vec<(String, Option<String>)>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Tokens for Issuer {
    async fn token(
        &self,
        _account: &Account,
        _description: &Description,
        method: &AuthMethod,
        refused: Option<&RefusedToken>,
    ) -> Result<AccessToken, ConnectorError> {
        assert_eq!(method.id, "renewed");
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(refused) = refused {
            let token = refused.token.expose_secret().to_owned();
            self.refused.lock().unwrap().push((token, refused.claims.clone()));
            self.number.fetch_add(1, Ordering::SeqCst);
        }
        // So that the others are refused while this one is renewed.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let secret = SecretString::from(format!("token-{}", self.number.load(Ordering::SeqCst) + 1));
        let expires = Timestamp::now() + SignedDuration::from_hours(1);
        Ok(AccessToken { secret, expires, scopes: Vec::new() })
    }
}

async fn issuing() -> (Arc<Issuer>, Installed) {
    let issuer = Arc::new(Issuer::default());
    let host = Installed::with_tokens(&[("probe.wasm", &probe())], issuer.clone()).await;
    (issuer, host)
}

/// Takes no other token than this.
fn wanting(token: &'static str) -> impl Fn(&Asked) -> Reply + Send + Sync {
    move |asked| match asked.header("authorization") {
        Some(value) if value == format!("Bearer {token}") => Reply::ok("done"),
        _ => Reply::status(401),
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_many_requests_and_kept() {
    let web = Web::start(wanting("token-2")).await;
    let (issuer, host) = issuing().await;
    let mut session = host.open(&asking("http-four-auth", &web.url, "renewed")).await.unwrap();
    let wanted: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let inbox = Inbox::default();
        ends(session.fetch(&ids(&wanted), Box::new(inbox.clone()))).await.unwrap();
        assert_eq!(inbox.received().ended.len(), 20);
    }
    let refused = issuer.refused.lock().unwrap().clone();
    assert_eq!(refused, [("token-1".to_owned(), None)]);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2, "it is asked for at first, and when it was refused");
    assert!(web.asked().len() <= 44, "four were under way with the first token: {}", web.asked().len());
}

#[tokio::test]
async fn a_claims_challenge_is_handed_on_and_the_body_sent_again() {
    // {"access_token":{"nbf":{"essential":true}}}
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", \
                     claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==\"";
    let web = Web::start(move |asked| match wanting("token-2")(asked) {
        refusal @ Reply::Answer(401, ..) => refusal.with("WWW-Authenticate", challenge),
        taken => taken,
    })
    .await;
    let (issuer, host) = issuing().await;
    let identity = check(&host, &asking("http-post", &web.url, "renewed")).await.unwrap();
    assert_eq!(fact(&identity, "status"), "200");
    let claims = r#"{"access_token":{"nbf":{"essential":true}}}"#.to_owned();
    assert_eq!(*issuer.refused.lock().unwrap(), [("token-1".to_owned(), Some(claims))]);
    assert!(web.asked().iter().all(|asked| asked.text.ends_with("do this")) && web.asked().len() == 2);
}

#[tokio::test]
async fn a_renewed_token_that_is_refused_is_the_connectors_answer() {
    // Who asks a third time is let in: a host that would go on for ever is told from one that stops.
    let web = Web::start(refusing(2, Reply::status(401))).await;
    let (issuer, host) = issuing().await;
    let identity = check(&host, &asking("http-auth", &web.url, "renewed")).await.unwrap();
    assert_eq!(fact(&identity, "status"), "401");
    assert_eq!((web.asked().len(), issuer.refused.lock().unwrap().len()), (2, 1));
    // What the operator stored cannot be renewed.
    let web = Web::start(|_| Reply::status(401)).await;
    check(&host, &asking("http-auth", &web.url, "token")).await.unwrap();
    assert_eq!(web.asked().len(), 1);
}

#[tokio::test]
async fn a_token_that_the_service_repeats_is_masked() {
    let web = Web::start(|asked| {
        let repeated = asked.header("authorization").unwrap_or_default();
        Reply::ok(&format!("you sent {repeated}")).with("X-Echo", repeated)
    })
    .await;
    let (_, host) = issuing().await;
    for (auth, secret) in [("renewed", "token-1"), ("token", TOKEN)] {
        let identity = check(&host, &asking("http-auth", &web.url, auth)).await.unwrap();
        let masked = "*".repeat(secret.len());
        assert_eq!(fact(&identity, "body"), format!("you sent Bearer {masked}"));
        assert_eq!(fact(&identity, "echo"), format!("Bearer {masked}"));
        assert!(web.asked().iter().any(|asked| asked.text.contains(secret)));
    }
}

// -- Waiting and repeating

#[tokio::test]
async fn retry_after_is_obeyed_for_every_request_that_may_be_repeated() {
    for (behaviour, status, repeated) in [
        ("http-ask", 429, true),
        ("http-ask", 503, true),
        ("http-ask", 504, true),
        ("http-post", 429, true),
        ("http-post", 503, false),
        ("http-post", 504, false),
        ("http-ask", 500, false),
    ] {
        let web = Web::start(refusing(1, Reply::status(status).with("Retry-After", "1"))).await;
        let host = Installed::probe().await;
        let identity = check(&host, &asking(behaviour, &web.url, "token")).await.unwrap();
        let (asked, shown) = (web.asked(), format!("{behaviour} {status}"));
        let expected = if repeated { "200" } else { &status.to_string() };
        assert_eq!(
            (fact(&identity, "status"), asked.len()),
            (expected, 1 + usize::from(repeated)),
            "{shown}"
        );
        if repeated {
            assert!(asked[1].at - asked[0].at >= Duration::from_secs(1), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_storm_of_refusals_ends_in_throttled_with_the_time_to_wait() {
    for (reply, least) in [
        (Reply::status(429), 1),
        (Reply::status(429).with("Retry-After", "1"), 1),
        (Reply::status(503).with("Retry-After", "1"), 1),
        (Reply::status(429).with("Retry-After", "86400"), 86_000_000),
    ] {
        let web = Web::start(refusing(usize::MAX, reply.clone())).await;
        let host = Installed::probe().await;
        let error = check(&host, &asking("http-ask", &web.url, "token")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled, "{reply:?}: {error}");
        assert!(error.retry_after_ms.is_some_and(|wait| wait >= least), "{reply:?}: {error:?}");
        let asked = web.asked().len();
        assert_eq!(asked, if least > 1 { 1 } else { 6 }, "{reply:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_away_without_saying_for_how_long_is_the_connectors_answer() {
    let web = Web::start(refusing(usize::MAX, Reply::status(504))).await;
    let host = Installed::probe().await;
    let identity = check(&host, &asking("http-ask", &web.url, "token")).await.unwrap();
    assert_eq!((fact(&identity, "status"), web.asked().len()), ("504", 6));
}

#[tokio::test]
async fn a_lost_connection_is_made_up_for_when_nothing_can_be_done_twice() {
    let web = Web::start(refusing(2, Reply::Nothing)).await;
    let host = Installed::probe().await;
    let identity = check(&host, &asking("http-ask", &web.url, "token")).await.unwrap();
    assert_eq!((fact(&identity, "status"), web.asked().len()), ("200", 3));

    let web = Web::start(refusing(1, Reply::Nothing)).await;
    let error = check(&host, &asking("http-post", &web.url, "token")).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Temporary, Some("connection-lost")));
    assert_eq!(web.asked().len(), 1, "it may have been done");

    let web = Web::start(|_| Reply::Nothing).await;
    let error = check(&host, &asking("http-ask", &web.url, "token")).await.unwrap_err();
    assert_eq!((error.kind, web.asked().len()), (ErrorKind::Temporary, 3));
}

// -- What a mailbox shares

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_on_one_mailbox_share_what_may_be_under_way() {
    let late = |_: &Asked| Reply::Late(Duration::from_millis(100), Box::new(Reply::ok("message")));
    let web = Web::start(late).await;
    let host = Installed::probe().await;
    // One mailbox, and then each its own.
    for (users, most) in
        [(["jan@example.com", "Jan@example.com"], 4), (["a@example.com", "b@example.com"], 8)]
    {
        let before = web.asked().len();
        let mut fetches = Vec::new();
        for user in users {
            let account = with_settings(asking("http-four", &web.url, "password"), &[("user", user)]);
            let mut session = host.open(&account).await.unwrap();
            fetches.push(async move {
                let wanted: Vec<String> = (0..12).map(|number| number.to_string()).collect();
                let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
                session.fetch(&ids(&wanted), Box::new(Inbox::default())).await.unwrap();
            });
        }
        ends(futures::future::join_all(fetches)).await;
        assert_eq!(web.asked().len() - before, 24);
        // The second time more is seen than the first time.
        assert!(web.most() <= most && web.most() > most / 2, "{users:?}: {}", web.most());
    }
}

#[tokio::test]
async fn a_pause_is_for_every_account_on_that_mailbox() {
    let web = Web::start(refusing(1, Reply::status(429).with("Retry-After", "600"))).await;
    let host = Installed::probe().await;
    let account = |behaviour, user| with_settings(asking(behaviour, &web.url, "password"), &[("user", user)]);
    let [first, second, other] = [
        account("http-ask", "jan@example.com"),
        account("http-ask", "jan@example.com"),
        account("http-ask", "piet@example.com"),
    ];
    // Who they are is told by a check that needs no request.
    for account in [&first, &second, &other] {
        let quiet = with_settings(account.clone(), &[("behaviour", "ok")]);
        host.open(&quiet).await.unwrap().check().await.unwrap();
    }
    for account in [&first, &second] {
        let error = check(&host, account).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled);
        assert!((500_000..=600_000).contains(&error.retry_after_ms.unwrap()), "{error:?}");
    }
    assert_eq!(web.asked().len(), 1, "the second account's request was not even sent");
    check(&host, &other).await.unwrap();
}

#[tokio::test]
async fn requests_in_a_batch_count_one_by_one() {
    let limits = r#""limits": {"parallelRequests": 4"#;
    let room = " ".repeat(57);
    let rates = r#", "requestRates": [{"requests": 45, "seconds": 3600}]"#;
    let described = format!("{limits}{rates}{}", " ".repeat(room.len() - rates.len()));
    let bytes = probe_with(&format!("{limits}{room}"), &described);
    let host = Installed::with(&[("probe.wasm", &bytes)]).await;
    let web = Web::start(|_| Reply::ok("done")).await;
    let account = asking("http-batch", &web.url, "token");
    for _ in 0..2 {
        check(&host, &account).await.unwrap();
    }
    let error = check(&host, &account).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled, "{error}");
    let single = with_settings(account, &[("behaviour", "http-ask")]);
    check(&host, &single).await.unwrap();
    assert_eq!(web.asked().len(), 3);
}

// -- Answers that are compressed

/// 64 KiB of zeros as a member of gzip (RFC 1952).
fn zeros() -> Vec<u8> {
    let (head, tail) = ("1f8b08000000000002ffedc101010000008090feafee080a", "6aeb8e97d700000100");
    [hex::decode(head).unwrap(), vec![0; 63], hex::decode(tail).unwrap()].concat()
}

fn compressed(body: Vec<u8>) -> Reply {
    Reply::Answer(200, vec![("Content-Encoding".to_owned(), "gzip".to_owned())], body)
}

async fn fetched(host: &Installed, url: &str) -> (Result<(), ConnectorError>, Vec<(String, Vec<u8>)>) {
    let inbox = Inbox::default();
    let mut session = host.open(&asking("http-four", url, "password")).await.unwrap();
    let result = ends(session.fetch(&ids(&["1"]), Box::new(inbox.clone()))).await;
    (result, inbox.received().ended)
}

#[tokio::test]
async fn a_compressed_answer_arrives_as_it_was() {
    let member = zeros();
    let twice = [member.clone(), member].concat();
    let web = Web::start(move |_| compressed(twice.clone())).await;
    let host = Installed::probe().await;
    let (result, messages) = fetched(&host, &web.url).await;
    result.unwrap();
    assert_eq!(messages, [("1".to_owned(), vec![0; 128 << 10])]);
    assert_eq!(web.asked()[0].header("accept-encoding"), Some("gzip"));

    let web = Web::start(|_| compressed(Vec::new())).await;
    let identity = check(&host, &asking("http-ask", &web.url, "password")).await.unwrap();
    assert_eq!(fact(&identity, "body"), "");
}

#[tokio::test]
async fn an_answer_that_is_not_what_it_says_or_grows_beyond_reason_is_refused() {
    let member = zeros();
    for (body, kind, code) in [
        (b"no gzip at all".to_vec(), ErrorKind::Protocol, "content-encoding"),
        (member[..40].to_vec(), ErrorKind::Protocol, "content-encoding"),
        (member.repeat(20_000), ErrorKind::TooLarge, "decompression"),
    ] {
        let web = Web::start(move |_| compressed(body.clone())).await;
        let host = Installed::probe().await;
        let (result, messages) = fetched(&host, &web.url).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "{error}");
        assert!(messages.is_empty());
    }
}

#[tokio::test]
async fn an_endless_answer_ends_where_the_connector_has_enough() {
    let web = Web::start(|_| Reply::Endless).await;
    let host = Installed::probe().await;
    let error = check(&host, &asking("http-ask", &web.url, "password")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
}

// -- What is never sent

#[tokio::test]
async fn a_place_that_no_setting_names_is_reached_only_in_public() {
    let web = Web::start(|_| Reply::ok("done")).await;
    let host = Installed::probe().await;
    let port = web.port.to_string();
    for behaviour in ["http-home", "http-metadata"] {
        let account = with_settings(account(behaviour), &[("port", &port)]);
        let error = check(&host, &account).await.unwrap_err();
        let expected = (ErrorKind::PermissionMissing, Some("private-address"));
        assert_eq!((error.kind, error.code.as_deref()), expected, "{behaviour}: {error}");
    }
    assert!(web.asked().is_empty());
    // The same place, named by the operator.
    let named = asking("http-ask", &format!("http://localhost:{port}"), "password");
    check(&host, &named).await.unwrap();
    assert_eq!(web.asked().len(), 1);
}

#[tokio::test]
async fn nothing_breaks_out_of_its_place_in_a_request() {
    let web = Web::start(|_| Reply::ok("done")).await;
    let host = Installed::probe().await;
    for behaviour in ["http-inject", "http-inject-name", "http-inject-method", "http-many-headers"] {
        let error = check(&host, &asking(behaviour, &web.url, "password")).await.unwrap_err();
        let expected = (ErrorKind::Unsupported, Some("request"));
        assert_eq!((error.kind, error.code.as_deref()), expected, "{behaviour}: {error}");
    }
    assert!(web.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_its_target_is_asked_for_like_any_other() {
    let other = Web::start(|_| Reply::ok("mine")).await;
    let url = other.url.clone();
    let web = Web::start(move |_| Reply::status(302).with("Location", &url)).await;
    let host = Installed::probe().await;
    let error = check(&host, &asking("http-follow", &web.url, "password")).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("endpoint-not-granted"));
    assert!(web.asked().len() == 1 && other.asked().is_empty());
}
