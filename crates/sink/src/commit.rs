//! Publishes a group of staged messages so that a power failure at any moment leaves each of them complete or not
//! there.
//!
//! The order is what makes it so. The metadata is written and every file synced; then, message by message, attachments
//! and `.eml` are renamed into place and the metadata last; then the directory is synced once for all. A file system
//! keeps the order of renames within a directory, so metadata never shows without what it describes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::IntoIter;

use futures::future::try_join_all;
use wissel_model::{MessageKey, fault};

use crate::incoming::{Files, Scratch, create};
use crate::{Metadata, SinkError, Staged, blocking, durable};

/// Syncs under way at once. The disk is what is waited for, and file systems write the journal once for all who wait.
const SYNCS_AT_ONCE: usize = 16;

pub(crate) async fn commit(directory: Arc<Path>, group: Vec<Staged>) -> Result<(), SinkError> {
    if group.is_empty() {
        return Ok(());
    }
    let (unsynced, ready) = blocking(&directory, move || written(group)).await?;
    sync_all(&directory, unsynced).await?;
    fault::point("sink-synced");
    blocking(&directory.clone(), move || {
        for message in ready {
            message.publish(&directory)?;
        }
        // Also when all were there before: whoever renamed them may have died before this.
        durable::sync_dir(&directory)?;
        fault::point("sink-committed");
        Ok(())
    })
    .await
}

/// Syncs these, many at once: each of some threads takes the next one until none is left.
async fn sync_all(directory: &Path, unsynced: Vec<Unsynced>) -> Result<(), SinkError> {
    let threads = unsynced.len().min(SYNCS_AT_ONCE);
    let queue = Arc::new(Mutex::new(unsynced.into_iter()));
    let next =
        |queue: &Mutex<IntoIter<Unsynced>>| queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let syncing = (0..threads).map(|_| {
        let queue = Arc::clone(&queue);
        blocking(directory, move || std::iter::from_fn(|| next(&queue)).try_for_each(Unsynced::sync))
    });
    try_join_all(syncing).await.map(drop)
}

/// Writes the metadata of the messages, and says what is to be synced. Messages first: their content takes longest.
fn written(group: Vec<Staged>) -> Result<(Vec<Unsynced>, Vec<Ready>), SinkError> {
    let (mut unsynced, mut small) = (Vec::new(), Vec::with_capacity(group.len()));
    let mut ready = Vec::with_capacity(group.len());
    for Staged { metadata, files: Files { eml, attachments, scratch }, .. } in group {
        let json = write_json(&scratch.json(), &metadata)?;
        let has_attachments = !attachments.is_empty();
        if has_attachments {
            unsynced.push(Unsynced::Directory(scratch.attachments()));
        }
        unsynced.extend(attachments.into_iter().map(Unsynced::Closed));
        unsynced.push(Unsynced::Open(scratch.eml(), eml));
        small.push(Unsynced::Open(scratch.json(), json));
        ready.push(Ready { scratch, has_attachments });
    }
    unsynced.extend(small);
    Ok((unsynced, ready))
}

fn write_json(path: &Path, metadata: &Metadata) -> Result<File, SinkError> {
    let mut file = create(path)?;
    let mut text = serde_json::to_vec_pretty(metadata)
        .map_err(|error| SinkError::new("write", path, io::Error::other(error)))?;
    text.push(b'\n');
    file.write_all(&text).map_err(SinkError::on("write", path))?;
    Ok(file)
}

/// Something whose content is not durable yet.
enum Unsynced {
    Open(PathBuf, File),
    Closed(PathBuf),
    Directory(PathBuf),
}

impl Unsynced {
    fn sync(self) -> Result<(), SinkError> {
        match self {
            Self::Open(path, file) => file.sync_all().map_err(SinkError::on("sync", &path)),
            Self::Closed(path) => durable::sync_file(&path),
            Self::Directory(path) => durable::sync_dir(&path),
        }
    }
}

/// A message whose files are durable beside their place.
struct Ready {
    scratch: Scratch,
    has_attachments: bool,
}

impl Ready {
    /// Renames the files into place. A message that is complete there already stays; this one is dropped. One that
    /// is not complete, as a crash leaves it, is replaced as a whole: the service may give other bytes this time.
    fn publish(mut self, directory: &Path) -> Result<(), SinkError> {
        let place = Place::new(directory, self.scratch.key);
        if place.is_complete()? {
            return Ok(());
        }
        let result = self.rename(&place);
        self.scratch.empty = result.is_ok();
        if result.is_err() {
            // The disk may have room again later; until then nothing half written is to be seen.
            let _ = place.clear();
        }
        result
    }

    fn rename(&self, place: &Place) -> Result<(), SinkError> {
        durable::remove_dir_all(&place.attachments)?;
        if self.has_attachments {
            durable::rename(&self.scratch.attachments(), &place.attachments)?;
        }
        durable::rename(&self.scratch.eml(), &place.eml)?;
        fault::point("sink-renamed");
        durable::rename(&self.scratch.json(), &place.json)?;
        fault::point("sink-json-renamed");
        Ok(())
    }
}

/// Where the files of a message belong.
pub(crate) struct Place {
    pub(crate) json: PathBuf,
    eml: PathBuf,
    attachments: PathBuf,
}

impl Place {
    pub(crate) fn new(directory: &Path, key: MessageKey) -> Self {
        Self {
            json: directory.join(format!("{key}.json")),
            eml: directory.join(format!("{key}.eml")),
            attachments: directory.join(key.to_string()),
        }
    }

    /// The metadata is renamed last, so it says all.
    pub(crate) fn is_complete(&self) -> Result<bool, SinkError> {
        self.json.try_exists().map_err(SinkError::on("look for", &self.json))
    }

    /// Removes what lies in the place of a message that is not complete.
    pub(crate) fn clear(&self) -> Result<(), SinkError> {
        durable::remove_file(&self.eml).and(durable::remove_dir_all(&self.attachments))
    }
}
