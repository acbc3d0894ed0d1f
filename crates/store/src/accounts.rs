//! Accounts
use wissel_model::{Account, AccountId};

use crate::{Result, Store};

impl Store {
    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        todo!()
    }
    /// The account of this name, without regard to case.
    pub async fn account_named(&self, name: &str) -> Result<Account> {
        todo!()
    }
    /// The account of this id.
    pub async fn account(&self, id: AccountId) -> Result<Account> {
        todo!()
    }
    /// Adds an account with its sealed secrets.
    pub async fn add_account(&self, account: &Account, secrets: &[(String, Vec<u8>)]) -> Result<()> {
        todo!()
    }
    /// Changes an account; the secrets given are put beside or in place of those it has.
    pub async fn update_account(&self, account: &Account, secrets: &[(String, Vec<u8>)]) -> Result<()> {
        todo!()
    }
    /// Makes this account the default, or none.
    pub async fn set_default_account(&self, id: Option<AccountId>) -> Result<()> {
        todo!()
    }
    /// Removes an account with its secrets; refused while a job uses it.
    pub async fn remove_account(&self, id: AccountId) -> Result<()> {
        todo!()
    }
    /// Stores a sealed secret.
    pub async fn put_secret(&self, account: AccountId, field: &str, sealed: &[u8]) -> Result<()> {
        todo!()
    }
    /// A sealed secret.
    pub async fn secret(&self, account: AccountId, field: &str) -> Result<Option<Vec<u8>>> {
        todo!()
    }
    /// The fields of an account that have a secret.
    pub async fn secret_fields(&self, account: AccountId) -> Result<Vec<String>> {
        todo!()
    }
    /// Whether any secret is stored at all: then the vault's key must exist.
    pub async fn any_secret(&self) -> Result<bool> {
        todo!()
    }
}
