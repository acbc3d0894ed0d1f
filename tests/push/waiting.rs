//! The service waits on the import folder, and ends that properly.

use std::time::{Duration, Instant};

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::Tokens;
use wissel_tests::proxy::Proxy;
use wissel_tests::scene::{Entry, Scene};

/// How long something may take that has to come. Without push it would take the job's interval.
const PATIENCE: Duration = Duration::from_secs(180);
const JOB: [&str; 9] = [
    "--folder",
    "INBOX",
    "--processed",
    "Verwerkt",
    "--create-processed",
    "--every",
    "12h",
    "--watch",
    "--attachments",
];

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn until_watching(scene: &Scene) {
    until("it watches", || {
        let job = scene.run(&["job", "show", "J", "--json"]).success().json();
        job["watching"][0].is_object() && job["watching"][0]["problem"].is_null()
    });
}

/// Delivers messages and waits until they are imported.
fn is_pushed(scene: &Scene, seed: u64) {
    let samples = corpus::messages(seed, 2);
    scene.server.deliver(ALICE, "INBOX", &samples);
    until("the messages are imported", || {
        let sink = Tokens::in_sink(&scene.sink("J"));
        samples.iter().all(|sample| sink.total(&sample.token) == 1)
    });
}

/// A server behind a proxy that listens, and a job that watches there.
fn behind_a_proxy(options: &Options) -> (Scene, Proxy) {
    let scene = Scene::empty(options);
    let proxy = Proxy::to(scene.server.port);
    scene.add(&Entry::clear(&scene.server, proxy.port)).success();
    scene.job("J", &JOB);
    (scene, proxy)
}

fn sent(proxy: &Proxy, what: &str) -> usize {
    proxy.lines().iter().filter(|line| line.contains(what)).count()
}

#[test]
fn a_message_is_imported_long_before_the_interval_and_show_says_that_it_watches() {
    let scene = Scene::start(&Options::default());
    scene.job("J", &JOB);
    let shown = scene.run(&["job", "show", "J"]).success().stdout;
    assert!(shown.contains("when `wissel run` runs"), "{shown}");
    let service = scene.wissel.spawn(&["run"]);
    until_watching(&scene);
    is_pushed(&scene, 1);
    is_pushed(&scene, 2);
    let shown = scene.run(&["job", "show", "J"]).success().stdout;
    assert!(shown.contains("watching since"), "{shown}");
    service.terminate();
    let _ = service.wait().success();
    let shown = scene.run(&["job", "show", "J"]).success().stdout;
    assert!(!shown.contains("watching since"), "{shown}");
}

#[test]
fn a_server_without_idle_is_asked_instead() {
    let capability = Some("IMAP4rev1 SASL-IR LITERAL+ UIDPLUS MOVE NAMESPACE".to_owned());
    let (scene, proxy) = behind_a_proxy(&Options { capability, ..Options::default() });
    let service = scene.wissel.spawn(&["run"]);
    until("it asks", || sent(&proxy, " NOOP") > 0);
    is_pushed(&scene, 3);
    assert_eq!(sent(&proxy, " IDLE"), 0);
    service.terminate();
    let _ = service.wait().success();
}

#[test]
fn a_waiting_that_is_cut_begins_again_and_finds_what_came_meanwhile() {
    let (scene, proxy) = behind_a_proxy(&Options::default());
    let service = scene.wissel.spawn(&["run"]);
    until("it waits", || sent(&proxy, " IDLE") > 0);
    is_pushed(&scene, 4);
    let before = proxy.connections();
    proxy.cut_open();
    is_pushed(&scene, 5);
    let made = proxy.connections() - before;
    assert!((1..10).contains(&made), "{made} connections to come back");
    service.terminate();
    let _ = service.wait().success();
}

#[test]
fn a_job_that_is_edited_or_removed_and_a_stop_end_the_waiting_properly() {
    let (scene, proxy) = behind_a_proxy(&Options::default());
    let service = scene.wissel.spawn(&["run"]);
    let mut waits = 0;
    let mut until_it_waits = |proxy: &Proxy| {
        until("it waits", || sent(proxy, " IDLE") > waits);
        waits = sent(proxy, " IDLE");
    };
    until_it_waits(&proxy);
    scene.run(&["job", "edit", "J", "--watch=false"]).success();
    until("the wait is ended", || sent(&proxy, "DONE") == sent(&proxy, " IDLE"));
    scene.run(&["job", "edit", "J", "--watch"]).success();
    until_it_waits(&proxy);
    // While a run is under way, a job cannot be removed.
    until("the job is removed", || scene.run(&["job", "remove", "J", "--yes"]).code == Some(0));
    until("the wait is ended", || sent(&proxy, "DONE") == sent(&proxy, " IDLE"));
    scene.job("J", &JOB);
    until_it_waits(&proxy);
    service.terminate();
    let _ = service.wait().success();
    assert_eq!(sent(&proxy, "DONE"), sent(&proxy, " IDLE"));
}
