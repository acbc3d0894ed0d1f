//! Mail read by an independent client, Python's imaplib (`tests/support/imap_client.py`). It changes nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::dovecot::{Dovecot, PASSWORD};

/// How the client connects.
#[derive(Clone, Copy, Debug)]
pub enum Tls {
    /// Not encrypted.
    None,
    /// TLS from the first byte.
    Implicit,
    /// TLS after a greeting in clear.
    StartTls,
}

/// Signs in with `secret` (password or token, as `mechanism` takes it), trusting the CA in `ca` only.
/// The error is what the server or the TLS library said.
pub fn sign_in(
    server: &Dovecot,
    tls: Tls,
    ca: &Path,
    (mechanism, user, secret): (&str, &str, &str),
) -> Result<(), String> {
    let (tls, port) = match tls {
        Tls::None => (Value::Null, server.port),
        Tls::Implicit => ("implicit".into(), server.tls_port),
        Tls::StartTls => ("starttls".into(), server.port),
    };
    let answer = ask(&json!({
        "action": "sign-in", "port": port, "tls": tls, "ca": ca, "mechanism": mechanism,
        "user": user, "password": secret, "token": secret,
    }));
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(()),
    }
}

/// For every folder of `user`: how many messages contain each text that matches `pattern`.
#[must_use]
pub fn find(server: &Dovecot, user: &str, pattern: &str) -> BTreeMap<String, BTreeMap<String, u32>> {
    let request = json!({ "action": "find", "pattern": pattern });
    serde_json::from_value(ask(&as_user(server, user, request))).unwrap()
}

/// Writes each message of `folder` into the directory `into` as `<uid>.eml`, byte by byte as the server gives it.
pub fn dump(server: &Dovecot, user: &str, folder: &str, into: &Path) {
    ask(&as_user(server, user, json!({ "action": "dump", "folder": folder, "into": into })));
}

fn as_user(server: &Dovecot, user: &str, mut request: Value) -> Value {
    request["port"] = server.port.into();
    request["user"] = user.into();
    request["password"] = PASSWORD.into();
    request
}

fn ask(request: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/imap_client.py");
    let mut python = Command::new("python3");
    // No bytecode: the checkout stays clean.
    python.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut python = python.spawn().expect("python3 is missing: run `cargo xtask setup`");
    python.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the Python client failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
