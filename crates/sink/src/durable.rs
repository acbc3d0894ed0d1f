//! What it takes for a file to survive a power failure, and the one place where operating systems differ in it.
//!
//! A file that was written is durable once its content was synced *and* the directory that names it was. A rename
//! within one file system is atomic: after a power failure there is the old name or the new one, never half a file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::SinkError;

/// Makes the names in a directory durable.
#[cfg(not(windows))]
pub(crate) fn sync_dir(directory: &Path) -> Result<(), SinkError> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(SinkError::on("sync", directory))
}

/// Nothing to do: Windows has no call for it, and NTFS writes changes of names to its journal in their order.
#[cfg(windows)]
pub(crate) fn sync_dir(_directory: &Path) -> Result<(), SinkError> {
    Ok(())
}

/// Makes the content of a file durable that was written and closed before.
pub(crate) fn sync_file(file: &Path) -> Result<(), SinkError> {
    // Windows syncs only through a handle that may write.
    OpenOptions::new().write(true).open(file).and_then(|f| f.sync_all()).map_err(SinkError::on("sync", file))
}

/// Renames within one file system; a file that has the new name is replaced. Needs [`sync_dir`] to be durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), SinkError> {
    fs::rename(from, to).map_err(SinkError::on("write", to))
}

/// Makes the directory and what is missing above it, durably.
pub(crate) fn create_dir_all(directory: &Path) -> Result<(), SinkError> {
    let missing: Vec<&Path> =
        directory.ancestors().take_while(|d| names_something(d) && !d.exists()).collect();
    fs::create_dir_all(directory).map_err(SinkError::on("make the directory", directory))?;
    missing.into_iter().filter_map(parent).try_for_each(sync_dir)
}

/// The directory that holds `path`. A relative path of one name lies in the current directory.
pub(crate) fn parent(path: &Path) -> Option<&Path> {
    path.parent().map(|p| if names_something(p) { p } else { Path::new(".") })
}

/// False for the empty end of a relative path's ancestors.
fn names_something(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

/// Moves a file for good, to another file system if need be. The content must not change any more.
pub(crate) fn move_file(file: File, from: &Path, to: &Path) -> Result<(), SinkError> {
    file.sync_all().map_err(SinkError::on("sync", from))?;
    drop(file);
    if let Some(directory) = parent(to) {
        create_dir_all(directory)?;
    }
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to).map_err(SinkError::on("write", to))?;
            sync_file(to)?;
        }
        other => other.map_err(SinkError::on("write", to))?,
    }
    parent(to).map_or(Ok(()), sync_dir)
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove_file(file: &Path) -> Result<(), SinkError> {
    allow_missing(fs::remove_file(file)).map_err(SinkError::on("remove", file))
}

/// Removes a directory with its content; one that is not there is fine.
pub(crate) fn remove_dir_all(directory: &Path) -> Result<(), SinkError> {
    allow_missing(fs::remove_dir_all(directory)).map_err(SinkError::on("remove", directory))
}

fn allow_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
