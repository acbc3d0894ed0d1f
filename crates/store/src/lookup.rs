//! Reading the ledger: what a listing's messages are known as, what a run has to take up again, and pages for people.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::{FromRow, QueryBuilder, Sqlite};
use wissel_model::{AccountId, FolderId, JobId, LedgerEntry, LedgerState, MessageId, MessageKey};

use crate::rows::{
    CHUNK, EntryRow, read_entries, read_id, read_moment, read_optional_moment, read_size, read_state,
};
use crate::{Result, Store};

/// What of the ledger is asked for. `Default` asks for no rows: set a limit.
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    /// Only this job.
    pub job: Option<JobId>,
    /// Only this state.
    pub state: Option<LedgerState>,
    /// Only rows with this text in subject, Message-ID, digest or key. ASCII letters match without regard to case.
    pub text: Option<String>,
    /// At most so many rows.
    pub limit: u32,
    /// Go on after this row, the last of the page before.
    pub after: Option<MessageKey>,
}

/// Where a message was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The account.
    pub account: AccountId,
    /// The folder there.
    pub folder: FolderId,
    /// Its id there.
    pub message: MessageId,
}

/// One row of the ledger with all its locations, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// What the sink knows it by.
    pub key: MessageKey,
    /// The job.
    pub job: JobId,
    /// How far it has come.
    pub state: LedgerState,
    /// The Message-ID header.
    pub internet_message_id: Option<String>,
    /// When the service received it.
    pub received: Option<Timestamp>,
    /// The canonical digest.
    pub digest: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// Octets as delivered.
    pub size: Option<u32>,
    /// When this state was reached.
    pub since: Timestamp,
    /// Why it failed last.
    pub reason: Option<String>,
    /// The account it was found in first.
    pub origin: AccountId,
    /// Where it was seen, oldest first.
    pub locations: Vec<Location>,
}

