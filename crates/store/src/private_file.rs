//! Makes the database file readable by its owner only. The one place that knows how, on each system.
//!
//! SQLite gives the files it makes beside the database (`-wal`, `-shm`) the same mode as the database.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes the file, empty, unless it exists.
pub(crate) fn create_when_missing(path: &Path) -> io::Result<()> {
    match create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A new file inherits the access list of its directory; a directory in the user's profile admits that user, the
/// administrators and the system.
#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
