//! A server and an installation of Wissel that knows it: accounts and jobs are added as an operator does.
//!
//! Every command's output is searched for the secrets of the test servers: none may ever show.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::dovecot::{ALICE, BOB, Dovecot, Options, PASSWORD};
use crate::observer::snapshot;
use crate::paths;
use crate::wissel::{Output, Wissel};

/// The account that [`Scene::start`] adds.
pub const ACCOUNT: &str = "Inkoop";

/// An account as it is added.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Who signs in.
    pub user: String,
    /// A password, or an access token when `token` is set.
    pub secret: String,
    /// Whether the secret is a token.
    pub token: bool,
    /// `implicit`, `starttls` or `none`.
    pub security: &'static str,
    /// Where the server is.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The CA that is trusted.
    pub ca: Option<PathBuf>,
    /// Further arguments of `account add`.
    pub more: Vec<String>,
}

impl Entry {
    /// Alice by her password, over TLS, with the server's own CA.
    #[must_use]
    pub fn of(server: &Dovecot) -> Self {
        Self {
            name: ACCOUNT.to_owned(),
            user: ALICE.to_owned(),
            secret: PASSWORD.to_owned(),
            token: false,
            security: "implicit",
            host: "localhost".to_owned(),
            port: server.tls_port,
            ca: Some(server.certificates().ca.clone()),
            more: Vec::new(),
        }
    }

    /// In the clear to `port`, which the operator allows by name: for proxies that listen.
    #[must_use]
    pub fn clear(server: &Dovecot, port: u16) -> Self {
        let more = vec!["--allow-clear-text".to_owned(), "imap".to_owned()];
        Self { security: "none", host: "127.0.0.1".to_owned(), port, ca: None, more, ..Self::of(server) }
    }

    /// The arguments of `account add`, without the secret.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let (auth, stdin) =
            if self.token { ("oauth2", "--token-stdin") } else { ("password", "--password-stdin") };
        let mut arguments: Vec<String> =
            ["account", "add", &self.name, "--connector", "imap", "--auth", auth, stdin]
                .map(str::to_owned)
                .to_vec();
        let port = self.port.to_string();
        for (key, value) in
            [("host", self.host.as_str()), ("port", &port), ("security", self.security), ("user", &self.user)]
        {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        if let Some(ca) = &self.ca {
            arguments.extend(["--ca-file".to_owned(), ca.display().to_string()]);
        }
        arguments.extend(self.more.iter().cloned());
        arguments
    }
}

/// A server, and an installation beside it.
pub struct Scene {
    /// The server.
    pub server: Dovecot,
    /// The installation.
    pub wissel: Wissel,
}

impl Scene {
    /// A server and an installation without accounts.
    #[must_use]
    pub fn empty(options: &Options) -> Self {
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        warm(&wissel);
        Self { server: Dovecot::start(options), wissel }
    }

    /// A server and an installation with the account [`ACCOUNT`]: Alice by her password over TLS.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let scene = Self::empty(options);
        scene.add(&Entry::of(&scene.server)).success();
        scene
    }

    /// Adds an account.
    #[must_use]
    pub fn add(&self, entry: &Entry) -> Output {
        let arguments = entry.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        discreet(self.wissel.run_with(&arguments, &entry.secret))
    }

    /// Adds a job of [`ACCOUNT`] that imports into [`Self::sink`].
    pub fn job(&self, name: &str, options: &[&str]) {
        self.job_of(ACCOUNT, name, options);
    }

    /// The same for another account.
    pub fn job_of(&self, account: &str, name: &str, options: &[&str]) {
        let sink = self.sink(name).display().to_string();
        let base = ["job", "add", name, "--account", account, "--to", &sink];
        self.run(&[&base, options].concat()).success();
    }

    /// Where the job of this name imports to.
    #[must_use]
    pub fn sink(&self, job: &str) -> PathBuf {
        self.wissel.path("imported").join(job)
    }

    /// Runs a command.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        discreet(self.wissel.run(arguments))
    }

    /// Runs a command as another program starts it, such as `prlimit` with its arguments.
    #[must_use]
    pub fn run_under(&self, starter: &[&str], arguments: &[&str]) -> Output {
        discreet(self.wissel.run_under(starter, arguments))
    }

    /// Runs a job that has to come to a good end, and returns how many messages it imported.
    pub fn import(&self, job: &str) -> u64 {
        let output = self.run(&["job", "run", job, "--json"]).success();
        output.json()["imported"].as_u64().unwrap()
    }

    /// What `job test` says in JSON, whatever its exit code.
    #[must_use]
    pub fn job_test(&self, job: &str) -> Value {
        self.run(&["job", "test", job, "--json"]).json()
    }

    /// The ledger, as JSON.
    #[must_use]
    pub fn ledger(&self) -> Value {
        self.run(&["ledger", "--limit", "1000000", "--json"]).success().json()
    }
}

/// How to start a command so that the permissions of files count for it, also when the tests run as root.
#[must_use]
pub fn unprivileged() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() {
        &["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    } else {
        &["env"]
    }
}

/// Panics when a secret shows in what a command printed, plain or as SASL writes it.
#[must_use]
pub fn discreet(output: Output) -> Output {
    for (name, text) in [("output", &output.stdout), ("error output", &output.stderr)] {
        for secret in secrets() {
            assert!(!text.contains(&secret), "a secret shows in the {name}:\n{text}");
        }
    }
    output
}

/// The password as it may appear on the way: plain, as AUTHENTICATE PLAIN and LOGIN write it.
#[must_use]
pub fn secrets() -> Vec<String> {
    let plain = |user: &str| STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
    vec![PASSWORD.to_owned(), STANDARD.encode(PASSWORD), plain(ALICE), plain(BOB)]
}

/// Spares an installation the compilation of the connectors, when another one has done it.
pub(crate) fn warm(wissel: &Wissel) {
    let store = paths::connectors().with_file_name("tmp").join(format!("compiled-{}", fingerprint()));
    let cache = wissel.path("cache");
    copy_tree(&store, &cache);
    if cache.exists() {
        return;
    }
    wissel.run(&["connector", "list"]).success();
    // Several tests may come here at once: each writes a folder of its own, and the first one's stays.
    fs::create_dir_all(store.parent().unwrap()).unwrap();
    let own = tempfile::tempdir_in(store.parent().unwrap()).unwrap();
    copy_tree(&cache, &own.path().join("cache"));
    let _ = fs::rename(own.path().join("cache"), &store);
}

/// Changes with every build of a connector.
fn fingerprint() -> String {
    let digests = snapshot(&paths::connectors());
    hex::encode(&Sha256::digest(format!("{digests:?}"))[..8])
}

fn copy_tree(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_tree(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
