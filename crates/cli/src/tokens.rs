//! Where tokens come from: the ports of `wissel-auth`, over the vault, the store, and the host's connections.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use wissel_auth::{Authority, Grants, Request, Response, Web};
use wissel_host::Lines;
use wissel_model::secrets::code;
use wissel_model::{
    Account, AccountId, ClientId, ConnectorError, Description, ErrorKind, SecretKind, SecretState,
};
use wissel_vault::VaultError;

use crate::problem::Problem;
use crate::secrets::StoredSecrets;
use crate::vault_advice;

/// What gives out tokens, with lock files in `locks`.
pub(crate) fn authority(secrets: Arc<StoredSecrets>, locks: PathBuf) -> Authority {
    let lines = Lines::new(Arc::<StoredSecrets>::clone(&secrets));
    Authority::new(Arc::new(Stored(secrets)), Arc::new(Way(lines)), locks)
}

/// Grants as secrets of their accounts.
struct Stored(Arc<StoredSecrets>);

impl Stored {
    async fn failed(&self, account: Option<AccountId>, error: anyhow::Error) -> ConnectorError {
        let Some(vault) = error.downcast_ref::<VaultError>() else {
            return ConnectorError::new(ErrorKind::Temporary, error.to_string()).with_code("store");
        };
        let name = match account {
            Some(account) => self.0.store().account(account).await.map(|account| account.name).ok(),
            None => None,
        };
        let sentence = vault_advice::sentence(vault, name.as_deref().unwrap_or("NAME"));
        let message = format!("the authorisation cannot be opened: {sentence}");
        ConnectorError::new(ErrorKind::AuthorizationNeeded, message).with_code(code::VAULT)
    }
}

#[async_trait]
impl Grants for Stored {
    async fn load(&self, account: AccountId, field: &str) -> Result<Option<SecretString>, ConnectorError> {
        match self.0.find(account, field).await {
            Ok(found) => Ok(found),
            Err(error) => Err(self.failed(Some(account), error).await),
        }
    }

    async fn save(
        &self,
        account: AccountId,
        field: &str,
        content: &SecretString,
    ) -> Result<(), ConnectorError> {
        match self.0.put(account, field, content).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(Some(account), error).await),
        }
    }

    async fn remove(&self, account: AccountId, field: &str) -> Result<(), ConnectorError> {
        match self.0.store().remove_secret(account, field).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(Some(account), error.into()).await),
        }
    }

    async fn client_secret(
        &self,
        client: ClientId,
    ) -> Result<Option<(SecretKind, SecretString)>, ConnectorError> {
        let found = async {
            let secrets = self.0.store().client_secrets(client).await?;
            let Some(secret) = secrets.into_iter().find(|secret| secret.state == SecretState::InUse) else {
                return Ok(None);
            };
            let value = self.0.client_secret(&secret).await?;
            anyhow::Ok(Some((secret.kind, value)))
        };
        match found.await {
            Ok(found) => Ok(found),
            Err(error) if error.is::<Problem>() => {
                Err(ConnectorError::new(ErrorKind::AuthorizationNeeded, error.to_string())
                    .with_code(code::VAULT))
            }
            Err(error) => Err(self.failed(None, error).await),
        }
    }
}

/// The host's connections.
struct Way(Lines);

#[async_trait]
impl Web for Way {
    async fn send(
        &self,
        account: &Account,
        description: &Description,
        request: Request,
        most: usize,
    ) -> Result<Response, ConnectorError> {
        self.0.send(account, description, request, most).await
    }
}
