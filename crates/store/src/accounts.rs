//! Accounts and their sealed secrets.
//!
//! Nothing here can open a secret: it is stored and handed back as the vault sealed it.

use std::sync::Arc;

use sqlx::{FromRow, SqliteConnection};
use wissel_model::secrets::field;
use wissel_model::{Account, AccountId, ClientId, OAuthClient, Proxy};

use crate::error::Failure;
use crate::rows::{folded, json, read_id, read_json};
use crate::vault_keys::check_key;
use crate::{Result, Store, StoreError};

/// A secret as the vault has sealed it, after the name of its field.
pub type SealedField = (String, Vec<u8>);

/// Accounts, each with its OAuth client.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account.*, c.name AS client_name, c.connector AS client_connector, \
             c.settings AS client_settings, c.redirect AS client_redirect \
             FROM account LEFT JOIN oauth_client AS c ON c.id = account.client ",
            $rest
        )
    };
}

impl Store {
    /// All accounts, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let rows: Vec<AccountRow> = sqlx::query_as(select!("ORDER BY account.name_folded"))
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(AccountRow::read).collect()
    }

    /// The account of this name, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::AccountNotFound`] lists the names there are.
    pub async fn account_named(&self, name: &str) -> Result<Account> {
        let row: Option<AccountRow> = sqlx::query_as(select!("WHERE account.name_folded = ?"))
            .bind(folded(name))
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        match row {
            Some(row) => row.read(),
            None => Err(self.no_account(name).await),
        }
    }

    /// The account of this id.
    ///
    /// # Errors
    /// [`StoreError::AccountNotFound`].
    pub async fn account(&self, id: AccountId) -> Result<Account> {
        let row: Option<AccountRow> = sqlx::query_as(select!("WHERE account.id = ?"))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        match row {
            Some(row) => row.read(),
            None => Err(self.no_account(&id.to_string()).await),
        }
    }

    /// Adds an account with its sealed secrets (field and sealed bytes). If it is the default, no other stays so.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn add_account(&self, account: &Account, secrets: &[SealedField]) -> Result<()> {
        let (account, secrets) = (account.clone(), secrets.to_vec());
        self.write(move |tx| Box::pin(async move { insert(tx, &account, &secrets).await })).await
    }

    /// Changes an account. The secrets given are put beside those it has, or in their place; the others stay, but for
    /// the password of a proxy that it does not use any more, and tokens of an OAuth client that it does not use any more.
    ///
    /// # Errors
    /// [`StoreError::AccountNotFound`], [`StoreError::NameTaken`].
    pub async fn update_account(&self, account: &Account, secrets: &[SealedField]) -> Result<()> {
        let (account, secrets) = (account.clone(), secrets.to_vec());
        self.write(move |tx| {
            Box::pin(async move {
                clear_default(tx, &account).await?;
                let client: Option<Option<String>> =
                    sqlx::query_scalar("SELECT client FROM account WHERE id = ?")
                        .bind(account.id.to_string())
                        .fetch_optional(&mut *tx)
                        .await?;
                if client.is_some_and(|client| client != account.client.as_ref().map(|c| c.id.to_string())) {
                    forget_grants(tx, account.id).await?;
                }
                let done = sqlx::query(
                    "UPDATE account SET name = ?, name_folded = ?, connector = ?, auth = ?, client = ?, \
                     settings = ?, connection = ?, is_default = ? WHERE id = ?",
                )
                .bind(&account.name)
                .bind(folded(&account.name))
                .bind(&account.connector)
                .bind(&account.auth)
                .bind(account.client.as_ref().map(|client| client.id.to_string()))
                .bind(json("settings", &account.settings)?)
                .bind(json("a connection policy", &account.connection)?)
                .bind(account.is_default)
                .bind(account.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &account.name))?;
                if done.rows_affected() == 0 {
                    return Err(missing(tx, &account.name).await?.into());
                }
                if !account.connection.proxy.as_ref().is_some_and(Proxy::takes_password) {
                    sqlx::query("DELETE FROM account_secret WHERE account = ? AND field = ?")
                        .bind(account.id.to_string())
                        .bind(field::PROXY_PASSWORD)
                        .execute(&mut *tx)
                        .await?;
                }
                put_secrets(tx, account.id, &secrets).await
            })
        })
        .await
    }

    /// Makes this account the default, or none.
    ///
    /// # Errors
    /// [`StoreError::AccountNotFound`].
    pub async fn set_default_account(&self, id: Option<AccountId>) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE account SET is_default = FALSE WHERE is_default")
                    .execute(&mut *tx)
                    .await?;
                let Some(id) = id else { return Ok(()) };
                let done = sqlx::query("UPDATE account SET is_default = TRUE WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *tx)
                    .await?;
                if done.rows_affected() == 0 {
                    return Err(missing(tx, &id.to_string()).await?.into());
                }
                Ok(())
            })
        })
        .await
    }

    /// Removes an account with its secrets, and with what ledgers remember of its message ids.
    ///
    /// # Errors
    /// [`StoreError::AccountInUse`] names the jobs that use it; [`StoreError::AccountNotFound`].
    pub async fn remove_account(&self, id: AccountId) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                let name: Option<String> = sqlx::query_scalar("SELECT name FROM account WHERE id = ?")
                    .bind(id.to_string())
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(account) = name else { return Err(missing(tx, &id.to_string()).await?.into()) };
                let jobs: Vec<String> = sqlx::query_scalar(
                    "SELECT job.name FROM job JOIN job_account ON job_account.job = job.id \
                     WHERE job_account.account = ? ORDER BY job.name_folded",
                )
                .bind(id.to_string())
                .fetch_all(&mut *tx)
                .await?;
                if !jobs.is_empty() {
                    return Err(StoreError::AccountInUse { account, jobs }.into());
                }
                sqlx::query("DELETE FROM account WHERE id = ?").bind(id.to_string()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Stores a sealed secret of an account, in place of the one before.
    ///
    /// # Errors
    /// [`StoreError::AccountNotFound`].
    pub async fn put_secret(&self, account: AccountId, field: &str, sealed: &[u8]) -> Result<()> {
        let secrets = [(field.to_owned(), sealed.to_vec())];
        self.write(move |tx| {
            Box::pin(async move {
                let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM account WHERE id = ?")
                    .bind(account.to_string())
                    .fetch_optional(&mut *tx)
                    .await?;
                if known.is_none() {
                    return Err(missing(tx, &account.to_string()).await?.into());
                }
                put_secrets(tx, account, &secrets).await
            })
        })
        .await
    }

    /// Removes the sealed secret of an account's field, if there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remove_secret(&self, account: AccountId, field: &str) -> Result<()> {
        let field = field.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM account_secret WHERE account = ? AND field = ?")
                    .bind(account.to_string())
                    .bind(field)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The sealed secret of an account's field.
    ///
    /// # Errors
    /// The database failed.
    pub async fn secret(&self, account: AccountId, field: &str) -> Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT sealed FROM account_secret WHERE account = ? AND field = ?")
            .bind(account.to_string())
            .bind(field)
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// The fields of an account that have a secret, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn secret_fields(&self, account: AccountId) -> Result<Vec<String>> {
        sqlx::query_scalar("SELECT field FROM account_secret WHERE account = ? ORDER BY field")
            .bind(account.to_string())
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    async fn no_account(&self, name: &str) -> StoreError {
        let known = self.accounts().await;
        known.map_or_else(
            |error| error,
            |known| StoreError::AccountNotFound {
                name: name.to_owned(),
                known: known.into_iter().map(|a| a.name).collect(),
            },
        )
    }
}

