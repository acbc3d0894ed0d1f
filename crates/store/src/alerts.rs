//! The channels that alerts go to, and which alerts each was told.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use wissel_model::secrets::field;
use wissel_model::{AlertChannel, AlertChannelId};

use crate::accounts::name_taken;
use crate::audit::{self, AuditRecord};
use crate::error::Failure;
use crate::rows::{folded, json, moment, read_id, read_json, unreadable};
use crate::vault_keys::check_key;
use crate::{Result, Store, StoreError};

impl Store {
    /// All channels, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn alert_channels(&self) -> Result<Vec<AlertChannel>> {
        let rows: Vec<(String, String, String, i64)> =
            sqlx::query_as("SELECT id, name, target, time_limit FROM alert_channel ORDER BY name_folded")
                .fetch_all(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        let read = |(id, name, target, limit): (String, String, String, i64)| {
            Ok(AlertChannel {
                id: read_id("the id of an alert channel", &id, AlertChannelId::parse)?,
                name,
                target: read_json("an alert channel", &target)?,
                time_limit_seconds: u32::try_from(limit).map_err(|e| unreadable("a time limit", e))?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// The channel of this name, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::AlertChannelNotFound`] lists the names there are.
    pub async fn alert_channel_named(&self, name: &str) -> Result<AlertChannel> {
        let mut channels = self.alert_channels().await?;
        match channels.iter().position(|channel| folded(&channel.name) == folded(name)) {
            Some(at) => Ok(channels.swap_remove(at)),
            None => Err(StoreError::AlertChannelNotFound {
                name: name.to_owned(),
                known: channels.into_iter().map(|channel| channel.name).collect(),
            }),
        }
    }

    /// The sealed key that messages to a channel are signed with; none when they are not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sealed_signing_key(&self, id: AlertChannelId) -> Result<Option<Vec<u8>>> {
        let sealed: Option<Option<Vec<u8>>> =
            sqlx::query_scalar("SELECT sealed FROM alert_channel WHERE id = ?")
                .bind(id.to_string())
                .fetch_optional(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        Ok(sealed.flatten())
    }

    /// Adds a channel, or puts it in place of the one of its id. A sealed key that is not given stays.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub async fn put_alert_channel(
        &self,
        channel: &AlertChannel,
        signing_key: Option<&[u8]>,
        record: &AuditRecord,
    ) -> Result<()> {
        let (channel, record) = (channel.clone(), record.clone());
        let sealed = signing_key.map(<[u8]>::to_vec);
        self.write(move |tx| {
            Box::pin(async move {
                if let Some(sealed) = &sealed {
                    check_key(&mut *tx, sealed).await?;
                }
                sqlx::query(
                    "INSERT INTO alert_channel (id, name, name_folded, target, time_limit, sealed) \
                     VALUES (?, ?, ?, ?, ?, ?) \
                     ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
                     target = excluded.target, time_limit = excluded.time_limit, \
                     sealed = coalesce(excluded.sealed, sealed)",
                )
                .bind(channel.id.to_string())
                .bind(&channel.name)
                .bind(folded(&channel.name))
                .bind(json("an alert channel", &channel.target)?)
                .bind(channel.time_limit_seconds)
                .bind(sealed)
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &channel.name))?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Removes a channel.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remove_alert_channel(&self, id: AlertChannelId, record: &AuditRecord) -> Result<()> {
        let record = record.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM alert_channel WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *tx)
                    .await?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// Whether a channel was told this alert.
    ///
    /// # Errors
    /// The database failed.
    pub async fn was_told(&self, channel: AlertChannelId, alert: &str) -> Result<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM alert_told WHERE channel = ? AND alert = ?)")
            .bind(channel.to_string())
            .bind(alert)
            .fetch_one(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// Remembers that a channel was told this alert. One that was removed meanwhile is not remembered.
    ///
    /// # Errors
    /// The database failed.
    pub async fn told(&self, channel: AlertChannelId, alert: &str, at: Timestamp) -> Result<()> {
        let alert = alert.to_owned();
        self.write(move |tx| Box::pin(async move { remember(tx, channel, &alert, at).await })).await
    }
}

async fn remember(
    tx: &mut SqliteConnection,
    channel: AlertChannelId,
    alert: &str,
    at: Timestamp,
) -> std::result::Result<(), Failure> {
    sqlx::query(
        "INSERT OR IGNORE INTO alert_told (channel, alert, at) \
         SELECT id, ?, ? FROM alert_channel WHERE id = ?",
    )
    .bind(alert)
    .bind(moment(at))
    .bind(channel.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

/// The view `sealed_secret` names the field of a channel's key by itself.
const _: () = assert!(matches!(field::SIGNING_KEY.as_bytes(), b"signing-key"));
