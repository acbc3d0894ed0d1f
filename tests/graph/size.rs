//! Large messages and large mailboxes: time and memory stay within reason.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::wissel::Running;

use crate::scene::{JOB, RUN};

/// Octets of the large message before the service writes it anew.
const LARGE: u64 = 150_000_000;
/// Messages of the large folder.
const LARGE_FOLDER: usize = 20_000;
/// KiB of memory that a run may take; the message would take more.
const MOST_MEMORY: u64 = 120 * 1024;
/// The same where the whole large folder is held against the ledger, as at the first run after a baseline.
const MOST_FOR_COMPARISON: u64 = 180 * 1024;

/// The most memory that the process has had until now, in KiB; none when it has ended.
fn peak(running: &Running) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_message_of_150_megabytes_arrives_whole_in_bounded_memory() {
    let mut house = House::empty(&["--messages", "3", "--large", &LARGE.to_string()]);
    house.add(ACCOUNT, &[&format!("mailbox={USER}")]).success();
    house.authorize(ACCOUNT, USER);
    let token = house.bed.facts["tokens"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    let sink = house.wissel.path("uit").display().to_string();
    let job = ["job", "add", JOB, "--account", ACCOUNT, "--folder", "Postvak IN/Algemeen", "--to", &sink];
    house.wissel.run(&[&job[..], &["--processed", "Postvak IN/Algemeen/Verwerkt"]].concat()).success();
    let (report, memory) = watched(&house, &RUN);
    assert_eq!(report["imported"], 4, "{report}");
    let files = fs::read_dir(&sink).unwrap().map(|entry| entry.unwrap().path());
    let large = files.filter(|file| fs::metadata(file).unwrap().len() > LARGE / 10).collect::<Vec<_>>();
    let [large] = large.as_slice() else { panic!("large files: {large:?}") };
    let content = fs::read(large).unwrap();
    assert!(content.len() as u64 > LARGE - LARGE / 100, "{} octets", content.len());
    assert!(memchr::memmem::find(&content, token.as_bytes()).is_some(), "its token is missing");
    assert!(content.trim_ascii_end().ends_with(b"--"), "its last boundary is missing");
    let count = house.bed.command(&format!("count {token}"));
    assert_eq!(count["Postvak IN/Algemeen/Verwerkt"], 1, "{count}");
    println!("{} octets, {memory} KiB at most", content.len());
    assert!((1..MOST_MEMORY).contains(&memory), "{memory} KiB");
}

/// The names of `count` folders below a folder. Some lie in others, and more lie beside each other than come on a page.
fn folders_below(top: &str, count: usize) -> Vec<String> {
    let name = |number: usize| match number % 8 {
        7 => format!("{top}/Map {}/Deel {number}", number - 7),
        _ => format!("{top}/Map {number}"),
    };
    (0..count).map(name).collect()
}

/// Runs a command of the program to its end. Answers with what it printed, and the most memory that it had, in KiB.
fn watched(house: &House, arguments: &[&str]) -> (Value, u64) {
    let mut running = house.wissel.spawn(arguments);
    let mut memory = 0;
    while running.is_running() {
        memory = peak(&running).unwrap_or_default().max(memory);
        std::thread::sleep(Duration::from_millis(10));
    }
    (running.wait().success().json(), memory)
}

#[test]
fn large_messages_in_flight_at_once_do_not_wait_for_each_other() {
    const FOLDER: &str = "Postvak IN/Groot";
    let mut house = House::empty(&["--messages", "0"]);
    house.add(ACCOUNT, &[&format!("mailbox={USER}")]).success();
    house.authorize(ACCOUNT, USER);
    house.wissel.run(&["account", "edit", ACCOUNT, "--idle-timeout", "20"]).success();
    house.bed.command(&format!("create {FOLDER}"));
    let delivered = house.bed.command(&format!("deliver-large 12 5000000 {FOLDER}"));
    assert_eq!(delivered["delivered"].as_array().map(Vec::len), Some(12), "{delivered}");
    let sink = house.wissel.path("uit").display().to_string();
    let job = ["job", "add", JOB, "--account", ACCOUNT, "--folder", FOLDER, "--to", &sink];
    house.wissel.run(&[&job[..], &["--action", "leave"]].concat()).success();
    let report = house.wissel.run(&RUN).success().json();
    assert_eq!((&report["imported"], &report["errors"]), (&json!(12), &json!([])), "{report}");
}

#[test]
fn eight_hundred_folders_and_twenty_thousand_messages_are_listed_whole() {
    const TOP: &str = "Postvak IN/Archief";
    let mut house = House::empty(&["--messages", "0"]);
    house.add(ACCOUNT, &[&format!("mailbox={USER}")]).success();
    house.authorize(ACCOUNT, USER);
    let names = folders_below(TOP, 800);
    for name in &names {
        house.bed.command(&format!("create {name}"));
    }
    let listed = house.wissel.json(&["folder", "list", ACCOUNT]).to_string();
    let missing: Vec<_> =
        names.iter().filter(|name| !listed.contains(name.rsplit('/').next().unwrap())).collect();
    assert!(missing.is_empty(), "{} folders are missing: {missing:?}", missing.len());

    let places =
        [(TOP, LARGE_FOLDER), (names[3].as_str(), 600), (names[7].as_str(), 3), (names[799].as_str(), 1)];
    for (name, count) in places {
        let answer = house.bed.command(&format!("deliver {count} {name}"));
        assert_eq!(answer["delivered"].as_array().unwrap().len(), count);
    }
    let expected: usize = places.iter().map(|(_, count)| count).sum();
    let sink = house.wissel.path("uit").display().to_string();
    let job = ["job", "add", JOB, "--account", ACCOUNT, "--folder", TOP, "--subfolders", "--to", &sink];
    house.wissel.run(&[&job[..], &["--action", "leave"]].concat()).success();
    let (report, memory) = watched(&house, &["job", "run", JOB, "--dry-run", "--json"]);
    let candidates = report["candidates"].as_array().unwrap();
    let mut ids: Vec<String> = candidates.iter().map(|one| one["message"]["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((candidates.len(), ids.len()), (expected, expected));
    println!("{memory} KiB at most for a list of all");

    // All that the large folder holds is counted as done, and what comes then is all that is imported.
    house.wissel.run(&["job", "edit", JOB, "--subfolders=false"]).success();
    let (report, memory) = watched(&house, &["job", "baseline", JOB, "--json"]);
    assert_eq!(report["total"], LARGE_FOLDER, "{report}");
    println!("{memory} KiB at most for the baseline");
    assert!((1..MOST_MEMORY).contains(&memory), "{memory} KiB");
    house.bed.command(&format!("deliver 3 {TOP}"));
    let (report, memory) = watched(&house, &RUN);
    assert_eq!((&report["imported"], &report["errors"]), (&json!(3), &json!([])), "{report}");
    let files = fs::read_dir(&sink).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(files.filter(|file| file.extension().is_some_and(|end| end == "eml")).count(), 3);
    println!("{memory} KiB at most for the run");
    assert!((1..MOST_FOR_COMPARISON).contains(&memory), "{memory} KiB");
}
