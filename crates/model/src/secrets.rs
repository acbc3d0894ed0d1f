//! The port through which the host reaches an account's secrets at the moment it needs one.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{AccountId, AlertChannelId, ClientId};

/// Whose a sealed secret is. With the name of its field it is bound to what is sealed, so that nothing that is moved
/// to another owner opens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOwner {
    /// An account; the field is one of [`field`], or a secret setting of its connector.
    Account(AccountId),
    /// An OAuth client; the field is the id of its secret.
    Client(ClientId),
    /// A channel of alerts; the field is [`field::SIGNING_KEY`].
    Alert(AlertChannelId),
}

impl fmt::Display for SecretOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As it was before others than accounts had secrets.
            Self::Account(id) => id.fmt(f),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Alert(id) => write!(f, "alert:{id}"),
        }
    }
}

impl From<AccountId> for SecretOwner {
    fn from(id: AccountId) -> Self {
        Self::Account(id)
    }
}

impl From<ClientId> for SecretOwner {
    fn from(id: ClientId) -> Self {
        Self::Client(id)
    }
}

impl From<AlertChannelId> for SecretOwner {
    fn from(id: AlertChannelId) -> Self {
        Self::Alert(id)
    }
}

/// Names of the secret fields that the host itself asks for.
pub mod field {
    /// The password of an account with the auth type `password` or `ntlm`.
    pub const PASSWORD: &str = "password";
    /// The access token of an account with one of the OAuth auth types, stored by the operator.
    pub const ACCESS_TOKEN: &str = "access-token";
    /// The password for the account's proxy.
    pub const PROXY_PASSWORD: &str = "proxy-password";
    /// What begins the fields of an account's token grants; the resource that they are for follows.
    pub const GRANT: &str = "oauth:";
    /// What begins the fields of sign-ins that were begun and not finished.
    pub const PENDING: &str = "oauth-pending:";

    /// Whether the field holds what a sign-in gave, and not what an operator stored.
    #[must_use]
    pub fn is_of_grant(field: &str) -> bool {
        field.starts_with(GRANT) || field.starts_with(PENDING)
    }

    /// The key that messages to an alert channel are signed with.
    pub const SIGNING_KEY: &str = "signing-key";
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
    /// There is no token, because nobody has authorised the account.
    pub const NOT_AUTHORIZED: &str = "not-authorized";
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
