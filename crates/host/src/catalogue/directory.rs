//! The directory of connectors, and directories that are the user's alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What tells that a file was changed, without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

/// The `.wasm` files of a directory.
pub(super) type Listing = BTreeMap<PathBuf, Stamp>;

/// Lists the directory. One that does not exist has no connectors.
pub(super) fn list(directory: &Path) -> Listing {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(directory = %directory.display(), %error, "the connectors cannot be listed");
            return Listing::new();
        }
    };
    let stamped = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let wasm = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"));
        // Follows links: an installed connector may be one.
        let meta = std::fs::metadata(&path).ok().filter(|meta| wasm && meta.is_file())?;
        Some((path, Stamp { size: meta.len(), modified: meta.modified().ok() }))
    };
    entries.flatten().filter_map(stamped).collect()
}

/// Makes a directory that only this user can read and write. On Windows it has the rights of the directory above,
/// which is the user's own.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
