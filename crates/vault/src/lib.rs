//! Seals secrets at rest, so that the database alone gives none away.
//!
//! A secret is sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) under one key of 32 octets, which comes from a
//! file beside the database or from the environment. Sealed bytes are bound to their account and field: moved to
//! another row they do not open.
//!
//! What this crate deliberately does not do: keep the sealed bytes (the store does), derive keys from passwords, or
//! protect against who can read the key file *and* the database.

mod envelope;
mod error;
mod key;
mod private_file;
mod source;

use secrecy::{ExposeSecret, SecretString};
use wissel_model::AccountId;
use zeroize::Zeroizing;

pub use error::VaultError;
pub use source::{KeyPolicy, KeySource};

use crate::key::Key;

/// Seals and opens secrets with one key.
pub struct Vault {
    key: Key,
    name: String,
}

impl Vault {
    /// Takes the key from its source; a key file is made first where `policy` allows it.
    ///
    /// # Errors
    /// The key is missing, malformed, or readable by others; each names the file or variable and the next step.
    pub fn open(source: &KeySource, policy: KeyPolicy) -> Result<Self, VaultError> {
        Ok(Self { key: source.load(policy)?, name: source.to_string() })
    }

    /// Seals a secret of an account's field.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(
        &self,
        account: AccountId,
        field: &str,
        secret: &SecretString,
    ) -> Result<Vec<u8>, VaultError> {
        envelope::seal(&self.key, &account.to_string(), field, secret.expose_secret().as_bytes())
    }

    /// Opens what [`seal`](Self::seal) made for the same account and field.
    ///
    /// # Errors
    /// It was sealed with another key, by a newer version, for another account or field, or it is damaged.
    pub fn open_sealed(
        &self,
        account: AccountId,
        field: &str,
        sealed: &[u8],
    ) -> Result<SecretString, VaultError> {
        let opened =
            Zeroizing::new(envelope::open(&self.key, &self.name, &account.to_string(), field, sealed)?);
        let text =
            std::str::from_utf8(&opened).map_err(|_| VaultError::Damaged { field: field.to_owned() })?;
        Ok(SecretString::from(text))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("key", &self.name).finish_non_exhaustive()
    }
}
