//! Undisturbed imports, a job that is switched between two ways into one mailbox, and a mailbox that changes meanwhile.

use std::collections::BTreeMap;

use serde_json::json;
use wissel_tests::graph::{ACCOUNT, House, USER};

use crate::scene::{FETCH, FOLDERS, JOB, LOOK, PROCESSED, RUN, Scene};

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

/// Where somebody puts a message: no folder of the job.
const ELSEWHERE: &str = "Postvak IN/Van een collega";

/// A finished job, a folder beside it, and so many new messages in one of its folders.
fn with_a_colleague(count: usize) -> (Scene, Vec<String>) {
    let mut scene = Scene::new();
    scene.deliver(1);
    scene.finish();
    scene.house.bed.command(&format!("create {ELSEWHERE}"));
    let new = scene.deliver_to(FOLDERS[0], count);
    (scene, new)
}

fn move_away(scene: &mut Scene, token: &str, folder: &str) {
    let moved = scene.house.bed.command(&format!("move-away {token} {folder}"));
    assert_eq!(moved["moved"], 1, "{moved}");
}

/// The message is where somebody put it, and so often in the sink, now and after another run.
fn stays_elsewhere(scene: &mut Scene, token: &str, files: u32) {
    for _ in 0..2 {
        assert_eq!(scene.in_sink().get(token).copied().unwrap_or_default(), files, "files of {token}");
        assert_eq!(scene.in_mailbox(token), BTreeMap::from([(ELSEWHERE.to_owned(), 1)]), "{token}");
        assert_eq!(scene.run().success().json()["imported"], 0);
    }
    assert!(states(scene).iter().all(|state| state == "done"), "{:?}", states(scene));
}

#[test]
fn a_message_that_somebody_moves_away_after_the_listing_is_imported_and_left_to_him() {
    let (mut scene, new) = with_a_colleague(8);
    let fetched = scene.asked(FETCH);
    let taken = new.last().unwrap();
    // As many as are fetched at once: what is listed, and not asked for yet, is moved away meanwhile.
    scene.house.bed.command(&format!("graph-fault stall:5 4 {FETCH}"));
    let running = scene.house.wissel.spawn(&RUN);
    scene.wait_for(FETCH, fetched + 4);
    move_away(&mut scene, taken, ELSEWHERE);
    let report = running.wait().success().json();
    assert_eq!((&report["imported"], &report["errors"]), (&json!(8), &json!([])), "{report}");
    stays_elsewhere(&mut scene, taken, 1);
    // He puts it back: it was imported.
    move_away(&mut scene, taken, FOLDERS[0]);
    assert_eq!(scene.finish(), 0);
    assert_eq!(scene.in_sink().get(taken), Some(&1));
}

#[test]
fn a_message_that_somebody_moves_away_once_it_is_imported_stays_where_he_put_it() {
    let (mut scene, new) = with_a_colleague(1);
    let looked = scene.asked(LOOK);
    scene.house.bed.command(&format!("graph-fault stall:5 1 {LOOK}"));
    let running = scene.house.wissel.spawn(&RUN);
    scene.wait_for(LOOK, looked + 1);
    move_away(&mut scene, &new[0], ELSEWHERE);
    let report = running.wait().success().json();
    assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])), "{report}");
    stays_elsewhere(&mut scene, &new[0], 1);
}

#[test]
fn a_message_that_somebody_moves_away_after_a_death_stays_where_he_put_it() {
    let (mut scene, new) = with_a_colleague(2);
    // The first one at least is recorded as delivered, and neither was moved; the other one lies where it did.
    scene.house.wissel.set("WISSEL_FAULT", "ledger-delivered");
    assert_eq!(scene.run().code, None);
    scene.house.wissel.set("WISSEL_FAULT", "none");
    move_away(&mut scene, &new[0], ELSEWHERE);
    scene.finish();
    stays_elsewhere(&mut scene, &new[0], 1);
    assert_eq!(scene.in_mailbox(&new[1]), BTreeMap::from([(PROCESSED.to_owned(), 1)]));
}

/// How far the ledger says that each message has come.
fn states(scene: &Scene) -> Vec<String> {
    let ledger = scene.house.wissel.json(&["ledger", "--limit", "1000"]);
    let rows = ledger["messages"].as_array().unwrap();
    rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_message_that_somebody_moves_within_the_job_once_it_is_imported_is_imported_once_and_moved_on() {
    // To a folder that is looked at later in the run, and to one that was looked at before.
    for (from, to) in [(FOLDERS[0], FOLDERS[1]), (FOLDERS[1], FOLDERS[0])] {
        let mut scene = Scene::new();
        scene.deliver(1);
        scene.finish();
        let new = scene.deliver_to(from, 1);
        let looked = scene.asked(LOOK);
        scene.house.bed.command(&format!("graph-fault stall:5 1 {LOOK}"));
        let running = scene.house.wissel.spawn(&RUN);
        scene.wait_for(LOOK, looked + 1);
        move_away(&mut scene, &new[0], to);
        let report = running.wait().success().json();
        assert_eq!((&report["imported"], &report["errors"]), (&json!(1), &json!([])), "{report}");
        assert_eq!(scene.run().success().json()["imported"], 0, "to {to}");
        scene.check_finished();
        assert!(states(&scene).iter().all(|state| state == "done"), "{:?}", states(&scene));
    }
}

#[test]
fn a_message_that_stays_and_that_somebody_moves_within_the_job_is_imported_once() {
    let mut scene = Scene::new();
    scene.house.wissel.run(&["job", "edit", JOB, "--action", "leave"]).success();
    let new = scene.deliver_to(FOLDERS[0], 2);
    assert_eq!(scene.finish(), 2);
    for folder in [FOLDERS[1], FOLDERS[2], FOLDERS[0]] {
        move_away(&mut scene, &new[0], folder);
        assert_eq!(scene.run().success().json()["imported"], 0, "to {folder}");
        assert_eq!(scene.in_mailbox(&new[0]), BTreeMap::from([(folder.to_owned(), 1)]));
    }
    assert!(scene.in_sink().values().all(|files| *files == 1), "{:?}", scene.in_sink());
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

#[test]
fn folders_are_found_by_either_separator_in_another_language_and_with_a_slash_in_their_names() {
    let mut house = House::new(&[&format!("mailbox={USER}")]);
    house.authorize(ACCOUNT, USER);
    house.bed.command("create Postvak IN/Inkoop");
    let sink = house.wissel.path("uit").display().to_string();
    let processed = ["--processed", r"Posteingang/Inkoop\Af_xF8FF_Klaar", "--create-processed"];
    // The first job makes the folder; each other one has to find it, however its slash is shown.
    for (job, slash, all) in [("Een", "shown", 2), ("Twee", "hidden", 4), ("Drie", "shown", 6)] {
        house.bed.command(&format!("slash {slash}"));
        house.bed.command("deliver 2 Postvak IN/Inkoop");
        let add = ["job", "add", job, "--account", ACCOUNT, "--folder", r"Inbox\Inkoop", "--to", &sink];
        house.wissel.run(&[&add[..], &processed].concat()).success();
        let report = house.wissel.json(&["job", "run", job]);
        assert_eq!((&report["imported"], &report["errors"]), (&json!(2), &json!([])), "{job}: {report}");
        let folders = house.bed.command("folders");
        assert_eq!(folders["Postvak IN/Inkoop/Af/Klaar"]["total"], all, "{job}: {folders}");
        let same = folders.as_object().unwrap().keys().filter(|name| name.contains("Klaar")).count();
        assert_eq!(same, 1, "{job}: {folders}");
    }
}
