//! Sending: only 202 is success, too much is refused, and a From needs the right to it.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;
use wissel_testbed::entra::sample::{ADMIN, SHARED, USER};

use crate::scene::{Scene, read};

const TO: &str = "leverancier@elders.example";

#[tokio::test]
async fn mail_goes_out_from_the_mailbox_of_the_path() {
    let scene = Scene::start().await;
    let mail = |from: &str| {
        json!({ "message": {
            "subject": "Betaling", "body": { "contentType": "html", "content": "<p>Voldaan</p>" },
            "from": { "emailAddress": { "address": from } }, "toRecipients": [{ "emailAddress": { "address": TO } }],
        } })
    };
    scene.post(&format!("users/{SHARED}/sendMail"), &mail(SHARED)).await.is(202);
    let shared = scene.bed.mailboxes().find(SHARED).unwrap().mailbox.unwrap();
    assert_eq!(shared.folder("Verzonden items").unwrap().total, 1);
    assert_eq!(scene.bed.mailbox().folder("Verzonden items").unwrap().total, 0);
    scene.post("me/sendMail", &mail(ADMIN)).await.refused(403, "ErrorSendAsDenied");
    let mut unsaved = mail(USER);
    unsaved["saveToSentItems"] = json!(false);
    scene.post("me/sendMail", &unsaved).await.is(202);
    assert_eq!(scene.bed.mailbox().folder("Verzonden items").unwrap().total, 0);
    let sent = scene.bed.graph().control().sent();
    let froms: Vec<_> = sent.iter().map(|sent| (sent.mailbox.as_str(), sent.from.as_str())).collect();
    assert_eq!(froms, [(SHARED, SHARED), (USER, USER)]);
}

#[tokio::test]
async fn mime_is_base64_in_plain_text_and_at_most_4_mb() {
    let scene = Scene::start().await;
    let send = |body: String| {
        read(scene.ask(Method::POST, "me/sendMail").header("Content-Type", "text/plain").body(body))
    };
    let mime = format!("From: {USER}\r\nTo: {TO}\r\nSubject: Rauw\r\n\r\nHallo\r\n");
    send(STANDARD.encode(&mime)).await.is(202);
    send(mime).await.refused(400, "ErrorMimeContentInvalidBase64String");
    let large = format!("To: {TO}\r\n\r\n{}", "x".repeat(3 * 1024 * 1024 + 1));
    send(STANDARD.encode(large)).await.refused(413, "RequestEntityTooLarge");
    assert_eq!(scene.bed.graph().control().sent().len(), 1);
    let draft = scene.ask(Method::POST, "me/messages").header("Content-Type", "text/plain");
    let draft = read(draft.body(STANDARD.encode("Subject: Concept\r\n\r\nx\r\n"))).await.is(201);
    assert_eq!((&draft["subject"], &draft["isDraft"]), (&json!("Concept"), &json!(true)));
    let id = draft["id"].as_str().unwrap();
    let patch = scene.ask(Method::PATCH, &format!("me/messages/{id}")).json(&json!({ "subject": "Anders" }));
    assert_eq!(read(patch).await.is(200)["subject"], "Anders");
    let unsendable = read(scene.ask(Method::POST, &format!("me/messages/{id}/send"))).await;
    unsendable.refused(400, "ErrorInvalidRecipients");
}
