//! One installation of Wissel beside one server, and the questions that every test here asks of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::Value;
use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Dovecot, Options, PASSWORD};
use wissel_tests::observer::{SINK, TOKEN_PREFIX, Tokens, overwritten, snapshot};
use wissel_tests::wissel::Wissel;

/// The account that [`Bench::new`] adds: by password, in clear, so that a proxy and a trace can see the commands.
pub(crate) const DIRECT: &str = "Inkoop";

/// What a reader of the sink's directory sees: files by name, with their digests.
pub(crate) type Published = BTreeMap<PathBuf, String>;

/// A server and an installation.
pub(crate) struct Bench {
    pub(crate) server: Dovecot,
    pub(crate) wissel: Wissel,
    cases: u64,
}

impl Bench {
    pub(crate) fn new(options: &Options) -> Self {
        let bench = Self { server: Dovecot::start(options), wissel: Wissel::new(), cases: 0 };
        bench.add_direct(DIRECT, bench.server.port);
        bench
    }

    /// Adds an account by password, in clear, whose server is at `port`.
    pub(crate) fn add_direct(&self, name: &str, port: u16) {
        let port = format!("port={port}");
        let user = format!("user={ALICE}");
        let options =
            ["account", "add", name, "--connector", "imap", "--auth", "password", "--password-stdin"];
        let settings = ["--set", "host=127.0.0.1", "--set", &port, "--set", "security=none", "--set", &user];
        let allowed = ["--allow-clear-text", "imap"];
        let _ = self.wissel.run_with(&[&options[..], &settings, &allowed].concat(), PASSWORD).success();
    }

    /// A new job with folders of its own.
    pub(crate) fn case(&mut self, account: &str, action: &'static str) -> Case {
        self.cases += 1;
        let number = self.cases;
        let import = format!("Inkoop {number}");
        let folders = vec![import.clone(), format!("{import}/Facturen"), format!("{import}/Offertes één")];
        for folder in &folders {
            self.server.create_folder(ALICE, folder);
        }
        let case = Case {
            job: format!("Taak {number}"),
            processed: format!("{import}/Verwerkt"),
            sink: self.wissel.path(&format!("uit/{number}")),
            folders,
            action,
            messages: Vec::new(),
            seed: number << 32,
        };
        let sink = case.sink.to_str().unwrap();
        let mut add =
            vec!["job", "add", &case.job, "--account", account, "--folder", &import, "--subfolders"];
        add.extend(["--attachments", "--to", sink, "--action", action]);
        if action == "move" {
            // Inside the folder that is scanned, and made by the first run.
            add.extend(["--processed", &case.processed, "--create-processed"]);
        }
        let _ = self.wissel.run(&add).success();
        case
    }

    /// Runs a command that dies at a fault point, such as `fetched:2`.
    pub(crate) fn dies_at(&mut self, fault: &str, command: &[&str]) {
        self.wissel.set("WISSEL_FAULT", fault);
        let output = self.wissel.run(command);
        self.wissel.set("WISSEL_FAULT", "none");
        let point = fault.split(':').next().unwrap();
        let reached = output.stderr.contains(&format!("fault point '{point}' reached"));
        assert!(output.code.is_none() && reached, "{fault} did not end `{}`: {output:?}", command.join(" "));
    }
}

/// A job, its folders, and what was put into them.
pub(crate) struct Case {
    pub(crate) job: String,
    pub(crate) folders: Vec<String>,
    pub(crate) processed: String,
    pub(crate) sink: PathBuf,
    action: &'static str,
    /// Tokens with the folder that each was delivered to.
    messages: Vec<(String, String)>,
    seed: u64,
}

impl Case {
    /// Delivers `count` messages, spread over all the folders.
    pub(crate) fn deliver(&mut self, bench: &Bench, count: u64) {
        for folder in 0..self.folders.len() {
            let letters = self.letters(folder, count / self.folders.len() as u64);
            bench.server.deliver(ALICE, &self.folders[folder], &letters);
        }
    }

    /// New messages that the test delivers to `folders[folder]` itself; they count from now on.
    pub(crate) fn letters(&mut self, folder: usize, count: u64) -> Vec<Sample> {
        self.seed += 1;
        let letters = corpus::messages(self.seed, count);
        let folder = &self.folders[folder];
        self.messages.extend(letters.iter().map(|letter| (letter.token.clone(), folder.clone())));
        letters
    }

