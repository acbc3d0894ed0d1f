//! Which files a delivery leaves, what they say, and that a second delivery changes nothing.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wissel_model::MessageKey;
use wissel_model::job::DirectoryTarget;
use wissel_sink::{DirectorySink, Held, SCHEMA};

use crate::support::{MESSAGE, context, deliver, names, open, picture, stage};

fn metadata(directory: &Path, key: MessageKey) -> Value {
    let value =
        serde_json::from_slice(&std::fs::read(directory.join(format!("{key}.json"))).unwrap()).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    value
}

#[tokio::test]
async fn a_message_is_its_bytes_its_metadata_and_its_attachments() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();

    let picture = picture(directory.path(), key);
    let files: Vec<&str> = picture.keys().map(String::as_str).collect();
    assert_eq!(files, [".incoming", "KEY", "KEY.eml", "KEY.json", "KEY/factuur 42.pdf"]);
    assert_eq!(picture["KEY.eml"].as_deref(), Some(MESSAGE.as_bytes()));
    assert_eq!(picture["KEY/factuur 42.pdf"].as_deref(), Some(b"%PDF-1.4\n".as_slice()));

    let mut said = metadata(directory.path(), key);
    let digest = said["digest"].take();
    assert!(digest.as_str().unwrap().starts_with("c1:"));
    use sha2::Digest as _;
    let sha256 = |bytes: &[u8]| hex::encode(sha2::Sha256::digest(bytes));
    assert_eq!(
        said,
        json!({
            "schema": 1, "key": key, "job": "Inkoopfacturen", "account": "Inkoop", "connector": "example",
            "folder": ["Postvak IN", "Algemeen"], "provider_id": "7:42", "received": "2026-11-02T08:30:05Z",
            "read": false, "file": format!("{key}.eml"), "size": MESSAGE.len(),
            "sha256": sha256(MESSAGE.as_bytes()), "digest": null, "message_id": "<42@example.com>",
            "subject": "Factuur 42", "from": [{"name": "Bakkerij Jansén", "address": "facturen@example.com"}],
            "sender": [], "to": [{"name": null, "address": "in@example.nl"}], "cc": [],
            "date": "2026-11-02T09:30:00+01:00",
            "attachments": [{
                "file": format!("{key}/factuur 42.pdf"), "name": "factuur 42.pdf",
                "content_type": "application/pdf", "content_id": null, "disposition": "attachment", "size": 9,
                "sha256": sha256(b"%PDF-1.4\n"),
            }],
            "defects": [],
        })
    );
}

#[tokio::test]
async fn the_schema_names_every_member_in_the_order_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let attachment = &schema["properties"]["attachments"]["items"];
    let said = metadata(directory.path(), key);
    for (schema, said) in [(&schema, &said), (attachment, &said["attachments"][0])] {
        let members: Vec<&String> = said.as_object().unwrap().keys().collect();
        assert_eq!(schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), members);
        let required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(required, members);
    }
}

#[tokio::test]
async fn attachments_stay_in_the_message_unless_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let target = DirectoryTarget { directory: directory.path().to_owned(), extract_attachments: false };
    let (sink, key) = (DirectorySink::open(&target).await.unwrap(), MessageKey::generate());
    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();
    assert_eq!(names(directory.path(), key), [".incoming", "KEY.eml", "KEY.json"]);
    let attachment = &metadata(directory.path(), key)["attachments"][0];
    assert_eq!((&attachment["file"], &attachment["name"]), (&Value::Null, &json!("factuur 42.pdf")));
}

#[tokio::test]
async fn the_same_message_gives_the_same_octets() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = MessageKey::generate();
    deliver(&open(one.path()).await, key, MESSAGE.as_bytes()).await.unwrap();
    deliver(&open(two.path()).await, key, MESSAGE.as_bytes()).await.unwrap();
    assert_eq!(picture(one.path(), key), picture(two.path(), key));
}

#[tokio::test]
async fn a_repeat_changes_nothing_even_with_other_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key, other) = (open(directory.path()).await, MessageKey::generate(), MessageKey::generate());
    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let paths = ["eml", "json"].map(|extension| directory.path().join(format!("{key}.{extension}")));
    for path in &paths {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let before = picture(directory.path(), key);

    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();
    deliver(&sink, key, b"Subject: serialised anew\r\n\r\n").await.unwrap();
    assert_eq!(picture(directory.path(), key), before);
    assert!(paths.iter().all(|path| path.metadata().unwrap().modified().unwrap() == long_ago));

    // A repeat does not keep the others of its group back, nor does one key twice within a group.
    let group = [key, other, other].map(|key| stage(&sink, key, b"Subject: x\r\n\r\n").unwrap());
    sink.commit(group.into()).await.unwrap();
    assert_eq!(
        names(directory.path(), other).into_iter().filter(|n| n.contains("KEY")).collect::<Vec<_>>(),
        ["KEY.eml", "KEY.json"]
    );
}

