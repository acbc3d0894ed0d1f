//! A disk that fills up in the middle of a run: under the target directory, and under the database.

use std::fs;

use rustix::process::geteuid;
use wissel_tests::dovecot::Options;
use wissel_tests::small_disk::SmallDisk;

use crate::field::{Field, ending};
use crate::wire::{Break, Spoil, Wire};

/// Before the sixth message.
const MIDDLE: Spoil = Spoil::Answer("BODY[] {", 6, Break::Pause);
const MESSAGES: u64 = 40;

#[test]
fn fills_up_in_the_middle_of_a_run() {
    if !geteuid().is_root() {
        println!(
            "not root: a small file system cannot be mounted; `bad_input` tests the limit on files instead"
        );
        return;
    }
    for (name, under_database, codes, says) in [
        ("disk: the target's is full in the middle", false, &[1, 7][..], "free some space"),
        ("disk: the database's is full in the middle", true, &[6, 7], "no room is left"),
    ] {
        let mut field = Field::new("The disk", &Options::default());
        let home = field.scene.wissel.path("small");
        let mut disk = under_database.then(|| SmallDisk::mount(&home, "32m"));
        if under_database {
            field.scene.wissel.set("WISSEL_HOME", &home);
        }
        let wire = Wire::to(field.scene.server.port);
        field.clear_account(name, wire.port);
        let case = field.case(name, MESSAGES, &[]);
        let disk = disk.take().unwrap_or_else(|| SmallDisk::mount(&field.scene.sink(name), "32m"));
        wire.spoil(Some(MIDDLE));
        let running = field.scene.wissel.spawn(&["job", "run", name]);
        wire.wait();
        let filling = disk.fill();
        wire.resume();
        let output = running.wait();
        case.assert_ended(&output, codes, &[says]);
        case.assert_nothing_lost();
        wire.spoil(None);
        fs::remove_file(filling).unwrap();
        case.recovers(&ending(&output));
    }
}
