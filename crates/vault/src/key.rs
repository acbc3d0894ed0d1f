//! The key and its id.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::VaultError;

/// Octets of a key.
pub(crate) const LENGTH: usize = 32;
/// Octets of an id.
pub(crate) const ID: usize = 8;

/// Tells keys apart: stands in every envelope and in the database. Harmless to show: it is a truncated SHA-256 over a
/// label and 32 random octets, so it cannot be turned back, and there are far too many keys to try. That is why a key
/// must be random and is never derived from a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; ID]);

impl KeyId {
    pub(crate) fn octets(&self) -> &[u8; ID] {
        &self.0
    }

    /// Reads what [`Display`](fmt::Display) writes: 16 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; ID];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A key; wiped from memory when dropped, and never printed.
pub struct Key {
    bytes: Zeroizing<[u8; LENGTH]>,
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        getrandom::fill(&mut *bytes).map_err(|e| VaultError::Random { detail: e.to_string() })?;
        Ok(Self { bytes })
    }

    /// The same key once more; both are wiped.
    #[must_use]
    pub fn clone_key(&self) -> Self {
        Self { bytes: self.bytes.clone() }
    }

    /// A key of these octets; none unless there are exactly [`LENGTH`].
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        // Filled in place, so that no second copy stays behind on the stack.
        let mut key = Zeroizing::new([0; LENGTH]);
        if bytes.len() != LENGTH {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self { bytes: key })
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest =
            Sha256::new().chain_update(b"wissel vault key fingerprint").chain_update(self.bytes()).finalize();
        let mut id = [0; ID];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        KeyId(id)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.id()).finish()
    }
}
