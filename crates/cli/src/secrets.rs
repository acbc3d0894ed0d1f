//! The secrets of accounts: sealed by the vault, kept in the store. This is the host's way to them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::OnceCell;
use wissel_model::AccountId;
use wissel_model::secrets::{SecretError, Secrets};
use wissel_store::Store;
use wissel_vault::{KeyPolicy, KeySource, Vault};

/// The variable that may hold the vault's key instead of the file.
pub(crate) const KEY_VARIABLE: &str = "WISSEL_VAULT_KEY";

/// Opens and seals secrets. The vault is opened at the first use: its key is only made when a first secret is stored,
/// and must be there when there are secrets already.
pub(crate) struct StoredSecrets {
    store: Store,
    key_file: PathBuf,
    vault: OnceCell<Vault>,
    new_key_allowed: AtomicBool,
}

impl StoredSecrets {
    /// Opens nothing yet.
    pub(crate) fn new(store: Store, key_file: PathBuf) -> Self {
        Self { store, key_file, vault: OnceCell::new(), new_key_allowed: AtomicBool::new(false) }
    }

    /// Lets a new key be made although there are secrets: what was sealed with a lost key must be stored again.
    pub(crate) fn allow_new_key(&self) {
        self.new_key_allowed.store(true, Ordering::Relaxed);
    }

    async fn vault(&self) -> anyhow::Result<&Vault> {
        self.vault
            .get_or_try_init(|| async {
                let source = match std::env::var_os(KEY_VARIABLE) {
                    Some(_) => KeySource::Environment(KEY_VARIABLE.to_owned()),
                    None => KeySource::File(self.key_file.clone()),
                };
                let must_exist =
                    !self.new_key_allowed.load(Ordering::Relaxed) && self.store.any_secret().await?;
                let policy = if must_exist { KeyPolicy::MustExist } else { KeyPolicy::CreateWhenMissing };
                Ok(Vault::open(&source, policy)?)
            })
            .await
    }

    /// Seals a secret for a field of an account.
    pub(crate) async fn seal(
        &self,
        account: AccountId,
        field: &str,
        secret: &SecretString,
    ) -> anyhow::Result<Vec<u8>> {
        Ok(self.vault().await?.seal(account, field, secret)?)
    }

    /// The secret, or none when none is stored.
    pub(crate) async fn find(&self, account: AccountId, field: &str) -> anyhow::Result<Option<SecretString>> {
        match self.store.secret(account, field).await? {
            None => Ok(None),
            Some(sealed) => Ok(Some(self.vault().await?.open_sealed(account, field, &sealed)?)),
        }
    }
}

#[async_trait]
impl Secrets for StoredSecrets {
    async fn secret(&self, account: AccountId, field: &str) -> Result<SecretString, SecretError> {
        match self.find(account, field).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(SecretError::Missing(field.to_owned())),
            Err(error) => Err(SecretError::Unreadable(format!("the {field} cannot be opened: {error}"))),
        }
    }
}
