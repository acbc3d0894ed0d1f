//! The one error that a mailbox operation ends in, whichever connector ran it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong, as the host acts on it. The first eleven are the contract's (`types.error-kind`); a connector
/// cannot return the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The credential is missing, expired, revoked or refused.
    AuthorizationNeeded,
    /// Signed in, but without the right to do this; or an endpoint or secret the account does not grant.
    PermissionMissing,
    /// The service asks to slow down.
    Throttled,
    /// The folder, message or mailbox does not exist (any more).
    NotFound,
    /// A setting is wrong; [`ConnectorError::setting`] names it.
    InvalidSetting,
    /// This connector or this service cannot do it.
    Unsupported,
    /// Too large for the service or for a limit of the host.
    TooLarge,
    /// A network or server failure that may pass.
    Temporary,
    /// The service answered something that cannot be understood.
    Protocol,
    /// The item itself is bad. For one message this leads to quarantine, never to a stop.
    BadMessage,
    /// The host ended the operation: a stop was asked for, or the call's time is up.
    Cancelled,
    /// The connector itself failed: it trapped, exceeded a limit, or broke the contract. Made up by the host only.
    Fault,
}

impl ErrorKind {
    /// The name of the kind as the contract spells it, such as `authorization-needed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationNeeded => "authorization-needed",
            Self::PermissionMissing => "permission-missing",
            Self::Throttled => "throttled",
            Self::NotFound => "not-found",
            Self::InvalidSetting => "invalid-setting",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too-large",
            Self::Temporary => "temporary",
            Self::Protocol => "protocol",
            Self::BadMessage => "bad-message",
            Self::Cancelled => "cancelled",
            Self::Fault => "fault",
        }
    }

    /// What a person can do about it, in one English sentence. Connectors give better advice by code; this is the
    /// fallback, so that no error is a dead end.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::AuthorizationNeeded => {
                "Check the user name and store the password or token again with `wissel account edit`."
            }
            Self::PermissionMissing => {
                "Give the account the missing right, or allow it by name in the account's settings."
            }
            Self::Throttled => "Nothing to do: the job waits and tries again.",
            Self::NotFound => "List the folders with `wissel folder list` and correct the name.",
            Self::InvalidSetting => "Correct the setting with `wissel account edit`.",
            Self::Unsupported => "Choose another setting or another connector.",
            Self::TooLarge => {
                "Have the service's limit raised, or take the message out of the folder by hand."
            }
            Self::Temporary => {
                "If it does not pass by itself, check host name, port, security and network with `wissel doctor`."
            }
            Self::Protocol => {
                "Check host, port and security of the account; if they are right, report the answer shown."
            }
            Self::BadMessage => "Look at the message with `wissel quarantine`.",
            Self::Cancelled => "Run it again when you are ready.",
            Self::Fault => "Install another version of the connector, and report this to its author.",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure of one operation or of one message: the contract's flat `error` record. Never holds a secret or
/// message content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}{}", .code.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default())]
pub struct ConnectorError {
    /// How the host acts on it.
    pub kind: ErrorKind,
    /// One sentence for the operator, in English.
    pub message: String,
    /// The innermost code of the service, verbatim.
    pub code: Option<String>,
    /// How long to wait before the next attempt, in milliseconds.
    pub retry_after_ms: Option<u32>,
    /// The key of the setting that is at fault.
    pub setting: Option<String>,
    /// The session can no longer be used; open a new one.
    pub session_lost: bool,
}

impl ConnectorError {
    /// An error of this kind with a sentence for the operator.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            retry_after_ms: None,
            setting: None,
            session_lost: false,
        }
    }

    /// Adds the service's code, verbatim.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Names the setting at fault.
    #[must_use]
    pub fn with_setting(mut self, key: impl Into<String>) -> Self {
        self.setting = Some(key.into());
        self
    }

    /// Says that the session cannot be used any more.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.session_lost = true;
        self
    }

    /// How long the service asks to wait, when it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(|ms| Duration::from_millis(u64::from(ms)))
    }
}
