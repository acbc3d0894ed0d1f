//! The directory of connectors: what is loaded, what is refused and why, and what a running service notices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Installed, account, probe, probe_with};
use wissel_host::Rejection;
use wissel_model::{Connectors, ErrorKind};

/// How long `describe` may take, with its grace.
const DESCRIBE: Duration = Duration::from_secs(7);

fn field(rejection: &Rejection) -> &str {
    match rejection {
        Rejection::BadDescription { field, .. } => field,
        other => panic!("{other}"),
    }
}

async fn rejected(bytes: &[u8]) -> Rejection {
    let host = Installed::with(&[("it.wasm", bytes)]).await;
    host.catalogue.entries().await.remove(0).connector.unwrap_err()
}

#[tokio::test]
async fn bad_files_are_listed_with_the_reason_and_the_good_one_works() {
    let foreign = probe_with("wissel:connector/random", "wissel:connectos/random");
    let wasi = probe_with("wissel:connector/random", "wasi:connectorab/random");
    let host = Installed::with(&[
        ("a-text.wasm", b"this is not wasm"),
        ("b-module.wasm", b"\0asm\x01\0\0\0"),
        ("c-broken.wasm", b"\0asm\x0d\0\x01\0garbage"),
        ("d-foreign.wasm", &foreign),
        ("e-wasi.wasm", &wasi),
        ("f-good.wasm", &probe()),
        ("g-again.wasm", &probe_with("0.1.0-probe", "0.1.1-probe")),
        ("notes.txt", b"not looked at"),
    ])
    .await;
    let entries = host.catalogue.entries().await;
    let reasons: Vec<String> = entries
        .iter()
        .map(|entry| entry.connector.as_ref().err().map_or(String::new(), ToString::to_string))
        .collect();
    assert_eq!(entries.len(), 7);
    assert_eq!(reasons[0], "it is not a WebAssembly file");
    assert!(reasons[1].contains("not a component"), "{}", reasons[1]);
    assert!(reasons[2].contains("cannot be compiled"), "{}", reasons[2]);
    assert!(reasons[3].contains("'wissel:connectos/random@0.1.0'"), "{}", reasons[3]);
    assert!(
        reasons[4].contains("'wasi:connectorab/random@0.1.0'") && reasons[4].contains("WASI"),
        "{}",
        reasons[4]
    );
    assert_eq!(reasons[5], "");
    assert!(reasons[6].contains("f-good.wasm"), "{}", reasons[6]);
    host.session("ok").await.check().await.unwrap();
    let inspected = host.catalogue.inspect(&host.directory.path().join("f-good.wasm")).await.unwrap();
    assert_eq!((inspected.description.name.as_str(), inspected.digest.len()), ("probe", 64));
}

