//! The written dialogue that a connection follows.

use std::collections::VecDeque;

use crate::types::Readiness;

/// One step of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The service sends this.
    Server(Vec<u8>),
    /// The connector must send this before anything further is read.
    Client(Vec<u8>),
    /// The connector must begin TLS here.
    Tls,
    /// What `poll` returns here.
    Poll(Readiness),
    /// The service closes the connection.
    Eof,
}

/// Reads a script: see [`ScriptedHost::new`](super::ScriptedHost::new).
pub(super) fn parse(script: &str) -> VecDeque<Step> {
    script.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')).map(step).collect()
}

#[expect(clippy::panic, reason = "a mistake in a test's script")]
fn step(line: &str) -> Step {
    let ended = |text: &str| [text.as_bytes(), b"\r\n"].concat();
    let escaped = |text: &str| text.strip_prefix(' ').unwrap_or(text).replace("\\r\\n", "\r\n").into_bytes();
    match line.split_at_checked(2) {
        Some(("S:", text)) => Step::Server(ended(text.strip_prefix(' ').unwrap_or(text))),
        Some(("S-", text)) => Step::Server(escaped(text)),
        Some(("C:", text)) => Step::Client(ended(text.strip_prefix(' ').unwrap_or(text))),
        Some(("C-", text)) => Step::Client(escaped(text)),
        _ => match line.trim_end() {
            "TLS" => Step::Tls,
            "EOF" => Step::Eof,
            "POLL timed-out" => Step::Poll(Readiness::TimedOut),
            "POLL interrupted" => Step::Poll(Readiness::Interrupted),
            other => panic!("a script has no step `{other}`"),
        },
    }
}
