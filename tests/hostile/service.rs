//! The service with one worker thread: hostile jobs at their worst, and a good one beside them whose mail has to come in
//! meanwhile.
//!
//! What comes before what is asserted, not how fast: the loops may run for an hour, so mail that comes in while they are
//! still in their first call has not waited for them, however slow the machine is.

use std::fs;
use std::time::{Duration, Instant};

use wissel_tests::corpus;
use wissel_tests::dovecot::ALICE;
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::wissel::Running;

use crate::yard::{GOOD, List, Yard, until};

/// Jobs whose connector does not come back from its call.
const LOOPS: &[&str] = &["find-folder:loop", "fetch:loop"];

/// Jobs that fail over and over, and what their health has to say.
const FAILING: &[(&str, &str)] = &[
    ("open:ignore-cancel", "[deadline]"),
    ("list:memory-bomb", "[memory-limit]"),
    ("open:trap", "[trap]"),
    ("list:recursion", "[stack-overflow]"),
    ("message-id:huge", "[contract]"),
];

/// Seconds that a call which loops may take: far more than this test does.
const CALL: &str = "3600";
/// Messages for the good job, one after the other.
const MESSAGES: u64 = 15;
/// Octets of memory that the process may come to: what one session of the one bomb may take, and as much again for
/// everything else. Two bombs at a time, or one that is not freed, would be more.
const MEMORY: u64 = 2 * (256 << 20);

#[test]
fn mail_of_another_account_comes_in_while_hostile_jobs_are_at_it_on_one_worker() {
    let mut yard = Yard::new();
    yard.scene.wissel.set("WISSEL_LOG", "warn");
    assert_one_worker_can_be_asked_for(&mut yard);
    let list = List::new("the service on one worker thread");
    for behaviour in LOOPS {
        yard.hostile(behaviour, behaviour, &["--idle-timeout", CALL]);
        yard.scene.run(&["account", "edit", behaviour, "--call-timeout", CALL]).success();
    }
    for (behaviour, _) in FAILING {
        yard.hostile(behaviour, behaviour, &[]);
    }
    let service = yard.wissel().spawn(&["run"]);
    let begun = Instant::now();
    let loops = |service: &Running| service.stderr().matches("the loop begins").count();
    list.add("the loops", "under way", until("the loops", || loops(&service) == LOOPS.len()));

    let (sink, mut tokens, mut slowest) = (yard.scene.sink(GOOD), Vec::new(), Duration::ZERO);
    for number in 0..MESSAGES {
        let sample = corpus::message(41, number);
        yard.scene.server.deliver(ALICE, "INBOX", &[&sample]);
        slowest = slowest.max(until("a good message", || Tokens::in_sink(&sink).total(&sample.token) > 0));
        tokens.push(sample.token);
    }
    for (behaviour, code) in FAILING {
        until(code, || yard.health(behaviour)["failing_since"].is_string());
        list.add(behaviour, format!("failing {code}"), begun.elapsed());
    }
    // The loops are still in their first call: nothing above came after the end of one.
    assert_eq!(loops(&service), LOOPS.len(), "a loop ended: {}", service.stderr());
    for behaviour in LOOPS {
        assert!(yard.health(behaviour)["failing_since"].is_null(), "{behaviour} ended");
    }
    list.add("slowest good message", format!("{MESSAGES} of {MESSAGES} imported"), slowest);

    let memory = peak_memory(service.pid());
    let stopping = Instant::now();
    service.terminate();
    let output = service.wait();
    list.add("stop while they loop", format!("{:?}", output.code), stopping.elapsed());
    list.add("most memory", format!("{} MiB", memory >> 20), begun.elapsed());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    // Half of their time is left: the stop ended them, not their deadline.
    assert!(begun.elapsed() < Duration::from_secs(CALL.parse().unwrap()) / 2, "{:?}", begun.elapsed());
    assert!(memory < MEMORY, "{} MiB", memory >> 20);
    Tokens::in_sink(&sink).assert_each_once(&tokens, SINK);
    assert!(yard.health(GOOD)["failing_since"].is_null());
    for (behaviour, code) in FAILING {
        yard.assert_failing(behaviour, &["connector 'rogue'", code]);
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