#[tokio::test]
async fn a_description_that_breaks_a_rule_is_refused_by_its_field() {
    let missing = rejected(&probe_with(r#""operations""#, r#""operationz""#)).await;
    assert!(missing.to_string().contains("operations"), "{missing}");
    for (from, to, wanted) in [
        (r#""type": "host""#, r#""type": "hozt""#, "/settings/2/type"),
        (r#""tls": "{security}""#, r#""tls": "{sekurity}""#, "/endpoints/0/tls"),
        (r#""authenticate": ["password"]"#, r#""authenticate": ["passwort"]"#, "/endpoints/1/authenticate"),
        (r#""default": "9""#, r#""default": "x""#, "/settings/3/default"),
        (r#""key": "user""#, r#""key": "host""#, "/settings/2"),
        (r#""nl": "Sonde""#, r#""de": "Sonde""#, "/title"),
    ] {
        assert_eq!(field(&rejected(&probe_with(from, to)).await), wanted);
    }
}

#[tokio::test]
async fn describe_works_with_everything_denied_or_not_at_all() {
    let calling = rejected(&probe_with("describe-mode=pure", "describe-mode=call")).await;
    assert!(matches!(calling, Rejection::NoDescription { .. }), "{calling}");
    let spinning = probe_with("describe-mode=pure", "describe-mode=spin");
    let spinning = common::ends(rejected(&spinning)).await;
    assert!(spinning.to_string().contains("did not finish in time"), "{spinning}");
}

/// `entries` waits for the file that loops; a session of another connector does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_loops_in_describe_holds_up_nobody_else_and_loops_once() {
    let host = Installed::probe().await;
    host.session("ok").await.check().await.unwrap();
    let spinning = probe_with("describe-mode=pure", "describe-mode=spin");
    // Before the good one in the order of names.
    host.install("a-spin.wasm", &spinning);
    let catalogue = Arc::clone(&host.catalogue);
    let listing = tokio::spawn(async move { catalogue.entries().await });
    host.session("ok").await.check().await.unwrap();
    assert!(!listing.is_finished(), "the file was refused before the session was there: nothing is proven");
    let listed = common::ends(listing).await.unwrap();
    assert!(matches!(listed[0].connector, Err(Rejection::NoDescription { .. })), "{listed:?}");

    // The same bytes under another name: refused without being run again, so the good one is asked meanwhile.
    host.install("b-spin.wasm", &spinning);
    let begun = Instant::now();
    let listed = common::ends(host.catalogue.entries()).await;
    assert!(matches!(listed[1].connector, Err(Rejection::NoDescription { .. })), "{listed:?}");
    assert!(begun.elapsed() < DESCRIBE, "it looped again: {:?}", begun.elapsed());
}

async fn version(session: &mut dyn wissel_model::Session) -> String {
    session.check().await.unwrap().facts[0].1.clone()
}

#[tokio::test]
async fn files_that_come_change_and_go_are_noticed_and_open_sessions_stay() {
    let host = Installed::with(&[]).await;
    let missing = host.open(&account("ok")).await.err().unwrap();
    assert_eq!(missing.kind, ErrorKind::Unsupported);
    assert!(missing.message.contains("installed: none"));

    let file = host.directory.path().join("probe.wasm");
    std::fs::write(&file, probe()).unwrap();
    let mut old = host.session("ok").await;
    assert_eq!(version(&mut *old).await, "0.1.0-probe");

    host.install("probe.wasm", &probe_with("0.1.0-probe", "0.2.0-probe"));
    let mut new = host.session("ok").await;
    assert_eq!(version(&mut *new).await, "0.2.0-probe");
    assert_eq!(version(&mut *old).await, "0.1.0-probe");
    assert_eq!(host.catalogue.description("probe").await.unwrap().version, "0.2.0-probe");

    std::fs::remove_file(&file).unwrap();
    assert_eq!(host.open(&account("ok")).await.err().unwrap().code.as_deref(), Some("no-connector"));
    assert_eq!(version(&mut *new).await, "0.2.0-probe");
}

#[tokio::test]
async fn when_the_first_of_two_files_goes_the_second_takes_its_place() {
    let second = probe_with("0.1.0-probe", "0.3.0-probe");
    let host = Installed::with(&[("a.wasm", &probe()), ("b.wasm", &second)]).await;
    // Of files that nobody has met before, the first to be described is used until all are.
    host.catalogue.entries().await;
    assert_eq!(version(&mut *host.session("ok").await).await, "0.1.0-probe");
    std::fs::remove_file(host.directory.path().join("a.wasm")).unwrap();
    assert_eq!(version(&mut *host.session("ok").await).await, "0.3.0-probe");
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let host = Installed::probe().await;
    let wrong = common::with_settings(account("ok"), &[("port", "70000")]);
    let error = host.open(&wrong).await.err().unwrap();
    assert_eq!((error.kind, error.setting.as_deref()), (ErrorKind::InvalidSetting, Some("port")));
    let mut wrong = account("ok");
    wrong.auth = "kerberos".to_owned();
    let error = host.open(&wrong).await.err().unwrap();
    assert!(error.message.contains("password, token"), "{}", error.message);
}
