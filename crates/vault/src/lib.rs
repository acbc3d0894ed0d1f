//! Seals secrets at rest, so that the database alone gives none away.
//!
//! A secret is sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) under one key of 32 octets, which comes from a
//! file beside the database, the operating system's keyring, a credential of the service manager or the environment.
//! Sealed bytes are bound to their owner and field, and name their key: moved to another row they do not open.
//!
//! What this crate deliberately does not do: keep the sealed bytes or remember where the key is (the store does),
//! derive the key from a password (a passphrase only wraps it, for a backup), or protect against who can read the key
//! *and* the database.

mod envelope;
mod error;
mod key;
mod key_file;
mod keyring;
mod place;
mod private_file;
mod source;
mod wrap;

use secrecy::{ExposeSecret, SecretString};
use wissel_model::SecretOwner;
use zeroize::Zeroizing;

pub use error::VaultError;
pub use key::{Key, KeyId};
pub use place::KeyPlace;
pub use source::{KeyPolicy, KeySource};
pub use wrap::WrappedKey;

/// Seals secrets with one key, and opens those of that key; while a rotation is under way, those of the next one too.
pub struct Vault {
    key: Key,
    next: Option<Key>,
    name: String,
}

impl Vault {
    /// Takes the key from its source; a key file is made first where `policy` allows it.
    ///
    /// # Errors
    /// The key is missing, malformed, or readable by others; each names the file or variable and the next step.
    pub fn open(source: &KeySource, policy: KeyPolicy) -> Result<Self, VaultError> {
        let (key, next) = source.load(policy)?;
        Ok(Self { key, next, name: source.to_string() })
    }

    /// A vault with this key. `name` says where it comes from, for errors.
    #[must_use]
    pub fn with_key(key: Key, name: &str) -> Self {
        Self { key, next: None, name: name.to_owned() }
    }

    /// The key that seals.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Where the key comes from, for people.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.name
    }

    /// Seals a secret for a field of its owner.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(
        &self,
        owner: impl Into<SecretOwner>,
        field: &str,
        secret: &SecretString,
    ) -> Result<Vec<u8>, VaultError> {
        envelope::seal(&self.key, &owner.into().to_string(), field, secret.expose_secret().as_bytes())
    }

    /// Opens what [`seal`](Self::seal) made for the same owner and field.
    ///
    /// # Errors
    /// It was sealed with another key, by a newer version, for another owner or field, or it is damaged.
    pub fn open_sealed(
        &self,
        owner: impl Into<SecretOwner>,
        field: &str,
        sealed: &[u8],
    ) -> Result<SecretString, VaultError> {
        let owner = owner.into().to_string();
        let opened = Zeroizing::new(envelope::open(self.keys(), &self.name, &owner, field, sealed)?);
        let text =
            std::str::from_utf8(&opened).map_err(|_| VaultError::Damaged { field: field.to_owned() })?;
        Ok(SecretString::from(text))
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.key).chain(&self.next)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("key", &self.name).finish_non_exhaustive()
    }
}
