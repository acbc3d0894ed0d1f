//! One house with a job over three folders and a processed folder that the first run makes, and the questions that every
//! test asks of both sides: neither the ledger nor what the sink writes beside the messages is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::Value;
use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::wissel::Output;

/// The job.
pub(crate) const JOB: &str = "Inkoop";
/// A run of it.
pub(crate) const RUN: [&str; 4] = ["job", "run", JOB, "--json"];
/// The folders that it imports from: the first with what lies below it.
pub(crate) const FOLDERS: [&str; 3] =
    ["Postvak IN/Inkoop", "Postvak IN/Inkoop/Facturen", "Postvak IN/Inkoop/Offertes één"];
/// Where it moves what is imported.
pub(crate) const PROCESSED: &str = "Postvak IN/Inkoop/Verwerkt";
/// A message as it is fetched.
pub(crate) const FETCH: &str = "GET messages/{id}/$value";
/// The look where a message is before it is moved, when it is the only one.
pub(crate) const LOOK: &str = "GET messages/{id}";

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A house with a job.
pub(crate) struct Scene {
    pub(crate) house: House,
    /// Every message that was delivered for the job.
    pub(crate) tokens: Vec<String>,
}

impl Scene {
    /// With the manual's account, authorised.
    pub(crate) fn new() -> Self {
        let house = House::new(&[&format!("mailbox={USER}")]);
        house.authorize(ACCOUNT, USER);
        Self::of(house, ACCOUNT)
    }

    /// With a job of this account.
    pub(crate) fn of(mut house: House, account: &str) -> Self {
        for folder in FOLDERS {
            house.bed.command(&format!("create {folder}"));
        }
        let scene = Self { house, tokens: Vec::new() };
        let sink = scene.sink().display().to_string();
        let job = ["job", "add", JOB, "--account", account, "--folder", FOLDERS[0], "--subfolders"];
        let more = ["--attachments", "--to", &sink, "--processed", PROCESSED, "--create-processed"];
        scene.house.wissel.run(&[&job[..], &more].concat()).success();
        scene
    }

    pub(crate) fn sink(&self) -> PathBuf {
        self.house.wissel.path("uit")
    }

    /// Delivers so many messages to each of the folders.
    pub(crate) fn deliver(&mut self, count: usize) {
        for folder in FOLDERS {
            self.deliver_to(folder, count);
        }
    }

    /// Delivers messages to one folder; answers with their tokens.
    pub(crate) fn deliver_to(&mut self, folder: &str, count: usize) -> Vec<String> {
        let answer = self.house.bed.command(&format!("deliver {count} {folder}"));
        let tokens: Vec<String> = serde_json::from_value(answer["delivered"].clone()).unwrap();
        self.tokens.extend(tokens.iter().cloned());
        tokens
    }

    /// Runs the job.
    pub(crate) fn run(&self) -> Output {
        self.house.wissel.run(&RUN)
    }

    /// Runs the job until a run finds nothing new. Returns how many messages came in.
    pub(crate) fn finish(&self) -> u64 {
        let mut imported = 0;
        for _ in 0..5 {
            let report = self.run().success().json();
            match report["imported"].as_u64().unwrap() {
                0 => return imported,
                new => imported += new,
            }
        }
        panic!("every run finds something new");
    }

    /// The first error of a run that has one.
    pub(crate) fn error(output: &Output) -> Value {
        let said = output.json();
        let error = said["errors"].get(0).unwrap_or(&said["error"]).clone();
        assert!(error["code"].is_string(), "a run without an error: {output:?}");
        error
    }

    /// How often the Graph face was asked for this.
    pub(crate) fn asked(&mut self, operation: &str) -> u64 {
        self.house.bed.command("traffic")["operations"][operation].as_u64().unwrap_or_default()
    }

    /// How many requests the Graph face has had.
    pub(crate) fn requests(&mut self) -> u64 {
        self.house.bed.command("traffic")["requests"].as_u64().unwrap()
    }

    /// Waits until the Graph face was asked for this so often.
    pub(crate) fn wait_for(&mut self, operation: &str, times: u64) {
        let begun = Instant::now();
        while self.asked(operation) < times {
            assert!(begun.elapsed() < PATIENCE, "nothing asks for {operation}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// In how many published messages each token stands.
    pub(crate) fn in_sink(&self) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for file in fs::read_dir(self.sink()).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|end| end != "eml") {
                continue;
            }
            for token in tokens(&fs::read(file).unwrap()) {
                *counts.entry(token).or_default() += 1;
            }
        }
        counts
    }

    /// In how many messages of which folders a token stands.
    pub(crate) fn in_mailbox(&mut self, token: &str) -> BTreeMap<String, u64> {
        serde_json::from_value(self.house.bed.command(&format!("count {token}"))).unwrap()
    }

    /// What must hold at any moment: nothing is there twice, and what has left its folder is in the sink.
    pub(crate) fn check_meanwhile(&mut self) {
        let sink = self.in_sink();
        for token in self.tokens.clone() {
            let files = sink.get(&token).copied().unwrap_or_default();
            let mailbox = self.in_mailbox(&token);
            assert!(files <= 1, "{token}: {files} files");
            assert_eq!(mailbox.values().sum::<u64>(), 1, "{token} in the mailbox: {mailbox:?}");
            assert!(
                files == 1 || !mailbox.contains_key(PROCESSED),
                "{token} was moved and is not in the sink"
            );
        }
    }

    /// Each message is in the sink once, and in the processed folder once, and nowhere else.
    pub(crate) fn check_finished(&mut self) {
        let sink = self.in_sink();
        let once: BTreeMap<String, u32> = self.tokens.iter().map(|token| (token.clone(), 1)).collect();
        assert_eq!(sink, once, "files in the sink by token");
        for token in self.tokens.clone() {
            let mailbox = self.in_mailbox(&token);
            assert_eq!(mailbox, BTreeMap::from([(PROCESSED.to_owned(), 1)]), "{token} in the mailbox");
        }
        let left = fs::read_dir(self.sink().join(".incoming")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "half written files are left");
    }
}

/// The test bed's tokens in a message: `TB`, eight hexadecimal digits, a hyphen, six digits.
fn tokens(bytes: &[u8]) -> BTreeSet<String> {
    let token = |start: usize| {
        let text = std::str::from_utf8(bytes.get(start..start + 17)?).ok()?;
        let (seed, number) = text.strip_prefix("TB")?.split_once('-')?;
        let digits =
            seed.len() == 8 && seed.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| text.to_owned())
    };
    memmem::find_iter(bytes, "TB").filter_map(token).collect()
}
