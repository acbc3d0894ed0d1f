//! What a person is told away from the terminal, and the channels that it goes through. How it is sent is decided by
//! whoever sends it.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::AlertChannelId;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It works, and will stop if nobody acts.
    Warning,
    /// It does not work.
    Critical,
    /// Nothing is the matter: the channel is tried.
    Test,
}

/// Something that a person should know. Holds no secret and no content of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for what is the same: a channel is told it once.
    pub id: String,
    /// What it is about, such as `secret-expiry`: what programs branch on.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// When it was noticed.
    pub at: Timestamp,
    /// What it concerns, such as the client's name.
    pub subject: String,
    /// What is the matter, as a sentence.
    pub message: String,
    /// What a person can do about it.
    pub next: String,
    /// What programs may want to know besides, by kind.
    pub detail: serde_json::Value,
}

/// Where alerts go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertChannel {
    /// Given once.
    pub id: AlertChannelId,
    /// What people call it. Unique without regard to case.
    pub name: String,
    /// How it is reached.
    pub target: AlertTarget,
    /// Seconds that it may take.
    pub time_limit_seconds: u32,
}

/// How a channel is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertTarget {
    /// A program, with its arguments; the alert comes as JSON on its standard input.
    Command(Vec<String>),
    /// An https address that the alert is posted to as JSON.
    Webhook {
        /// The address. It may be as good as a secret, so it is only shown where it is edited.
        url: String,
        /// A file with PEM certificates to trust instead of the system's.
        ca_file: Option<PathBuf>,
    },
}
