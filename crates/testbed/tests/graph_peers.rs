//! The Graph face against msgraph-sdk and O365 for Python, clients that were not written for it.
//!
//! The scripts in `tests/peers` assert what they read against what is seeded here; afterwards the mailbox itself is asked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy does not see helpers of a test as tests"
)]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::ToSpan;
use mail_parser::MessageParser;
use serde_json::{Map, Value, json};
use tokio::process::Command;
use wissel_mime::Inspector;
use wissel_testbed::{
    Options, Testbed,
    entra::{
        sample::{CLIENT_ID, TENANT, USER},
        tokens::{GRAPH, Subject, TokenInfo},
    },
    mailbox::Mailbox,
    sample::{self, Maker},
};

/// A path of the workspace.
fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Python with the libraries of others.
fn python() -> PathBuf {
    let path =
        workspace(if cfg!(windows) { "target/peers/Scripts/python.exe" } else { "target/peers/bin/python3" });
    assert!(path.exists(), "{} is not there: run `cargo xtask setup` first", path.display());
    path
}

/// A test bed with 24 messages and more sub folders than fit in a page, and what a client should find in it.
async fn seeded() -> (Testbed, Map<String, Value>, Vec<String>) {
    let mailbox = Mailbox::new();
    let tokens = sample::fill(&mailbox, &mut Maker::new(3), 24).unwrap();
    for number in 1..=17 {
        mailbox.ensure_folder(&format!("Postvak IN/Map {number}")).unwrap();
    }
    let inbox = mailbox.folder("Postvak IN").unwrap().id;
    let children = mailbox.folders().into_iter().filter(|folder| folder.parent == Some(inbox));
    let folders: Vec<String> = children.map(|mut folder| folder.path.pop().unwrap()).collect();
    let messages = mailbox.messages(mailbox.folder("Postvak IN/Algemeen").unwrap().id).unwrap();
    let raw: Vec<Vec<u8>> =
        messages.iter().map(|message| message.content.chunks().flatten().collect()).collect();
    let parsed: Vec<_> = raw.iter().map(|raw| MessageParser::new().parse(raw).unwrap()).collect();
    let subjects: Vec<_> = parsed.iter().map(|message| message.subject().unwrap().to_owned()).collect();
    let nested =
        parsed.iter().position(|message| message.attachments().any(|part| part.is_message())).unwrap();
    let mut inspector = Inspector::new(wissel_mime::Options::default());
    inspector.write(&raw[0]);
    let first = inspector.finish();
    let given = json!({
        "folders": folders,
        "subjects": subjects,
        "nested": subjects[nested],
        "raw": STANDARD.encode(&raw[0]),
        "pdf": first.attachments().next().unwrap().sha256,
    });
    let bed = Testbed::start(Options { mailbox, ..Options::default() }).await.unwrap();
    let registry = bed.entra().tokens();
    let scopes = ["User.Read", "Mail.ReadWrite.Shared", "Mail.Send.Shared"];
    let info = TokenInfo {
        tenant: TENANT.into(),
        app: CLIENT_ID.into(),
        audience: GRAPH.into(),
        user: Some(Subject { id: "1".into(), name: USER.into() }),
        scopes: scopes.map(str::to_owned).to_vec(),
        roles: Vec::new(),
        issued: registry.now(),
        expires: registry.now() + 1.hour(),
        capabilities: Vec::new(),
        claims: Map::new(),
    };
    registry.issue("goed", info);
    let mut given = given.as_object().unwrap().clone();
    given.insert("graph".into(), bed.graph_url().into());
    given.insert("token".into(), "goed".into());
    (bed, given, tokens)
}

async fn run(bed: &Testbed, script: &str, mut given: Map<String, Value>) {
    let ca_file = std::env::temp_dir().join(format!("wissel-{script}-{}.pem", std::process::id()));
    std::fs::write(&ca_file, bed.ca_pem()).unwrap();
    given.insert("ca_file".into(), ca_file.to_str().unwrap().into());
    let output = Command::new(python())
        .arg(workspace(&format!("tests/peers/{script}.py")))
        .arg(Value::Object(given).to_string())
        // A proxy of the machine is not for loopback.
        .env("NO_PROXY", "localhost")
        .env("no_proxy", "localhost")
        .env("REQUESTS_CA_BUNDLE", &ca_file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    std::fs::remove_file(ca_file).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.trim_end(), "done");
}

#[tokio::test]
async fn msgraph_sdk_finds_what_was_seeded_and_understands_the_refusals() {
    let (bed, given, tokens) = seeded().await;
    run(&bed, "graph_msgraph", given).await;
    // The observer's word.
    let places = |at: usize| bed.mailbox().count_token(&tokens[at]).into_iter().collect::<Vec<_>>();
    assert_eq!(places(1), [("Postvak IN/Facturen".to_owned(), 1)]);
    assert_eq!(places(3), [("Verwijderde items".to_owned(), 1)]);
    let sent = bed.graph().control().sent();
    let to: Vec<_> = sent.iter().map(|sent| (sent.from.as_str(), sent.recipients[0].as_str())).collect();
    assert_eq!(to, [(USER, "leverancier@elders.example"); 2]);
    assert_eq!(bed.counters().command("POST messages/{id}/move"), 2);
    bed.stop().await;
}

#[tokio::test]
async fn o365_finds_what_was_seeded_and_uploads_a_large_file() {
    let (bed, mut given, tokens) = seeded().await;
    // It sends ranges of three mebibytes.
    bed.graph().control().limit(|limits| limits.upload_step = 1);
    let large = std::env::temp_dir().join(format!("wissel-scans-{}.bin", std::process::id()));
    let bytes: Vec<u8> = (0..5_000_011_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(&large, bytes).unwrap();
    given.insert("large".into(), large.to_str().unwrap().into());
    run(&bed, "graph_o365", given).await;
    std::fs::remove_file(large).unwrap();
    let places = |at: usize| bed.mailbox().count_token(&tokens[at]).into_iter().collect::<Vec<_>>();
    assert_eq!(places(1), [("Postvak IN/Facturen".to_owned(), 1)]);
    assert_eq!(places(3), [], "deleted twice, it is gone");
    assert_eq!(bed.counters().command("PUT upload"), 2);
    let sent = bed.graph().control().sent();
    assert!(sent.iter().any(|sent| sent.content.size() > 6_000_000), "the large file was not sent");
    bed.stop().await;
}
