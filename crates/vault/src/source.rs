//! Where the key is read from: a file, made at first use, the environment, a credential of the service manager, or the
//! operating system's keyring.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::{Key, KeyId, LENGTH};
use crate::{VaultError, key_file, keyring};

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of 32 octets that only its owner may read. While a rotation is under way, the next key stands beside it.
    File(PathBuf),
    /// An environment variable with 32 octets as base64 or hexadecimal.
    Environment(String),
    /// A file that the service manager made for this service (systemd's `LoadCredential=`): 32 octets, or their base64
    /// or hexadecimal notation.
    Credential(PathBuf),
    /// The operating system's keyring, under the key's id.
    Keyring(KeyId),
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
            Self::Credential(path) => write!(f, "the service's credential {}", path.display()),
            Self::Keyring(_) => write!(f, "the keyring of the operating system"),
        }
    }
}

impl KeySource {
    /// The key, and the next one where a rotation is under way.
    pub(crate) fn load(&self, policy: KeyPolicy) -> Result<(Key, Option<Key>), VaultError> {
        let key = match self {
            Self::Environment(name) => from_environment(name)?,
            Self::Credential(path) => from_credential(path)?,
            Self::Keyring(id) => keyring::get(*id)?,
            Self::File(path) => return key_file::load(path, policy),
        };
        Ok((key, None))
    }
}

impl Key {
    /// The key in an environment variable, as base64 or hexadecimal.
    ///
    /// # Errors
    /// It is not set, or no key.
    pub fn from_environment(name: &str) -> Result<Self, VaultError> {
        from_environment(name)
    }
}

fn from_environment(name: &str) -> Result<Key, VaultError> {
    let missing = || VaultError::VariableMissing { name: name.to_owned() };
    let value = std::env::var_os(name).ok_or_else(missing)?;
    let malformed = || VaultError::VariableMalformed { name: name.to_owned() };
    let text = Zeroizing::new(value.into_string().map_err(|_| malformed())?);
    decode(text.trim()).ok_or_else(malformed)
}

fn from_credential(path: &Path) -> Result<Key, VaultError> {
    let octets = std::fs::read(path)
        .map_err(|error| VaultError::KeyFile { path: path.to_owned(), detail: error.to_string() })?;
    let octets = Zeroizing::new(octets);
    let text = || std::str::from_utf8(&octets).ok().and_then(|text| decode(text.trim()));
    Key::from_slice(&octets)
        .or_else(text)
        .ok_or_else(|| VaultError::CredentialMalformed { path: path.to_owned() })
}

/// Reads a key as base64 or hexadecimal: their lengths differ, so no text can be both.
fn decode(text: &str) -> Option<Key> {
    let bytes = if text.len() == 2 * LENGTH { hex::decode(text).ok() } else { STANDARD.decode(text).ok() };
    Key::from_slice(&Zeroizing::new(bytes?))
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

    #[test]
    fn a_credential_is_read_raw_and_as_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wissel-vault-key");
        let key = Key::generate().unwrap();
        for octets in [key.bytes().to_vec(), format!("{}\n", hex::encode(key.bytes())).into_bytes()] {
            std::fs::write(&path, octets).unwrap();
            assert_eq!(from_credential(&path).unwrap().id(), key.id());
        }
        std::fs::write(&path, "hunter2").unwrap();
        assert!(matches!(from_credential(&path), Err(VaultError::CredentialMalformed { .. })));
    }
}