#[tokio::test]
async fn nothing_shows_before_it_is_committed_and_nothing_stays_of_what_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    let staged = stage(&sink, key, MESSAGE.as_bytes()).unwrap();
    let shown = |name: &String| !name.starts_with(".incoming");
    assert!(!names(directory.path(), key).iter().any(shown));
    assert_eq!(sink.holds(&[key]).await.unwrap(), [None]);
    drop(staged);
    let mut incoming = sink.begin(key, context()).unwrap();
    incoming.write(MESSAGE.as_bytes()).unwrap();
    incoming.abort();
    assert_eq!(names(directory.path(), key), [".incoming"]);
}

#[tokio::test]
async fn it_knows_what_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key, absent) = (open(directory.path()).await, MessageKey::generate(), MessageKey::generate());
    let staged = stage(&sink, key, MESSAGE.as_bytes()).unwrap();
    let seen = staged.inspection.clone();
    sink.commit(vec![staged]).await.unwrap();
    let held = Held {
        size: Some(seen.size),
        sha256: Some(seen.sha256),
        digest: Some(seen.digest),
        message_id: seen.message_id,
        subject: seen.subject,
    };
    assert_eq!(sink.holds(&[absent, key]).await.unwrap(), [None, Some(held)]);

    // Whatever others made of the metadata: the message was delivered.
    std::fs::write(directory.path().join(format!("{key}.json")), "{").unwrap();
    assert_eq!(sink.holds(&[key]).await.unwrap(), [Some(Held::default())]);
    deliver(&sink, key, b"Subject: again\r\n\r\n").await.unwrap();
    assert_eq!(picture(directory.path(), key)["KEY.eml"].as_deref(), Some(MESSAGE.as_bytes()));
}

#[tokio::test]
async fn leftovers_go_for_the_keys_given_and_for_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    let (running, complete) = (MessageKey::generate(), MessageKey::generate());
    deliver(&sink, complete, MESSAGE.as_bytes()).await.unwrap();
    let other = stage(&sink, running, MESSAGE.as_bytes()).unwrap();
    std::mem::forget(stage(&sink, key, MESSAGE.as_bytes()).unwrap());
    std::fs::write(directory.path().join(format!("{key}.eml")), "of a crash").unwrap();

    sink.discard_leftovers(&[key, complete]).await.unwrap();
    assert!(!names(directory.path(), key).iter().any(|name| name.contains("KEY")));
    sink.commit(vec![other]).await.unwrap();
    let held = sink.holds(&[key, running, complete]).await.unwrap();
    assert_eq!(held.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn what_came_of_a_poison_message_moves_to_quarantine() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(&directory.path().join("sink")).await, MessageKey::generate());
    let mut incoming = sink.begin(key, context()).unwrap();
    let (begun, _) = MESSAGE.split_at(MESSAGE.len() - 20);
    incoming.write(begun.as_bytes()).unwrap();
    let path = directory.path().join("quarantine").join("2026").join("raw.eml");
    assert_eq!(incoming.into_raw_file(path.clone()).await.unwrap(), begun.len() as u64);
    assert_eq!(std::fs::read(path).unwrap(), begun.as_bytes());
    assert_eq!(names(&directory.path().join("sink"), key), [".incoming"]);
}

#[tokio::test]
async fn broken_mail_is_written_like_any_other() {
    let directory = tempfile::tempdir().unwrap();
    let sink = open(directory.path()).await;
    let open_ended = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!!";
    for message in [b"".as_slice(), b"\0\xff\xfe\n\n", open_ended, &[b'\n'; 5000]] {
        let key = MessageKey::generate();
        deliver(&sink, key, message).await.unwrap();
        assert_eq!(picture(directory.path(), key)["KEY.eml"].as_deref(), Some(message));
        metadata(directory.path(), key);
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_put_into_place_leaves_nothing_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    let in_the_way = directory.path().join(format!("{key}.eml"));
    std::fs::create_dir(&in_the_way).unwrap();
    let error = deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap_err();
    assert_eq!(error.path, in_the_way, "{error}");
    assert_eq!(names(directory.path(), key), [".incoming", "KEY.eml"]);

    std::fs::remove_dir(in_the_way).unwrap();
    deliver(&sink, key, MESSAGE.as_bytes()).await.unwrap();
    assert_eq!(sink.holds(&[key]).await.unwrap().iter().flatten().count(), 1);
}
