//! A copy of the whole database, for a backup, and what becomes of a copy that is put back.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use wissel_model::JobId;

use crate::audit::{self, AuditRecord};
use crate::error::Failure;
use crate::rows::{moment, read_moment};
use crate::vault_keys::key_of;
use crate::{Result, Store};

impl Store {
    /// Writes a copy of the database as it is now into `path`, which must not exist or be empty. Others go on reading
    /// and writing meanwhile; what they write is not in the copy.
    ///
    /// # Errors
    /// The database failed, or the copy cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        sqlx::query("VACUUM INTO ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// The ids of the keys that the secrets in such a copy are sealed with, one for each secret; empty for one that has
    /// no such form. The copy stays as it is.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub async fn keys_in_copy(path: &Path) -> Result<Vec<String>> {
        // Nobody else knows the copy: without locks, nothing is put beside it.
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let read = async {
            let mut copy = SqliteConnection::connect_with(&options).await?;
            let sealed = sqlx::query_scalar("SELECT sealed FROM sealed_secret").fetch_all(&mut copy).await?;
            copy.close().await?;
            Ok::<Vec<Vec<u8>>, sqlx::Error>(sealed)
        };
        let sealed = read.await.map_err(|e| Failure::from(e).at(path))?;
        Ok(sealed.iter().map(|sealed| key_of(sealed).unwrap_or_default()).collect())
    }

    /// How many octets the database has, about as many as its copy will have.
    ///
    /// # Errors
    /// The database failed.
    pub async fn size(&self) -> Result<u64> {
        let octets: i64 =
            sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
                .fetch_one(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
        Ok(octets.unsigned_abs())
    }

    /// Makes a copy that was taken at `made` ready to be worked with: no job runs before an operator lets it, because
    /// messages that were imported since are not in its ledger; leases of the process that held them then are free; the
    /// vault's key is in `key_place`, or where it was when that is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn settle_copy(
        &self,
        made: Timestamp,
        key: Option<(&str, &str)>,
        record: &AuditRecord,
    ) -> Result<()> {
        let key = key.map(|(id, place)| (id.to_owned(), place.to_owned()));
        let record = record.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT OR REPLACE INTO job_hold (job, made) SELECT id, ? FROM job")
                    .bind(moment(made))
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("UPDATE job SET enabled = FALSE, revision = revision + 1")
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("UPDATE job_lease SET released = TRUE, epoch = epoch + 1")
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("DELETE FROM vault_key WHERE state <> 'current'").execute(&mut *tx).await?;
                if let Some((id, place)) = key {
                    sqlx::query("DELETE FROM vault_key").execute(&mut *tx).await?;
                    sqlx::query(
                        "INSERT INTO vault_key (id, place, state, since) VALUES (?, ?, 'current', ?)",
                    )
                    .bind(id)
                    .bind(place)
                    .bind(moment(record.at))
                    .execute(&mut *tx)
                    .await?;
                }
                audit::insert(tx, &record).await
            })
        })
        .await
    }

    /// When the backup was made that this job came back with; none when it may run.
    ///
    /// # Errors
    /// The database failed.
    pub async fn held_since(&self, job: JobId) -> Result<Option<Timestamp>> {
        let made: Option<String> = sqlx::query_scalar("SELECT made FROM job_hold WHERE job = ?")
            .bind(job.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        made.map(|made| read_moment(&made)).transpose()
    }

    /// Lets a job run again that came back with a backup.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lift_hold(&self, job: JobId) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM job_hold WHERE job = ?").bind(job.to_string()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}
