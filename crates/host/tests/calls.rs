//! Stopping calls from outside, and what the log of a connector shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::server::{LineServer, Tls};
use common::{Installed, account, ends, hasty, with_settings};
use tokio_util::sync::CancellationToken;
use wissel_model::connector::Wake;
use wissel_model::{Account, Connectors, ErrorKind, OpenOptions};

fn at(server: Option<&LineServer>, behaviour: &str) -> Account {
    let port = server.map_or(9, |server| server.port).to_string();
    with_settings(account(behaviour), &[("port", &port), ("security", "none")])
}

/// The error of a call that is cancelled, and how long after that it came.
async fn cancelled(behaviour: &str, server: Option<&LineServer>) -> (wissel_model::ConnectorError, Duration) {
    let host = Installed::probe().await;
    let options = OpenOptions::default();
    let cancel = options.cancel.clone();
    let mut session = host.catalogue.open(&at(server, behaviour), options).await.unwrap();
    let stop = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
        Instant::now()
    });
    // On the same worker as the stop.
    let call = tokio::spawn(async move { ends(session.check()).await.unwrap_err() });
    let error = call.await.unwrap();
    (error, stop.await.unwrap().elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_blocked_call_returns_when_it_is_cancelled() {
    let server = LineServer::start(Tls::Never, None).await;
    for behaviour in ["sleep", "silent"] {
        let (error, _) = cancelled(behaviour, Some(&server)).await;
        // It returned of itself: nothing had to be trapped after the grace.
        assert_eq!((error.kind, error.session_lost), (ErrorKind::Cancelled, false), "{behaviour}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_that_does_not_return_after_a_stop_is_trapped_after_the_grace() {
    for behaviour in ["loop", "ignore-cancel"] {
        let (error, took) = cancelled(behaviour, None).await;
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Cancelled, Some("not-returned")));
        // Not before the grace is over; the call's own time would be an hour.
        assert!(error.session_lost && took >= Duration::from_millis(1_900), "{behaviour} took {took:?}");
    }
}

#[tokio::test]
async fn a_blocked_call_ends_with_its_time() {
    let host = Installed::probe().await;
    let error = ends(host.open(&hasty("sleep")).await.unwrap().check()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Temporary, Some("deadline")));
}

#[tokio::test]
async fn a_session_whose_caller_gave_up_is_gone() {
    let host = Installed::probe().await;
    let mut session = host.session("sleep").await;
    let _ = tokio::time::timeout(Duration::from_millis(50), session.check()).await.unwrap_err();
    let error = session.check().await.unwrap_err();
    assert_eq!((error.code.as_deref(), error.session_lost), (Some("abandoned"), true));
}

#[tokio::test]
async fn a_waiting_call_ends_early_and_properly_when_asked() {
    let server = LineServer::start(Tls::Never, None).await;
    let host = Installed::probe().await;
    let interrupt = CancellationToken::new();
    let options = OpenOptions { interrupt: interrupt.clone(), ..OpenOptions::default() };
    let mut session = host.catalogue.open(&at(Some(&server), "ok"), options).await.unwrap();
    assert_eq!(session.wait(&"inbox".into(), 30).await.unwrap(), Wake::TimedOut);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        interrupt.cancel();
    });
    assert_eq!(ends(session.wait(&"inbox".into(), 30_000)).await.unwrap(), Wake::Interrupted);
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn log_lines_carry_the_account_show_no_secret_and_do_not_flood() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _on_this_thread = tracing::subscriber::set_default(subscriber);
    let host = Installed::probe().await;
    let options = OpenOptions { purpose: "Import 1".to_owned(), ..OpenOptions::default() };
    host.catalogue.open(&account("log-secret"), options).await.unwrap().check().await.unwrap();
    host.session("log-flood").await.check().await.unwrap();
    let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("signed in")).unwrap();
    assert!(line.contains("Facturen") && line.contains("Import 1") && line.contains("probe"), "{line}");
    assert!(!text.contains("hunter2") && !text.contains("abcdefgh12345678"));
    assert_eq!(text.lines().filter(|line| line.contains(": line ")).count(), 1_000);
}
