//! Where a key can be kept by Wissel itself, and the steps by which keys come and go there.
//!
//! A key comes in two steps: [`KeyPlace::put`] makes it readable beside the present one, and [`KeyPlace::settle`] gives
//! it its final place after everything is sealed with it. Each step can be repeated after it was interrupted.

use std::path::PathBuf;

use crate::key::{Key, KeyId};
use crate::{KeySource, VaultError, key_file, keyring};

/// Where Wissel keeps a key. (What comes from the environment or the service manager is kept by the operator.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file that only its owner may read.
    File(PathBuf),
    /// The operating system's keyring.
    Keyring,
}

impl KeyPlace {
    /// How the key of this id is read from here.
    #[must_use]
    pub fn source(&self, id: KeyId) -> KeySource {
        match self {
            Self::File(path) => KeySource::File(path.clone()),
            Self::Keyring => KeySource::Keyring(id),
        }
    }

    /// Puts a key there beside the present one, durably, and reads it back.
    ///
    /// # Errors
    /// The place cannot be used.
    pub fn put(&self, key: &Key) -> Result<(), VaultError> {
        match self {
            Self::File(path) => key_file::put_next(path, key),
            Self::Keyring => keyring::put(key),
        }
    }

    /// Gives the key of this id its final place, over the one that was there.
    ///
    /// # Errors
    /// The place cannot be used.
    pub fn settle(&self, id: KeyId) -> Result<(), VaultError> {
        match self {
            Self::File(path) => key_file::settle(path, id),
            Self::Keyring => Ok(()),
        }
    }

    /// Removes the key of this id from there, and no other.
    ///
    /// # Errors
    /// The place cannot be used.
    pub fn remove(&self, id: KeyId) -> Result<(), VaultError> {
        match self {
            Self::File(path) => key_file::remove(path, id),
            Self::Keyring => keyring::remove(id),
        }
    }

    /// Another key than those of these ids that a file here would meet: where, and its id. Keys in a keyring do not meet.
    ///
    /// # Errors
    /// What stands there cannot be read, or is no key.
    pub fn stranger(&self, known: &[KeyId]) -> Result<Option<(PathBuf, KeyId)>, VaultError> {
        match self {
            Self::File(path) => key_file::stranger(path, known),
            Self::Keyring => Ok(None),
        }
    }
}
