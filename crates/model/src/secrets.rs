//! The port through which the host reaches an account's secrets at the moment it needs one.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::AccountId;

/// Names of the secret fields that the host itself asks for.
pub mod field {
    /// The password of an account with the auth type `password` or `ntlm`.
    pub const PASSWORD: &str = "password";
    /// The access token of an account with one of the OAuth auth types, stored by the operator.
    pub const ACCESS_TOKEN: &str = "access-token";
    /// The password for the account's proxy.
    pub const PROXY_PASSWORD: &str = "proxy-password";
}

/// Where the id of its key stands in a sealed secret: so that the store can refuse what was sealed with a key that is
/// no longer used, without being able to open anything.
pub const KEY_ID: std::ops::Range<usize> = 5..13;

/// Codes of [`ConnectorError`](crate::ConnectorError) for a secret that could not be had.
pub mod code {
    /// None is stored.
    pub const NO_SECRET: &str = "no-secret";
    /// It is stored, but the vault cannot open it.
    pub const VAULT: &str = "vault";
}

/// Why a secret could not be had. Names the field, never its value.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// Nothing is stored under this field.
    #[error("no {0} is stored for this account; store one with `wissel account edit`")]
    Missing(String),
    /// It is stored, but cannot be opened: wrong or missing vault key, or the store failed.
    #[error("{0}")]
    Unreadable(String),
}

/// Opens the secrets of accounts.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret stored under `field` for the account.
    ///
    /// # Errors
    /// See [`SecretError`].
    async fn secret(&self, account: AccountId, field: &str) -> Result<SecretString, SecretError>;
}
