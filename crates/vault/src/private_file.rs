//! Files that only their owner may read. The one place that knows how, on each system.
//!
//! On Windows a new file inherits the access list of its directory: in a user's profile that admits the user, the
//! administrators and the system. It is neither narrowed nor checked here; put the file into such a directory.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a new file that only its owner may read, from its first moment on.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The permission bits, when others than the owner may read or write the file.
#[cfg(unix)]
pub(crate) fn exposed(metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Cannot be told from the metadata on this system.
#[cfg(not(unix))]
pub(crate) fn exposed(_metadata: &Metadata) -> Option<u32> {
    None
}

/// Makes the names in a directory durable.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// A directory cannot be opened for syncing here; the file system's journal keeps the names.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
