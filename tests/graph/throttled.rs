//! A service that refuses for a while: waited out, whether it says how long or not, and nothing is lost.

use serde_json::json;

use crate::scene::{FETCH, RUN, Scene};

fn storm(how: &str) {
    let mut scene = Scene::new();
    scene.deliver(1);
    scene.finish();
    scene.deliver(8);
    let asked = scene.asked(FETCH);
    scene.house.bed.command(&format!("graph-fault stall:5 4 {FETCH}"));
    let running = scene.house.wissel.spawn(&RUN);
    scene.wait_for(FETCH, asked + 4);
    scene.house.bed.command(&format!("throttle {how}"));
    let output = running.wait();
    let refused = scene.house.bed.command("traffic")["throttled"].as_u64().unwrap();
    assert!(refused > 0, "nothing was refused");
    let report = output.success().json();
    assert_eq!((&report["imported"], &report["errors"]), (&json!(24), &json!([])), "{report}");
    scene.check_finished();
    // Everybody on the mailbox waits: a storm is not answered with one.
    assert!(refused < 40, "{refused} requests into the storm");
}

#[test]
fn a_service_that_says_how_long_to_wait_is_waited_for() {
    storm("15");
}

#[test]
fn a_service_that_does_not_say_how_long_is_waited_for() {
    storm("15 silent");
}

#[test]
fn fewer_requests_at_once_than_the_service_is_said_to_take_are_enough() {
    let mut scene = Scene::new();
    scene.house.bed.command("limit concurrent 1");
    scene.house.bed.command("latency 20");
    scene.deliver(6);
    scene.finish();
    scene.check_finished();
}
