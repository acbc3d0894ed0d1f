//! The steps of a message through the ledger: reserved, delivered, done; or forgotten, or counted as done beforehand.
//!
//! Each step takes a batch, is one committed transaction, is fenced by the lease, and may be repeated. A step that
//! finds a message in a state that the order of steps rules out changes nothing.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use wissel_model::{AccountId, FolderId, JobId, LedgerState, MessageId, MessageKey, MessageSummary};

use crate::audit::{self, AuditRecord};
use crate::cursors::list_anew;
use crate::error::Failure;
use crate::rows::{CHUNK, moment, now, read_id, read_state};
use crate::{Lease, Result, Store, StoreError};

/// What is known of a message once the sink has acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The message.
    pub key: MessageKey,
    /// The canonical digest, when it is known.
    pub digest: Option<String>,
    /// Octets of the message as delivered.
    pub size: Option<u32>,
    /// The Message-ID header; none keeps what the listing said.
    pub internet_message_id: Option<String>,
    /// The subject; none keeps what the listing said.
    pub subject: Option<String>,
}

/// The state that a delivery leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverTo {
    /// The mailbox is still to be changed.
    Delivered,
    /// Nothing is left to do: the message stays as it is in the mailbox.
    Done,
}

impl Store {
    /// Gives each message a key, in the same order. A message that is known keeps its key and its state, but for one that
    /// a filter passed over: it is reserved again.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn reserve(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        messages: &[MessageSummary],
    ) -> Result<Vec<MessageKey>> {
        let place = Place::new(lease, account, folder);
        let messages = messages.to_vec();
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let mut keys = place.keys(tx, &messages).await?;
                look_again(tx, place.job, &keys, LedgerState::Reserved).await?;
                place.insert(tx, &messages, &mut keys, LedgerState::Reserved).await?;
                Ok(messages.iter().filter_map(|m| keys.get(&m.id).copied()).collect())
            })
        })
        .await
    }

    /// Counts messages as done without delivery; known ones are left as they are. Returns how many were new.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn baseline(
        &self,
        lease: &Lease,
        account: AccountId,
        folder: &FolderId,
        messages: &[MessageSummary],
    ) -> Result<u64> {
        let place = Place::new(lease, account, folder);
        let messages = messages.to_vec();
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let mut keys = place.keys(tx, &messages).await?;
                let again = look_again(tx, place.job, &keys, LedgerState::Baseline).await?;
                Ok(again + place.insert(tx, &messages, &mut keys, LedgerState::Baseline).await?)
            })
        })
        .await
    }

    /// Records that the sink has acknowledged these: `Reserved -> Delivered`, or straight to `Done`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] when one is neither reserved nor delivered nor done.
    pub async fn deliver(&self, lease: &Lease, messages: &[Delivered], to: DeliverTo) -> Result<()> {
        let (job, messages) = (lease.job, messages.to_vec());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                for chunk in messages.chunks(CHUNK) {
                    deliver_chunk(tx, job, chunk, to).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Records that the filter with this text took none of these: `Reserved -> Filtered`. Nothing of them is delivered.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn pass_over(&self, lease: &Lease, messages: &[Delivered], filter: &str) -> Result<()> {
        let (job, messages, filter) = (lease.job, messages.to_vec(), filter.to_owned());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                for message in messages {
                    sqlx::query(
                        "UPDATE ledger SET state = 'filtered', filter = ?, since = ?, digest = ?, size = ?, \
                         internet_message_id = coalesce(?, internet_message_id) \
                         WHERE key = ? AND job = ? AND state = 'reserved'",
                    )
                    .bind(&filter)
                    .bind(now())
                    .bind(message.digest)
                    .bind(message.size.map(i64::from))
                    .bind(message.internet_message_id)
                    .bind(message.key.to_string())
                    .bind(job.to_string())
                    .execute(&mut *tx)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Records that the mailbox was changed for these: `Delivered -> Done`.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; [`StoreError::WrongState`] when one is neither delivered nor done.
    pub async fn finish(&self, lease: &Lease, messages: &[MessageKey]) -> Result<()> {
        let (job, keys) = (lease.job, messages.to_vec());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                for chunk in keys.chunks(CHUNK) {
                    let mut query = QueryBuilder::<Sqlite>::new("UPDATE ledger SET state = 'done', since = ");
                    query
                        .push_bind(now())
                        .push(" WHERE state = 'delivered' AND job = ")
                        .push_bind(job.to_string());
                    push_keys(&mut query, chunk);
                    let done = query.build().execute(&mut *tx).await?.rows_affected();
                    if done < chunk.len() as u64 {
                        expect(tx, job, chunk, LedgerState::Done, &[LedgerState::Done]).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// Forgets messages that vanished from the mailbox before they were delivered. Only reserved ones are forgotten.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn forget(&self, lease: &Lease, messages: &[MessageKey]) -> Result<()> {
        let (job, keys) = (lease.job, messages.to_vec());
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                for chunk in keys.chunks(CHUNK) {
                    let mut query =
                        QueryBuilder::<Sqlite>::new("DELETE FROM ledger WHERE state = 'reserved' AND job = ");
                    query.push_bind(job.to_string());
                    push_keys(&mut query, chunk);
                    query.build().execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Counts a strike against a message that is reserved, and returns how many it has.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    pub async fn strike(&self, lease: &Lease, key: MessageKey) -> Result<u32> {
        let job = lease.job;
        self.fenced(lease, move |tx| {
            Box::pin(async move {
                let strikes: Option<i64> = sqlx::query_scalar(
                    "UPDATE ledger SET strikes = strikes + 1 WHERE key = ? AND job = ? AND state = 'reserved' \
                     RETURNING strikes",
                )
                .bind(key.to_string())
                .bind(job.to_string())
                .fetch_optional(tx)
                .await?;
                Ok(strikes.and_then(|strikes| u32::try_from(strikes).ok()).unwrap_or(0))
            })
        })
        .await
    }

    /// Forgets a message that is done, so that a run imports it again where it still lies; the audit trail gets the
    /// record.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not done: a run would stumble over it.
    pub async fn forget_imported(&self, key: MessageKey, record: &AuditRecord) -> Result<()> {
        let record = record.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let job: Option<String> = sqlx::query_scalar(
                    "DELETE FROM ledger WHERE key = ? AND state IN ('done', 'baseline') RETURNING job",
                )
                .bind(key.to_string())
                .fetch_optional(&mut *tx)
                .await?;
                let Some(job) = job else {
                    let found: Option<String> = sqlx::query_scalar("SELECT state FROM ledger WHERE key = ?")
                        .bind(key.to_string())
                        .fetch_optional(&mut *tx)
                        .await?;
                    let found = found.as_deref().map(read_state).transpose()?;
                    let found = found.map_or("missing", LedgerState::as_str);
                    let wanted = LedgerState::Done.as_str();
                    return Err(StoreError::WrongState { key, found, wanted }.into());
                };
                list_anew(tx, &job).await?;
                audit::insert(tx, &record).await
            })
        })
        .await
    }
}

/// A folder of an account as a job sees it.
struct Place {
    job: JobId,
    account: AccountId,
    folder: FolderId,
}

impl Place {
    fn new(lease: &Lease, account: AccountId, folder: &FolderId) -> Self {
        Self { job: lease.job, account, folder: folder.clone() }
    }

    /// The keys of those messages that are known here.
    async fn keys(
        &self,
        tx: &mut SqliteConnection,
        messages: &[MessageSummary],
    ) -> std::result::Result<HashMap<MessageId, MessageKey>, Failure> {
        let mut keys = HashMap::with_capacity(messages.len());
        for chunk in messages.chunks(CHUNK) {
            let mut query =
                QueryBuilder::<Sqlite>::new("SELECT message, key FROM ledger_location WHERE job = ");
            query.push_bind(self.job.to_string());
            query.push(" AND account = ").push_bind(self.account.to_string());
            query.push(" AND folder = ").push_bind(self.folder.as_str()).push(" AND message IN (");
            let mut ids = query.separated(", ");
            for message in chunk {
                ids.push_bind(message.id.as_str());
            }
            query.push(")");
            let rows: Vec<(String, String)> = query.build_query_as().fetch_all(&mut *tx).await?;
            for (message, key) in rows {
                keys.insert(message.into(), read_id("a message key", &key, MessageKey::parse)?);
            }
        }
        Ok(keys)
    }

    /// Adds the messages that have no key yet, each once, and returns how many those were.
    async fn insert(
        &self,
        tx: &mut SqliteConnection,
        messages: &[MessageSummary],
        keys: &mut HashMap<MessageId, MessageKey>,
        state: LedgerState,
    ) -> std::result::Result<u64, Failure> {
        let mut added: Vec<(MessageKey, &MessageSummary)> = Vec::new();
        for message in messages {
            keys.entry(message.id.clone()).or_insert_with(|| {
                let key = MessageKey::generate();
                added.push((key, message));
                key
            });
        }
        let since = now();
        for chunk in added.chunks(CHUNK) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO ledger (key, job, state, internet_message_id, received, subject, since, origin) ",
            );
            query.push_values(chunk, |mut row, (key, message)| {
                row.push_bind(key.to_string())
                    .push_bind(self.job.to_string())
                    .push_bind(state.as_str())
                    .push_bind(message.internet_message_id.as_deref())
                    .push_bind(message.received.map(moment))
                    .push_bind(message.subject.as_deref())
                    .push_bind(since.as_str())
                    .push_bind(self.account.to_string());
            });
            query.build().execute(&mut *tx).await?;
        }
        let locations =
            added.iter().map(|(key, message)| (*key, &self.folder, &message.id)).collect::<Vec<_>>();
        insert_locations(tx, self.job, self.account, &locations).await?;
        Ok(added.len() as u64)
    }
}

/// Adds locations of messages in an account; one that exists is kept.
pub(crate) async fn insert_locations(
    tx: &mut SqliteConnection,
    job: JobId,
    account: AccountId,
    locations: &[(MessageKey, &FolderId, &MessageId)],
) -> std::result::Result<(), Failure> {
    let found = now();
    for chunk in locations.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO ledger_location (key, job, account, folder, message, found) ",
        );
        query.push_values(chunk, |mut row, (key, folder, message)| {
            row.push_bind(key.to_string())
                .push_bind(job.to_string())
                .push_bind(account.to_string())
                .push_bind(folder.as_str())
                .push_bind(message.as_str())
                .push_bind(found.as_str());
        });
        query.push(" ON CONFLICT (job, account, folder, message) DO NOTHING");
        query.build().execute(&mut *tx).await?;
    }
    Ok(())
}

