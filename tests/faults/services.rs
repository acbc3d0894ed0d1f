//! Two processes on one store: one works a job at a time; when it dies the other one takes over, and when it only seemed
//! dead, the ledger takes nothing from it any more.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use wissel_tests::dovecot::Options;

use crate::field::{Field, ending};
use crate::wire::{Break, Spoil, Wire};

/// Before the sixth message.
const MIDDLE: Spoil = Spoil::Answer("BODY[] {", 6, Break::Pause);

#[test]
fn of_two_services_one_works_and_the_other_one_takes_over() {
    let field = Field::new("Two services", &Options::default());
    let name = "two services: the one that works is killed";
    let wire = Wire::to(field.scene.server.port);
    field.clear_account(name, wire.port);
    let case = field.case(name, 20, &["--every", "1s"]);
    wire.spoil(Some(MIDDLE));
    let mut services = [(); 2].map(|()| field.scene.wissel.spawn(&["run"]));
    wire.wait();
    // Long enough for the other one to have tried several times.
    let busy = Instant::now() + Duration::from_secs(60);
    while !services.iter().any(|service| service.stderr().contains("is skipped this time")) {
        assert!(Instant::now() < busy, "the other one never came to this job");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(wire.connections(), 1, "both work on one job");
    let holder = holder(&field);
    let working =
        services.iter_mut().find(|s| holder.starts_with(&format!("process {} on ", s.pid()))).unwrap();
    working.kill();
    wire.spoil(None);
    let took = case.wait();
    wire.resume();
    case.assert_nothing_lost();
    for mut service in services {
        if service.is_running() {
            service.terminate();
            assert_eq!(service.wait().code, Some(0));
        }
    }
    case.assert_complete();
    case.ended("the other one goes on", took);
}

#[test]
fn a_process_that_was_overtaken_commits_nothing() {
    let field = Field::new("Two processes", &Options::default());
    let name = "two processes: the first one was overtaken";
    let wire = Wire::to(field.scene.server.port);
    field.clear_account(name, wire.port);
    let case = field.case(name, 20, &[]);
    wire.spoil(Some(MIDDLE));
    let first = field.scene.wissel.spawn(&["job", "run", name]);
    wire.wait();
    // As on a disk of the network that does not keep locks: only the ledger knows who may write.
    for lock in fs::read_dir(field.scene.wissel.path("locks")).unwrap() {
        fs::remove_file(lock.unwrap().path()).unwrap();
    }
    wire.spoil(None);
    let second = case.run();
    case.assert_ended(&second, &[0], &[]);
    wire.resume();
    let output = first.wait();
    case.assert_ended(&output, &[1, 5, 6, 7], &[]);
    case.assert_nothing_lost();
    case.recovers(&ending(&output));
}

#[test]
fn a_message_that_kills_the_process_each_time_is_set_aside() {
    let field = Field::new("A poison message", &Options::default());
    let name = "a message that kills the process each time";
    let wire = Wire::to(field.scene.server.port);
    field.clear_account(name, wire.port);
    let case = field.case(name, 10, &[]);
    let mut deaths = 0;
    let output = loop {
        assert!(deaths < 10, "it blocks the folder for ever");
        wire.spoil(Some(Spoil::Message(4, Break::Pause)));
        let (struck, mut running) = (wire.struck(), field.scene.wissel.spawn(&["job", "run", name]));
        while wire.struck() == struck && running.is_running() {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !running.is_running() {
            break running.wait();
        }
        running.kill();
        wire.resume();
        deaths += 1;
    };
    case.assert_ended(&output, &[7], &["wissel quarantine list"]);
    case.assert_nothing_lost();
    let listed = field.scene.wissel.json(&["quarantine", "list"]);
    let set_aside = listed["messages"].as_array().unwrap();
    assert_eq!((set_aside.len(), &set_aside[0]["code"]), (1, &"process-ended".into()), "{listed:#}");
    wire.spoil(None);
    let key = set_aside[0]["key"].as_str().unwrap();
    field.scene.run(&["quarantine", "release", key]).success();
    case.recovers(&format!("{deaths} deaths, then set aside; the others come in"));
}

/// Who holds the only lease.
fn holder(field: &Field) -> String {
    let script = "import sqlite3, sys\nprint(sqlite3.connect(sys.argv[1]).execute('SELECT holder FROM job_lease').fetchone()[0])";
    let database = field.scene.wissel.path("wissel.db");
    let output = Command::new("python3").args(["-c", script]).arg(database).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
