//! Where imported mail goes. Today: a directory ([`DirectorySink`]).
//!
//! A message is written beside its place while it is fetched ([`Incoming`]), read on the way by `wissel-mime`, and
//! then published together with others, durably and all at once ([`DirectorySink::commit`]). Delivery can be
//! repeated with the same key and changes nothing the second time, so that whoever fetches may stop anywhere.
//!
//! # The directory, for the software that reads it
//!
//! ```text
//! KEY.json            the metadata, written last: when it is there, the message is complete
//! KEY.eml             the message, byte for byte as the service gave it
//! KEY/NAME            its attachments, if they are to be extracted and it has any
//! .incoming/          what is being written; leave it alone
//! ```
//!
//! Watch for `*.json`, and read what it names: [`Metadata`] documents it, [`SCHEMA`] is its JSON Schema. Files get the
//! permissions that the umask says, since other software reads them. To take a message away, remove or move
//! `KEY.json` last. A message that was taken away in the moment between its delivery and the import's own record of
//! it, while the import was killed, is delivered again, under the same key: keep the keys if that matters.
//!
//! This crate knows no mailbox, keeps no record of what was delivered but the files themselves, and makes no changes
//! to a message.

mod attachments;
mod commit;
mod directory;
mod durable;
mod error;
mod incoming;
mod metadata;

pub use directory::{DirectorySink, Held, Readiness};
pub use error::{Problem, SinkError};
pub use incoming::{Context, Incoming, Staged};
pub use metadata::{Attachment, Metadata, SCHEMA};

/// Runs what waits for a disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    directory: &std::path::Path,
    work: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopping) => Err(SinkError::new("use", directory, std::io::Error::other(stopping))),
        },
    }
}
