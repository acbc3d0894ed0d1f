//! Where the changes of a folder go on. A cursor is the connector's own and opaque; it is a hint where to look.

use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use wissel_model::{AccountId, FolderId, JobId, MessageId};

use crate::error::Failure;
use crate::ledger::insert_locations;
use crate::matching::Mapping;
use crate::rows::{CHUNK, now, read_optional_moment};
use crate::{Lease, Result, Store};

/// A saved cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// As the connector gave it.
    pub cursor: String,
    /// The revision of the job for which everything that was listed at the cursor was settled, and when; none when
    /// something was left.
    pub settled: Option<(i64, Timestamp)>,
}

impl Store {
    /// The cursor that was saved for a folder.
    ///
    /// # Errors
    /// The database failed.
    pub async fn cursor(&self, job: JobId, account: AccountId, folder: &FolderId) -> Result<Option<Cursor>> {
        let row: Option<(String, Option<i64>, Option<String>)> = sqlx::query_as(
            "SELECT cursor, settled, listed FROM cursor WHERE job = ? AND account = ? AND folder = ?",
        )
        .bind(job.to_string())
        .bind(account.to_string())
        .bind(folder.as_str())
        .fetch_optional(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        row.map(|(cursor, settled, listed)| {
            let listed = read_optional_moment(listed.as_deref())?;
            Ok(Cursor { cursor, settled: settled.zip(listed) })
        })
        .transpose()
    }

    /// Records that everything that was listed at this cursor is settled for this revision of the job, or
    /// (`None`) that it is to be listed again. Does nothing when another cursor was saved meanwhile.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::StoreError::LeaseLost).
    pub async fn settle_cursor(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        cursor: &str,
        revision: Option<i64>,
    ) -> Result<()> {
        let (job, folder, cursor) = (lease.job, folder.clone(), cursor.to_owned());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE cursor SET settled = ?, listed = ? \
                     WHERE job = ? AND account = ? AND folder = ? AND cursor = ?",
                )
                .bind(revision)
                .bind(revision.map(|_| now()))
                .bind(job.to_string())
                .bind(account.to_string())
                .bind(folder.as_str())
                .bind(cursor)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Saves the cursor of a folder in place of the one before, together with what was found out about the folder's ids:
    /// `stale` ones name other messages than they did, and are taken from those of the ledger that had them; the
    /// `mappings` tell where messages of the ledger were found again. A message that was only reserved under a stale id
    /// is forgotten; one that was delivered is done, as nothing can be changed where it has gone.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::StoreError::LeaseLost).
    pub async fn save_cursor(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        cursor: &str,
        stale: Vec<MessageId>,
        mappings: Vec<Mapping>,
    ) -> Result<()> {
        let (job, folder, cursor) = (lease.job, folder.clone(), cursor.to_owned());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let homeless = drop_locations(tx, job, account, &folder, &stale).await?;
                let locations: Vec<_> = mappings.iter().map(|m| (m.key, &m.folder, &m.message)).collect();
                insert_locations(tx, job, account, &locations).await?;
                give_up(tx, account, &homeless).await?;
                sqlx::query(
                    "INSERT INTO cursor (job, account, folder, cursor) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (job, account, folder) DO UPDATE SET cursor = excluded.cursor, \
                     settled = NULL, listed = NULL",
                )
                .bind(job.to_string())
                .bind(account.to_string())
                .bind(folder.as_str())
                .bind(cursor)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets the cursor of a folder, so that the connector is asked to list it again.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::StoreError::LeaseLost).
    pub async fn forget_cursor(&self, lease: &Lease, account: AccountId, folder: &FolderId) -> Result<()> {
        let (job, folder) = (lease.job, folder.clone());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM cursor WHERE job = ? AND account = ? AND folder = ?")
                    .bind(job.to_string())
                    .bind(account.to_string())
                    .bind(folder.as_str())
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Removes the locations with these ids, and returns the keys of their messages.
async fn drop_locations(
    tx: &mut SqliteConnection,
    job: JobId,
    account: AccountId,
    folder: &FolderId,
    ids: &[MessageId],
) -> std::result::Result<Vec<String>, Failure> {
    let mut keys = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM ledger_location WHERE job = ");
        query.push_bind(job.to_string()).push(" AND account = ").push_bind(account.to_string());
        query.push(" AND folder = ").push_bind(folder.as_str()).push(" AND message IN (");
        let mut list = query.separated(", ");
        for id in chunk {
            list.push_bind(id.as_str());
        }
        query.push(") RETURNING key");
        keys.extend(query.build_query_scalar::<String>().fetch_all(&mut *tx).await?);
    }
    Ok(keys)
}

/// Ends what was under way for messages that have no place in the account any more.
async fn give_up(
    tx: &mut SqliteConnection,
    account: AccountId,
    keys: &[String],
) -> std::result::Result<(), Failure> {
    for chunk in keys.chunks(CHUNK) {
        let forget = QueryBuilder::<Sqlite>::new("DELETE FROM ledger WHERE state = 'reserved'");
        let mut finish = QueryBuilder::<Sqlite>::new("UPDATE ledger SET state = 'done', since = ");
        finish.push_bind(now()).push(" WHERE state = 'delivered'");
        for mut query in [forget, finish] {
            query.push(
                " AND NOT EXISTS (SELECT 1 FROM ledger_location l WHERE l.key = ledger.key AND l.account = ",
            );
            query.push_bind(account.to_string()).push(") AND key IN (");
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.as_str());
            }
            query.push(")");
            query.build().execute(&mut *tx).await?;
        }
    }
    Ok(())
}

/// Has the job's folders listed again, although nothing changed in them: the ledger holds less than before.
pub(crate) async fn list_anew(tx: &mut SqliteConnection, job: &str) -> std::result::Result<(), Failure> {
    sqlx::query("UPDATE cursor SET settled = NULL, listed = NULL WHERE job = ?")
        .bind(job)
        .execute(tx)
        .await?;
    Ok(())
}
