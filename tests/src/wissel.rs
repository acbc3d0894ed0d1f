//! A driver for the program `wissel`: runs it in a home of its own, and stops it the hard way.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::paths;

/// An installation: its own home directory, and the environment its commands get.
pub struct Wissel {
    home: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Wissel {
    /// An installation with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// The same, with its home below `folder`.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        let home = tempfile::Builder::new().prefix("wissel-home-").tempdir_in(folder).unwrap();
        let environment = vec![
            ("WISSEL_HOME".into(), home.path().as_os_str().to_owned()),
            ("WISSEL_CONNECTORS".into(), paths::connectors().into_os_string()),
        ];
        Self { home, environment }
    }

    /// Adds a variable to the environment of later commands.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.into(), value.into()));
    }

    /// Its home directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path below its home.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// Runs a command to its end, with `input` as its standard input.
    #[must_use]
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut running = self.spawn(arguments);
        // A command that does not read its input has closed it: no error of ours.
        let _ = running.process.stdin.take().unwrap().write_all(input.as_bytes());
        running.wait()
    }

    /// Runs a command to its end, started by another program such as `prlimit` with its arguments.
    #[must_use]
    pub fn run_under(&self, starter: &[&str], arguments: &[&str]) -> Output {
        self.spawn_under(starter, arguments).wait()
    }

    /// Starts a command as another program starts it, and leaves it running.
    #[must_use]
    pub fn spawn_under(&self, starter: &[&str], arguments: &[&str]) -> Running {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(paths::wissel());
        self.start(command, arguments)
    }

    /// Runs a command that has to succeed, with `--json`, and returns what it printed.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).success().json()
    }

    /// Starts a command and leaves it running.
    #[must_use]
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        self.start(Command::new(paths::wissel()), arguments)
    }

    fn start(&self, mut command: Command, arguments: &[&str]) -> Running {
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!("{}: {error}; run `cargo build -p wissel-cli`", command.get_program().display());
        });
        let stdout = Heard::listen(process.stdout.take());
        let stderr = Heard::listen(process.stderr.take());
        Running { process, command: arguments.join(" "), stdout, stderr }
    }
}

impl Default for Wissel {
    fn default() -> Self {
        Self::new()
    }
}

/// A command that runs. Dropped, it is killed.
pub struct Running {
    process: Child,
    command: String,
    stdout: Heard,
    stderr: Heard,
}

/// What a process writes, read as it comes: a full pipe would hold the process up.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Heard {
    fn listen(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = stream.map(|mut stream| {
            std::thread::spawn(move || {
                let mut piece = [0; 8192];
                while let Ok(length @ 1..) = stream.read(&mut piece) {
                    kept.lock().unwrap().extend_from_slice(&piece[..length]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// All of it, once the stream has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Kills it, as a loss of power would end it: SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Asks it to end: SIGTERM.
    pub fn terminate(&self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
    }

    /// What it has written to standard error until now.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for its end.
    #[must_use]
    pub fn wait(mut self) -> Output {
        drop(self.process.stdin.take());
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let status = self.process.wait().unwrap();
        Output { command: std::mem::take(&mut self.command), code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a command left.
#[derive(Clone, Debug)]
pub struct Output {
    command: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Panics with everything it said unless it succeeded.
    #[allow(clippy::must_use_candidate, reason = "often the success is all that is asked")]
    pub fn success(self) -> Self {
        let Self { command, code, stdout, stderr } = &self;
        assert!(*code == Some(0), "`wissel {command}` ended with {code:?}\n{stdout}\n{stderr}");
        self
    }

    /// Its standard output as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("`wissel {}` printed no JSON: {error}\n{}", self.command, self.stdout)
        })
    }
}
