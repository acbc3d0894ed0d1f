//! A service that runs while the key changes, and `job run --all`.

use std::time::{Duration, Instant};

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_service_goes_on_across_a_rotation() {
    let scene = Scene::start(&Options::default());
    scene.job("J", &["--folder", "INBOX", "--action", "leave", "--every", "1s"]);
    let mut service = scene.wissel.spawn(&["run"]);
    let mut samples = Vec::new();
    for round in 0..3_u64 {
        let new = corpus::messages(100 + round, 5);
        scene.server.deliver(ALICE, "INBOX", &new);
        samples.extend(new);
        let expected = samples.len();
        wait_until("the import", || Tokens::in_sink(&scene.sink("J")).different(SINK) == expected);
        scene.run(&["vault", "rotate"]).success();
    }
    assert!(service.is_running());
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&samples), SINK);
    service.terminate();
    let ended = service.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("ERROR"), "{ended:?}");
}

#[test]
fn all_enabled_jobs_run_with_all_and_each_says_how_it_went() {
    let scene = Scene::start(&Options::default());
    for folder in ["Een", "Twee", "Drie"] {
        scene.server.create_folder(ALICE, folder);
        scene.server.deliver(ALICE, folder, &corpus::messages(7, 3));
        scene.job(folder, &["--folder", folder, "--action", "leave"]);
    }
    scene.run(&["job", "edit", "Drie", "--disable"]).success();
    let said = scene.run(&["job", "run", "--all"]).success();
    assert!(said.stdout.contains("Een: 3 messages imported"), "{said:?}");
    assert!(said.stdout.contains("Twee: 3 messages imported"), "{said:?}");
    assert!(!said.stdout.contains("Drie"), "{said:?}");
    // Without a name it means the same.
    let again = scene.run(&["job", "run", "--json"]).success().json();
    let jobs = again["jobs"].as_array().unwrap();
    assert_eq!(jobs.iter().map(|job| job["job"].as_str().unwrap()).collect::<Vec<_>>(), ["Een", "Twee"]);
    assert!(jobs.iter().all(|job| job["imported"] == 0), "{again}");
    // One that fails keeps the others from nothing.
    scene.server.doveadm(&["mailbox", "delete", "-u", ALICE, "Een"]);
    scene.server.deliver(ALICE, "Twee", &corpus::messages(8, 2));
    let partly = scene.run(&["job", "run", "--all", "--json"]);
    assert_eq!(partly.code, Some(7), "{partly:?}");
    let jobs = partly.json()["jobs"].clone();
    assert_eq!(jobs[1]["imported"], 2, "{jobs}");
    assert!(jobs[0]["errors"][0]["message"].as_str().unwrap().contains("Een"), "{jobs}");
}
