//! An installation with a good connector and a hostile one, and what every case of it has to keep.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::Value;
use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options, PASSWORD};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::paths;
use wissel_tests::scene::{Scene, discreet};
use wissel_tests::wissel::{Output, Wissel};

/// The good job: it imports from Dovecot.
pub(crate) const GOOD: &str = "Goed";

/// How many messages a hostile mailbox holds.
pub(crate) const MESSAGES: usize = 5;

/// An installation with connectors of its own.
pub(crate) struct Yard {
    pub(crate) scene: Scene,
    /// The directory of connectors.
    pub(crate) connectors: PathBuf,
}

impl Yard {
    /// A Dovecot, its account, the job [`GOOD`], and both connectors.
    pub(crate) fn new() -> Self {
        let mut scene = Scene::start(&Options::default());
        let connectors = scene.wissel.path("own connectors");
        fs::create_dir(&connectors).unwrap();
        fs::copy(paths::connectors().join("imap.wasm"), connectors.join("imap.wasm")).unwrap();
        fs::write(connectors.join("rogue.wasm"), rogue()).unwrap();
        scene.wissel.set("WISSEL_CONNECTORS", &connectors);
        scene.job(GOOD, &["--folder", "INBOX", "--action", "leave", "--every", "1s"]);
        Self { scene, connectors }
    }

    pub(crate) fn wissel(&self) -> &Wissel {
        &self.scene.wissel
    }

    /// An account on the hostile connector, and a job of the same name. A call that loops may take a second, or five
    /// where it does something before; the others have a minute, so that a slow machine does not end them early.
    pub(crate) fn hostile(&self, name: &str, behaviour: &str, more: &[&str]) {
        let behaviour = format!("behaviour={behaviour}");
        let count = format!("count={MESSAGES}");
        let account = ["account", "add", name, "--connector", "rogue", "--password-stdin", "--set"];
        let time = match behaviour.strip_prefix("behaviour=").and_then(|text| text.split_once(':')) {
            Some(("message", "loop")) => "5",
            Some((_, "loop" | "ignore-cancel")) => "1",
            _ => "60",
        };
        let settings = [behaviour.as_str(), "--set", &count, "--call-timeout", time];
        let arguments = [&account[..], &settings, more].concat();
        discreet(self.wissel().run_with(&arguments, PASSWORD)).success();
        self.scene.job_of(name, name, &["--folder", "INBOX", "--action", "leave", "--every", "1s"]);
    }

    /// Runs a job once, with `--json`.
    pub(crate) fn run(&self, job: &str) -> (Output, Duration) {
        let begun = Instant::now();
        (printable(self.scene.run(&["job", "run", job, "--json"])), begun.elapsed())
    }

    /// How a job fares.
    pub(crate) fn health(&self, job: &str) -> Value {
        self.wissel().json(&["job", "show", job])["health"].clone()
    }

    /// The job fails, and says why in these words.
    #[track_caller]
    pub(crate) fn assert_failing(&self, job: &str, says: &[&str]) {
        let health = self.health(job);
        assert!(health["failing_since"].is_string(), "{job}: {health:#}");
        let reason = health["reason"].as_str().unwrap_or_default();
        for text in says {
            assert!(reason.contains(text), "{job}: '{text}' is not in the reason: {reason}");
        }
    }

    /// The sink of a hostile job holds these of its messages, whole and once, and nothing else.
    #[track_caller]
    pub(crate) fn assert_holds(&self, job: &str, messages: &[usize]) {
        let sink = self.scene.sink(job);
        let tokens: Vec<String> = messages.iter().map(|number| token(*number)).collect();
        let held = Tokens::in_sink(&sink);
        held.assert_each_once(&tokens, SINK);
        assert_eq!(held.different(SINK), messages.len(), "{job}: other messages are in the sink");
        for file in files(&sink) {
            let name = file.display();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("eml") => {
                    let text = fs::read_to_string(&file).unwrap();
                    assert!(text.ends_with('\n') && text.contains("Kenmerk: "), "{name} is half a message");
                }
                Some("json") => {
                    let text = fs::read_to_string(&file).unwrap();
                    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{name}");
                }
                _ => panic!("{job}: {name} was left behind"),
            }
        }
    }

    /// The good job still does its work: what arrives now is imported.
    #[track_caller]
    pub(crate) fn assert_neighbour_works(&self, seed: u64) {
        let samples = corpus::messages(seed, 3);
        self.scene.server.deliver(ALICE, "INBOX", &samples);
        let (output, _) = self.run(GOOD);
        assert_eq!(output.success().json()["imported"], 3);
        Tokens::in_sink(&self.scene.sink(GOOD)).assert_each_once(&corpus::tokens(&samples), SINK);
    }
}

/// How long a wait may last before it is given up, on the slowest machine: what it waits for comes in seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for `wanted`, and returns after how long it came.
#[track_caller]
pub(crate) fn until(what: &str, mut wanted: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < PATIENCE, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
    begun.elapsed()
}

/// Cases that are looked at at the same time: most of the time they wait, but each is a program that has to start.
const AT_ONCE: usize = 5;

/// Looks at every case, a few at a time.
pub(crate) fn each<T: Sync>(cases: &[T], check: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((number, case)) =
                    Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, cases.get(n)?)))
                {
                    check(number, case);
                }
            });
        }
    });
}

/// The hostile connector.
pub(crate) fn rogue() -> Vec<u8> {
    let file = paths::guests().join("rogue.wasm");
    fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask connectors`", file.display()))
}

/// `bytes` with every `from` replaced by `to`, which is as long.
pub(crate) fn changed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = memchr::memmem::find_iter(bytes, from).collect();
    assert!(!places.is_empty(), "'{from}' is not in the component");
    let mut bytes = bytes.to_vec();
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// The token in a message of the hostile mailbox.
pub(crate) fn token(number: usize) -> String {
    format!("wissel-token-{number:032x}")
}

/// Panics when a command printed anything that would command a terminal.
#[track_caller]
pub(crate) fn printable(output: Output) -> Output {
    if let Some(line) = raw_line(&output) {
        panic!("printed as it is: {line:?}");
    }
    output
}

/// The first line that a command printed with a control character in it.
pub(crate) fn raw_line(output: &Output) -> Option<&str> {
    let lines = output.stdout.split('\n').chain(output.stderr.split('\n'));
    lines.into_iter().find(|line| line.contains(char::is_control))
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The list of cases that a test prints at its end, also when it fails.
pub(crate) struct List {
    title: &'static str,
    lines: Mutex<Vec<(String, String, Duration)>>,
}

impl List {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, lines: Mutex::default() }
    }

    pub(crate) fn add(&self, case: &str, ended: impl Into<String>, time: Duration) {
        self.lines.lock().unwrap().push((case.to_owned(), ended.into(), time));
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        let mut text = format!("\n{}\n", self.title);
        for (case, ended, time) in lines {
            let _ = writeln!(text, "  {case:<30} {ended:<60} {:>6.1} s", time.as_secs_f64());
        }
        // One write, as other tests print too.
        print!("{text}");
    }
}
