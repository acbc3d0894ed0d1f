//! An installation with accounts and secrets, and no server: what is asked of its key needs none.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wissel_tests::wissel::{Output, Wissel};

/// What no output may show.
pub(crate) const SECRETS: [&str; 2] = ["eerste-geheim-7Kq", "tweede-geheim-9Zt"];

const CLIENT_SECRET: &str = "geheim-van-de-client-5Wd";

/// An installation.
pub(crate) struct Office {
    pub(crate) wissel: Wissel,
}

impl Office {
    /// With two accounts, each with a secret.
    pub(crate) fn new() -> Self {
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        let office = Self { wissel };
        for (name, secret) in ["Een", "Twee"].iter().zip(SECRETS) {
            office.add(name, secret).success();
        }
        office
    }

    /// Another one that is the same: what it was made with is not done again.
    pub(crate) fn copy(&self) -> Self {
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        copy_below(self.wissel.home(), wissel.home());
        Self { wissel }
    }

    /// Adds an account.
    pub(crate) fn add(&self, name: &str, secret: &str) -> Output {
        let add = ["account", "add", name, "--connector", "imap", "--auth", "password", "--password-stdin"];
        let settings = ["--set", "host=127.0.0.1", "--set", "user=iemand"];
        discreet(self.wissel.run_with(&[&add[..], &settings].concat(), secret))
    }

    /// Adds an OAuth client with a secret, and an alert channel with a key.
    pub(crate) fn add_client(&mut self) {
        let add = ["client", "add", "Kantoor", "--connector", "imap", "--set", "client-id=kantoor"];
        let secret = ["--client-secret-stdin", "--expires", "never"];
        discreet(self.wissel.run_with(&[&add[..], &secret].concat(), CLIENT_SECRET)).success();
        let alert = ["alert", "add", "chat", "--webhook", "https://hook.example.com/", "--signing-key-stdin"];
        discreet(self.wissel.run_with(&alert, CLIENT_SECRET)).success();
    }

    /// Runs a command; no secret may show.
    pub(crate) fn run(&self, command: &[&str]) -> Output {
        discreet(self.wissel.run(command))
    }

    /// What a command says in JSON, which must succeed.
    pub(crate) fn json(&self, command: &[&str]) -> Value {
        self.run(&[command, &["--json"]].concat()).success().json()
    }

    /// Runs a command that dies at a fault point.
    pub(crate) fn dies_at(&mut self, point: &str, command: &[&str]) {
        self.wissel.set("WISSEL_FAULT", point);
        let output = self.run(command);
        self.wissel.set("WISSEL_FAULT", "none");
        let reached = output.stderr.contains(&format!("fault point '{point}' reached"));
        assert!(output.code.is_none() && reached, "{point} did not end `{}`: {output:?}", command.join(" "));
    }

    /// Every stored secret opens, as the doctor sees it, and there are `count`.
    pub(crate) fn assert_opens(&self, count: usize) {
        let report = self.run(&["doctor", "--offline", "--json"]).json();
        let findings = report["findings"].as_array().unwrap();
        let vault: Vec<_> = findings.iter().filter(|finding| finding["check"] == "vault").collect();
        let says = format!("{count} stored secrets can be opened");
        assert!(vault.len() == 1 && vault[0]["message"] == says.as_str(), "{vault:#?}");
    }

    /// A private directory that stands in for the operating system's keyring.
    pub(crate) fn with_keyring(&mut self) -> PathBuf {
        let keyring = self.wissel.path("keyring");
        fs::create_dir(&keyring).unwrap();
        self.wissel.set("WISSEL_TEST_KEYRING", &keyring);
        keyring
    }
}

fn copy_below(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_below(&entry.path(), &target);
        } else {
            let _ = fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn discreet(output: Output) -> Output {
    for secret in SECRETS.into_iter().chain([CLIENT_SECRET]) {
        let shows = output.stdout.contains(secret) || output.stderr.contains(secret);
        assert!(!shows, "a secret shows: {output:?}");
    }
    output
}
