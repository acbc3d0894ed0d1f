//! The secrets of OAuth clients: several side by side, one of them in use. Which one that is changes in one step.
//!
//! Nothing here can open a secret, or try one.

use jiff::Timestamp;
use sqlx::{FromRow, SqliteConnection};
use wissel_model::{ClientId, ClientSecret, ClientSecretId, SecretKind, SecretState};

use crate::audit::{self, AuditRecord};
use crate::error::Failure;
use crate::rows::{folded, moment, read_id, read_moment, read_optional_moment, unreadable};
use crate::vault_keys::check_key;
use crate::{Result, Store, StoreError};

impl Store {
    /// The secrets of a client, the one in use first, then the newest.
    ///
    /// # Errors
    /// The database failed.
    pub async fn client_secrets(&self, client: ClientId) -> Result<Vec<ClientSecret>> {
        let rows: Vec<SecretRow> = sqlx::query_as(
            "SELECT id, client, label, kind, expires, added, tested, state FROM client_secret \
             WHERE client = ? ORDER BY state <> 'in-use', added DESC",
        )
        .bind(client.to_string())
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        rows.into_iter().map(SecretRow::read).collect()
    }

    /// The sealed value of a client's secret; none when it was removed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sealed_client_secret(&self, id: ClientSecretId) -> Result<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT sealed FROM client_secret WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// Adds a secret beside those that the client has. It is only in use when none is yet, whatever it says.
    ///
    /// # Errors
    /// [`StoreError::LabelTaken`].
    pub async fn add_client_secret(
        &self,
        secret: &ClientSecret,
        sealed: &[u8],
        record: &AuditRecord,
    ) -> Result<SecretState> {
        let (mut secret, sealed, record) = (secret.clone(), sealed.to_vec(), record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let others: bool = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM client_secret WHERE client = ? AND state = 'in-use')",
                )
                .bind(secret.client.to_string())
                .fetch_one(&mut *tx)
                .await?;
                secret.state = if others { SecretState::Standby } else { SecretState::InUse };
                insert(tx, &secret, &sealed).await?;
                audit::insert(tx, &record).await?;
                Ok(secret.state)
            })
        })
        .await
    }

    /// Changes what is known of a secret: its label, its kind and when it expires; and its value where one is given,
    /// which nobody has tested then.
    ///
    /// # Errors
    /// [`StoreError::LabelTaken`], [`StoreError::ClientSecretGone`].
    pub async fn update_client_secret(
        &self,
        secret: &ClientSecret,
        sealed: Option<&[u8]>,
        record: &AuditRecord,
    ) -> Result<()> {
        let (secret, record) = (secret.clone(), record.clone());
        let sealed = sealed.map(<[u8]>::to_vec);
        self.write(move |tx| {
            Box::pin(async move {
                if let Some(sealed) = &sealed {
                    check_key(&mut *tx, sealed).await?;
                }
                let done = sqlx::query(
                    "UPDATE client_secret SET label = ?1, label_folded = ?2, kind = ?3, expires = ?4, \
                     tested = CASE WHEN ?5 IS NULL THEN tested END, sealed = coalesce(?5, sealed) WHERE id = ?6",
                )
                .bind(&secret.label)
                .bind(folded(&secret.label))
                .bind(kind(secret.kind))
                .bind(secret.expires.map(moment))
                .bind(sealed)
                .bind(secret.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| label_taken(e, &secret.label))?;
                found(done.rows_affected())?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Remembers how a secret's last test ended: when the provider gave a token for it, or none when it refused it.
    /// `sealed` is the value as it was stored when the test began: what was put in its place meanwhile was not tested.
    ///
    /// # Errors
    /// [`StoreError::ClientSecretGone`], also when the value is another one now.
    pub async fn client_secret_tested(
        &self,
        id: ClientSecretId,
        sealed: &[u8],
        tested: Option<Timestamp>,
        record: &AuditRecord,
    ) -> Result<()> {
        let (sealed, record) = (sealed.to_vec(), record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let done = sqlx::query("UPDATE client_secret SET tested = ? WHERE id = ? AND sealed = ?")
                    .bind(tested.map(moment))
                    .bind(id.to_string())
                    .bind(sealed)
                    .execute(&mut *tx)
                    .await?;
                found(done.rows_affected())?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Puts this secret into use; the one before is on standby then. One step: at each moment one of them is in use.
    ///
    /// # Errors
    /// [`StoreError::ClientSecretGone`].
    pub async fn use_client_secret(&self, secret: &ClientSecret, record: &AuditRecord) -> Result<()> {
        let (id, client, record) = (secret.id, secret.client, record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE client_secret SET state = 'standby' WHERE client = ? AND state = 'in-use'",
                )
                .bind(client.to_string())
                .execute(&mut *tx)
                .await?;
                let done =
                    sqlx::query("UPDATE client_secret SET state = 'in-use' WHERE id = ? AND client = ?")
                        .bind(id.to_string())
                        .bind(client.to_string())
                        .execute(&mut *tx)
                        .await?;
                found(done.rows_affected())?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Removes a secret that is not in use.
    ///
    /// # Errors
    /// [`StoreError::ClientSecretInUse`], [`StoreError::ClientSecretGone`].
    pub async fn remove_client_secret(&self, secret: &ClientSecret, record: &AuditRecord) -> Result<()> {
        let (id, label, record) = (secret.id, secret.label.clone(), record.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let state: Option<String> =
                    sqlx::query_scalar("SELECT state FROM client_secret WHERE id = ?")
                        .bind(id.to_string())
                        .fetch_optional(&mut *tx)
                        .await?;
                match state.as_deref() {
                    None => return Err(StoreError::ClientSecretGone.into()),
                    Some("in-use") => return Err(StoreError::ClientSecretInUse { label }.into()),
                    Some(_) => {}
                }
                sqlx::query("DELETE FROM client_secret WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *tx)
                    .await?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }
}

/// Adds a secret as it stands.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    secret: &ClientSecret,
    sealed: &[u8],
) -> std::result::Result<(), Failure> {
    check_key(&mut *tx, sealed).await?;
    sqlx::query(
        "INSERT INTO client_secret (id, client, label, label_folded, kind, expires, added, tested, state, sealed) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(secret.id.to_string())
    .bind(secret.client.to_string())
    .bind(&secret.label)
    .bind(folded(&secret.label))
    .bind(kind(secret.kind))
    .bind(secret.expires.map(moment))
    .bind(moment(secret.added))
    .bind(secret.tested.map(moment))
    .bind(match secret.state {
        SecretState::InUse => "in-use",
        SecretState::Standby => "standby",
    })
    .bind(sealed)
    .execute(tx)
    .await
    .map_err(|e| label_taken(e, &secret.label))?;
    Ok(())
}

fn kind(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Secret => "secret",
        SecretKind::Certificate => "certificate",
    }
}

fn found(rows: u64) -> std::result::Result<(), Failure> {
    if rows == 0 { Err(StoreError::ClientSecretGone.into()) } else { Ok(()) }
}

fn label_taken(error: sqlx::Error, label: &str) -> Failure {
    let failure = Failure::from(error);
    if failure.is_unique_violation() {
        return StoreError::LabelTaken { label: label.to_owned() }.into();
    }
    failure
}

#[derive(FromRow)]
struct SecretRow {
    id: String,
    client: String,
    label: String,
    kind: String,
    expires: Option<String>,
    added: String,
    tested: Option<String>,
    state: String,
}

impl SecretRow {
    fn read(self) -> Result<ClientSecret> {
        Ok(ClientSecret {
            id: read_id("the id of a client's secret", &self.id, ClientSecretId::parse)?,
            client: read_id("a client id", &self.client, ClientId::parse)?,
            label: self.label,
            kind: match self.kind.as_str() {
                "secret" => SecretKind::Secret,
                "certificate" => SecretKind::Certificate,
                other => return Err(unreadable("a kind of secret", other)),
            },
            expires: read_optional_moment(self.expires.as_deref())?,
            added: read_moment(&self.added)?,
            tested: read_optional_moment(self.tested.as_deref())?,
            state: match self.state.as_str() {
                "in-use" => SecretState::InUse,
                "standby" => SecretState::Standby,
                other => return Err(unreadable("a state of a secret", other)),
            },
        })
    }
}