async fn deliver_chunk(
    tx: &mut SqliteConnection,
    job: JobId,
    chunk: &[Delivered],
    to: DeliverTo,
) -> std::result::Result<(), Failure> {
    let done = deliver_query(job, chunk, to).build().execute(&mut *tx).await?.rows_affected();
    if done < chunk.len() as u64 {
        let keys: Vec<MessageKey> = chunk.iter().map(|m| m.key).collect();
        let (wanted, settled): (_, &[LedgerState]) = match to {
            DeliverTo::Delivered => (LedgerState::Delivered, &[LedgerState::Delivered, LedgerState::Done]),
            DeliverTo::Done => (LedgerState::Done, &[LedgerState::Done]),
        };
        expect(tx, job, &keys, wanted, settled).await?;
    }
    Ok(())
}

/// Delivers the messages of a chunk that may be.
pub(crate) fn deliver_query(job: JobId, chunk: &[Delivered], to: DeliverTo) -> QueryBuilder<Sqlite> {
    let (wanted, from) = match to {
        DeliverTo::Delivered => (LedgerState::Delivered, "('reserved')"),
        DeliverTo::Done => (LedgerState::Done, "('reserved', 'delivered')"),
    };
    let mut query = QueryBuilder::<Sqlite>::new("WITH given (key, digest, size, message_id, subject) AS (");
    query.push_values(chunk, |mut row, message| {
        row.push_bind(message.key.to_string())
            .push_bind(message.digest.as_deref())
            .push_bind(message.size.map(i64::from))
            .push_bind(message.internet_message_id.as_deref())
            .push_bind(message.subject.as_deref());
    });
    query.push(") UPDATE ledger SET state = ").push_bind(wanted.as_str()).push(", since = ").push_bind(now());
    query.push(
        ", reason = NULL, digest = coalesce(given.digest, ledger.digest), \
         size = coalesce(given.size, ledger.size), \
         internet_message_id = coalesce(given.message_id, ledger.internet_message_id), \
         subject = coalesce(given.subject, ledger.subject) \
         FROM given WHERE ledger.key = given.key AND ledger.state IN ",
    );
    // The plus keeps SQLite from going through the whole ledger of the job by the index on it: the key finds the row.
    query.push(from).push(" AND +ledger.job = ").push_bind(job.to_string());
    query
}

