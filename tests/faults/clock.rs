//! A clock that jumps by hours: after a crash, in the middle of a run, and under the service.

use std::fs;
use std::path::PathBuf;

use wissel_tests::dovecot::Options;

use crate::field::{Field, ending};
use crate::wire::{Break, Spoil, Wire};

const HOUR: i64 = 3_600;

/// A field whose clock a test sets; see `wissel_model::clock`.
struct Clock {
    field: Field,
    file: PathBuf,
}

impl Clock {
    fn new() -> Self {
        let mut field = Field::new("The clock", &Options::default());
        let file = field.scene.wissel.path("clock");
        field.scene.wissel.set("WISSEL_CLOCK", &file);
        let clock = Self { field, file };
        clock.set(0);
        clock
    }

    /// So many seconds ahead.
    fn set(&self, ahead: i64) {
        // At once, as it is read while it is written.
        let new = self.file.with_extension("new");
        fs::write(&new, ahead.to_string()).unwrap();
        fs::rename(new, &self.file).unwrap();
    }
}

#[test]
fn goes_back_by_hours_after_a_crash() {
    let clock = Clock::new();
    let name = "clock: back after a crash";
    let wire = Wire::to(clock.field.scene.server.port);
    clock.field.clear_account(name, wire.port);
    let case = clock.field.case(name, 10, &[]);
    clock.set(5 * HOUR);
    wire.spoil(Some(Spoil::Answer("BODY[] {", 6, Break::Pause)));
    let mut running = clock.field.scene.wissel.spawn(&["job", "run", name]);
    wire.wait();
    // Its lease ends in five hours and a minute.
    running.kill();
    wire.resume();
    wire.spoil(None);
    clock.set(0);
    case.assert_nothing_lost();
    case.recovers("killed");
}

#[test]
fn jumps_in_the_middle_of_a_run() {
    let clock = Clock::new();
    for (name, jump) in [("clock: forward in a run", 7 * HOUR), ("clock: back in a run", -7 * HOUR)] {
        let wire = Wire::to(clock.field.scene.server.port);
        clock.field.clear_account(name, wire.port);
        let case = clock.field.case(name, 20, &[]);
        wire.spoil(Some(Spoil::Answer("BODY[] {", 6, Break::Pause)));
        let running = clock.field.scene.wissel.spawn(&["job", "run", name]);
        wire.wait();
        clock.set(jump);
        wire.resume();
        let output = running.wait();
        case.assert_ended(&output, &[0], &[]);
        wire.spoil(None);
        case.recovers(&ending(&output));
        clock.set(0);
    }
}

#[test]
fn jumps_under_the_service() {
    let clock = Clock::new();
    let name = "clock: forward and back under the service";
    clock.field.account(name, |_| {});
    let case = clock.field.case(name, 5, &["--every", "2s"]);
    let service = clock.field.scene.wissel.spawn(&["run"]);
    let mut slowest = case.wait();
    for ahead in [6 * HOUR, -6 * HOUR, 0] {
        clock.set(ahead);
        case.deliver(5);
        slowest = slowest.max(case.wait());
    }
    service.terminate();
    assert_eq!(service.wait().code, Some(0));
    case.assert_complete();
    case.ended("mail keeps coming", slowest);
}
