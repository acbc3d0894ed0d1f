//! Databases that cannot be used: locked, damaged, something else, from a newer version, read-only, away.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use wissel_tests::scene::unprivileged;

use crate::{Case, assert_failed, assert_failed_in_json};

fn database(case: &Case) -> PathBuf {
    case.scene.wissel.path("wissel.db")
}

/// Runs statements by another program's SQLite, and leaves all in the one file.
fn sql(path: &Path, statements: &str) {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.argv[2])\n\
                  c.commit()\nc.execute('PRAGMA wal_checkpoint(TRUNCATE)')\nc.close()\n";
    let done = Command::new("python3").args(["-c", script]).arg(path).arg(statements).status().unwrap();
    assert!(done.success());
}

/// Another process that keeps the database locked. Dropped, it ends.
struct Lock(Child);

impl Lock {
    fn hold(path: &Path) -> Self {
        let script = "import sqlite3, sys, time\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      c.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\ntime.sleep(900)\n";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(path).stdout(Stdio::piped());
        let mut python = python.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Self(python)
    }

    fn is_held(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every command that needs the database says what is wrong with it.
fn all_commands_fail(case: &Case, says: &[&str]) {
    let path = database(case).display().to_string();
    for command in [&["job", "run", "J"][..], &["account", "list"], &["job", "test", "J"], &["ledger"]] {
        assert_failed(&case.scene.run(command), 6, &[&[path.as_str()], says].concat());
    }
    assert_failed_in_json(&case.scene.run(&["job", "run", "J", "--json"]), 6, "store");
}

#[test]
fn a_locked_database_is_waited_for_and_then_named() {
    let case = Case::new();
    let mut lock = Lock::hold(&database(&case));
    let locked = case.scene.run(&["job", "run", "J"]);
    let path = database(&case).display().to_string();
    assert_failed(&locked, 6, &[&path, "locked by another process", "try again"]);
    assert!(lock.is_held(), "it waited for the other process to end");
    drop(lock);
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn a_short_lock_is_not_noticed() {
    let case = Case::new();
    let lock = Lock::hold(&database(&case));
    let running = case.scene.wissel.spawn(&["job", "run", "J"]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    drop(lock);
    running.wait().success();
    case.assert_complete();
}

#[test]
fn a_damaged_database_is_named_and_its_backup_goes_on_where_it_stood() {
    let case = Case::new();
    case.assert_recovers();
    let path = database(&case);
    sql(&path, "");
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let page = damaged.len().min(4096);
    damaged[page..].fill(0x5a);
    fs::write(&path, &damaged).unwrap();
    all_commands_fail(&case, &["damaged", "backup"]);
    assert_eq!(fs::read(&path).unwrap().len(), damaged.len(), "the evidence was changed");
    fs::write(&path, &whole).unwrap();
    case.assert_recovers();
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let case = Case::new();
    let path = database(&case);
    sql(&path, "");
    let whole = fs::read(&path).unwrap();
    let text = "Dit is een brief en geen database.\n".repeat(200);
    fs::write(&path, &text).unwrap();
    all_commands_fail(&case, &["not a Wissel database"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "somebody's file was changed");
    fs::write(&path, &whole).unwrap();
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn another_programs_database_is_left_alone() {
    let case = Case::new();
    let path = database(&case);
    let whole = case.scene.wissel.path("aside.db");
    sql(&path, "");
    fs::rename(&path, &whole).unwrap();
    sql(&path, "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soep');");
    let other = fs::read(&path).unwrap();
    all_commands_fail(&case, &["not a Wissel database"]);
    assert!(fs::read(&path).unwrap() == other, "somebody's database was changed");
    fs::rename(&whole, &path).unwrap();
    case.assert_recovers();
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let case = Case::new();
    let path = database(&case);
    sql(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
         VALUES (99990101000000, 'later', CURRENT_TIMESTAMP, 1, x'00', 0);",
    );
    all_commands_fail(&case, &["newer version", "99990101000000"]);
    sql(&path, "DELETE FROM _sqlx_migrations WHERE version = 99990101000000;");
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn a_database_without_the_right_to_write_is_named() {
    let case = Case::new();
    let path = database(&case);
    sql(&path, "");
    for (path, mode) in
        [(path.clone(), 0o444), (path.clone(), 0o000), (case.scene.wissel.home().to_path_buf(), 0o555)]
    {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refused = case.scene.run_under(unprivileged(), &["job", "run", "J"]);
        let home = case.scene.wissel.home().display().to_string();
        fs::set_permissions(&path, before).unwrap();
        assert_failed(&refused, 6, &[&home, "right"]);
    }
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn a_home_that_cannot_be_made_is_named() {
    let case = Case::new();
    let file = case.scene.wissel.path("a file");
    fs::write(&file, "").unwrap();
    let home = file.join("home").display().to_string();
    assert_failed(&case.scene.run(&["--home", &home, "account", "list"]), 6, &["a file", "--home"]);
}