    pub(crate) fn count(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn run(&self) -> [&str; 4] {
        ["job", "run", &self.job, "--json"]
    }

    /// Runs the job until a run finds nothing new. Returns how long the first run took: after a crash, the time to
    /// recover.
    pub(crate) fn finish(&self, bench: &Bench) -> Duration {
        let begun = Instant::now();
        let mut report = bench.wissel.run(&self.run()).success().json();
        let took = begun.elapsed();
        for _ in 0..5 {
            if report["imported"] == 0 {
                return took;
            }
            report = bench.wissel.run(&self.run()).success().json();
        }
        panic!("'{}' finds something new in every run: {report}", self.job);
    }

    /// What must hold at any moment: nothing is there twice, and what has left its folder is in the sink.
    pub(crate) fn check_crashed(&self, bench: &Bench) -> Published {
        let published = self.published();
        let sink = self.published_tokens(&published);
        let mailbox = Tokens::in_mailbox(&bench.server, ALICE);
        for (token, folder) in &self.messages {
            let files = sink.get(token).copied().unwrap_or_default();
            let (here, there) = (mailbox.count(token, folder), mailbox.count(token, &self.processed));
            assert!(
                files <= 1 && here <= 1 && there <= 1,
                "{token}: {files} files, {here} left, {there} moved"
            );
            let untouched = here == 1 && there == 0;
            assert!(untouched || files == 1, "{token} is not in the sink: {here} left, {there} moved");
            let gone = here + there == 0 && self.action != "delete";
            assert!(!gone, "{token} is gone from the mailbox");
        }
        published
    }

    /// What must hold at the end; `before` is what the sink held after the crash.
    pub(crate) fn check_finished(&self, bench: &Bench, before: &Published) {
        let changed = overwritten(before, &self.published());
        assert!(changed.is_empty(), "written a second time with other bytes: {changed:?}");
        let tokens: Vec<_> = self.messages.iter().map(|(token, _)| token).collect();
        // With what lies half written beside the published files: nothing may be left there.
        let sink = Tokens::in_sink(&self.sink);
        sink.assert_each_once(&tokens, SINK);
        assert_eq!(sink.different(SINK), tokens.len(), "strangers in the sink");
        let mailbox = Tokens::in_mailbox(&bench.server, ALICE);
        match self.action {
            "move" => mailbox.assert_each_once(&tokens, &self.processed),
            "delete" => assert!(tokens.iter().all(|token| mailbox.total(token) == 0), "not deleted"),
            _ => {
                for folder in &self.folders {
                    let here = self.messages.iter().filter(|(_, place)| place == folder);
                    let tokens: Vec<_> = here.map(|(token, _)| token).collect();
                    mailbox.assert_each_once(&tokens, folder);
                    let unread = bench.server.doveadm(&["search", "-u", ALICE, "mailbox", folder, "unseen"]);
                    let expected = if self.action == "leave" { tokens.len() } else { 0 };
                    assert_eq!(unread.lines().count(), expected, "unread messages in '{folder}'");
                }
            }
        }
    }

    /// Removes the folders, so that the observer has less to read in the next case.
    pub(crate) fn close(self, bench: &Bench) {
        for folder in [&self.processed].into_iter().chain(self.folders.iter().rev()) {
            if bench.server.folders(ALICE).contains(folder) {
                bench.server.doveadm(&["mailbox", "delete", "-u", ALICE, folder]);
            }
        }
        fs::remove_dir_all(&self.sink).unwrap();
    }

    /// The accounts that the job refers to.
    pub(crate) fn accounts(&self, bench: &Bench) -> Vec<String> {
        let shown = bench.wissel.json(&["job", "show", &self.job]);
        let name = |place: &Value| place["account"].as_str().unwrap().to_owned();
        shown["accounts"].as_array().unwrap().iter().map(name).collect()
    }

    /// How many messages the ledger has in `state`.
    pub(crate) fn in_state(&self, bench: &Bench, state: &str) -> usize {
        let limit = ["--limit", "100000"];
        let rows = bench.wissel.json(&[&["ledger", &self.job, "--state", state][..], &limit].concat());
        rows["messages"].as_array().unwrap().len()
    }

    fn published(&self) -> Published {
        snapshot(&self.sink).into_iter().filter(|(name, _)| !name.starts_with(".incoming")).collect()
    }

    /// In how many of the published files each token stands.
    fn published_tokens(&self, published: &Published) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for name in published.keys().filter(|name| name.extension().is_some_and(|end| end == "eml")) {
            let text = fs::read(self.sink.join(name)).unwrap();
            let length = TOKEN_PREFIX.len() + 32;
            let found =
                memmem::find_iter(&text, TOKEN_PREFIX).map(|start| text[start..start + length].to_vec());
            for token in found.collect::<BTreeSet<_>>() {
                *counts.entry(String::from_utf8(token).unwrap()).or_default() += 1;
            }
        }
        counts
    }
}
