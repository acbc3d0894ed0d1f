//! The Entra face against MSAL for Python, a client that was not written for it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy does not see helpers of a test as tests"
)]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use jiff::SignedDuration;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};
use wissel_testbed::{
    Options, Testbed,
    entra::{
        directory::Certificate,
        sample::{CLIENT_ID, CLIENT_SECRET, PASSWORD, PUBLIC_CLIENT_ID, TENANT, USER},
    },
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

#[tokio::test]
async fn msal_goes_through_every_flow_and_understands_the_refusals() {
    let bed = Testbed::start(Options::default()).await.unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
    bed.entra().change(|directory| {
        directory.settings.device_interval = SignedDuration::from_secs(1);
        let registered = Certificate::from_pem(&certificate).unwrap();
        directory.app(CLIENT_ID).unwrap().certificates.push(registered);
    });
    let ca_file = std::env::temp_dir().join(format!("wissel-msal-{}.pem", std::process::id()));
    std::fs::write(&ca_file, bed.ca_pem()).unwrap();
    let arguments = json!({
        "entra": bed.entra_url(), "ca_file": ca_file, "tenant": TENANT, "client_id": CLIENT_ID,
        "public_client_id": PUBLIC_CLIENT_ID, "secret": CLIENT_SECRET, "user": USER, "password": PASSWORD,
        "key": key.serialize_pem(), "certificate": certificate,
    });
    let mut msal = Command::new(python())
        .arg(workspace("tests/peers/entra_msal.py"))
        .arg(arguments.to_string())
        // A proxy of the machine is not for loopback.
        .env("NO_PROXY", "localhost")
        .env("no_proxy", "localhost")
        // A bundle of the machine would win over the one that the script gives to its clients.
        .env("REQUESTS_CA_BUNDLE", &ca_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut input, mut lines) =
        (msal.stdin.take().unwrap(), BufReader::new(msal.stdout.take().unwrap()).lines());
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line == "revoke" {
            assert!(bed.entra().revoke(USER));
            input.write_all(b"\n").await.unwrap();
        }
        said.push(line);
    }
    let ended = msal.wait().await.unwrap();
    std::fs::remove_file(ca_file).unwrap();
    assert!(ended.success(), "MSAL was not content; its complaint is above");
    assert_eq!(said, ["revoke", "done"]);
    // The face's own log agrees: what MSAL says it did came from here.
    let counts = bed.entra().sign_in_counts();
    assert_eq!(counts["refresh_token"][&50173], 1);
    assert_eq!((counts["client_credentials"][&0], counts["client_credentials"][&700_027]), (3, 1));
    assert!(counts["urn:ietf:params:oauth:grant-type:device_code"][&70016] >= 2);
    bed.stop().await;
}
