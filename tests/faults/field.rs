//! A server and an installation, a job for each case, and what every case has to keep.

use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wissel_tests::corpus::{self, Sample};
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::{Entry, Scene};
use wissel_tests::wissel::Output;
use xtask::workspace;

/// How long a service may take to move everything.
const PATIENCE: Duration = Duration::from_secs(180);

/// A server and an installation.
pub(crate) struct Field {
    pub(crate) scene: Scene,
    list: List,
    making: Mutex<()>,
}

impl Field {
    /// With the title of the list of its cases.
    pub(crate) fn new(title: &'static str, options: &Options) -> Self {
        Self {
            scene: Scene::empty(options),
            list: List { title, lines: Mutex::default() },
            making: Mutex::default(),
        }
    }

    /// An account of this name, changed as the case needs it.
    pub(crate) fn account(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        let mut entry = Entry { name: name.to_owned(), ..Entry::of(&self.scene.server) };
        change(&mut entry);
        self.scene.add(&entry).success();
    }

    /// An account in the clear, to a proxy at `port`.
    pub(crate) fn clear_account(&self, name: &str, port: u16) {
        let clear = Entry::clear(&self.scene.server, port);
        self.scene.add(&Entry { name: name.to_owned(), ..clear }).success();
    }

    /// A job of the account, of the same name, that moves `count` messages out of a folder of its own.
    pub(crate) fn case(&self, name: &str, count: u64, more: &[&str]) -> Case<'_> {
        let number = self.list.number();
        let case = Case {
            field: self,
            name: name.to_owned(),
            folder: format!("In {number}"),
            processed: format!("Verwerkt {number}"),
            samples: Mutex::default(),
        };
        {
            // Dovecot's administration stumbles over two of itself that make folders of one user.
            let _alone = self.making.lock().unwrap();
            self.scene.server.create_folder(ALICE, &case.folder);
            self.scene.server.create_folder(ALICE, &case.processed);
        }
        case.deliver(count);
        let job = ["--folder", &case.folder, "--processed", &case.processed];
        self.scene.job_of(name, name, &[&job, more].concat());
        case
    }
}

/// One fault: a job with its messages.
pub(crate) struct Case<'a> {
    pub(crate) field: &'a Field,
    pub(crate) name: String,
    pub(crate) folder: String,
    processed: String,
    samples: Mutex<Vec<Sample>>,
}

