//! A database that another program writes to: for seconds at a time, and for ever.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use wissel_tests::dovecot::Options;

use crate::field::{Field, ending};
use crate::wire::{Break, Spoil, Wire};

/// Another process in a transaction that writes. Dropped, it is killed.
struct Writer(Child);

impl Writer {
    /// Writes for `busy` seconds at a time, with a short pause between; begins at once.
    fn start(database: &Path, busy: u32) -> Self {
        let script = "import sqlite3, sys, time\nc = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
                      while True:\n  c.execute('BEGIN IMMEDIATE')\n  print('busy', flush=True)\n  \
                      time.sleep(int(sys.argv[2]))\n  c.execute('ROLLBACK')\n  time.sleep(0.5)\n";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(database).arg(busy.to_string()).stdout(Stdio::piped());
        let mut python = python.spawn().unwrap();
        let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "busy");
        // What it says later is read by nobody, and must not end it.
        std::thread::spawn(move || lines.for_each(drop));
        Self(python)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn busy_for_seconds_and_for_ever() {
    let field = Field::new("The database", &Options::default());
    let database = field.scene.wissel.path("wissel.db");

    let name = "database: busy for seconds, again and again";
    field.account(name, |_| {});
    let case = field.case(name, 20, &[]);
    let writer = Writer::start(&database, 2);
    let output = case.run();
    drop(writer);
    case.assert_ended(&output, &[0], &[]);
    case.recovers(&ending(&output));

    let name = "database: locked in the middle of a run";
    let wire = Wire::to(field.scene.server.port);
    field.clear_account(name, wire.port);
    let case = field.case(name, 20, &[]);
    wire.spoil(Some(Spoil::Answer("BODY[] {", 6, Break::Pause)));
    let running = field.scene.wissel.spawn(&["job", "run", name]);
    wire.wait();
    let writer = Writer::start(&database, 600);
    wire.resume();
    let output = running.wait();
    case.assert_ended(&output, &[6, 7], &["locked by another process"]);
    drop(writer);
    case.assert_nothing_lost();
    wire.spoil(None);
    case.recovers(&ending(&output));
}
