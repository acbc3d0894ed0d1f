//! Large messages and large mailboxes: time and memory stay within reason.

use std::fs;
use std::time::Duration;

use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::wissel::Running;

use crate::scene::{JOB, RUN};

/// Octets of the large message before the service writes it anew.
const LARGE: u64 = 150_000_000;
/// KiB of memory that a run may take; the message would take more.
const MOST_MEMORY: u64 = 120 * 1024;

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
    let mut running = house.wissel.spawn(&RUN);
    let mut memory = 0;
    while running.is_running() {
        memory = peak(&running).unwrap_or_default().max(memory);
        std::thread::sleep(Duration::from_millis(10));
    }
    let report = running.wait().success().json();
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

#[test]
fn eight_hundred_folders_and_thousands_of_messages_are_listed_whole() {
    const TOP: &str = "Postvak IN/Archief";
    let mut house = House::empty(&["--messages", "0"]);
    house.add(ACCOUNT, &[&format!("mailbox={USER}")]).success();
    house.authorize(ACCOUNT, USER);
    let mut names = Vec::new();
    for number in 0..800 {
        // Some lie in others, and more lie beside each other than come on a page.
        let name = match number % 8 {
            7 => format!("{TOP}/Map {}/Deel {number}", number - 7),
            _ => format!("{TOP}/Map {number}"),
        };
        house.bed.command(&format!("create {name}"));
        names.push(name);
    }
    let listed = house.wissel.json(&["folder", "list", ACCOUNT]).to_string();
    let missing: Vec<_> =
        names.iter().filter(|name| !listed.contains(name.rsplit('/').next().unwrap())).collect();
    assert!(missing.is_empty(), "{} folders are missing: {missing:?}", missing.len());

    let mut expected = 0;
    for (name, count) in
        [(TOP, 2500), (names[3].as_str(), 600), (names[7].as_str(), 3), (names[799].as_str(), 1)]
    {
        let answer = house.bed.command(&format!("deliver {count} {name}"));
        expected += answer["delivered"].as_array().unwrap().len();
    }
    let sink = house.wissel.path("uit").display().to_string();
    let job = ["job", "add", JOB, "--account", ACCOUNT, "--folder", TOP, "--subfolders", "--to", &sink];
    house.wissel.run(&[&job[..], &["--action", "leave"]].concat()).success();
    let report = house.wissel.json(&["job", "run", JOB, "--dry-run"]);
    let candidates = report["candidates"].as_array().unwrap();
    let mut ids: Vec<String> = candidates.iter().map(|one| one["message"]["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((candidates.len(), ids.len()), (expected, expected));
}
