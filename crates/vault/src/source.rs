//! Where the key comes from: a file, made at first use, or the environment.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::key::{Key, LENGTH};
use crate::private_file;

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of 32 octets that only its owner may read.
    File(PathBuf),
    /// An environment variable with 32 octets as base64 or hexadecimal.
    Environment(String),
}

/// Whether a missing key file may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPolicy {
    /// At first use: nothing is sealed yet.
    CreateWhenMissing,
    /// Sealed secrets exist: a new key would be the wrong one.
    MustExist,
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key file {}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
        }
    }
}

impl KeySource {
    pub(crate) fn load(&self, policy: KeyPolicy) -> Result<Key, VaultError> {
        match self {
            Self::Environment(name) => from_environment(name),
            Self::File(path) => match read(path)? {
                Some(key) => Ok(key),
                None if policy == KeyPolicy::MustExist => {
                    Err(VaultError::KeyFileMissing { path: path.clone() })
                }
                None => {
                    create(path).map_err(|e| unusable(path, &e))?;
                    // Read back what stands there: another process may have been first.
                    read(path)?.ok_or_else(|| VaultError::KeyFileMissing { path: path.clone() })
                }
            },
        }
    }
}

fn from_environment(name: &str) -> Result<Key, VaultError> {
    let missing = || VaultError::VariableMissing { name: name.to_owned() };
    let value = std::env::var_os(name).ok_or_else(missing)?;
    let malformed = || VaultError::VariableMalformed { name: name.to_owned() };
    let text = Zeroizing::new(value.into_string().map_err(|_| malformed())?);
    decode(text.trim()).ok_or_else(malformed)
}

/// Reads a key as base64 or hexadecimal: their lengths differ, so no text can be both.
fn decode(text: &str) -> Option<Key> {
    let bytes = if text.len() == 2 * LENGTH { hex::decode(text).ok() } else { STANDARD.decode(text).ok() };
    Key::from_slice(&Zeroizing::new(bytes?))
}

/// The key in the file; none when there is no file.
fn read(path: &Path) -> Result<Option<Key>, VaultError> {
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
fn create(path: &Path) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    getrandom::fill(&mut *bytes).map_err(io::Error::other)?;
    let mut mark = [0; 8];
    getrandom::fill(&mut mark).map_err(io::Error::other)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", hex::encode(mark)));
    let beside = PathBuf::from(name);
    let made = write_new(&beside, &*bytes).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&beside);
    made?;
    removed?;
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private_file::sync_directory(directory)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_base64_and_as_hexadecimal() {
        let bytes: Vec<u8> = (0..32).collect();
        assert_eq!(decode(&hex::encode(&bytes)).unwrap().bytes().as_slice(), bytes);
        assert_eq!(decode(&STANDARD.encode(&bytes)).unwrap().bytes().as_slice(), bytes);
        assert!(decode(&STANDARD.encode(&bytes[1..])).is_none());
        assert!(decode("correct horse battery staple").is_none());
    }
}
