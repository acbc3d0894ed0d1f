//! No room for the message: a typed error, nothing half written, and all is well once there is room.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use wissel_model::MessageKey;
use wissel_sink::{DirectorySink, Problem};

use crate::support::{child_after, child_directory, deliver, names, open};

/// Fills the directory until it refuses, and returns what it took.
async fn fill(sink: &DirectorySink, message: &[u8]) -> (Vec<MessageKey>, Problem) {
    let mut taken = Vec::new();
    loop {
        let key = MessageKey::generate();
        match deliver(sink, key, message).await {
            Ok(()) => taken.push(key),
            Err(error) => return (taken, error.problem),
        }
        assert!(taken.len() < 1000, "it never fills up");
    }
}

fn assert_only_complete(directory: &Path, taken: &[MessageKey]) {
    let found = names(directory, MessageKey::generate());
    assert_eq!(found.len(), 1 + 2 * taken.len(), "{found:?}");
}

#[tokio::test]
#[ignore = "run by `a_full_disk` on a small file system"]
async fn on_a_small_file_system() {
    let Some(directory) = child_directory() else { return };
    let sink = open(&directory).await;
    let message = [b"Subject: x\r\n\r\n".as_slice(), &b"0123456789abcdef\r\n".repeat(1500)].concat();
    let (mut taken, problem) = fill(&sink, &message).await;
    assert_eq!(problem, Problem::DiskFull);
    assert!(taken.len() > 3, "{taken:?}");
    assert_only_complete(&directory, &taken);

    for gone in taken.drain(..2) {
        std::fs::remove_file(directory.join(format!("{gone}.eml"))).unwrap();
        std::fs::remove_file(directory.join(format!("{gone}.json"))).unwrap();
    }
    let key = MessageKey::generate();
    deliver(&sink, key, &message).await.unwrap();
    taken.push(key);
    assert_only_complete(&directory, &taken);
    println!("the small file system was filled");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let namespace = Command::new("unshare").args(["-rm", "true"]).output();
    if !namespace.is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this machine lets nobody mount a small file system (`unshare -rm` is refused)");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut shell = Command::new("unshare");
    shell.args(["-rm", "sh"]);
    let mount = "mount -t tmpfs -o size=256k none \"$SINK_TEST_DIRECTORY\"";
    let output =
        child_after(shell, mount, "full::on_a_small_file_system", directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("the small file system was filled"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
#[ignore = "run by `a_limit_on_the_size_of_files` under such a limit"]
async fn under_a_limit() {
    let Some(directory) = child_directory() else { return };
    let sink = open(&directory).await;
    let large = [b"Subject: x\r\n\r\n".as_slice(), &b"0123456789abcdef\r\n".repeat(20_000)].concat();
    let error = deliver(&sink, MessageKey::generate(), &large).await.unwrap_err();
    assert_eq!(error.problem, Problem::FileTooLarge, "{error}");
    assert_only_complete(&directory, &[]);

    let key = MessageKey::generate();
    deliver(&sink, key, b"Subject: small\r\n\r\n").await.unwrap();
    println!("the limit was met");
}

#[test]
fn a_limit_on_the_size_of_files() {
    let directory = tempfile::tempdir().unwrap();
    let limit = "trap '' XFSZ && ulimit -f 128";
    let output =
        child_after(Command::new("sh"), limit, "full::under_a_limit", directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("the limit was met"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
