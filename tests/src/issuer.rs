//! A token issuer that Wissel did not write: oidc-provider, run by Node.js on a free port of the loopback interface.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask::workspace;

use crate::wissel::Running;

/// A running issuer.
pub struct Issuer {
    process: Child,
    input: ChildStdin,
    heard: Arc<Mutex<Vec<Value>>>,
    /// What it calls itself, and where it listens.
    pub address: String,
    /// The id of the key that signs its tokens.
    pub key_id: String,
    /// That key in PEM form.
    pub key: String,
}

impl Issuer {
    /// Starts one. `options`: see `tests/peers/oidc/issuer.mjs`.
    #[must_use]
    pub fn start(options: &Value) -> Self {
        let folder = workspace::root().join("tests/peers/oidc");
        assert!(folder.join("node_modules").exists(), "oidc-provider is missing: run `cargo xtask setup`");
        let node = xtask::process::find("node").expect("node is missing: run `cargo xtask setup`");
        let mut process = Command::new(node)
            .arg("issuer.mjs")
            .arg(options.to_string())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let first: Value = serde_json::from_str(&lines.next().expect("the issuer ended")).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in lines {
                kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let text = |name: &str| first[name].as_str().unwrap().to_owned();
        let (address, key_id, key) = (text("issuer"), text("kid"), text("key"));
        Self { input: process.stdin.take().unwrap(), process, heard, address, key_id, key }
    }

    /// Makes it forget every grant: refresh tokens are worth nothing from now on.
    pub fn forget(&mut self) {
        self.input.write_all(b"forget\n").unwrap();
        let begun = Instant::now();
        while !self.heard().iter().any(|event| event["forgotten"] == true) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the issuer does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many requests of this grant type were answered so.
    #[must_use]
    pub fn grants(&self, kind: &str, granted: bool) -> usize {
        let fits = |event: &&Value| event["grant"] == kind && event["granted"] == granted;
        self.heard().iter().filter(fits).count()
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Signs in without a person: opens the link, fills in the forms, and follows to the redirect, which is returned; with
/// `deliver`, it is called as well.
#[must_use]
pub fn sign_in(link: &str, user: &str, deliver: bool) -> String {
    browse(&json!({ "link": link, "user": user, "password": "any", "deliver": deliver }))
}

/// Opens a page without a person, as `tests/support/browser.py` says.
#[must_use]
pub fn browse(request: &Value) -> String {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("support/browser.py");
    let mut python = Command::new("python3");
    let output = python.arg("-B").arg(script).arg(request.to_string()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the browser failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The link that a command prints.
#[must_use]
pub fn link_of(running: &Running) -> String {
    let begun = Instant::now();
    loop {
        let said = running.stderr();
        if let Some(link) = said.lines().find(|line| line.starts_with("http")) {
            return link.trim().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no link comes: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
