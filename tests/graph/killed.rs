//! Killed at every fault point of a run, at random between two requests, and where an answer is lost: each message arrives
//! once all the same.

use fastrand::Rng;

use crate::scene::{RUN, Scene};

/// Points of a run that every folder's batch passes; `tests/exactly_once/points.rs` checks that none is forgotten there.
const OF_A_BATCH: [&str; 7] = [
    "ledger-reserved",
    "fetched",
    "sink-synced",
    "sink-committed",
    "ledger-delivered",
    "mailbox-changed",
    "ledger-done",
];

/// Points that every message passes.
const OF_A_MESSAGE: [&str; 3] = ["sink-staged", "sink-renamed", "sink-json-renamed"];

/// Kills between two requests, unless `WISSEL_ROUNDS` says otherwise.
const ROUNDS: u64 = 8;

#[test]
fn death_at_every_point_costs_nothing() {
    let mut scene = Scene::new();
    let batch = OF_A_BATCH.iter().flat_map(|point| [1, 3].map(|count| format!("{point}:{count}")));
    let message = OF_A_MESSAGE.iter().flat_map(|point| [1, 8].map(|count| format!("{point}:{count}")));
    for fault in batch.chain(message) {
        // Messages for every folder, and three in each: eight are passed at least.
        scene.deliver(3);
        scene.house.wissel.set("WISSEL_FAULT", fault.as_str());
        let died = scene.run();
        scene.house.wissel.set("WISSEL_FAULT", "none");
        let point = fault.split(':').next().unwrap();
        let reached = died.stderr.contains(&format!("fault point '{point}' reached"));
        assert!(died.code.is_none() && reached, "{fault}: {died:?}");
        scene.check_meanwhile();
        scene.deliver(1);
        // One run brings everything into its place.
        scene.run().success();
        scene.check_finished();
    }
    assert_eq!(scene.finish(), 0);
}

#[test]
fn death_between_any_two_requests_costs_nothing() {
    let from_environment = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = from_environment("WISSEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("WISSEL_SEED={seed}");
    let mut scene = Scene::new();
    scene.deliver(1);
    scene.finish();
    // So that a request can be told from the next.
    scene.house.bed.command("latency 20");
    let before = scene.requests();
    scene.deliver(6);
    scene.run().success();
    let of_a_run = scene.requests() - before;
    let mut hits = 0;
    let rounds = from_environment("WISSEL_ROUNDS").unwrap_or(ROUNDS);
    for round in 0..rounds {
        let mut rng = Rng::with_seed(seed.wrapping_add(round));
        scene.deliver(6);
        let after = scene.requests() + rng.u64(0..of_a_run);
        let mut running = scene.house.wissel.spawn(&RUN);
        while running.is_running() && scene.requests() < after {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        hits += u64::from(running.is_running());
        running.kill();
        scene.check_meanwhile();
        if rng.bool() {
            scene.finish();
            scene.check_finished();
        }
    }
    scene.finish();
    scene.check_finished();
    assert!(hits > 0, "every kill came too late");
}

#[test]
fn an_answer_that_is_lost_is_not_taken_for_nothing_done() {
    let mut scene = Scene::new();
    scene.deliver(1);
    scene.finish();
    for (fault, operation) in [
        ("drop-after", "POST $batch"),
        ("drop", "POST $batch"),
        ("drop-after", "POST messages/{id}/move"),
        ("drop-after", "GET messages/{id}/$value"),
        ("500", "GET messages/{id}/$value"),
        ("503", "POST $batch"),
        ("504", "POST $batch"),
    ] {
        // One message in a folder is moved alone, several in a batch.
        let alone = operation.ends_with("/move");
        scene.deliver(if alone { 1 } else { 4 });
        let asked = scene.asked(operation);
        scene.house.bed.command(&format!("graph-fault {fault} 1 {operation}"));
        let output = scene.run();
        assert!(scene.asked(operation) > asked, "{fault} of {operation} was not met: {output:?}");
        scene.check_meanwhile();
        scene.finish();
        scene.check_finished();
    }
}
