//! Which keys secrets are sealed with, and where each is kept; the keys themselves are never here.
//!
//! A key is announced before it is put into its place, and forgotten after it was removed from there. So whoever finds
//! a key that is not the current one knows what an interrupted change has left behind.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use wissel_model::{AccountId, AlertChannelId, ClientId, SecretOwner, secrets};

use crate::audit::{self, AuditRecord};
use crate::error::Failure;
use crate::rows::{now, read_id, read_moment, unreadable};
use crate::{Result, Store, StoreError};

/// What a key is to the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It may be in its place already; nothing is sealed with it yet.
    Coming,
    /// Everything new is sealed with it.
    Current,
    /// It may still be in its place; nothing needs it there any more.
    Leaving,
}

/// A key that the installation knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey {
    /// Its id, as it stands in what it has sealed, in hexadecimal.
    pub id: String,
    /// The kind of its place, such as `file`.
    pub place: String,
    /// What it is now.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
}

/// A secret as it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Whose it is.
    pub owner: SecretOwner,
    /// Which it is.
    pub field: String,
    /// What the vault has made of it.
    pub octets: Vec<u8>,
}

/// A secret that is sealed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// Whose it is.
    pub owner: SecretOwner,
    /// Which it is.
    pub field: String,
    /// As it was read.
    pub before: Vec<u8>,
    /// As it shall be.
    pub after: Vec<u8>,
}

impl Store {
    /// All keys that the installation knows of, the current one first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn vault_keys(&self) -> Result<Vec<VaultKey>> {
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT id, place, state, since FROM vault_key ORDER BY state <> 'current', since",
        )
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        let read = |(id, place, state, since): (String, String, String, String)| {
            let state = match state.as_str() {
                "coming" => KeyState::Coming,
                "current" => KeyState::Current,
                "leaving" => KeyState::Leaving,
                other => return Err(unreadable("a state of a vault key", other)),
            };
            Ok(VaultKey { id, place, state, since: read_moment(&since)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// Remembers that a key is about to be put into a place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn announce_vault_key(&self, id: &str, place: &str) -> Result<()> {
        let (id, place) = (id.to_owned(), place.to_owned());
        self.write(move |tx| Box::pin(async move { put(tx, &id, &place, "coming").await })).await
    }

    /// Makes this key the current one, without a look at what is sealed: at first use, and after a key was lost.
    ///
    /// # Errors
    /// The database failed.
    pub async fn adopt_vault_key(&self, id: &str, place: &str) -> Result<()> {
        let (id, place) = (id.to_owned(), place.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM vault_key WHERE state = 'current'").execute(&mut *tx).await?;
                put(tx, &id, &place, "current").await
            })
        })
        .await
    }

    /// Makes this key the current one and puts the secrets that were sealed with it in place of the old ones, all or
    /// none; the key before is leaving then.
    ///
    /// # Errors
    /// [`StoreError::SecretsChanged`] when a secret was changed, added or removed since they were read.
    pub async fn change_vault_key(
        &self,
        id: &str,
        place: &str,
        secrets: Vec<Resealed>,
        record: &AuditRecord,
    ) -> Result<()> {
        let (id, place, record) = (id.to_owned(), place.to_owned(), record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let known: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM sealed_secret").fetch_one(&mut *tx).await?;
                if usize::try_from(known) != Ok(secrets.len()) {
                    return Err(StoreError::SecretsChanged.into());
                }
                for secret in &secrets {
                    reseal(tx, secret).await?;
                }
                sqlx::query("UPDATE vault_key SET state = 'leaving', since = ? WHERE state = 'current'")
                    .bind(now())
                    .execute(&mut *tx)
                    .await?;
                put(tx, &id, &place, "current").await?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Forgets a key that was removed from its place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_vault_key(&self, id: &str, place: &str) -> Result<()> {
        let (id, place) = (id.to_owned(), place.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM vault_key WHERE id = ? AND place = ? AND state <> 'current'")
                    .bind(id)
                    .bind(place)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether any secret is stored at all: then the vault's key must exist already.
    ///
    /// # Errors
    /// The database failed.
    pub async fn any_secret(&self) -> Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sealed_secret)")
            .fetch_one(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// Every secret as it is sealed: of accounts, OAuth clients and alert channels.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sealed_secrets(&self) -> Result<Vec<Sealed>> {
        let rows: Vec<(String, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT kind, owner, field, sealed FROM sealed_secret ORDER BY kind, owner, field",
        )
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        let read = |(kind, owner, field, octets): (String, String, String, Vec<u8>)| {
            let owner = match kind.as_str() {
                "account" => SecretOwner::Account(read_id("an account id", &owner, AccountId::parse)?),
                "client" => SecretOwner::Client(read_id("a client id", &owner, ClientId::parse)?),
                _ => {
                    SecretOwner::Alert(read_id("the id of an alert channel", &owner, AlertChannelId::parse)?)
                }
            };
            Ok(Sealed { owner, field, octets })
        };
        rows.into_iter().map(read).collect()
    }
}

/// Puts one secret in place of what it was; refused when that changed meanwhile.
async fn reseal(tx: &mut SqliteConnection, secret: &Resealed) -> std::result::Result<(), Failure> {
    let update = match secret.owner {
        SecretOwner::Account(id) => {
            sqlx::query("UPDATE account_secret SET sealed = ? WHERE sealed = ? AND account = ? AND field = ?")
                .bind(&secret.after)
                .bind(&secret.before)
                .bind(id.to_string())
                .bind(&secret.field)
        }
        SecretOwner::Client(id) => {
            sqlx::query("UPDATE client_secret SET sealed = ? WHERE sealed = ? AND client = ? AND id = ?")
                .bind(&secret.after)
                .bind(&secret.before)
                .bind(id.to_string())
                .bind(&secret.field)
        }
        SecretOwner::Alert(id) => {
            sqlx::query("UPDATE alert_channel SET sealed = ? WHERE sealed = ? AND id = ?")
                .bind(&secret.after)
                .bind(&secret.before)
                .bind(id.to_string())
        }
    };
    if update.execute(tx).await?.rows_affected() == 0 {
        return Err(StoreError::SecretsChanged.into());
    }
    Ok(())
}

/// The id of the key that a secret names, in hexadecimal; none when it has no such form.
#[must_use]
pub fn key_of(sealed: &[u8]) -> Option<String> {
    let id = sealed.get(secrets::KEY_ID)?;
    Some(id.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Refuses a secret that was sealed with a key which is not the current one: its key may be removed at any moment.
pub(crate) async fn check_key(tx: &mut SqliteConnection, sealed: &[u8]) -> std::result::Result<(), Failure> {
    let current: Option<String> =
        sqlx::query_scalar("SELECT id FROM vault_key WHERE state = 'current'").fetch_optional(tx).await?;
    if current.is_some() && current != key_of(sealed) {
        return Err(StoreError::KeyChanged.into());
    }
    Ok(())
}

async fn put(
    tx: &mut SqliteConnection,
    id: &str,
    place: &str,
    state: &str,
) -> std::result::Result<(), Failure> {
    sqlx::query(
        "INSERT INTO vault_key (id, place, state, since) VALUES (?, ?, ?, ?) \
         ON CONFLICT (id, place) DO UPDATE SET state = excluded.state, since = excluded.since",
    )
    .bind(id)
    .bind(place)
    .bind(state)
    .bind(now())
    .execute(tx)
    .await?;
    Ok(())
}
