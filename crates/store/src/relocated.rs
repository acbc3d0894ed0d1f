//! Messages that a person moved from one folder of a job to another: entries of the ledger that a new message may be, and where
//! they were found again. Which is which is decided above.

use sqlx::{QueryBuilder, Sqlite};
use wissel_model::{AccountId, JobId, LedgerEntry, LedgerState};

use crate::ledger::insert_locations;
use crate::rows::{CHUNK, EntryRow};
use crate::{Lease, Mapping, Result, Store};

impl Store {
    /// Entries of the job in one of the `states` with one of these Message-IDs, which are given without angle brackets.
    /// Each comes as often as it has locations in the account, one after the other, the one found last at the end.
    ///
    /// # Errors
    /// The database failed.
    pub async fn entries_named(
        &self,
        job: JobId,
        account: AccountId,
        message_ids: &[String],
        states: &[LedgerState],
    ) -> Result<Vec<LedgerEntry>> {
        let mut entries = Vec::new();
        for chunk in message_ids.chunks(CHUNK) {
            let mut query = named_query(job, account, chunk, states);
            let rows: Vec<EntryRow> =
                query.build_query_as().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
            for row in rows {
                entries.push(row.read()?);
            }
        }
        Ok(entries)
    }

    /// Records that messages of the ledger were found at other places of the account. What is known of such a place, of
    /// which nothing was delivered, gives way.
    ///
    /// # Errors
    /// [`LeaseLost`](crate::StoreError::LeaseLost).
    pub async fn relocate(&self, lease: &Lease, account: AccountId, mappings: Vec<Mapping>) -> Result<()> {
        let job = lease.job;
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                for mapping in &mappings {
                    sqlx::query(
                        "DELETE FROM ledger WHERE state IN ('reserved', 'filtered') AND key IN (SELECT key FROM ledger_location \
                         WHERE job = ? AND account = ? AND folder = ? AND message = ?)",
                    )
                    .bind(job.to_string())
                    .bind(account.to_string())
                    .bind(mapping.folder.as_str())
                    .bind(mapping.message.as_str())
                    .execute(&mut *tx)
                    .await?;
                }
                let locations: Vec<_> = mappings.iter().map(|m| (m.key, &m.folder, &m.message)).collect();
                insert_locations(tx, job, account, &locations).await
            })
        })
        .await
    }
}

/// Asks for the entries with these Message-IDs.
pub(crate) fn named_query(
    job: JobId,
    account: AccountId,
    message_ids: &[String],
    states: &[LedgerState],
) -> QueryBuilder<Sqlite> {
    // The plus and the order of the join keep SQLite from going through all that the job or the account has.
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT g.*, l.folder, l.message FROM ledger g CROSS JOIN ledger_location l ON l.key = g.key \
         WHERE +g.job = ",
    );
    query.push_bind(job.to_string()).push(" AND l.account = ").push_bind(account.to_string());
    query.push(" AND g.internet_message_id IN (");
    let mut list = query.separated(", ");
    for id in message_ids {
        list.push_bind(format!("<{id}>")).push_bind(id.clone());
    }
    query.push(") AND g.state IN (");
    let mut list = query.separated(", ");
    for state in states {
        list.push_bind(state.as_str());
    }
    query.push(") ORDER BY g.key, l.found");
    query
}
