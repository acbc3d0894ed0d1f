//! The test bed as a program of its own: its faces on free ports, and commands that change what they do.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::paths;

/// A running test bed.
pub struct Bed {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
    /// Where its faces are, and who is known there: its first line.
    pub facts: Value,
}

impl Bed {
    /// Starts one and waits until it serves.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("wissel-bed-").tempdir().unwrap();
        let mut process = Command::new(paths::testbed())
            .args(arguments)
            .arg("--ca-file")
            .arg(folder.path().join("ca.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the test bed: {error}; run `cargo build --workspace`"));
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let facts = serde_json::from_str(&output.next().expect("the test bed ended").unwrap()).unwrap();
        Self { input: process.stdin.take().unwrap(), process, output, folder, facts }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The certificate of the authority that its faces are to be trusted by.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// One of its facts that is a text, such as `entra`.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        self.facts[name].as_str().unwrap_or_else(|| panic!("the test bed does not say its {name}"))
    }

    /// Gives a command, and returns the answer.
    pub fn command(&mut self, line: &str) -> Value {
        writeln!(self.input, "{line}").unwrap();
        serde_json::from_str(&self.output.next().expect("the test bed ended").unwrap()).unwrap()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