impl Case<'_> {
    /// New messages arrive.
    pub(crate) fn deliver(&self, count: u64) {
        let samples = corpus::messages(fastrand::u64(..), count);
        self.field.scene.server.deliver(ALICE, &self.folder, &samples);
        self.samples.lock().unwrap().extend(samples);
    }

    /// Octets of its messages.
    pub(crate) fn octets(&self) -> usize {
        self.samples.lock().unwrap().iter().map(|sample| sample.bytes.len()).sum()
    }

    fn tokens(&self) -> Vec<String> {
        self.samples.lock().unwrap().iter().map(|sample| sample.token.clone()).collect()
    }

    /// Runs the job.
    pub(crate) fn run(&self) -> Output {
        self.field.scene.run(&["job", "run", &self.name])
    }

    /// A run with the fault ended with one of these codes, and said this.
    #[track_caller]
    pub(crate) fn assert_ended(&self, output: &Output, codes: &[i32], says: &[&str]) {
        let Output { code, stdout, stderr, .. } = output;
        let expected = code.is_some_and(|code| codes.contains(&code));
        assert!(expected, "{}: ended with {code:?}\n{stdout}\n{stderr}", self.name);
        for text in says {
            assert!(stderr.contains(text), "{}: '{text}' is not in\n{stderr}", self.name);
        }
    }

    /// What must hold at any moment: no message is lost, none is published twice, and what has left its folder is in
    /// the sink.
    #[track_caller]
    pub(crate) fn assert_nothing_lost(&self) {
        let sink = Tokens::in_sink(&self.published());
        let mailbox = Tokens::in_mailbox(&self.field.scene.server, ALICE);
        for token in self.tokens() {
            let files = sink.count(&token, SINK);
            let (here, there) = (mailbox.count(&token, &self.folder), mailbox.count(&token, &self.processed));
            let name = &self.name;
            assert!(
                files <= 1 && here <= 1 && there <= 1,
                "{name}: {files} files, {here} left, {there} moved"
            );
            assert!(here + there >= 1, "{name}: a message is gone from the mailbox");
            assert!(there == 0 || files == 1, "{name}: moved, but not in the sink");
        }
    }

    /// The sink, without what is half written in it.
    fn published(&self) -> std::path::PathBuf {
        let (sink, copy) = (self.field.scene.sink(&self.name), self.field.scene.wissel.path("looked at"));
        let copy = copy.join(&self.folder);
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir_all(&copy).unwrap();
        for entry in fs::read_dir(sink).into_iter().flatten().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|extension| extension == "eml") {
                fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
            }
        }
        copy
    }

    /// The fault is over: the next run brings everything into its place. Prints the case.
    #[track_caller]
    pub(crate) fn recovers(&self, ended: &str) {
        let begun = Instant::now();
        let output = self.run();
        let took = begun.elapsed();
        // Also with a lease that the fault left behind: a run takes it over, or ends because it cannot.
        self.assert_ended(&output, &[0], &[]);
        self.assert_complete();
        self.ended(ended, took);
    }

    /// Prints the case: what it ended in, and how long it took until all was well again.
    #[track_caller]
    pub(crate) fn ended(&self, ended: &str, took: Duration) {
        self.field.list.add(&self.name, ended, took);
    }

    /// Waits until a service has moved everything. Returns how long that took.
    #[track_caller]
    pub(crate) fn wait(&self) -> Duration {
        let begun = Instant::now();
        let all = self.tokens().len();
        while Tokens::in_mailbox(&self.field.scene.server, ALICE).different(&self.processed) < all {
            assert!(begun.elapsed() < PATIENCE, "{}: messages do not come", self.name);
            std::thread::sleep(Duration::from_millis(200));
        }
        begun.elapsed()
    }

    /// Each message is in the sink and in the processed folder, once and nowhere else, and nothing is left to do.
    #[track_caller]
    pub(crate) fn assert_complete(&self) {
        let report = self.field.scene.run(&["job", "run", &self.name, "--json"]).success().json();
        assert_eq!(report["imported"], 0, "{}", self.name);
        let (tokens, sink) = (self.tokens(), Tokens::in_sink(&self.field.scene.sink(&self.name)));
        sink.assert_each_once(&tokens, SINK);
        assert_eq!(sink.different(SINK), tokens.len(), "{}: strangers in the sink", self.name);
        Tokens::in_mailbox(&self.field.scene.server, ALICE).assert_each_once(&tokens, &self.processed);
    }
}

/// How an output is told of in the list.
pub(crate) fn ending(output: &Output) -> String {
    let code = output.code.map_or_else(|| "killed".to_owned(), |code| format!("exit code {code}"));
    let said = output.stderr.lines().rfind(|line| line.contains(": ")).unwrap_or_default();
    let said: String = said.trim().chars().take(100).collect();
    if output.code == Some(0) { format!("{code}, by itself") } else { format!("{code}: {said}") }
}

/// The list of cases that a test prints at its end, also when it fails.
struct List {
    title: &'static str,
    lines: Mutex<Vec<(Option<String>, String, Duration)>>,
}

impl List {
    fn number(&self) -> usize {
        let mut lines = self.lines.lock().unwrap();
        lines.push((None, String::new(), Duration::ZERO));
        lines.len()
    }

    #[track_caller]
    fn add(&self, case: &str, ended: &str, took: Duration) {
        self.lines.lock().unwrap().push((Some(case.to_owned()), ended.to_owned(), took));
        let document = fs::read_to_string(workspace::root().join("docs/faults.md")).unwrap();
        assert!(document.contains(&format!("\n| {case} | ")), "docs/faults.md has no row for '{case}'");
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        let mut text =
            format!("\n{}: the case, what it ended in, how long the run after it took\n", self.title);
        for (case, ended, took) in lines {
            let Some(case) = case else { continue };
            let _ = writeln!(text, "  {case:<50} {:>5.1} s  {ended}", took.as_secs_f64());
        }
        // One write, as other tests print too.
        print!("{text}");
    }
}
