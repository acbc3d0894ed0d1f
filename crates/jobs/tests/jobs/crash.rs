//! The power fails at every point between two changes: this test program runs itself as a child that dies there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wissel_model::LedgerState;

use crate::support::{Bench, Mailbox};

/// Names the child's home directory.
const HOME: &str = "WISSEL_TEST_HOME";
const TOKENS: [&str; 5] = ["t1", "t2", "t3", "t4", "t5"];

async fn bench(home: &Path) -> Bench {
    let mailbox = Mailbox::in_file(home.join("mailbox.json"));
    let bench = Bench::at(home.to_owned(), mailbox, |_| {}).await;
    bench.script().batch = Some(2);
    bench
}

/// Not a test of its own: what the child does.
#[tokio::test]
#[ignore = "run by the tests below"]
async fn child() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else { return };
    let bench = bench(&home).await;
    if std::env::var_os("WISSEL_TEST_SWITCH").is_some() {
        let job = bench.shop.store.job(bench.job.id).await.unwrap();
        if job.accounts[0].account == bench.old.id {
            bench.switch(&bench.old, &bench.new).await;
        } else {
            bench.switch(&bench.new, &bench.old).await;
        }
    } else {
        bench.run().await;
    }
}

/// Runs the child with this fault armed; true when it died of it.
fn dies(home: &Path, fault: &str, switch: bool) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["crash::child", "--exact", "--ignored", "--nocapture"])
        .env(HOME, home)
        .env("WISSEL_FAULT", fault);
    if switch {
        command.env("WISSEL_TEST_SWITCH", "1");
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let died = text.contains("fault point");
    assert!(died != output.status.success(), "the child failed on its own: {text}");
    died
}

fn home_with_mail() -> TempDir {
    let dir = TempDir::new().unwrap();
    let folders = ["In", "In/Done", "In/Sub"];
    let mailbox = Mailbox::in_file(dir.path().join("mailbox.json")).with_folders(&folders);
    // Two folders: every point is passed at least once in each.
    for (folder, token) in ["In", "In", "In", "In/Sub", "In/Sub"].into_iter().zip(TOKENS) {
        mailbox.put(folder, token);
    }
    dir
}

#[tokio::test]
async fn whenever_the_power_fails_the_next_run_brings_each_message_once() {
    let points = [
        "ledger-reserved",
        "fetched",
        "sink-staged",
        "sink-synced",
        "sink-renamed",
        "sink-json-renamed",
        "sink-committed",
        "ledger-delivered",
        "mailbox-changed",
        "ledger-done",
    ];
    for point in points {
        for fault in [point.to_owned(), format!("{point}:2")] {
            let dir = home_with_mail();
            assert!(dies(dir.path(), &fault, false), "{fault} was not reached");
            let bench = bench(dir.path()).await;
            // Its lease is still in the store: a process of this machine that is dead keeps nobody out.
            bench.import().await;
            bench.assert_delivered_once(&TOKENS);
            assert_eq!(bench.mailbox.tokens("In/Done"), TOKENS, "{fault}");
            assert_eq!(bench.states().await, [LedgerState::Done; 5], "{fault}");
            assert_eq!(bench.import().await, 0, "{fault}");
            let left = std::fs::read_dir(bench.target().join(".incoming")).unwrap().count();
            assert_eq!(left, 0, "{fault}: nothing half written stays");
        }
    }
}

#[tokio::test]
async fn what_a_person_moves_while_the_power_is_off_comes_once_wherever_it_fails_again() {
    for point in ["fetched", "sink-renamed", "sink-committed", "ledger-delivered", "mailbox-changed"] {
        let dir = home_with_mail();
        assert!(dies(dir.path(), point, false), "{point}");
        let mailbox = bench(dir.path()).await.mailbox;
        let dragged = mailbox.tokens("In").pop();
        if let Some(token) = &dragged {
            mailbox.drag(token, "In", "In/Sub");
        }
        let one = mailbox.tokens("In/Done").pop();
        if let Some(token) = &one {
            mailbox.copy(token, "In/Done", "In/Sub");
        }
        // With what is lost in memory only, and after it was found again.
        for again in ["mailbox-changed", "mailbox-changed:2"] {
            dies(dir.path(), again, false);
        }
        let bench = bench(dir.path()).await;
        bench.import().await;
        assert_eq!(bench.import().await, 0, "{point}");
        for (token, count) in bench.delivered() {
            let copies = u32::from(one.as_ref() == Some(&token));
            assert_eq!(count, 1 + copies, "{point}: {token}, {dragged:?} was moved");
        }
        assert_eq!(bench.mailbox.tokens("In/Done").len(), 5 + one.iter().len(), "{point}");
        assert!(bench.states().await.iter().all(|state| *state == LedgerState::Done), "{point}");
    }
}

#[tokio::test]
async fn ids_that_change_while_the_power_is_off_double_nothing() {
    let dir = home_with_mail();
    assert!(dies(dir.path(), "sink-committed:2", false));
    let bench = bench(dir.path()).await;
    bench.mailbox.renumber();
    bench.import().await;
    bench.assert_delivered_once(&TOKENS);
    assert_eq!(bench.mailbox.tokens("In/Done"), TOKENS);
}

#[tokio::test]
async fn a_switch_is_wholly_done_or_not_at_all_whenever_the_power_fails() {
    for (fault, done) in [("switch-planned", false), ("switched", true)] {
        let dir = home_with_mail();
        // Delivered and not moved, and one that was never recorded.
        assert!(dies(dir.path(), "sink-committed:2", false));
        assert!(dies(dir.path(), fault, true), "{fault} was not reached");
        let bench = bench(dir.path()).await;
        let job = bench.shop.store.job(bench.job.id).await.unwrap();
        assert_eq!(job.accounts[0].account == bench.new.id, done, "{fault}");
        if !done {
            bench.switch(&bench.old, &bench.new).await;
        }
        bench.mailbox.put("In", "t6");
        bench.import().await;
        assert!(dies(dir.path(), fault, true), "{fault} on the way back");
        let bench = self::bench(dir.path()).await;
        bench.mailbox.put("In", "t7");
        bench.import().await;
        assert_eq!(bench.import().await, 0);
        bench.assert_delivered_once(&["t1", "t2", "t3", "t4", "t5", "t6", "t7"]);
        assert_eq!(bench.mailbox.tokens("In/Done").len(), 7, "{fault}");
    }
}
