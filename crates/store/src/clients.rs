//! OAuth clients: what accounts are authorised through. Their secrets are in [`crate::client_secrets`].

use sqlx::{FromRow, SqliteConnection};
use wissel_model::{Account, ClientId, ClientSecret, OAuthClient};

use crate::accounts::{self, SealedField, name_taken};
use crate::audit::{self, AuditRecord};
use crate::client_secrets;
use crate::error::Failure;
use crate::rows::{folded, json, read_id, read_json};
use crate::{Result, Store, StoreError};

impl Store {
    /// All OAuth clients, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn clients(&self) -> Result<Vec<OAuthClient>> {
        let rows: Vec<ClientRow> = sqlx::query_as("SELECT * FROM oauth_client ORDER BY name_folded")
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        rows.into_iter().map(ClientRow::read).collect()
    }

    /// The client of this name, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::ClientNotFound`] lists the names there are.
    pub async fn client_named(&self, name: &str) -> Result<OAuthClient> {
        let row: Option<ClientRow> = sqlx::query_as("SELECT * FROM oauth_client WHERE name_folded = ?")
            .bind(folded(name))
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        if let Some(row) = row {
            return row.read();
        }
        let known = self.clients().await?.into_iter().map(|client| client.name).collect();
        Err(StoreError::ClientNotFound { name: name.to_owned(), known })
    }

    /// The names of the accounts that are authorised through a client, in order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn accounts_of_client(&self, client: ClientId) -> Result<Vec<String>> {
        sqlx::query_scalar("SELECT name FROM account WHERE client = ? ORDER BY name_folded")
            .bind(client.to_string())
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// Adds a client with its first secret, if it has one, and the account that it was made for, if it was for one: all
    /// of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn add_client(
        &self,
        client: &OAuthClient,
        secret: Option<(&ClientSecret, &[u8])>,
        account: Option<(&Account, &[SealedField])>,
        records: &[AuditRecord],
    ) -> Result<()> {
        let (client, records) = (client.clone(), records.to_vec());
        let secret = secret.map(|(secret, sealed)| (secret.clone(), sealed.to_vec()));
        let account = account.map(|(account, secrets)| (account.clone(), secrets.to_vec()));
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO oauth_client (name, name_folded, connector, settings, redirect, id) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                )
                .bind(&client.name)
                .bind(folded(&client.name))
                .bind(&client.connector)
                .bind(json("settings", &client.settings)?)
                .bind(&client.redirect)
                .bind(client.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &client.name))?;
                if let Some((secret, sealed)) = &secret {
                    client_secrets::insert(tx, secret, sealed).await?;
                }
                if let Some((account, secrets)) = &account {
                    accounts::insert(tx, account, secrets).await?;
                }
                audit::insert_all(tx, &records).await
            })
        })
        .await
    }

    /// Changes a client.
    ///
    /// # Errors
    /// [`StoreError::ClientNotFound`], [`StoreError::NameTaken`].
    pub async fn update_client(&self, client: &OAuthClient, record: &AuditRecord) -> Result<()> {
        let (client, record) = (client.clone(), record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE oauth_client SET name = ?, name_folded = ?, connector = ?, settings = ?, redirect = ? \
                     WHERE id = ?",
                )
                .bind(&client.name)
                .bind(folded(&client.name))
                .bind(&client.connector)
                .bind(json("settings", &client.settings)?)
                .bind(&client.redirect)
                .bind(client.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &client.name))?;
                if done.rows_affected() == 0 {
                    return Err(missing(tx, &client.name).await?.into());
                }
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Removes a client with its secrets.
    ///
    /// # Errors
    /// [`StoreError::ClientInUse`] names the accounts that use it; [`StoreError::ClientNotFound`].
    pub async fn remove_client(&self, id: ClientId, record: &AuditRecord) -> Result<()> {
        let record = record.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let name: Option<String> = sqlx::query_scalar("SELECT name FROM oauth_client WHERE id = ?")
                    .bind(id.to_string())
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(client) = name else { return Err(missing(tx, &id.to_string()).await?.into()) };
                let accounts: Vec<String> =
                    sqlx::query_scalar("SELECT name FROM account WHERE client = ? ORDER BY name_folded")
                        .bind(id.to_string())
                        .fetch_all(&mut *tx)
                        .await?;
                if !accounts.is_empty() {
                    return Err(StoreError::ClientInUse { client, accounts }.into());
                }
                sqlx::query("DELETE FROM oauth_client WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *tx)
                    .await?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }
}

/// The error for a client that is not there, from inside a write.
async fn missing(tx: &mut SqliteConnection, name: &str) -> std::result::Result<StoreError, Failure> {
    let known =
        sqlx::query_scalar("SELECT name FROM oauth_client ORDER BY name_folded").fetch_all(tx).await?;
    Ok(StoreError::ClientNotFound { name: name.to_owned(), known })
}

#[derive(FromRow)]
struct ClientRow {
    id: String,
    name: String,
    connector: String,
    settings: String,
    redirect: Option<String>,
}

impl ClientRow {
    fn read(self) -> Result<OAuthClient> {
        Ok(OAuthClient {
            id: read_id("a client id", &self.id, ClientId::parse)?,
            name: self.name,
            connector: self.connector,
            settings: read_json("a client's settings", &self.settings)?,
            redirect: self.redirect,
        })
    }
}
