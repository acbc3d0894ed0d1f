//! The IMAP face takes the tokens that are for it, and for the mailboxes that their user may open.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use wissel_testbed::entra::{
    directory::Rights,
    sample::{ADMIN, CLIENT_ID, CLIENT_SECRET, SHARED, USER},
};

use crate::scene::{Scene, granted};

const IMAP: &str = "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All";

/// The tagged answer to XOAUTH2, and to a look for a folder of that name.
async fn sign_in(scene: &Scene, user: &str, token: &Value, folder: &str) -> (String, bool) {
    let mut stream = BufReader::new(TcpStream::connect(scene.bed.plain_addr()).await.unwrap());
    let secret = format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.as_str().unwrap());
    let lines = format!("a AUTHENTICATE XOAUTH2 {}\r\n", STANDARD.encode(secret));
    stream.get_mut().write_all(lines.as_bytes()).await.unwrap();
    let mut answers = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.split(' ').next().unwrap() {
            "+" => stream.get_mut().write_all(b"\r\n").await.unwrap(),
            "a" if line.starts_with("a OK") => {
                answers = line;
                stream.get_mut().write_all(b"b LIST \"\" *\r\n").await.unwrap();
            }
            "a" => return (line, false),
            "b" => return (answers.split(' ').nth(1).unwrap().to_owned(), false),
            _ if line.contains(folder) => return ("OK".to_owned(), true),
            _ => {}
        }
    }
}

async fn is_refused(scene: &Scene, user: &str, token: &Value) {
    let (answer, _) = sign_in(scene, user, token, "Gedeeld").await;
    assert!(answer.contains("NO [AUTHENTICATIONFAILED]"), "{answer}");
}

async fn scene() -> Scene {
    let scene = Scene::start().await;
    let shared = scene.bed.mailboxes().find(SHARED).unwrap().mailbox.unwrap();
    shared.ensure_folder("Gedeeld").unwrap();
    scene
}

#[tokio::test]
async fn a_users_token_opens_his_mailbox_and_the_shared_ones_he_has_rights_to() {
    let scene = scene().await;
    let code = scene.code(&[("scope", IMAP)]).await;
    let token = &granted(scene.redeem(&code, &[]).await)["access_token"];
    assert_eq!(sign_in(&scene, USER, token, "Gedeeld").await, ("OK".to_owned(), false));
    assert_eq!(sign_in(&scene, SHARED, token, "Gedeeld").await, ("OK".to_owned(), true));
    is_refused(&scene, ADMIN, token).await;
    let only_send = Rights { send_as: true, ..Rights::default() };
    scene
        .entra()
        .change(|directory| directory.user(USER).unwrap().mailboxes.insert(SHARED.into(), only_send));
    is_refused(&scene, SHARED, token).await;
}

#[tokio::test]
async fn a_token_for_another_service_or_past_its_time_opens_nothing() {
    let scene = scene().await;
    let graph = scene.tokens().await;
    is_refused(&scene, USER, &graph["access_token"]).await;
    is_refused(&scene, USER, &graph["refresh_token"]).await;
    let imap = scene.refresh(&graph["refresh_token"], &[("scope", IMAP)]).await;
    let token = &granted(imap)["access_token"];
    assert_eq!(sign_in(&scene, USER, token, "Gedeeld").await.0, "OK");
    scene.entra().tokens().advance(jiff::SignedDuration::from_mins(75));
    is_refused(&scene, USER, token).await;
}

#[tokio::test]
async fn an_app_opens_any_mailbox_by_its_role_and_none_without() {
    let scene = scene().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", "https://outlook.office.com/.default"),
    ];
    let token = &granted(scene.token(&fields).await)["access_token"];
    assert_eq!(sign_in(&scene, SHARED, token, "Gedeeld").await, ("OK".to_owned(), true));
    scene.entra().change(|directory| {
        let tenant = directory.tenant(wissel_testbed::entra::sample::TENANT).unwrap();
        tenant.consents(CLIENT_ID).application.clear();
    });
    is_refused(&scene, SHARED, &granted(scene.token(&fields).await)["access_token"]).await;
}
