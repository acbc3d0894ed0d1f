//! A failure that the command line itself finds, with the next step and the exit code.
//!
//! Failures of the crates below have types of their own; [`crate::exit`] sorts both.

use wissel_model::ConnectorError;

use crate::exit::{Code, cut};
use crate::text::quoted;

/// The way on when a connector is missing.
pub(crate) const INSTALL: &str =
    "Install it with `wissel connector install FILE`; `wissel connector list` shows what is installed.";

/// What is wrong, where, and what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Problem {
    /// The exit code.
    pub(crate) code: Code,
    /// What programs tell it by, such as `not-found`.
    pub(crate) name: &'static str,
    /// What is wrong and where.
    pub(crate) message: String,
    /// What a person can do; may be empty.
    pub(crate) next: String,
}

impl Problem {
    /// Options or settings that cannot be used as they stand.
    pub(crate) fn usage(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: Code::Usage, name: "usage", message: message.into(), next: next.into() }
    }

    /// Something that was named does not exist.
    pub(crate) fn not_found(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: Code::NotFound, name: "not-found", message: message.into(), next: next.into() }
    }

    /// The work failed.
    pub(crate) fn failed(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: Code::Failed, name: "failed", message: message.into(), next: next.into() }
    }

    /// The home directory, or a file in it, cannot be used.
    pub(crate) fn home(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: Code::Home, name: "home", message: message.into(), next: next.into() }
    }

    /// What a connector answered for an account, with the advice that fits best.
    pub(crate) fn mailbox(
        account: &str,
        folder: Option<&str>,
        error: &ConnectorError,
        advice: Option<&str>,
    ) -> Self {
        if error.code.as_deref() == Some(wissel_model::secrets::code::VAULT) {
            // The account is fine; what it needs lies in the home directory, and the message says what to do there.
            return cut(Code::Home, "vault", &format!("account '{account}': {}", error.message)).into();
        }
        let name = quoted(account);
        let folder = folder.map(|folder| format!(", folder '{folder}'")).unwrap_or_default();
        let message = format!("account '{account}'{folder}: {error}");
        let next = match (advice, error.code.as_deref()) {
            (Some(advice), _) => advice.to_owned(),
            (None, Some("no-connector")) => return Self::not_found(message, INSTALL),
            (None, Some("certificate")) => format!(
                "Correct the host name, or trust the authority that signed it with `wissel account edit \
                 {name} --ca-file FILE`. Unsafe: --allow-untrusted-certificate accepts any."
            ),
            (None, Some("clear-text")) => format!(
                "Use TLS. Unsafe: `wissel account edit {name} --allow-clear-text {}` lets the secret go out \
                 unencrypted.",
                endpoint(&error.message)
            ),
            (None, _) => error.kind.advice().to_owned(),
        };
        Self { code: Code::of_kind(error.kind), name: error.kind.as_str(), message, next }
    }
}

/// The endpoint that a message of the host speaks of.
fn endpoint(message: &str) -> &str {
    let name = message.split_once("endpoint '").and_then(|(_, rest)| rest.split_once('\''));
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    name.map(|(name, _)| name).filter(|name| name.chars().all(fits)).unwrap_or("ENDPOINT")
}
