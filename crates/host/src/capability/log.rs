//! `log`: a connector's lines in the host's log, with account and purpose, cleaned, masked and not too many.
//!
//! Masking is the second net: a connector has no secret to begin with.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::Regex;
use tracing::{Level, event, event_enabled};

use crate::bindings::wissel::connector::log::{self, Level as ContractLevel};
use crate::state::State;
use crate::text::cleaned;

/// Lines of one session in [`WINDOW`].
const MOST_LINES: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(60);
/// Characters of one line, fields included.
const LONGEST: usize = 2_000;

/// How many lines the session may still write.
#[derive(Debug)]
pub(crate) struct Budget {
    since: Instant,
    written: u32,
    dropped: u32,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), written: 0, dropped: 0 }
    }

    /// Whether one more line fits, and how many were dropped before it.
    fn take(&mut self) -> Option<u32> {
        if self.since.elapsed() >= WINDOW {
            let dropped = std::mem::take(&mut self.dropped);
            *self = Self { since: Instant::now(), written: 1, dropped: 0 };
            return Some(dropped);
        }
        if self.written >= MOST_LINES {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.written += 1;
        Some(0)
    }
}

/// One event of the level that the connector chose; `tracing` wants levels at compile time.
macro_rules! at_level {
    ($level:expr, $act:ident) => {
        match $level {
            ContractLevel::Error => $act!(Level::ERROR),
            ContractLevel::Warn => $act!(Level::WARN),
            ContractLevel::Info => $act!(Level::INFO),
            ContractLevel::Debug => $act!(Level::DEBUG),
            ContractLevel::Trace => $act!(Level::TRACE),
        }
    };
}

impl log::Host for State {
    fn enabled(&mut self, level: ContractLevel) -> wasmtime::Result<bool> {
        macro_rules! enabled {
            ($level:expr) => {
                event_enabled!(target: "wissel::connector", $level)
            };
        }
        Ok(at_level!(level, enabled))
    }

    fn write(
        &mut self,
        level: ContractLevel,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        if !self.enabled(level)? {
            return Ok(());
        }
        let Some(dropped) = self.log.take() else { return Ok(()) };
        let context = &self.context;
        let (account, connector) = (&context.account.name, &context.account.connector);
        if dropped > 0 {
            tracing::warn!(target: "wissel::connector", account, connector, dropped, "log lines were dropped");
        }
        let line = line(&message, &fields);
        macro_rules! write {
            ($level:expr) => {
                event!(target: "wissel::connector", $level, account, connector, purpose = context.purpose, "{line}")
            };
        }
        at_level!(level, write);
        Ok(())
    }
}

fn line(message: &str, fields: &[(String, String)]) -> String {
    let mut line = message.to_owned();
    for (key, value) in fields {
        line.push_str(&format!(" {key}={value}"));
        if line.len() > LONGEST * 4 {
            break;
        }
    }
    masked(&cleaned(&line, LONGEST))
}

static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // A scheme or a telling name with its value, and tokens in the form of RFC 7519.
    Regex::new(concat!(
        r"(?i)\b(bearer|basic)\s+[a-z0-9+/_.~=-]{8,}",
        r"|\b(pass(word|wd)?|secret|token|api[_-]?key|authorization)\s*[=:]\s*((bearer|basic)\s+)?\S+",
        r"|\beyJ[a-zA-Z0-9_-]{8,}\.[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]*)?",
    ))
    .ok()
});

fn masked(line: &str) -> String {
    SECRETS
        .as_ref()
        .map_or_else(|| line.to_owned(), |secrets| secrets.replace_all(line, "[masked]").into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_shows_no_secret() {
        let fields =
            [("password".to_owned(), "hunter2".to_owned()), ("folder".to_owned(), "A\r\nB".to_owned())];
        let line = line("Authorization: Bearer abcdefgh12345 eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x", &fields);
        for secret in ["hunter2", "abcdefgh12345", "eyJ", "\n", "\r"] {
            assert!(!line.contains(secret), "{line}");
        }
        assert!(line.contains("folder=A"));
    }

    #[test]
    fn a_flood_is_cut_off_and_counted() {
        let mut budget = Budget::new();
        let written = (0..5_000).filter(|_| budget.take().is_some()).count();
        assert_eq!((written, budget.dropped), (1_000, 4_000));
    }
}