/// Adds an account with its sealed secrets.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    account: &Account,
    secrets: &[SealedField],
) -> std::result::Result<(), Failure> {
    clear_default(tx, account).await?;
    sqlx::query(
        "INSERT INTO account (name, name_folded, connector, auth, client, settings, connection, is_default, id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&account.name)
    .bind(folded(&account.name))
    .bind(&account.connector)
    .bind(&account.auth)
    .bind(account.client.as_ref().map(|client| client.id.to_string()))
    .bind(json("settings", &account.settings)?)
    .bind(json("a connection policy", &account.connection)?)
    .bind(account.is_default)
    .bind(account.id.to_string())
    .execute(&mut *tx)
    .await
    .map_err(|e| name_taken(e, &account.name))?;
    put_secrets(tx, account.id, secrets).await
}

/// Removes the tokens that an account was given.
async fn forget_grants(tx: &mut SqliteConnection, account: AccountId) -> std::result::Result<(), Failure> {
    for prefix in [field::GRANT, field::PENDING] {
        sqlx::query("DELETE FROM account_secret WHERE account = ? AND substr(field, 1, length(?)) = ?")
            .bind(account.to_string())
            .bind(prefix)
            .bind(prefix)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// The error for an account that is not there, from inside a write.
pub(crate) async fn missing(
    tx: &mut SqliteConnection,
    name: &str,
) -> std::result::Result<StoreError, Failure> {
    let known = sqlx::query_scalar("SELECT name FROM account ORDER BY name_folded").fetch_all(tx).await?;
    Ok(StoreError::AccountNotFound { name: name.to_owned(), known })
}

/// Reads a refused name out of what the database said.
pub(crate) fn name_taken(error: sqlx::Error, name: &str) -> Failure {
    let failure = Failure::from(error);
    if failure.is_unique_violation() {
        return StoreError::NameTaken { name: name.to_owned() }.into();
    }
    failure
}

async fn clear_default(tx: &mut SqliteConnection, account: &Account) -> std::result::Result<(), Failure> {
    if account.is_default {
        sqlx::query("UPDATE account SET is_default = FALSE WHERE is_default AND id <> ?")
            .bind(account.id.to_string())
            .execute(tx)
            .await?;
    }
    Ok(())
}

async fn put_secrets(
    tx: &mut SqliteConnection,
    account: AccountId,
    secrets: &[SealedField],
) -> std::result::Result<(), Failure> {
    for (field, sealed) in secrets {
        check_key(&mut *tx, sealed).await?;
        sqlx::query(
            "INSERT INTO account_secret (account, field, sealed) VALUES (?, ?, ?) \
             ON CONFLICT (account, field) DO UPDATE SET sealed = excluded.sealed",
        )
        .bind(account.to_string())
        .bind(field)
        .bind(sealed)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct AccountRow {
    id: String,
    name: String,
    connector: String,
    auth: String,
    client: Option<String>,
    settings: String,
    connection: String,
    is_default: bool,
    client_name: Option<String>,
    client_connector: Option<String>,
    client_settings: Option<String>,
    client_redirect: Option<String>,
}

impl AccountRow {
    fn read(self) -> Result<Account> {
        let client = match (self.client, self.client_name, self.client_connector, self.client_settings) {
            (Some(id), Some(name), Some(connector), Some(settings)) => Some(Arc::new(OAuthClient {
                id: read_id("a client id", &id, ClientId::parse)?,
                name,
                connector,
                settings: read_json("a client's settings", &settings)?,
                redirect: self.client_redirect,
            })),
            _ => None,
        };
        Ok(Account {
            id: read_id("an account id", &self.id, AccountId::parse)?,
            name: self.name,
            connector: self.connector,
            auth: self.auth,
            client,
            settings: read_json("an account's settings", &self.settings)?,
            connection: read_json("an account's connection policy", &self.connection)?,
            is_default: self.is_default,
        })
    }
}
