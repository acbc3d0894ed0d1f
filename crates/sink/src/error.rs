//! Why mail could not be written, and what a person can do about it.
//!
//! Every error is one of the target, never of a message: broken mail is written like any other. The job and the
//! account are named by whoever calls; this crate does not know them when it opens a directory.

use std::io;
use std::path::{Path, PathBuf};

/// A file or directory of the target that could not be used. Nothing of the message it happened to is published.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} '{}': {cause}; {}", .path.display(), .problem.advice())]
pub struct SinkError {
    /// What is wrong, for programs.
    pub problem: Problem,
    /// The file or directory.
    pub path: PathBuf,
    /// What was being done to it, such as `write`.
    pub action: &'static str,
    /// What the operating system said. Part of the text, and so not a `source`.
    pub cause: io::Error,
}

/// What is wrong with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The directory does not exist (any more).
    Missing,
    /// The directory is not the one that messages were written to before: it is gone, or another stands in its place.
    Replaced,
    /// Something that is no directory stands in its place or above it.
    NotADirectory,
    /// This user may not write there.
    PermissionDenied,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The disk is full.
    DiskFull,
    /// This user's quota is used up.
    QuotaExceeded,
    /// A file would become larger than the file system or a limit of the process allows.
    FileTooLarge,
    /// The path is longer than the file system allows.
    PathTooLong,
    /// Anything else, such as a failing disk.
    Other,
}

impl Problem {
    /// What a person can do about it, as the end of a sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Missing => "make the directory, or mount the file system that holds it",
            Self::Replaced => {
                "mount the file system that belongs there, or bring the directory back; to go on in a new one, name it \
                 again with `wissel job edit JOB --to DIR`"
            }
            Self::NotADirectory => "choose another directory for the job, or move what is in its place",
            Self::PermissionDenied => {
                "give the user that runs this program the right to write there, or choose another directory"
            }
            Self::ReadOnly => "mount the file system for writing, or choose another directory",
            Self::DiskFull => "free some space or choose a directory on another disk; nothing was lost",
            Self::QuotaExceeded => "raise the quota or free some space; nothing was lost",
            Self::FileTooLarge => {
                "raise the limit on the size of files, or choose a directory on another file system"
            }
            Self::PathTooLong => "choose a directory with a shorter path",
            Self::Other => "check the disk and the system's log",
        }
    }
}

impl SinkError {
    pub(crate) fn new(action: &'static str, path: &Path, cause: io::Error) -> Self {
        let problem = match cause.kind() {
            io::ErrorKind::NotFound => Problem::Missing,
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
                Problem::NotADirectory
            }
            io::ErrorKind::PermissionDenied => Problem::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem => Problem::ReadOnly,
            io::ErrorKind::StorageFull => Problem::DiskFull,
            io::ErrorKind::QuotaExceeded => Problem::QuotaExceeded,
            io::ErrorKind::FileTooLarge => Problem::FileTooLarge,
            io::ErrorKind::InvalidFilename => Problem::PathTooLong,
            _ => Problem::Other,
        };
        Self { problem, path: path.to_owned(), action, cause }
    }

    /// For `map_err`.
    pub(crate) fn on(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::new(action, path, cause)
    }
}
