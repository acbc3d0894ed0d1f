//! The testbed as a process: its mailbox, the post that delivers into it, and an observer's questions about it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// The file with the certificate to trust, in the demonstration's folder.
pub(super) const CA_FILE: &str = "testbed-ca.pem";
/// The mailbox's password.
pub(super) const PASSWORD: &str = "wachtwoord";
/// The secret of the client at the provider.
pub(super) const CLIENT_SECRET: &str = "demo8Q~good-for-this-demonstration-only";

/// Octets of the large message, which is made while it is read.
const LARGE: &str = "83886080";

/// A running testbed. It ends when this is dropped, and when this process dies, because its input ends then.
pub(super) struct Post {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    opening: Value,
    port: u16,
}

impl Post {
    /// Starts the testbed with its sample mailbox on free ports; its certificate goes into `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let program = workspace::program("wissel-testbed");
        let mut command = Command::new(&program);
        command
            .current_dir(folder)
            .args(["--inbox", "nested", "--large", LARGE, "--ca-file", CA_FILE])
            .env("WISSEL_TESTBED_PASSWORD", PASSWORD)
            .env("WISSEL_TESTBED_CLIENT_SECRET", CLIENT_SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let input = process.stdin.take().context("the testbed has no input")?;
        let output = process.stdout.take().context("the testbed has no output")?;
        let mut post = Self { process, input, output: BufReader::new(output), opening: Value::Null, port: 0 };
        post.opening = post.read().context("the testbed did not start")?;
        let port = workspace::text(&post.opening, "imaps").rsplit_once(':').map(|(_, port)| port.parse());
        post.port = port.context("the testbed names no port")??;
        Ok(post)
    }

    /// Where TLS is spoken from the first byte.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Who signs in.
    pub(super) fn user(&self) -> &str {
        self.opening.pointer("/users/0/user").and_then(Value::as_str).unwrap_or_default()
    }

    /// A fact of the test bed's, such as where a face listens.
    pub(super) fn fact(&self, name: &str) -> &str {
        workspace::text(&self.opening, name)
    }

    /// Lets a person sign in at an address.
    pub(super) fn browse(&mut self, link: &str) -> Result<()> {
        let visit = self.ask(&format!("browse {link}"))?;
        if visit.get("status").and_then(Value::as_u64) != Some(200) {
            bail!("the person ended at {visit}");
        }
        Ok(())
    }

    /// The tokens of the messages that lay in the import folder at the start.
    pub(super) fn tokens(&self) -> Result<Vec<String>> {
        texts(&self.opening, "tokens")
    }

    /// Delivers new messages; answers with their tokens.
    pub(super) fn deliver(&mut self, count: usize, folder: &str) -> Result<Vec<String>> {
        texts(&self.ask(&format!("deliver {count} {folder}"))?, "delivered")
    }

    /// The same into a folder that is made first.
    pub(super) fn deliver_new(&mut self, count: usize, folder: &str) -> Result<Vec<String>> {
        self.ask(&format!("create {folder}"))?;
        self.deliver(count, folder)
    }

    /// Hands a line to the testbed; answers with its answer.
    pub(super) fn ask(&mut self, line: &str) -> Result<Value> {
        writeln!(self.input, "{line}").context("the testbed has ended")?;
        let answer = self.read()?;
        match answer.get("error") {
            Some(error) => bail!("the testbed: {}", error.as_str().unwrap_or_default()),
            None => Ok(answer),
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the testbed has ended");
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // Both do nothing when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn texts(object: &Value, field: &str) -> Result<Vec<String>> {
    let list = object.get(field).and_then(Value::as_array);
    let list = list.with_context(|| format!("the testbed's answer has no `{field}`"))?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
