//! Import jobs: from which folders of which accounts, what to take, where it goes, and what becomes of the original.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AccountId, FolderAddress, FolderId, JobId, Pattern, Schedule};

/// A job that imports mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    /// Given once.
    pub id: JobId,
    /// The name that people use. Unique without regard to case.
    pub name: String,
    /// The accounts it imports from, each with its own folders.
    pub accounts: Vec<JobAccount>,
    /// Also import from the folders below the import folder.
    pub include_subfolders: bool,
    /// What becomes of a message once it is delivered.
    pub action: ProcessedAction,
    /// Create the processed folder when it is missing.
    pub create_processed_folder: bool,
    /// Which messages are taken.
    pub filter: Filter,
    /// Where the messages go.
    pub target: DirectoryTarget,
    /// When the service runs it; none: only when run by hand.
    pub schedule: Option<Schedule>,
    /// Whether the service also waits for changes of the import folders between two runs, and then runs it at once.
    pub watch: bool,
    /// Whether the service runs it.
    pub enabled: bool,
    /// Counts the changes of this record; a switch compares it.
    pub revision: i64,
}

/// One account of a job with the folders it uses there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobAccount {
    /// Which account.
    pub account: AccountId,
    /// The import folder, as the operator named it.
    pub folder: FolderAddress,
    /// The processed folder, as the operator named it; needed when the action is to move.
    pub processed: Option<FolderAddress>,
    /// The import folder as it was found last.
    pub pin: Option<Pin>,
    /// The processed folder as it was found last.
    pub processed_pin: Option<Pin>,
}

/// A folder as it was found: by id, so that a rename is survived, and by path, so that a new id is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The connector's id for it.
    pub id: FolderId,
    /// Display names from the top.
    pub path: Vec<String>,
}

/// What becomes of a message once it is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessedAction {
    /// It is moved to the processed folder.
    Move,
    /// It is marked as read.
    MarkRead,
    /// It is deleted.
    Delete,
    /// It stays as it is; only the ledger remembers.
    Leave,
}

impl ProcessedAction {
    /// The name of the action, as stored and typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::MarkRead => "mark-read",
            Self::Delete => "delete",
            Self::Leave => "leave",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Move, Self::MarkRead, Self::Delete, Self::Leave].into_iter().find(|a| a.as_str() == text)
    }
}

/// Which messages a job takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Filter {
    /// Only unread messages.
    pub unread_only: bool,
    /// Only messages received at or after this moment, or within this span before the run.
    pub newer_than: Option<NewerThan>,
    /// Only messages whose From header, as the listing shows it, fits one of these; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Pattern>,
    /// Only messages whose subject fits one of these; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<Pattern>,
    /// Only messages with an attachment; a picture within the text is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_attachment: bool,
    /// Only messages with a file whose name fits one of these; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment_names: Vec<Pattern>,
}

impl Filter {
    /// Whether it takes a message with this From header and subject. A header that is missing is an empty text.
    #[must_use]
    pub fn takes_headers(&self, from: Option<&str>, subject: Option<&str>) -> bool {
        let fits = |patterns: &[Pattern], text: Option<&str>| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(text.unwrap_or_default()))
        };
        fits(&self.from, from) && fits(&self.subject, subject)
    }

    /// Whether it reads From or the subject.
    #[must_use]
    pub fn reads_headers(&self) -> bool {
        !(self.from.is_empty() && self.subject.is_empty())
    }

    /// What it asks of the inside of a message, in one text; none when it asks nothing. Two filters with the same text
    /// decide alike.
    #[must_use]
    pub fn inside(&self) -> Option<String> {
        if !self.with_attachment && self.attachment_names.is_empty() {
            return None;
        }
        let names: Vec<String> =
            self.attachment_names.iter().map(|name| format!("{:?}", name.to_string())).collect();
        Some(format!("attachment={} names=[{}]", self.with_attachment, names.join(",")))
    }

    /// Whether it takes a message with these files: the name of each, and whether it is a picture within the text.
    pub fn takes_files<'a>(&self, files: impl Iterator<Item = (&'a str, bool)>) -> bool {
        let (mut attached, mut named) = (!self.with_attachment, self.attachment_names.is_empty());
        for (name, within_text) in files {
            attached |= !within_text;
            named |= self.attachment_names.iter().any(|pattern| pattern.fits(name));
        }
        attached && named
    }
}

/// The lower end of a filter by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewerThan {
    /// A fixed moment.
    Moment(Timestamp),
    /// So many days before the run.
    Days(u32),
}

impl NewerThan {
    /// The moment that is meant, for a run at `now`.
    #[must_use]
    pub fn since(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Days(days) => {
                now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

/// A directory that imported messages are written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirectoryTarget {
    /// The directory; made when missing.
    pub directory: PathBuf,
    /// Also write each attachment as a file of its own.
    #[serde(default)]
    pub extract_attachments: bool,
}
