//! What people and machines do wrong: each ends in an error that names the account or job and the next step, with the
//! documented exit code, with no secret in any output; and a good run afterwards imports everything once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod accounts;
mod connectors;
mod database;
mod directory;
mod folders;
mod full_disk;
mod servers;
mod vault;

use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;
use wissel_tests::wissel::Output;

/// A mailbox with messages, and a job `J` that moves them.
struct Case {
    scene: Scene,
    samples: Vec<Sample>,
}

/// Where the job moves messages.
const PROCESSED: &str = "Verwerkt";

impl Case {
    fn new() -> Self {
        let scene = Scene::start(&Options::default());
        let samples = corpus::messages(42, 20);
        scene.server.deliver(ALICE, "INBOX", &samples);
        scene.server.create_folder(ALICE, PROCESSED);
        scene.job("J", &["--folder", "INBOX", "--processed", PROCESSED]);
        Self { scene, samples }
    }

    /// Nothing has reached the sink, and nothing has left the inbox.
    fn assert_untouched(&self) {
        let tokens = corpus::tokens(&self.samples);
        assert_eq!(Tokens::in_sink(&self.scene.sink("J")).different(SINK), 0);
        Tokens::in_mailbox(&self.scene.server, ALICE).assert_each_once(&tokens, "INBOX");
    }

    /// Runs the job until its good end: everything is imported once and moved once.
    fn assert_recovers(&self) {
        self.scene.run(&["job", "run", "J"]).success();
        self.assert_complete();
        self.scene.run(&["job", "run", "J"]).success();
        self.assert_complete();
    }

    fn assert_complete(&self) {
        let tokens = corpus::tokens(&self.samples);
        Tokens::in_sink(&self.scene.sink("J")).assert_each_once(&tokens, SINK);
        Tokens::in_mailbox(&self.scene.server, ALICE).assert_each_once(&tokens, PROCESSED);
    }
}

/// The command failed with this exit code and said all of this, on a first line and with a next step after it.
#[track_caller]
fn assert_failed(output: &Output, code: i32, says: &[&str]) {
    let Output { stdout, stderr, .. } = output;
    assert_eq!(output.code, Some(code), "{stdout}\n{stderr}");
    for text in says {
        assert!(stderr.contains(text), "'{text}' is not said:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
    let next = stderr.lines().skip_while(|line| !line.starts_with("wissel: ")).nth(1);
    assert!(next.is_some_and(|line| line.starts_with("  ")), "no next step:\n{stderr}");
}

/// The same for `--json`: the error's code, and what the message says.
#[track_caller]
fn assert_failed_in_json(output: &Output, code: i32, name: &str) {
    assert_eq!(output.code, Some(code), "{}\n{}", output.stdout, output.stderr);
    let document = output.json();
    let error = document.get("error").or_else(|| document["errors"].get(0)).unwrap_or(&document);
    assert_eq!(error["code"], name, "{document:#}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{document:#}");
    assert!(error["next"].as_str().is_some_and(|next| !next.is_empty()), "{document:#}");
}
