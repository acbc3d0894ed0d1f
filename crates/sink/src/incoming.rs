//! A message on its way into a directory: written beside its place, read as it passes.
//!
//! Nothing here is durable and nothing shows to readers of the directory; that is `commit`'s part. What is dropped
//! unpublished removes its files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;
use wissel_mime::{Inspection, Inspector, Options};
use wissel_model::{MessageId, MessageKey, fault};

use crate::attachments::AttachmentFiles;
use crate::{Metadata, SinkError, blocking, durable};

/// Octets that are collected before they are handed to the operating system; larger pieces pass by.
const BUFFER: usize = 64 * 1024;

/// Where a message comes from, for its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The job's name.
    pub job: String,
    /// The account's name.
    pub account: String,
    /// The name of the account's connector.
    pub connector: String,
    /// The path of the folder it was found in: display names from the top.
    pub folder: Vec<String>,
    /// Its id at the service.
    pub message: MessageId,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// Whether it is marked as read.
    pub read: Option<bool>,
}

/// A message that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub struct Incoming {
    // Before `scratch`, so that files are closed when they are removed.
    eml: BufWriter<File>,
    inspector: Inspector<AttachmentFiles>,
    scratch: Scratch,
    context: Context,
    extract: bool,
    /// A piece is missing: it must not be finished.
    failed: bool,
}

impl Incoming {
    pub(crate) fn begin(
        incoming: &Path,
        key: MessageKey,
        context: Context,
        extract: bool,
    ) -> Result<Self, SinkError> {
        let scratch = Scratch::new(incoming, key);
        let eml = create(&scratch.eml())?;
        let attachments = AttachmentFiles::new(extract.then(|| scratch.attachments()));
        Ok(Self {
            eml: BufWriter::with_capacity(BUFFER, eml),
            inspector: Inspector::with_attachments(Options::default(), attachments),
            scratch,
            context,
            extract,
            failed: false,
        })
    }

    /// The key it was begun with.
    #[must_use]
    pub fn key(&self) -> MessageKey {
        self.scratch.key
    }

    /// Adds the next bytes, cut anywhere. Short: they go to the operating system's cache, not to the disk.
    ///
    /// # Errors
    /// See [`SinkError`]; the message must be begun again then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let result = self.write_through(bytes);
        self.failed |= result.is_err();
        result
    }

    fn write_through(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.eml.write_all(bytes).map_err(SinkError::on("write", &self.scratch.eml()))?;
        self.inspector.write(bytes);
        self.inspector.attachments_mut().check()
    }

    /// All bytes are there. What was read of the message stands in the result.
    ///
    /// # Errors
    /// See [`SinkError`]; nothing is left of it then. Also when a write failed before.
    pub fn finish(self) -> Result<Staged, SinkError> {
        let Self { eml, inspector, scratch, context, extract, failed } = self;
        if failed {
            let cause = io::Error::other("a part of it could not be written before");
            return Err(SinkError::new("complete", &scratch.eml(), cause));
        }
        let eml = flushed(eml, &scratch.eml())?;
        let (inspection, mut attachments) = inspector.finish_with_attachments();
        attachments.check()?;
        let metadata = Metadata::new(scratch.key, context, &inspection, extract);
        fault::point("sink-staged");
        let attachments = attachments.into_written();
        Ok(Staged { key: scratch.key, inspection, metadata, files: Files { eml, attachments, scratch } })
    }

    /// Removes what was written; the same as dropping it.
    pub fn abort(self) {}

    /// Moves the bytes that came so far to `path`, durably, for quarantine: makes missing directories, replaces what
    /// is there. Returns how many octets they are.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub async fn into_raw_file(self, path: PathBuf) -> Result<u64, SinkError> {
        let Self { eml, scratch, .. } = self;
        blocking(&path.clone(), move || {
            let from = scratch.eml();
            let eml = flushed(eml, &from)?;
            let size = eml.metadata().map_err(SinkError::on("read", &from))?.len();
            durable::move_file(eml, &from, &path)?;
            Ok(size)
        })
        .await
    }
}

/// A message whose bytes are written but neither durable nor published. Dropping it removes them.
#[derive(Debug)]
pub struct Staged {
    /// Its key.
    pub key: MessageKey,
    /// What was read of it.
    pub inspection: Inspection,
    /// Not written yet: whoever fetches need not wait for that.
    pub(crate) metadata: Metadata,
    pub(crate) files: Files,
}

/// The files of a staged message.
#[derive(Debug)]
pub(crate) struct Files {
    /// Open until they are synced, so that a failure to write them back cannot go unseen.
    pub(crate) eml: File,
    /// Closed, as there may be many.
    pub(crate) attachments: Vec<PathBuf>,
    // Last, so that files are closed when they are removed.
    pub(crate) scratch: Scratch,
}

/// The names that one attempt to write a message uses beside its place; removes what they name when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) key: MessageKey,
    /// Unlike any other attempt's, so that a worker that lost its lease without noticing publishes its own complete
    /// files or none, never those that its successor is still writing.
    base: String,
    incoming: PathBuf,
    /// Everything was renamed into its place.
    pub(crate) empty: bool,
}

impl Scratch {
    fn new(incoming: &Path, key: MessageKey) -> Self {
        let base = format!("{key}.{}", Uuid::new_v4().simple());
        Self { key, base, incoming: incoming.to_owned(), empty: false }
    }

    /// The key of the attempt that left a file or directory of this name.
    pub(crate) fn key_of(name: &str) -> Option<MessageKey> {
        name.split_once('.').and_then(|(key, _)| MessageKey::parse(key).ok())
    }

    pub(crate) fn eml(&self) -> PathBuf {
        self.incoming.join(format!("{}.eml", self.base))
    }

    pub(crate) fn json(&self) -> PathBuf {
        self.incoming.join(format!("{}.json", self.base))
    }

    pub(crate) fn attachments(&self) -> PathBuf {
        self.incoming.join(&self.base)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.empty {
            return;
        }
        // What cannot be removed now is a leftover, as after a crash.
        let _ = durable::remove_file(&self.eml());
        let _ = durable::remove_file(&self.json());
        let _ = durable::remove_dir_all(&self.attachments());
    }
}

pub(crate) fn create(path: &Path) -> Result<File, SinkError> {
    File::create_new(path).map_err(SinkError::on("make", path))
}

fn flushed(file: BufWriter<File>, path: &Path) -> Result<File, SinkError> {
    file.into_inner().map_err(|error| SinkError::new("write", path, error.into_error()))
}
