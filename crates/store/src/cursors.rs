//! Where the changes of a folder go on. A cursor is the connector's own and opaque; it is a hint where to look.

use wissel_model::{AccountId, FolderId, JobId};

use crate::ledger::insert_locations;
use crate::matching::Mapping;
use crate::{Lease, Result, Store};

impl Store {
    /// The cursor that was saved for a folder.
    ///
    /// # Errors
    /// The database failed.
    pub async fn cursor(&self, job: JobId, account: AccountId, folder: &FolderId) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT cursor FROM cursor WHERE job = ? AND account = ? AND folder = ?")
            .bind(job.to_string())
            .bind(account.to_string())
            .bind(folder.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))
    }

    /// Saves the cursor of a folder in place of the one before, together with the places where messages of the ledger
    /// were found again since: the folder's ids had changed.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::StoreError::LeaseLost).
    pub async fn save_cursor(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        cursor: &str,
        mappings: Vec<Mapping>,
    ) -> Result<()> {
        let (job, folder, cursor) = (lease.job, folder.clone(), cursor.to_owned());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let locations: Vec<_> = mappings.iter().map(|m| (m.key, &m.folder, &m.message)).collect();
                insert_locations(tx, job, account, &locations).await?;
                sqlx::query(
                    "INSERT INTO cursor (job, account, folder, cursor) VALUES (?, ?, ?, ?) \
                     ON CONFLICT (job, account, folder) DO UPDATE SET cursor = excluded.cursor",
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
}
