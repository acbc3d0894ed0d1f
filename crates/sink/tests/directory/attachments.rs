//! Attachments with names that a sender chose to do harm, and messages within messages.

use std::path::Path;

use serde_json::Value;
use wissel_model::MessageKey;

use crate::support::{MESSAGE, context, deliver, names, open, picture};

fn message(names: &[&str]) -> String {
    let mut text = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    for (number, name) in names.iter().enumerate() {
        let name: String = name.bytes().map(|octet| format!("%{octet:02X}")).collect();
        text.push_str(&format!(
            "--b\r\nContent-Type: application/octet-stream\r\n\
             Content-Disposition: attachment; filename*=utf-8''{name}\r\n\r\n{number}\r\n"
        ));
    }
    text + "--b--\r\n"
}

#[tokio::test]
async fn hostile_names_stay_within_the_messages_own_directory() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("sink");
    let (sink, key) = (open(&inner).await, MessageKey::generate());
    let long = format!("{}.pdf", "lang".repeat(75));
    let hostile = [
        "../../x",
        "/etc/passwd",
        "C:\\Windows\\win.ini",
        "CON",
        "nul.txt",
        &long,
        "",
        "..",
        "a.pdf",
        "A.PDF",
        "a.pdf",
        "b\0c\r\n\u{1b}d.txt",
        "aux:stream",
        "\u{202e}fdp.exe",
    ];
    deliver(&sink, key, message(&hostile).as_bytes()).await.unwrap();

    let outside: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(outside, ["sink"]);
    let picture = picture(&inner, key);
    let json: Value = serde_json::from_slice(picture["KEY.json"].as_ref().unwrap()).unwrap();
    let said = json["attachments"].as_array().unwrap();
    assert_eq!(said.len(), hostile.len());
    for (number, attachment) in said.iter().enumerate() {
        let file = attachment["file"].as_str().unwrap().replace(&key.to_string(), "KEY");
        assert_eq!(picture[&file].as_deref(), Some(number.to_string().as_bytes()), "{file}");
        let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
        assert_eq!(file, format!("KEY/{name}"));
        assert!(name.len() <= 140 && !name.contains(char::is_control), "{name:?}");
    }
    let lower: std::collections::BTreeSet<String> = picture.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), picture.len(), "names differ where case does not count");
    assert_eq!(names(&inner, key).iter().filter(|name| name.starts_with("KEY/")).count(), hostile.len());
}

#[tokio::test]
async fn a_message_within_the_message_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    let nested = "Subject: Offerte 7\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\
        Content-Type: application/pdf; name=binnen.pdf\r\n\r\nx\r\n--i--\r\n";
    let text = format!(
        "Subject: Fwd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nZie bijlage.\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{nested}\r\n--b--\r\n"
    );
    deliver(&sink, key, text.as_bytes()).await.unwrap();
    let picture = picture(directory.path(), key);
    let files: Vec<&str> =
        picture.keys().map(String::as_str).filter(|name| name.starts_with("KEY/")).collect();
    assert_eq!(files, ["KEY/Offerte 7.eml"]);
    assert_eq!(picture["KEY/Offerte 7.eml"].as_deref(), Some(nested.as_bytes()));
}

#[tokio::test]
async fn a_message_whose_attachment_could_not_be_written_is_never_published() {
    let directory = tempfile::tempdir().unwrap();
    let (sink, key) = (open(directory.path()).await, MessageKey::generate());
    let mut incoming = sink.begin(key, context()).unwrap();
    std::fs::remove_dir_all(directory.path().join(".incoming")).unwrap();
    assert!(incoming.write(MESSAGE.as_bytes()).is_err());
    std::fs::create_dir(directory.path().join(".incoming")).unwrap();
    // Also when whoever writes did not listen to that error.
    assert!(incoming.finish().is_err());
    assert_eq!(names(directory.path(), key), [".incoming"]);
}
