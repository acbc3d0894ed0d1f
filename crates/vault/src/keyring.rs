//! The operating system's keyring: the Secret Service of a Linux desktop, the Windows Credential Manager, the macOS
//! Keychain. The one place that knows it. Each key is an entry of its own, named after its id, so that the old and the
//! next key can be there together.
//!
//! In a debug build `WISSEL_TEST_KEYRING=DIRECTORY` puts files of that directory in the keyring's place, so that tests
//! can kill a move at each step on machines without one; `none` stands for a machine whose keyring does not answer.

use zeroize::Zeroizing;

use crate::VaultError;
use crate::key::{Key, KeyId};

/// The key of this id.
pub(crate) fn get(id: KeyId) -> Result<Key, VaultError> {
    let missing = || VaultError::KeyringMissing { id: id.to_string() };
    let octets = Zeroizing::new(place::get(&name(id))?.ok_or_else(missing)?);
    Key::from_slice(&octets).filter(|key| key.id() == id).ok_or_else(missing)
}

/// Stores a key under its id, and reads it back.
pub(crate) fn put(key: &Key) -> Result<(), VaultError> {
    place::put(&name(key.id()), key.bytes())?;
    get(key.id()).map(drop)
}

/// Removes the key of this id; one that is not there is removed already.
pub(crate) fn remove(id: KeyId) -> Result<(), VaultError> {
    place::remove(&name(id))
}

fn name(id: KeyId) -> String {
    format!("vault key {id}")
}

#[cfg(any(feature = "keyring", debug_assertions))]
fn unavailable(detail: impl std::fmt::Display) -> VaultError {
    VaultError::KeyringUnavailable { detail: detail.to_string() }
}

#[cfg(not(debug_assertions))]
use system as place;

/// The system's keyring, or what a test puts in its place.
#[cfg(debug_assertions)]
mod place {
    use std::path::{Path, PathBuf};

    use super::{system, unavailable};
    use crate::VaultError;

    fn stand_in() -> Result<Option<PathBuf>, VaultError> {
        match std::env::var_os("WISSEL_TEST_KEYRING").map(PathBuf::from) {
            Some(none) if none == Path::new("none") => Err(unavailable("there is none on this machine")),
            other => Ok(other),
        }
    }

    pub(super) fn get(name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(directory) = stand_in()? else { return system::get(name) };
        match std::fs::read(directory.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some).map_err(unavailable),
        }
    }

    pub(super) fn put(name: &str, octets: &[u8]) -> Result<(), VaultError> {
        let Some(directory) = stand_in()? else { return system::put(name, octets) };
        std::fs::write(directory.join(name), octets).map_err(unavailable)
    }

    pub(super) fn remove(name: &str) -> Result<(), VaultError> {
        let Some(directory) = stand_in()? else { return system::remove(name) };
        match std::fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "keyring")]
mod system {
    use keyring::{Entry, Error};

    use super::unavailable;
    use crate::VaultError;

    const SERVICE: &str = "wissel";

    fn entry(name: &str) -> Result<Entry, VaultError> {
        // Why there is no keyring stands here, not in the error of `new`.
        if let Err(error) = Entry::store_status() {
            return Err(unavailable(error));
        }
        Entry::new(SERVICE, name).map_err(unavailable)
    }

    pub(super) fn get(name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        match entry(name)?.get_secret() {
            Ok(octets) => Ok(Some(octets)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) fn put(name: &str, octets: &[u8]) -> Result<(), VaultError> {
        entry(name)?.set_secret(octets).map_err(unavailable)
    }

    pub(super) fn remove(name: &str) -> Result<(), VaultError> {
        match entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use crate::VaultError;

    pub(super) fn get(_name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        Err(VaultError::KeyringNotBuilt)
    }

    pub(super) fn put(_name: &str, _octets: &[u8]) -> Result<(), VaultError> {
        Err(VaultError::KeyringNotBuilt)
    }

    pub(super) fn remove(_name: &str) -> Result<(), VaultError> {
        Err(VaultError::KeyringNotBuilt)
    }
}