/// Takes up again those of the messages that a filter passed over, and returns how many those are.
async fn look_again(
    tx: &mut SqliteConnection,
    job: JobId,
    known: &HashMap<MessageId, MessageKey>,
    state: LedgerState,
) -> std::result::Result<u64, Failure> {
    let keys: Vec<MessageKey> = known.values().copied().collect();
    let mut changed = 0;
    for chunk in keys.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new("UPDATE ledger SET filter = NULL, state = ");
        query.push_bind(state.as_str()).push(", since = ").push_bind(now());
        query.push(" WHERE state = 'filtered' AND job = ").push_bind(job.to_string());
        push_keys(&mut query, chunk);
        changed += query.build().execute(&mut *tx).await?.rows_affected();
    }
    Ok(changed)
}

fn push_keys(query: &mut QueryBuilder<Sqlite>, keys: &[MessageKey]) {
    query.push(" AND key IN (");
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(key.to_string());
    }
    query.push(")");
}

/// After a step that changed fewer rows than it was given: fine if the others had taken it before, else an error that
/// undoes the step.
async fn expect(
    tx: &mut SqliteConnection,
    job: JobId,
    keys: &[MessageKey],
    wanted: LedgerState,
    settled: &[LedgerState],
) -> std::result::Result<(), Failure> {
    for key in keys {
        let found = state(tx, job, *key).await?;
        if !found.is_some_and(|found| settled.contains(&found)) {
            return Err(wrong_state(tx, job, *key, wanted).await?.into());
        }
    }
    Ok(())
}

async fn state(
    tx: &mut SqliteConnection,
    job: JobId,
    key: MessageKey,
) -> std::result::Result<Option<LedgerState>, Failure> {
    let found: Option<String> = sqlx::query_scalar("SELECT state FROM ledger WHERE key = ? AND job = ?")
        .bind(key.to_string())
        .bind(job.to_string())
        .fetch_optional(tx)
        .await?;
    Ok(found.as_deref().map(read_state).transpose()?)
}

/// The error for a step that a message's state rules out.
pub(crate) async fn wrong_state(
    tx: &mut SqliteConnection,
    job: JobId,
    key: MessageKey,
    wanted: LedgerState,
) -> std::result::Result<StoreError, Failure> {
    let found = state(tx, job, key).await?.map_or("missing", LedgerState::as_str);
    Ok(StoreError::WrongState { key, found, wanted: wanted.as_str() })
}
