//! The key file, and the next key beside it while a rotation is under way. Every change is durable before the next one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::key::{Key, KeyId, LENGTH};
use crate::{KeyPolicy, VaultError, private_file};

/// How the name of a key file ends that did not get its own name yet.
const DRAFT: &str = ".new";

/// The key, and the next one where a rotation is under way. Made first where the policy allows it.
pub(crate) fn load(path: &Path, policy: KeyPolicy) -> Result<(Key, Option<Key>), VaultError> {
    // The next key first: when it takes its place between the two looks, it is found at least once.
    let next = read(&beside(path))?;
    let key = match read(path)? {
        Some(key) => key,
        None if policy == KeyPolicy::MustExist => {
            return Err(VaultError::KeyFileMissing { path: path.to_owned() });
        }
        None => {
            create(path, &Key::generate()?).map_err(|e| unusable(path, &e))?;
            // Read back what stands there: another process may have been first.
            read(path)?.ok_or_else(|| VaultError::KeyFileMissing { path: path.to_owned() })?
        }
    };
    Ok((key, next))
}

/// Puts the next key beside the present one.
pub(crate) fn put_next(path: &Path, key: &Key) -> Result<(), VaultError> {
    let next = beside(path);
    create(&next, key).map_err(|e| unusable(&next, &e))?;
    match read(&next)? {
        Some(found) if found.id() == key.id() => Ok(()),
        _ => Err(unusable(&next, &io::Error::other("another key stands there already"))),
    }
}

/// Lets the next key take the place of the present one, when it is the one of this id.
pub(crate) fn settle(path: &Path, id: KeyId) -> Result<(), VaultError> {
    let next = beside(path);
    if read(&next)?.is_some_and(|key| key.id() == id) {
        fs::rename(&next, path).and_then(|()| sync(path)).map_err(|e| unusable(path, &e))?;
    }
    Ok(())
}

/// Removes the key of this id, and no other; also from a draft that a process left which was killed.
pub(crate) fn remove(path: &Path, id: KeyId) -> Result<(), VaultError> {
    for place in [beside(path), path.to_owned()] {
        if read(&place)?.is_some_and(|key| key.id() == id) {
            fs::remove_file(&place).and_then(|()| sync(&place)).map_err(|e| unusable(&place, &e))?;
        }
    }
    for draft in drafts(path).map_err(|e| unusable(path, &e))? {
        // One that is half written or just gone belongs to a process that makes a key at this moment.
        if read(&draft).is_ok_and(|key| key.is_some_and(|key| key.id() == id)) {
            fs::remove_file(&draft).and_then(|()| sync(&draft)).map_err(|e| unusable(&draft, &e))?;
        }
    }
    Ok(())
}

/// The first place beside which or in which another key stands than those that are known.
pub(crate) fn stranger(path: &Path, known: &[KeyId]) -> Result<Option<(PathBuf, KeyId)>, VaultError> {
    for place in [path.to_owned(), beside(path)] {
        let found = read(&place)?.map(|key| key.id()).filter(|id| !known.contains(id));
        if let Some(id) = found {
            return Ok(Some((place, id)));
        }
    }
    Ok(None)
}

/// The key in the file; none when there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<Key>, VaultError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    // Of the open file, not of the name: what is checked is what is read.
    let metadata = file.metadata().map_err(|e| unusable(path, &e))?;
    if let Some(mode) = private_file::exposed(&metadata) {
        return Err(VaultError::KeyFileExposed { path: path.to_owned(), mode });
    }
    let malformed = || VaultError::KeyFileMalformed { path: path.to_owned(), found: metadata.len() };
    if metadata.len() != LENGTH as u64 {
        return Err(malformed());
    }
    let mut bytes = Zeroizing::new([0; LENGTH]);
    file.read_exact(&mut *bytes).map_err(|e| unusable(path, &e))?;
    Key::from_slice(&*bytes).map(Some).ok_or_else(malformed)
}

/// Makes a key file unless there is one. Written beside and synced before it gets its name, so that nobody ever reads
/// half a key; the name is given by a hard link, which, unlike a rename, never replaces a key that another process made
/// meanwhile.
pub(crate) fn create(path: &Path, key: &Key) -> io::Result<()> {
    let mut mark = [0; 8];
    getrandom::fill(&mut mark).map_err(io::Error::other)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}{DRAFT}", hex::encode(mark)));
    let draft = PathBuf::from(name);
    let made = write_new(&draft, key.bytes()).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    made?;
    removed?;
    sync(path)
}

/// The drafts of a key file.
fn drafts(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut prefix = path.file_name().unwrap_or_default().to_owned();
    prefix.push(".");
    let prefix = prefix.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&*prefix) && name.ends_with(DRAFT) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Where the next key stands.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names beside `path` durable.
fn sync(path: &Path) -> io::Result<()> {
    private_file::sync_directory(directory_of(path))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), detail: error.to_string() }
}
