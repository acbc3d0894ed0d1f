//! The key and its fingerprint.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Octets of a key.
pub(crate) const LENGTH: usize = 32;
/// Octets of a fingerprint.
pub(crate) const FINGERPRINT: usize = 8;

/// The key; wiped from memory when dropped.
pub(crate) struct Key {
    bytes: Zeroizing<[u8; LENGTH]>,
}

impl Key {
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

    /// Tells keys apart in an envelope. Harmless to show: it is a truncated SHA-256 over a label and 32 random octets,
    /// so it cannot be turned back, and there are far too many keys to try. That is why a key must be random and is
    /// never derived from a password here.
    pub(crate) fn fingerprint(&self) -> [u8; FINGERPRINT] {
        let digest =
            Sha256::new().chain_update(b"wissel vault key fingerprint").chain_update(self.bytes()).finalize();
        let mut print = [0; FINGERPRINT];
        print.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        print
    }
}
