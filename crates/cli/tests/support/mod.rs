//! Runs the program in a home of its own, and finds a connector to try it with.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of this")]

pub mod oauth;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub struct Wissel {
    pub home: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Wissel {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.spawn(arguments);
        // A command that does not read its input has closed it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts a command and leaves it running.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wissel"));
        command.args(arguments).env("WISSEL_HOME", self.home.path()).env_remove("WISSEL_CONNECTORS");
        command.env("LANG", "C").env_remove("LC_ALL").env_remove("WISSEL_LANG").env_remove("WISSEL_LOG");
        command.env_remove("WISSEL_VAULT_KEY");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    pub fn ok(&self, arguments: &[&str]) -> Output {
        self.ok_with(arguments, "")
    }

    pub fn ok_with(&self, arguments: &[&str], input: &str) -> Output {
        let output = self.run_with(arguments, input);
        assert_eq!(output.code, 0, "{arguments:?}\n{}\n{}", output.stdout, output.stderr);
        output
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        self.ok(&[arguments, &["--json"]].concat()).json()
    }

    /// The document that a command which must fail prints, after its exit code was compared.
    pub fn error(&self, code: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.code, code, "{arguments:?}\n{}\n{}", output.stdout, output.stderr);
        output.json()["error"].clone()
    }
}

impl Output {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n{}", self.stdout, self.stderr))
    }

    pub fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// A built connector whose accounts have a host and port: its file and name.
pub fn connector() -> (PathBuf, String) {
    let folder = std::env::var_os("WISSEL_CONNECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/connectors"), PathBuf::from);
    let file = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .unwrap_or_else(|| panic!("no connector in {}: run `cargo xtask connectors`", folder.display()));
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    (file, name)
}
