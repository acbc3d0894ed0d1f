//! What this crate needs of others: where grants are kept, and a way to providers.

use async_trait::async_trait;
use secrecy::SecretString;
use wissel_model::{Account, AccountId, ClientId, ConnectorError, Description, SecretKind};

/// A request to a provider.
pub type Request = oauth2::HttpRequest;
/// A provider's answer.
pub type Response = oauth2::HttpResponse;

/// Keeps what accounts were granted, sealed. Several processes may use one at once.
#[async_trait]
pub trait Grants: Send + Sync {
    /// What is stored for the account under this field.
    ///
    /// # Errors
    /// It cannot be read or opened.
    async fn load(&self, account: AccountId, field: &str) -> Result<Option<SecretString>, ConnectorError>;

    /// Stores it in place of what was there. When this returns, it is durable.
    ///
    /// # Errors
    /// It cannot be sealed or written.
    async fn save(
        &self,
        account: AccountId,
        field: &str,
        content: &SecretString,
    ) -> Result<(), ConnectorError>;

    /// Forgets it.
    ///
    /// # Errors
    /// It cannot be written.
    async fn remove(&self, account: AccountId, field: &str) -> Result<(), ConnectorError>;

    /// The secret of an OAuth client that is in use.
    ///
    /// # Errors
    /// It cannot be read or opened.
    async fn client_secret(
        &self,
        client: ClientId,
    ) -> Result<Option<(SecretKind, SecretString)>, ConnectorError>;
}

/// Sends requests as the account's connections go: its trust, its proxy, its time-outs.
#[async_trait]
pub trait Web: Send + Sync {
    /// Sends a request, follows no redirect, and reads at most `most` octets of the answer. Where the address comes from the
    /// connector's description alone, it leads to the public network.
    ///
    /// # Errors
    /// It may not be sent there, there was no answer, or it is larger than that.
    async fn send(
        &self,
        account: &Account,
        description: &Description,
        request: Request,
        most: usize,
    ) -> Result<Response, ConnectorError>;
}
