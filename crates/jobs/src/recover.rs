//! What a power failure between the sink and the ledger leaves behind: messages that the sink holds, while the ledger
//! has them as reserved only. Needs no mailbox, so that it can be done also when the account is dead.

use wissel_model::{Account, ImportJob, LedgerState, MessageKey};
use wissel_sink::DirectorySink;
use wissel_store::{DeliverTo, Delivered, Lease, Store};

use crate::JobError;

/// Reserved messages after the sink was asked.
pub(crate) struct Recovered {
    /// How many turned out to be delivered; they are recorded now.
    pub(crate) recorded: u64,
    /// Those that the sink does not hold, complete or in part.
    pub(crate) reserved: Vec<MessageKey>,
}

/// Records what the sink holds of the messages that are reserved in the account, and removes what it holds in part;
/// not of those in `except`, of which this run itself still keeps parts.
pub(crate) async fn record_held(
    store: &Store,
    lease: &Lease,
    sink: &DirectorySink,
    job: &ImportJob,
    account: &Account,
    except: &[MessageKey],
) -> Result<Recovered, JobError> {
    let unfinished = store.unfinished(job.id, account.id).await?;
    let reserved = unfinished.iter().filter(|entry| entry.state == LedgerState::Reserved);
    let keys: Vec<MessageKey> = reserved.map(|entry| entry.key).filter(|key| !except.contains(key)).collect();
    if keys.is_empty() {
        return Ok(Recovered { recorded: 0, reserved: keys });
    }
    let sink_failed = |source| JobError::Sink { job: job.name.clone(), source };
    sink.discard_leftovers(&keys).await.map_err(sink_failed)?;
    let held = sink.holds(&keys).await.map_err(sink_failed)?;
    let (mut delivered, mut reserved) = (Vec::new(), Vec::new());
    for (key, held) in keys.into_iter().zip(held) {
        match held {
            None => reserved.push(key),
            Some(held) => delivered.push(Delivered {
                key,
                digest: held.digest,
                size: held.size.map(octets),
                internet_message_id: held.message_id,
                subject: held.subject,
            }),
        }
    }
    if !delivered.is_empty() {
        store.deliver(lease, &delivered, DeliverTo::Delivered).await?;
    }
    Ok(Recovered { recorded: delivered.len() as u64, reserved })
}

/// The contract counts in 32 bits: a message has less than 4 GiB.
pub(crate) fn octets(size: u64) -> u32 {
    size.try_into().unwrap_or(u32::MAX)
}
