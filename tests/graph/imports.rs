//! Undisturbed imports, a job that is switched between two ways into one mailbox, and a mailbox that changes meanwhile.

use serde_json::json;
use wissel_tests::graph::{ACCOUNT, House, USER};

use crate::scene::{FETCH, FOLDERS, JOB, PROCESSED, RUN, Scene};

/// The same mailbox over IMAP.
const BY_PASSWORD: &str = "Wachtwoord";

#[test]
fn every_message_arrives_once_and_a_second_run_finds_nothing() {
    let mut scene = Scene::new();
    scene.deliver(15);
    let report = scene.run().success().json();
    assert_eq!((&report["imported"], &report["errors"]), (&json!(45), &json!([])), "{report}");
    scene.check_finished();
    let folders = scene.house.bed.command("folders");
    assert_eq!(folders[PROCESSED]["total"], 45, "{folders}");
    assert!(FOLDERS.iter().all(|folder| folders[folder]["total"] == 0), "{folders}");
    assert_eq!(scene.run().success().json()["imported"], 0);
    // Messages that come later are new ones, and nothing else is.
    scene.deliver(2);
    assert_eq!(scene.run().success().json()["imported"], 6);
    scene.check_finished();
}

fn there_and_back(action: &str) -> Scene {
    let house = House::new(&[&format!("mailbox={USER}")]);
    house.authorize(ACCOUNT, USER);
    house.add_imap(BY_PASSWORD);
    let mut scene = Scene::of(house, BY_PASSWORD);
    if action != "move" {
        scene.house.wissel.run(&["job", "edit", JOB, "--action", action]).success();
    }
    scene.deliver(6);
    assert_eq!(scene.finish(), 18);
    for (from, to) in [(BY_PASSWORD, ACCOUNT), (ACCOUNT, BY_PASSWORD)] {
        scene.deliver(2);
        // Some messages are in the sink, and their account does not know it yet.
        scene.house.wissel.set("WISSEL_FAULT", "sink-committed:2");
        assert_eq!(scene.run().code, None);
        scene.house.wissel.set("WISSEL_FAULT", "none");
        scene.house.wissel.run(&["job", "switch", JOB, "--from", from, "--to", to]).success();
        scene.deliver(1);
        scene.finish();
        let sink = scene.in_sink();
        assert!(scene.tokens.iter().all(|token| sink.get(token) == Some(&1)), "to {to}: {sink:?}");
        assert_eq!(sink.len(), scene.tokens.len());
    }
    scene
}

#[test]
fn a_job_goes_from_a_password_to_graph_and_back_with_messages_that_stay() {
    let mut scene = there_and_back("leave");
    for token in scene.tokens.clone() {
        let mailbox = scene.in_mailbox(&token);
        assert!(mailbox.len() == 1 && !mailbox.contains_key(PROCESSED), "{token}: {mailbox:?}");
    }
}

#[test]
fn a_job_goes_from_a_password_to_graph_and_back_with_messages_that_are_moved() {
    there_and_back("move").check_finished();
}

#[test]
fn a_message_that_somebody_moves_away_is_neither_lost_nor_imported_twice() {
    let mut scene = Scene::new();
    scene.deliver(6);
    scene.finish();
    scene.house.bed.command("create Postvak IN/Van een collega");
    let fetched = scene.asked(FETCH);
    let new = scene.deliver_to(FOLDERS[0], 8);
    let stolen = new.last().unwrap().clone();
    // As many as are fetched at once: what is listed, and not asked for yet, is moved away meanwhile.
    scene.house.bed.command(&format!("graph-fault stall:10 4 {FETCH}"));
    let running = scene.house.wissel.spawn(&RUN);
    scene.wait_for(FETCH, fetched + 4);
    let moved = scene.house.bed.command(&format!("move-away {stolen} Postvak IN/Van een collega"));
    assert_eq!(moved["moved"], 1);
    let report = running.wait().success().json();
    assert_eq!((&report["failed"], &report["errors"]), (&json!(0), &json!([])), "{report}");
    let (mailbox, sink) = (scene.in_mailbox(&stolen), scene.in_sink());
    let files = sink.get(&stolen).copied().unwrap_or_default();
    assert_eq!(report["imported"].as_u64().unwrap() + report["vanished"].as_u64().unwrap(), 8, "{report}");
    assert!(files <= 1 && mailbox.values().sum::<u64>() == 1, "{files} files, {mailbox:?}");
    println!("{files} files of the message that was moved away, which is now in {mailbox:?}");
    if files == 0 {
        // He puts it back.
        scene.house.bed.command(&format!("move-away {stolen} {}", FOLDERS[1]));
    }
    scene.finish();
    let sink = scene.in_sink();
    assert!(scene.tokens.iter().all(|token| sink.get(token) == Some(&1)), "{sink:?}");
    scene.tokens.retain(|token| *token != stolen || files == 0);
    for token in scene.tokens.clone() {
        assert_eq!(scene.in_mailbox(&token).get(PROCESSED), Some(&1), "{token}");
    }
}

#[test]
fn a_delta_reset_costs_nothing() {
    let mut scene = Scene::new();
    scene.deliver(4);
    scene.finish();
    for _ in 0..2 {
        scene.house.bed.command("delta-reset");
        scene.deliver(2);
        assert_eq!(scene.finish(), 6);
    }
    scene.check_finished();
}
