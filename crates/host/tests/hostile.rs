//! Connectors that misbehave: each ends in a typed error within its limit, while another one works on, all on one
//! worker thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Installed, account, fetch_three, within};
use wissel_model::{ConnectorError, ErrorKind, Session};

/// Runs the behaviour in one session and good calls in another; returns the error and how many good calls were made.
async fn beside_a_good_one(behaviour: &str) -> (ConnectorError, Box<dyn Session>, usize) {
    let host = Installed::probe().await;
    let mut good = host.session("ok").await;
    let mut bad = host.session(behaviour).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let stopped = stop.clone();
    let neighbour = tokio::spawn(async move {
        let (mut calls, mut slowest) = (0, Duration::ZERO);
        while !stopped.is_cancelled() {
            let begun = Instant::now();
            let (result, received) = fetch_three(&mut *good).await;
            result.unwrap();
            assert_eq!(received.ended.len(), 3);
            slowest = slowest.max(begun.elapsed());
            calls += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(slowest < Duration::from_millis(500), "the neighbour waited {slowest:?}");
        calls
    });
    // Spawned as well: the test's own future runs beside the worker, not on it.
    let (error, bad) = tokio::spawn(async move {
        let error = within(10, bad.check()).await.unwrap_err();
        (error, bad)
    })
    .await
    .unwrap();
    stop.cancel();
    (error, bad, neighbour.await.unwrap())
}

async fn faults_with(behaviour: &str, code: &str) {
    let (error, mut session, _) = beside_a_good_one(behaviour).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Fault, Some(code)), "{error:?}");
    assert!(error.session_lost);
    assert!(error.message.contains("'probe'") && error.message.contains("check"), "{}", error.message);
    let again = session.check().await.unwrap_err();
    assert_eq!((again.kind, again.code.as_deref()), (ErrorKind::Fault, Some(code)));
    assert!(again.session_lost);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endless_loop_ends_at_its_deadline_and_holds_up_nobody() {
    let begun = Instant::now();
    let (error, _, calls) = beside_a_good_one("loop").await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Fault, Some("deadline")));
    // One second for the call and two of grace.
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(calls > 50, "the neighbour made only {calls} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn memory_stack_and_traps_end_in_a_fault() {
    faults_with("memory-bomb", "memory-limit").await;
    faults_with("deep-recursion", "stack-overflow").await;
    faults_with("trap", "trap").await;
    faults_with("random-flood", "contract").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connector_that_ignores_a_stop_is_thrown_away() {
    faults_with("ignore-cancel", "deadline").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endpoint_that_is_not_described_is_refused_by_name() {
    let (error, mut session, _) = beside_a_good_one("foreign-endpoint").await;
    assert_eq!(error.kind, ErrorKind::PermissionMissing);
    assert!(error.message.contains("'elsewhere'"));
    assert!(!error.session_lost);
    // An error is not a fault: the session lives.
    assert_eq!(session.check().await.unwrap_err().kind, ErrorKind::PermissionMissing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cancellation_cannot_be_made_up() {
    let (error, ..) = beside_a_good_one("made-up-cancel").await;
    assert_eq!(error.kind, ErrorKind::Protocol);
}

async fn fetch_with(behaviour: &str) -> (Result<(), ConnectorError>, common::Received) {
    let host = Installed::probe().await;
    let mut session = host.session(behaviour).await;
    within(10, fetch_three(&mut *session)).await
}

#[tokio::test]
async fn a_delivery_out_of_order_is_a_fault_and_keeps_what_was_whole() {
    for behaviour in ["write-after-end", "unasked-id", "twice"] {
        let (result, received) = fetch_with(behaviour).await;
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Fault, Some("contract")), "{behaviour}");
        assert!(error.message.contains("fetch"));
        let ended: Vec<&str> = received.ended.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ended, ["1"], "{behaviour}");
        assert!(received.failed.is_empty());
    }
}

#[tokio::test]
async fn a_trap_leaves_the_message_in_hand_open_and_the_rest_not_attempted() {
    let (result, received) = fetch_with("trap-in-fetch").await;
    assert_eq!(result.unwrap_err().code.as_deref(), Some("trap"));
    assert_eq!(received.ended, [("1".to_owned(), b"Subject: probe 1\r\n\r\nhello\r\n".to_vec())]);
    assert!(received.failed.is_empty());
    assert_eq!(received.open.unwrap().0, "2");
}

#[tokio::test]
async fn one_bad_message_does_not_stop_the_others() {
    for (behaviour, kind) in [
        ("fail-one", ErrorKind::BadMessage),
        ("bad-base64", ErrorKind::BadMessage),
        ("left-open", ErrorKind::Temporary),
    ] {
        let (result, received) = fetch_with(behaviour).await;
        result.unwrap();
        let ended: Vec<&str> = received.ended.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ended, ["1", "3"], "{behaviour}");
        assert_eq!((received.failed[0].0.as_str(), received.failed[0].1.kind), ("2", kind), "{behaviour}");
    }
}

#[tokio::test]
async fn answers_are_checked() {
    let host = Installed::probe().await;
    let folder = "inbox".into();
    let page = wissel_model::PageRequest { size: 10, ..Default::default() };
    let listed = host.session("odd-date").await.list_messages(&folder, &page).await.unwrap();
    let dates: Vec<bool> = listed.messages.iter().map(|message| message.received.is_some()).collect();
    assert_eq!(dates, [false, true]);
    let error = host.session("empty-id").await.list_messages(&folder, &page).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Fault, Some("contract")));
    let error = host.session("ok").await.delete_messages(&common::ids(&["1"])).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("contract"));
    let error = host.open(&account("refuse-open")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::AuthorizationNeeded);
    assert_eq!(error.message, "the  password  is wrong");
}

#[tokio::test]
async fn what_is_not_declared_is_not_called() {
    let host = Installed::probe().await;
    let error = host.session("ok").await.folders(None, true).await.unwrap_err();
    assert_eq!((error.kind, error.session_lost), (ErrorKind::Unsupported, false));
}
