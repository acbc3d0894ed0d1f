//! The power fails between any two steps; then the same messages are delivered again.
#![cfg(debug_assertions)]

use std::collections::BTreeMap;
use std::path::Path;

use wissel_model::MessageKey;

use crate::support::{MESSAGE, child, child_directory, deliver, open, picture, stage};

/// Another form of the message, as a service may give it the next time; with fewer attachments.
const ANEW: &str = "Message-ID: <42@example.com>\r\nSubject: Factuur 42\r\n\r\nBijgaand.\r\n";

fn keys() -> [MessageKey; 3] {
    [1, 2, 3].map(|n| MessageKey::parse(&format!("01936000-0000-7000-8000-00000000000{n}")).unwrap())
}

/// What the process does that dies.
#[tokio::test]
#[ignore = "run by the tests of this module in a process of its own"]
async fn a_delivery_of_three() {
    let Some(directory) = child_directory() else { return };
    let sink = open(&directory).await;
    let group = keys().map(|key| stage(&sink, key, MESSAGE.as_bytes()).unwrap());
    sink.commit(group.into()).await.unwrap();
}

fn die_at(point: &str, directory: &Path) {
    let output = child("crash::a_delivery_of_three", directory).env("WISSEL_FAULT", point).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = point.split(':').next().unwrap();
    assert!(!output.status.success() && said.contains(&format!("'{name}' reached")), "{point}: {said}");
}

/// Files of a message, by their bytes; metadata is only there to say so.
fn complete(files: &BTreeMap<String, Option<Vec<u8>>>) -> bool {
    files.contains_key("KEY.json")
}

async fn repeated_after(point: &str, message: &str) {
    let directory = tempfile::tempdir().unwrap();
    die_at(point, directory.path());
    let before = keys().map(|key| picture(directory.path(), key));
    for files in before.iter().filter(|files| complete(files)) {
        // Metadata alone says that all is there, also before anybody repeats anything.
        assert_eq!(files["KEY.eml"].as_deref(), Some(MESSAGE.as_bytes()), "{point}");
        assert_eq!(files["KEY/factuur 42.pdf"].as_deref(), Some(b"%PDF-1.4\n".as_slice()), "{point}");
    }

    let sink = open(directory.path()).await;
    let held = sink.holds(&keys()).await.unwrap();
    for ((key, held), before) in keys().into_iter().zip(held).zip(&before) {
        assert_eq!(held.is_some(), complete(before), "{point}");
        deliver(&sink, key, message.as_bytes()).await.unwrap();
    }
    sink.discard_leftovers(&keys()).await.unwrap();

    for (key, before) in keys().into_iter().zip(&before) {
        let expect = if complete(before) { MESSAGE } else { message };
        let after = picture(directory.path(), key);
        let own: Vec<&str> =
            after.keys().map(String::as_str).filter(|name| name.starts_with("KEY")).collect();
        let with_attachment = ["KEY", "KEY.eml", "KEY.json", "KEY/factuur 42.pdf"];
        assert_eq!(
            own,
            if expect == MESSAGE { &with_attachment[..] } else { &with_attachment[1..3] },
            "{point}"
        );
        assert_eq!(after["KEY.eml"].as_deref(), Some(expect.as_bytes()), "{point}");
        let json: serde_json::Value = serde_json::from_slice(after["KEY.json"].as_ref().unwrap()).unwrap();
        assert_eq!(json["size"], expect.len(), "{point}: metadata and message belong together");
        assert!(!after.keys().any(|name| name.starts_with(".incoming/")), "{point}: {:?}", after.keys());
    }
}

#[tokio::test]
async fn a_repeat_makes_every_message_complete_once() {
    for point in [
        "sink-staged",
        "sink-staged:3",
        "sink-synced",
        "sink-renamed",
        "sink-renamed:2",
        "sink-json-renamed",
        "sink-json-renamed:3",
        "sink-committed",
    ] {
        repeated_after(point, MESSAGE).await;
        repeated_after(point, ANEW).await;
    }
}

#[tokio::test]
async fn leftovers_of_a_crash_can_go_without_a_repeat() {
    for point in ["sink-staged:2", "sink-synced", "sink-renamed:2"] {
        let directory = tempfile::tempdir().unwrap();
        die_at(point, directory.path());
        let sink = open(directory.path()).await;
        sink.discard_leftovers(&keys()).await.unwrap();
        for key in keys() {
            let left = picture(directory.path(), key);
            let own = left.keys().filter(|name| name.contains("KEY")).count();
            assert_eq!(own, if complete(&left) { 4 } else { 0 }, "{point}: {:?}", left.keys());
        }
    }
}