impl Store {
    /// Which of these messages of a folder are in the ledger.
    ///
    /// # Errors
    /// The database failed.
    pub async fn known(
        &self,
        job: JobId,
        account: AccountId,
        folder: &FolderId,
        ids: &[MessageId],
    ) -> Result<HashMap<MessageId, (MessageKey, LedgerState)>> {
        let mut known = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT l.message, l.key, g.state FROM ledger_location l JOIN ledger g ON g.key = l.key \
                 WHERE l.job = ",
            );
            query.push_bind(job.to_string()).push(" AND l.account = ").push_bind(account.to_string());
            query.push(" AND l.folder = ").push_bind(folder.as_str()).push(" AND l.message IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str());
            }
            query.push(")");
            let rows: Vec<(String, String, String)> =
                query.build_query_as().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
            for (message, key, state) in rows {
                let key = read_id("a message key", &key, MessageKey::parse)?;
                known.insert(message.into(), (key, read_state(&state)?));
            }
        }
        Ok(known)
    }

    /// Whether the ledger has a message in this folder, in whatever state.
    ///
    /// # Errors
    /// The database failed.
    pub async fn knows_folder(&self, job: JobId, account: AccountId, folder: &FolderId) -> Result<bool> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM ledger_location WHERE job = ? AND account = ? AND folder = ?)",
        )
        .bind(job.to_string())
        .bind(account.to_string())
        .bind(folder.as_str())
        .fetch_one(self.readers())
        .await
        .map_err(|e| self.failed(e))
    }

    /// What the ledger holds about those of these messages of a folder that it knows.
    ///
    /// # Errors
    /// The database failed.
    pub async fn known_entries(
        &self,
        job: JobId,
        account: AccountId,
        folder: &FolderId,
        ids: &[MessageId],
    ) -> Result<Vec<LedgerEntry>> {
        let mut entries = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT g.*, l.folder, l.message FROM ledger_location l JOIN ledger g ON g.key = l.key \
                 WHERE l.job = ",
            );
            query.push_bind(job.to_string()).push(" AND l.account = ").push_bind(account.to_string());
            query.push(" AND l.folder = ").push_bind(folder.as_str()).push(" AND l.message IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str());
            }
            query.push(")");
            let rows: Vec<EntryRow> =
                query.build_query_as().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
            for row in rows {
                entries.push(row.read()?);
            }
        }
        Ok(entries)
    }

    /// Which of these messages were passed over by another filter than this one; all, when it asks nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn passed_over_otherwise(
        &self,
        keys: &[MessageKey],
        filter: Option<&str>,
    ) -> Result<HashSet<MessageKey>> {
        let mut found = HashSet::new();
        for chunk in keys.chunks(CHUNK) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT key FROM ledger WHERE state = 'filtered' AND coalesce(filter, '') <> ",
            );
            query.push_bind(filter.unwrap_or_default()).push(" AND key IN (");
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.to_string());
            }
            query.push(")");
            let rows: Vec<String> =
                query.build_query_scalar().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
            for key in rows {
                found.insert(read_id("a message key", &key, MessageKey::parse)?);
            }
        }
        Ok(found)
    }

    /// What is reserved or delivered in this account and not done: where an interrupted run goes on. By key, which
    /// is the order in which they were reserved.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unfinished(&self, job: JobId, account: AccountId) -> Result<Vec<LedgerEntry>> {
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT g.*, l.folder, l.message FROM ledger g JOIN ledger_location l ON l.key = g.key \
             WHERE g.job = ? AND g.state IN ('reserved', 'delivered') AND l.account = ? \
             ORDER BY g.key, l.found",
        )
        .bind(job.to_string())
        .bind(account.to_string())
        .fetch_all(self.readers())
        .await
        .map_err(|e| self.failed(e))?;
        read_entries(rows)
    }

    /// Rows of the ledger with all their locations, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ledger(&self, query: &LedgerQuery) -> Result<Vec<LedgerRow>> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM ledger WHERE TRUE");
        if let Some(job) = query.job {
            sql.push(" AND job = ").push_bind(job.to_string());
        }
        if let Some(state) = query.state {
            sql.push(" AND state = ").push_bind(state.as_str());
        }
        if let Some(after) = query.after {
            sql.push(" AND key < ").push_bind(after.to_string());
        }
        if let Some(text) = &query.text {
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            let pattern = format!("%{escaped}%");
            sql.push(" AND (");
            let mut any = sql.separated(" OR ");
            for column in ["subject", "internet_message_id", "digest", "key"] {
                any.push(format_args!("lower({column}) LIKE lower("));
                any.push_bind_unseparated(pattern.clone()).push_unseparated(") ESCAPE '\\'");
            }
            sql.push(")");
        }
        sql.push(" ORDER BY key DESC LIMIT ").push_bind(query.limit);
        let rows: Vec<Row> =
            sql.build_query_as().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
        let mut locations = self.locations(&rows).await?;
        rows.into_iter()
            .map(|row| {
                let locations = locations.remove(&row.key).unwrap_or_default();
                row.read(locations)
            })
            .collect()
    }

    /// The locations of these rows, by key, oldest first.
    async fn locations(&self, rows: &[Row]) -> Result<HashMap<String, Vec<Location>>> {
        let mut found: HashMap<String, Vec<Location>> = HashMap::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let mut sql = QueryBuilder::<Sqlite>::new(
                "SELECT key, account, folder, message FROM ledger_location WHERE key IN (",
            );
            let mut keys = sql.separated(", ");
            for row in chunk {
                keys.push_bind(row.key.as_str());
            }
            sql.push(") ORDER BY found");
            let rows: Vec<(String, String, String, String)> =
                sql.build_query_as().fetch_all(self.readers()).await.map_err(|e| self.failed(e))?;
            for (key, account, folder, message) in rows {
                let account = read_id("an account id", &account, AccountId::parse)?;
                let location = Location { account, folder: folder.into(), message: message.into() };
                found.entry(key).or_default().push(location);
            }
        }
        Ok(found)
    }
}

#[derive(FromRow)]
struct Row {
    key: String,
    job: String,
    state: String,
    internet_message_id: Option<String>,
    received: Option<String>,
    digest: Option<String>,
    subject: Option<String>,
    size: Option<i64>,
    since: String,
    reason: Option<String>,
    origin: String,
}

impl Row {
    fn read(self, locations: Vec<Location>) -> Result<LedgerRow> {
        Ok(LedgerRow {
            key: read_id("a message key", &self.key, MessageKey::parse)?,
            job: read_id("a job id", &self.job, JobId::parse)?,
            state: read_state(&self.state)?,
            internet_message_id: self.internet_message_id,
            received: read_optional_moment(self.received.as_deref())?,
            digest: self.digest,
            subject: self.subject,
            size: read_size(self.size)?,
            since: read_moment(&self.since)?,
            reason: self.reason,
            origin: read_id("an account id", &self.origin, AccountId::parse)?,
            locations,
        })
    }
}
