//! The service with one worker thread: hostile jobs at their worst, and a good one beside them whose mail has to come in
//! time.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use wissel_tests::corpus;
use wissel_tests::dovecot::ALICE;
use wissel_tests::observer::{SINK, Tokens};

use crate::yard::{GOOD, List, Yard};

/// Hostile jobs, and what their health has to say.
const HOSTILE: &[(&str, &str)] = &[
    ("find-folder:loop", "[deadline]"),
    ("fetch:loop", "[deadline]"),
    ("open:ignore-cancel", "[deadline]"),
    ("list:memory-bomb", "[memory-limit]"),
    ("open:trap", "[trap]"),
    ("list:recursion", "[stack-overflow]"),
    ("message-id:huge", "[contract]"),
];

/// How long the good job's mail is watched.
const WATCHED: Duration = Duration::from_secs(20);
/// How late a message may be: the service looks each second, so does the job, and the machine may be busy.
const LATEST: Duration = Duration::from_secs(10);
/// How long one call may run into its loop: a worker that is held, is held for longer than [`LATEST`].
const CALL: &str = "20";
/// Octets of memory that the process may come to: three jobs' sessions with 256 MiB each would be more.
const MEMORY: u64 = 700 << 20;

#[test]
fn mail_of_another_account_comes_in_time_beside_hostile_jobs_on_one_worker() {
    let mut yard = Yard::new();
    yard.scene.wissel.set("WISSEL_LOG", "warn");
    assert_one_worker_can_be_asked_for(&mut yard);
    let list = List::new("the service on one worker thread");
    for (behaviour, _) in HOSTILE {
        let long = behaviour.ends_with(":loop");
        yard.hostile(behaviour, behaviour, if long { &["--idle-timeout", CALL] } else { &[] });
        if long {
            yard.scene.run(&["account", "edit", behaviour, "--call-timeout", CALL]).success();
        }
    }
    let service = yard.wissel().spawn(&["run"]);
    let begun = Instant::now();
    let sink = yard.scene.sink(GOOD);
    let (mut sent, mut late) = (BTreeMap::new(), Vec::new());
    let mut number = 0;
    while begun.elapsed() < WATCHED || (!sent.is_empty() && begun.elapsed() < WATCHED + LATEST) {
        if begun.elapsed() < WATCHED {
            let sample = corpus::message(41, number);
            yard.scene.server.deliver(ALICE, "INBOX", &[&sample]);
            sent.insert(sample.token, Instant::now());
            number += 1;
        }
        let there = Tokens::in_sink(&sink);
        sent.retain(|token, since| {
            let missing = there.total(token) == 0;
            if !missing {
                late.push(since.elapsed());
            }
            missing
        });
        std::thread::sleep(Duration::from_millis(100));
    }
    let memory = peak_memory(service.pid());
    let stopping = Instant::now();
    service.terminate();
    let output = service.wait();
    let (slowest, stop) = (late.iter().max().copied().unwrap_or_default(), stopping.elapsed());
    list.add("slowest good message", format!("{} of {number} imported", late.len()), slowest);
    list.add("stop while they loop", format!("{:?}", output.code), stop);
    list.add("most memory", format!("{} MiB", memory >> 20), begun.elapsed());
    let loops = output.stderr.matches("the loop begins").count();
    assert!(loops >= 2, "no loop was under way: {}", output.stderr);
    assert!(sent.is_empty(), "{} messages did not come in time", sent.len());
    assert!(slowest < LATEST, "a message came after {slowest:?}");
    assert!(memory < MEMORY, "{} MiB", memory >> 20);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(stop < Duration::from_secs(15), "it stopped after {stop:?}");
    let tokens: Vec<String> = (0..number).map(|index| corpus::message(41, index).token).collect();
    Tokens::in_sink(&sink).assert_each_once(&tokens, SINK);
    assert!(yard.health(GOOD)["failing_since"].is_null());
    for (behaviour, code) in HOSTILE.iter().filter(|(behaviour, _)| !behaviour.ends_with(":loop")) {
        yard.assert_failing(behaviour, &["connector 'rogue'", code]);
        list.add(behaviour, format!("failing {code}"), begun.elapsed());
        yard.assert_holds(behaviour, &[]);
    }
}

/// The program takes the number of its workers from the environment: none is refused.
fn assert_one_worker_can_be_asked_for(yard: &mut Yard) {
    yard.scene.wissel.set("TOKIO_WORKER_THREADS", "0");
    let refused = yard.wissel().run(&["job", "list"]);
    assert_ne!(refused.code, Some(0), "TOKIO_WORKER_THREADS is not looked at: {}", refused.stdout);
    yard.scene.wissel.set("TOKIO_WORKER_THREADS", "1");
    yard.scene.run(&["job", "list"]).success();
}

/// The most memory that a process had at a time, in octets.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
