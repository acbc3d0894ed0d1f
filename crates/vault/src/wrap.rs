//! A key wrapped by a passphrase, for a backup: Argon2id (RFC 9106) makes the wrapping key, XChaCha20-Poly1305 wraps.
//!
//! The costs stand beside the wrapped key, so that they can rise; `bound` ties it to what it belongs to.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::VaultError;
use crate::key::{Key, LENGTH};

/// RFC 9106, section 4: the second recommended option takes 64 MiB, three passes and four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
const SALT: usize = 16;
const NONCE: usize = 24;

/// A wrapped key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Memory that Argon2id takes, in KiB.
    pub memory_kib: u32,
    /// Its passes.
    pub passes: u32,
    /// Its lanes.
    pub lanes: u32,
    /// Its salt.
    pub salt: Vec<u8>,
    /// The nonce of the wrapping, then the wrapped key with its tag.
    pub sealed: Vec<u8>,
}

impl Key {
    /// Wraps the key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn wrap(&self, passphrase: &SecretString, bound: &[u8]) -> Result<WrappedKey, VaultError> {
        let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
        for random in [&mut salt[..], &mut nonce[..]] {
            getrandom::fill(random).map_err(|e| VaultError::Random { detail: e.to_string() })?;
        }
        let mut wrapped = WrappedKey {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: salt.to_vec(),
            sealed: nonce.to_vec(),
        };
        let cipher = wrapped.cipher(passphrase)?;
        let payload = Payload { msg: self.bytes(), aad: bound };
        let sealed =
            cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::WrongPassphrase)?;
        wrapped.sealed.extend(sealed);
        Ok(wrapped)
    }

    /// Opens what [`wrap`](Self::wrap) made with the same passphrase and `bound`.
    ///
    /// # Errors
    /// The passphrase is another one, or something was changed.
    pub fn unwrap_with(
        wrapped: &WrappedKey,
        passphrase: &SecretString,
        bound: &[u8],
    ) -> Result<Self, VaultError> {
        // Somebody else's file must not take all memory: a quarter of this is what Wissel writes.
        let reasonable = wrapped.memory_kib <= 4 * MEMORY_KIB && wrapped.passes <= 16 && wrapped.lanes <= 16;
        if !reasonable {
            return Err(VaultError::UnreasonableWork);
        }
        let (nonce, sealed) =
            wrapped.sealed.split_first_chunk::<NONCE>().ok_or(VaultError::WrongPassphrase)?;
        let payload = Payload { msg: sealed, aad: bound };
        let opened = wrapped
            .cipher(passphrase)?
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| VaultError::WrongPassphrase)?;
        Self::from_slice(&Zeroizing::new(opened)).ok_or(VaultError::WrongPassphrase)
    }
}

impl WrappedKey {
    fn cipher(&self, passphrase: &SecretString) -> Result<XChaCha20Poly1305, VaultError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(LENGTH))
            .map_err(|_| VaultError::UnreasonableWork)?;
        let mut key = Zeroizing::new([0; LENGTH]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &self.salt, &mut *key)
            .map_err(|_| VaultError::UnreasonableWork)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}
