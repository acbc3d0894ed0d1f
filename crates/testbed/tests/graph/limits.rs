//! Throttling, and what goes wrong when it is told to.

use std::time::Duration;

use reqwest::Method;
use wissel_testbed::faults::{CommandFault, Fault, MessageFault};

use crate::scene::{Scene, read};

#[tokio::test]
async fn the_fifth_request_at_once_is_throttled() {
    let scene = Scene::start().await;
    let stall = || CommandFault::Stall(Duration::from_secs(30));
    scene.bed.faults().arm_times(4, Fault::Command { name: "GET messages".into(), action: stall() });
    let waiting: Vec<_> =
        (0..4).map(|_| tokio::spawn(scene.ask(Method::GET, "me/messages").send())).collect();
    while scene.bed.faults().pending() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The fault strikes before the request counts: wait until all four do.
    let mut refused = scene.get("me/mailFolders").await;
    while refused.status == 200 {
        refused = scene.get("me/mailFolders").await;
    }
    refused.refused(429, "ApplicationThrottled");
    assert!(refused.json["error"]["message"].as_str().unwrap().contains("MailboxConcurrency"));
    assert_eq!(refused.header("retry-after"), "1");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(scene.bed.graph().control().throttled(), 1);
}

#[tokio::test]
async fn a_storm_says_how_long_or_keeps_silent() {
    let scene = Scene::start().await;
    let control = scene.bed.graph().control();
    control.throttle(Duration::from_secs(100), true);
    let refused = scene.get("me/messages").await;
    refused.refused(429, "ApplicationThrottled");
    assert!((90..=100).contains(&refused.header("retry-after").parse().unwrap()));
    control.throttle(Duration::from_secs(100), false);
    assert_eq!(scene.get("me/messages").await.header("retry-after"), "");
    control.throttle(Duration::ZERO, false);
    scene.get("me/messages").await.is(200);
    control.limit(|limits| limits.requests = 1);
    scene.get("me/messages").await.refused(429, "ApplicationThrottled");
}

#[tokio::test]
async fn faults_strike_where_they_are_armed() {
    let scene = Scene::start().await;
    let faults = scene.bed.faults();
    for (status, code) in
        [(503, "serviceNotAvailable"), (504, "UnknownError"), (500, "ErrorInternalServerError")]
    {
        faults.arm_command("GET mailFolders", CommandFault::Status(status, Some(Duration::from_secs(7))));
        let refused = scene.get("me/mailFolders").await;
        refused.refused(status, code);
        assert_eq!(refused.header("retry-after"), "7");
    }
    faults.arm_command("GET mailFolders", CommandFault::Drop);
    let cut = scene.ask(Method::GET, "me/mailFolders").send().await;
    assert!(match cut {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    });
    let id = scene.ids().await.remove(0);
    faults.arm(Fault::Message { after: 100, action: MessageFault::Drop });
    let value = scene.ask(Method::GET, &format!("me/messages/{id}/$value")).send().await.unwrap();
    assert!(value.bytes().await.is_err(), "a message that was cut looked whole");
    faults.arm_command("GET mailFolders", CommandFault::Endless);
    let mut endless = scene.ask(Method::GET, "me/mailFolders").send().await.unwrap();
    let mut size = 0;
    while size < 5_000_000 {
        size += endless.chunk().await.unwrap().unwrap().len();
    }
    drop(endless);
    assert_eq!(faults.pending(), 0);
    read(scene.ask(Method::GET, "me/mailFolders")).await.is(200);
}
