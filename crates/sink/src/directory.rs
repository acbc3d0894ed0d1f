//! The directory sink: opens and probes a directory, begins messages in it, and knows which it holds.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;
use wissel_model::MessageKey;
use wissel_model::job::DirectoryTarget;

use crate::commit::{self, Place};
use crate::incoming::Scratch;
use crate::{Context, Incoming, Problem, SinkError, Staged, blocking, durable};

/// Where messages are written before they are published; on the same file system, as renames must be atomic.
const INCOMING: &str = ".incoming";

/// A directory that messages are written to. Cheap to clone; several jobs and processes may use one directory.
#[derive(Debug, Clone)]
pub struct DirectorySink {
    directory: Arc<Path>,
    incoming: Arc<Path>,
    extract: bool,
}

/// What [`DirectorySink::probe`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// The directory is there and can be written to.
    Ready,
    /// It is missing and can be made.
    CanBeMade,
}

/// A message that the directory holds, with what its metadata says of it; a member is absent when the metadata was
/// changed by others and does not say it any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Held {
    /// Octets of the message.
    pub size: Option<u64>,
    /// SHA-256 of the message, lower-case hex.
    pub sha256: Option<String>,
    /// The canonical digest.
    pub digest: Option<String>,
    /// The Message-ID header, with its angle brackets.
    pub message_id: Option<String>,
    /// The subject, decoded.
    pub subject: Option<String>,
}

impl DirectorySink {
    /// Makes the directory when it is missing, and proves that messages can be written to it.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub async fn open(target: &DirectoryTarget) -> Result<Self, SinkError> {
        let sink = Self {
            directory: target.directory.as_path().into(),
            incoming: target.directory.join(INCOMING).into(),
            extract: target.extract_attachments,
        };
        let opened = sink.clone();
        blocking(&sink.directory, move || {
            durable::create_dir_all(&opened.incoming)?;
            try_out(&opened.incoming, &opened.directory)?;
            Ok(opened)
        })
        .await
    }

    /// Refuses a directory that messages were written to before and that is gone or was replaced: an unmounted file
    /// system leaves an empty directory behind, and mail written there would be on the wrong disk. Changes nothing.
    ///
    /// # Errors
    /// [`Problem::Replaced`](crate::Problem::Replaced).
    pub async fn expect_used(target: &DirectoryTarget) -> Result<(), SinkError> {
        let incoming = target.directory.join(INCOMING);
        blocking(&target.directory, move || match fs::metadata(&incoming) {
            Ok(found) if found.is_dir() => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SinkError::new("use", &incoming, error))
            }
            _ => {
                let cause =
                    io::Error::other("the directory that messages were written to before is not there");
                let path = incoming.parent().unwrap_or(&incoming).to_owned();
                Err(SinkError { problem: Problem::Replaced, path, action: "go on in", cause })
            }
        })
        .await
    }

    /// Says whether the directory could be used, and leaves nothing behind: makes no directory.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub async fn probe(target: &DirectoryTarget) -> Result<Readiness, SinkError> {
        let directory = target.directory.clone();
        blocking(&target.directory, move || {
            let (existing, readiness) = if directory.is_dir() {
                (directory.as_path(), Readiness::Ready)
            } else {
                (nearest_existing(&directory)?, Readiness::CanBeMade)
            };
            // What a run does: a file moves from one to the other, which needs them on one file system.
            let incoming = existing.join(INCOMING);
            try_out(if incoming.is_dir() { &incoming } else { existing }, existing)?;
            Ok(readiness)
        })
        .await
    }

    /// For each key, the message if it is there, complete. What is said to be there is durable.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub async fn holds(&self, keys: &[MessageKey]) -> Result<Vec<Option<Held>>, SinkError> {
        let (directory, keys) = (Arc::clone(&self.directory), keys.to_vec());
        blocking(&self.directory, move || {
            let held: Vec<_> =
                keys.into_iter().map(|key| read_held(&directory, key)).collect::<Result<_, _>>()?;
            if held.iter().any(Option::is_some) {
                // Whoever published them may have died before this; a caller that hears of them acts on it.
                durable::sync_dir(&directory)?;
            }
            Ok(held)
        })
        .await
    }

    /// Begins a message. Nothing of it shows in the directory until it is committed.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub fn begin(&self, key: MessageKey, context: Context) -> Result<Incoming, SinkError> {
        Incoming::begin(&self.incoming, key, context, self.extract)
    }

    /// Publishes the messages. On success all of them are complete and survive a power failure. A message whose key
    /// is there already is dropped: what is complete never changes.
    ///
    /// # Errors
    /// See [`SinkError`]. Each message is then complete or not there; deliver all of the group again.
    pub async fn commit(&self, group: Vec<Staged>) -> Result<(), SinkError> {
        commit::commit(Arc::clone(&self.directory), group).await
    }

    /// Removes what a crash left of these messages: unpublished files, and a set that is not complete. Complete
    /// messages and other keys are not touched, so a second job may use the directory meanwhile. To be called with
    /// keys whose delivery is not recorded and which nobody is writing.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub async fn discard_leftovers(&self, keys: &[MessageKey]) -> Result<(), SinkError> {
        let (sink, keys) = (self.clone(), keys.iter().copied().collect::<HashSet<_>>());
        blocking(&self.directory, move || {
            let listing = fs::read_dir(&sink.incoming).map_err(SinkError::on("list", &sink.incoming))?;
            for entry in listing {
                let entry = entry.map_err(SinkError::on("list", &sink.incoming))?;
                let key = entry.file_name().to_str().and_then(Scratch::key_of);
                if key.is_some_and(|key| keys.contains(&key)) {
                    let path = entry.path();
                    if path.is_dir() { durable::remove_dir_all(&path) } else { durable::remove_file(&path) }?;
                }
            }
            for key in keys {
                let place = Place::new(&sink.directory, key);
                if !place.is_complete()? {
                    place.clear()?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn read_held(directory: &Path, key: MessageKey) -> Result<Option<Held>, SinkError> {
    let json = Place::new(directory, key).json;
    match fs::read(&json) {
        // It is there, whatever others made of it: it must not be delivered again.
        Ok(text) => Ok(Some(serde_json::from_slice(&text).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SinkError::new("read", &json, error)),
    }
}

/// Does once with an empty message what a delivery does.
fn try_out(from: &Path, to: &Path) -> Result<(), SinkError> {
    let name = format!(".probe-{}", Uuid::new_v4().simple());
    let (written, renamed) = (from.join(&name), to.join(format!("{name}-2")));
    let result = File::create_new(&written)
        .and_then(|mut file| file.write_all(b"probe").and_then(|()| file.sync_all()))
        .map_err(SinkError::on("write to", from))
        .and_then(|()| durable::rename(&written, &renamed))
        .and_then(|()| durable::sync_dir(to));
    let removed = durable::remove_file(&written).and(durable::remove_file(&renamed));
    result.and(removed)
}

/// The directory in which the missing ones would be made.
fn nearest_existing(directory: &Path) -> Result<&Path, SinkError> {
    let mut at = directory;
    loop {
        at = match fs::metadata(at) {
            Ok(found) if found.is_dir() => return Ok(at),
            Ok(_) => return Err(SinkError::new("use", at, io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match durable::parent(at) {
                Some(parent) if parent != at => parent,
                _ => return Err(SinkError::new("use", at, error)),
            },
            Err(error) => return Err(SinkError::new("use", at, error)),
        };
    }
}
