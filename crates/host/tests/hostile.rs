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

use std::time::Duration;

use common::{Installed, account, ends, fetch_three, hasty};
use wissel_model::{Account, ConnectorError, Connectors, ErrorKind, OpenOptions, Session};

/// Runs the behaviour in one session and good calls in another; returns the error and the session.
async fn beside_a_good_one(bad: &Account) -> (ConnectorError, Box<dyn Session>) {
    let host = Installed::probe().await;
    let mut good = host.session("ok").await;
    let mut bad = host.open(bad).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let stopped = stop.clone();
    let neighbour = tokio::spawn(async move {
        while !stopped.is_cancelled() {
            let (result, received) = fetch_three(&mut *good).await;
            result.unwrap();
            assert_eq!(received.ended.len(), 3);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    // Spawned as well: the test's own future runs beside the worker, not on it.
    let (error, bad) = tokio::spawn(async move {
        let error = ends(bad.check()).await.unwrap_err();
        (error, bad)
    })
    .await
    .unwrap();
    stop.cancel();
    neighbour.await.unwrap();
    (error, bad)
}

async fn faults_with(account: &Account, code: &str) {
    let (error, mut session) = beside_a_good_one(account).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Fault, Some(code)), "{error:?}");
    assert!(error.session_lost);
    assert!(error.message.contains("'probe'") && error.message.contains("check"), "{}", error.message);
    let again = session.check().await.unwrap_err();
    assert_eq!((again.kind, again.code.as_deref()), (ErrorKind::Fault, Some(code)));
    assert!(again.session_lost);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_does_not_return_ends_at_its_deadline() {
    faults_with(&hasty("loop"), "deadline").await;
    faults_with(&hasty("ignore-cancel"), "deadline").await;
}

/// The loop may go on for an hour: calls that end meanwhile have not waited for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endless_loop_holds_up_nobody() {
    let host = Installed::probe().await;
    let mut good = host.session("ok").await;
    let options = OpenOptions::default();
    let cancel = options.cancel.clone();
    let mut bad = host.catalogue.open(&account("loop"), options).await.unwrap();
    let looping = tokio::spawn(async move { bad.check().await.unwrap_err() });
    let calls = tokio::spawn(async move {
        for _ in 0..100 {
            fetch_three(&mut *good).await.0.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    ends(calls).await.unwrap();
    assert!(!looping.is_finished(), "the loop ended by itself");
    cancel.cancel();
    assert_eq!(ends(looping).await.unwrap().code.as_deref(), Some("not-returned"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn memory_stack_and_traps_end_in_a_fault() {
    faults_with(&account("memory-bomb"), "memory-limit").await;
    faults_with(&account("deep-recursion"), "stack-overflow").await;
    faults_with(&account("trap"), "trap").await;
    faults_with(&account("random-flood"), "contract").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_endpoint_that_is_not_described_is_refused_by_name() {
    let (error, mut session) = beside_a_good_one(&account("foreign-endpoint")).await;
    assert_eq!(error.kind, ErrorKind::PermissionMissing);
    assert!(error.message.contains("'elsewhere'"));
    assert!(!error.session_lost);
    // An error is not a fault: the session lives.
    assert_eq!(session.check().await.unwrap_err().kind, ErrorKind::PermissionMissing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cancellation_cannot_be_made_up() {
    let (error, ..) = beside_a_good_one(&account("made-up-cancel")).await;
    assert_eq!(error.kind, ErrorKind::Protocol);
}

async fn fetch_with(behaviour: &str) -> (Result<(), ConnectorError>, common::Received) {
    let host = Installed::probe().await;
    let mut session = host.session(behaviour).await;
    ends(fetch_three(&mut *session)).await
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
