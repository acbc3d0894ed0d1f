//! Killed at every fault point, the first, the second and a later time it is passed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wissel_tests::dovecot::Options;
use xtask::workspace;

use crate::bench::{Bench, DIRECT};
use crate::switching;

/// Points of a run, in the order in which a message passes them, and the passings to die at. A run over three
/// folders passes points of a batch three times, and those of a message as often as there are messages.
pub(crate) const POINTS: [(&str, [u32; 3]); 10] = [
    ("ledger-reserved", [1, 2, 3]),
    ("sink-staged", [1, 2, 25]),
    ("fetched", [1, 2, 3]),
    ("sink-synced", [1, 2, 3]),
    ("sink-renamed", [1, 2, 25]),
    ("sink-json-renamed", [1, 2, 25]),
    ("sink-committed", [1, 2, 3]),
    ("ledger-delivered", [1, 2, 3]),
    ("mailbox-changed", [1, 2, 3]),
    ("ledger-done", [1, 2, 3]),
];

const MESSAGES: u64 = 36;

fn kill_at_each(action: &'static str, faults: &[String]) {
    let mut bench = Bench::new(&Options::default());
    for fault in faults {
        let mut case = bench.case(DIRECT, action);
        case.deliver(&bench, MESSAGES);
        bench.dies_at(fault, &case.run());
        let published = case.check_crashed(&bench);
        case.deliver(&bench, 3);
        let recovery = case.finish(&bench);
        println!("{action}, {fault}: {} files published, recovered in {recovery:.2?}", published.len());
        case.check_finished(&bench, &published);
        case.close(&bench);
    }
}

#[test]
fn every_point_in_the_sources_is_killed_at() {
    let mut found = BTreeSet::new();
    points_below(&workspace::root().join("crates"), &mut found);
    // Those of the vault's key and of a restore are killed at in `operations`, those of tokens in `oauth`.
    let elsewhere = ["vault-", "restore-", "token-"];
    found.retain(|point| !elsewhere.iter().any(|start| point.starts_with(start)));
    let listed = POINTS.iter().map(|(point, _)| *point).chain(switching::POINTS);
    assert_eq!(found, listed.map(str::to_owned).collect(), "fault points in the sources and in these tests");
}

fn points_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            points_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fault::point(\"").skip(1);
            found.extend(names.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
}

#[test]
fn moved_messages_survive_death_at_every_point() {
    let each = POINTS.iter().flat_map(|(point, counts)| counts.map(|count| format!("{point}:{count}")));
    kill_at_each("move", &each.collect::<Vec<_>>());
}

#[test]
fn other_actions_survive_death_at_the_points_that_matter_to_them() {
    let faults = |points: &[&str]| points.iter().map(|&point| point.to_owned()).collect::<Vec<_>>();
    let changing =
        ["sink-renamed:25", "sink-committed:2", "ledger-delivered:2", "mailbox-changed:2", "ledger-done:2"];
    kill_at_each("mark-read", &faults(&changing));
    kill_at_each("delete", &faults(&changing));
    kill_at_each(
        "leave",
        &faults(&["fetched:2", "sink-renamed:25", "sink-committed:2", "ledger-delivered:2"]),
    );
}

#[test]
fn one_death_after_the_other_costs_nothing_either() {
    let mut bench = Bench::new(&Options::default());
    let mut case = bench.case(DIRECT, "move");
    let mut deaths = 0;
    let mut published = case.check_crashed(&bench);
    for (point, [_, second, _]) in POINTS.iter().chain(POINTS.iter().rev()) {
        // Enough for a second passing, whatever an earlier run has left.
        case.deliver(&bench, 6);
        bench.dies_at(&format!("{point}:{second}"), &case.run());
        deaths += 1;
        let now = case.check_crashed(&bench);
        let changed = wissel_tests::observer::overwritten(&published, &now);
        // What was published without its metadata may be taken back, but not replaced by something else.
        assert!(changed.iter().all(|name| !now.contains_key(name)), "{point}: {changed:?}");
        published = now;
    }
    let recovery = case.finish(&bench);
    println!("{deaths} deaths in a row, {} messages, recovered in {recovery:.2?}", case.count());
    case.check_finished(&bench, &published);
}
