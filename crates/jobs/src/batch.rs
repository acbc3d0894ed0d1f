//! The life of one batch of messages: reserved in the ledger, fetched into the sink, made durable, recorded, and then
//! moved, marked or deleted. Also decides what becomes of a message that does not come through.

use std::collections::{HashMap, HashSet};

use wissel_model::{
    ConnectorError, ErrorKind, Folder, MessageId, MessageKey, MessageSummary, ProcessedAction, Session, fault,
};
use wissel_sink::{Context, Staged};
use wissel_store::{DeliverTo, Delivered};

use crate::error::breaks_session;
use crate::folders::{JobFolders, in_folder};
use crate::intake::{FailedMessage, Intake, Intaken, taken};
use crate::listing::takes_inside;
use crate::pass::{Pass, add};
use crate::recover::octets;
use crate::{Event, JobError};

/// Messages in one `fetch`, unless the connector wants fewer.
pub(crate) const BATCH: usize = 64;
/// Octets in one `fetch`, as far as the listing tells; bounds what a crash has to repeat.
const BATCH_OCTETS: u64 = 32 * 1024 * 1024;
/// How often a message may break the connection or the connector before the run leaves it alone.
const STRIKES: u32 = 2;

impl Pass<'_> {
    /// How many of these messages go into the next batch; at least one.
    pub(crate) fn batch_length(&self, messages: &[MessageSummary]) -> usize {
        let wanted = self.description.limits.fetch_batch.map_or(BATCH, |n| (n as usize).clamp(1, BATCH));
        let mut octets = 0;
        let fitting = messages.iter().take(wanted).take_while(|message| {
            octets += u64::from(message.size.unwrap_or(0));
            octets <= BATCH_OCTETS
        });
        fitting.count().clamp(1, messages.len())
    }

    /// Reserves, fetches, records and processes one batch; asks again for what was not attempted.
    pub(crate) async fn import_batch(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        batch: &[MessageSummary],
    ) -> Result<(), JobError> {
        let keys = self.shop.store.reserve(self.lease, self.account.id, &folder.id, batch).await?;
        fault::point("ledger-reserved");
        let mut left: HashMap<MessageId, (MessageKey, Context)> = batch
            .iter()
            .zip(keys)
            .map(|(message, key)| (message.id.clone(), (key, self.context(folder, message))))
            .collect();
        while !left.is_empty() {
            let ids: Vec<MessageId> =
                batch.iter().map(|m| &m.id).filter(|id| left.contains_key(id)).cloned().collect();
            let keys: HashMap<MessageId, MessageKey> =
                left.iter().map(|(id, (key, _))| (id.clone(), *key)).collect();
            let listed = batch.iter().filter_map(|m| Some((m.id.clone(), m.size?))).collect();
            let (intake, result) = Intake::new(self.sink.clone(), left.clone(), listed, self.stop.clone());
            let fetched = session.fetch(&ids, intake).await;
            fault::point("fetched");
            let mut intaken = taken(&result);
            let settled = self.record(session, folders, folder, &keys, &mut intaken, &fetched).await?;
            if let Err(error) = fetched {
                return Err(self.broken(folder, &ids, &keys, intaken.open, &settled, error)?);
            }
            self.check_stop()?;
            if settled.is_empty() {
                // It must not hold up the others: a later run asks again.
                for message in ids {
                    let passed_over = "the connector neither delivered this message nor said why";
                    let reason = ConnectorError::new(ErrorKind::Protocol, passed_over);
                    self.skip(FailedMessage { message, reason, partial: None });
                }
                return Ok(());
            }
            left.retain(|id, _| !settled.contains(id));
        }
        Ok(())
    }

    /// Makes durable and records what a fetch brought, and changes the mailbox. Returns the messages that need
    /// nothing more in this run.
    async fn record(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        keys: &HashMap<MessageId, MessageKey>,
        intaken: &mut Intaken,
        fetched: &Result<(), ConnectorError>,
    ) -> Result<HashSet<MessageId>, JobError> {
        let (staged, over): (Vec<Staged>, Vec<Staged>) = std::mem::take(&mut intaken.staged)
            .into_iter()
            .partition(|staged| takes_inside(&self.job.filter, &staged.inspection));
        let over = self.pass_over(over).await?;
        let delivered: Vec<Delivered> = staged.iter().map(delivered).collect();
        let to =
            if self.job.action == ProcessedAction::Leave { DeliverTo::Done } else { DeliverTo::Delivered };
        if !staged.is_empty() {
            self.sink.commit(staged).await.map_err(|e| self.sink_failed(e))?;
            self.shop.store.deliver(self.lease, &delivered, to).await?;
        }
        fault::point("ledger-delivered");
        self.imported(delivered.len() as u64);
        if let Some(error) = intaken.sink_error.take() {
            // Also when the connector blames the message for it: the sink is at fault.
            return Err(self.sink_failed(error));
        }
        let mut settled = HashSet::new();
        for failed in std::mem::take(&mut intaken.failed) {
            if failed.reason.kind == ErrorKind::Cancelled && self.stop.is_cancelled() {
                continue;
            }
            settled.insert(failed.message.clone());
            if let Some(key) = keys.get(&failed.message) {
                self.settle(folder, *key, failed).await?;
            }
        }
        settled.extend(keys.iter().filter(|(_, key)| over.contains(key)).map(|(id, _)| id.clone()));
        let done: HashSet<MessageKey> = delivered.iter().map(|d| d.key).collect();
        let messages: Vec<(MessageKey, MessageId)> =
            keys.iter().filter(|(_, key)| done.contains(key)).map(|(id, key)| (*key, id.clone())).collect();
        settled.extend(messages.iter().map(|(_, id)| id.clone()));
        let usable = fetched.as_ref().err().is_none_or(|error| !breaks_session(error));
        if usable && to == DeliverTo::Delivered && !messages.is_empty() {
            self.act(session, folders, &messages, false).await?;
        }
        Ok(settled)
    }

    /// Records messages that the filter does not take: their files go, and they stay in the mailbox as they are.
    async fn pass_over(&mut self, over: Vec<Staged>) -> Result<HashSet<MessageKey>, JobError> {
        let Some(filter) = self.job.filter.inside().filter(|_| !over.is_empty()) else {
            return Ok(HashSet::new());
        };
        let messages: Vec<Delivered> = over.iter().map(delivered).collect();
        drop(over);
        self.shop.store.pass_over(self.lease, &messages, &filter).await?;
        self.memory.report.filtered += messages.len() as u64;
        self.progress.on(Event::Passed(messages.len() as u64));
        Ok(messages.into_iter().map(|message| message.key).collect())
    }

    /// Decides about a message that the connector gave up.
    async fn settle(
        &mut self,
        folder: &Folder,
        key: MessageKey,
        failed: FailedMessage,
    ) -> Result<(), JobError> {
        match failed.reason.kind {
            ErrorKind::NotFound => {
                self.shop.store.forget(self.lease, &[key]).await?;
                self.memory.report.vanished += 1;
            }
            ErrorKind::BadMessage | ErrorKind::TooLarge | ErrorKind::Protocol | ErrorKind::Unsupported => {
                self.quarantine(folder, key, failed).await?;
            }
            _ => self.skip(failed),
        }
        Ok(())
    }

    /// The fetch broke off. The message that was open, or else the first one not attempted, may be the cause: after
    /// a second time the run goes on without it, so that it cannot block the folder for ever.
    fn broken(
        &mut self,
        folder: &Folder,
        ids: &[MessageId],
        keys: &HashMap<MessageId, MessageKey>,
        open: Option<FailedMessage>,
        settled: &HashSet<MessageId>,
        error: ConnectorError,
    ) -> Result<JobError, JobError> {
        self.check_stop()?;
        let suspect = open.or_else(|| {
            let message = ids.iter().find(|id| !settled.contains(*id))?.clone();
            Some(FailedMessage { message, reason: error.clone(), partial: None })
        });
        if let Some(mut suspect) = suspect
            && breaks_session(&error)
        {
            let strikes = self.memory.strikes.entry(suspect.message.clone()).or_default();
            *strikes += 1;
            if *strikes >= STRIKES {
                suspect.reason = error.clone();
                self.memory.casualties += 1;
                match keys.get(&suspect.message) {
                    Some(key) if matches!(error.kind, ErrorKind::Fault | ErrorKind::Protocol) => {
                        self.memory.skipped.insert(suspect.message.clone());
                        self.memory.suspects.push((folder.clone(), *key, suspect));
                    }
                    _ => self.skip(suspect),
                }
            }
        }
        Ok(in_folder(self.account, folder)(error))
    }

    fn skip(&mut self, failed: FailedMessage) {
        tracing::warn!(id = ?failed.message.as_str(), reason = %failed.reason, "left to the next run");
        self.memory.skipped.insert(failed.message);
        self.memory.report.failed += 1;
        add(&mut self.memory.unfetched, 1, failed.reason);
    }

    fn context(&self, folder: &Folder, message: &MessageSummary) -> Context {
        Context {
            job: self.job.name.clone(),
            account: self.account.name.clone(),
            connector: self.account.connector.clone(),
            folder: folder.path.clone(),
            message: message.id.clone(),
            received: message.received,
            read: message.read,
        }
    }

    fn sink_failed(&self, source: wissel_sink::SinkError) -> JobError {
        JobError::Sink { job: self.job.name.clone(), source }
    }
}

/// What the ledger keeps of a message that was fetched whole.
fn delivered(staged: &Staged) -> Delivered {
    Delivered {
        key: staged.key,
        digest: Some(staged.inspection.digest.clone()),
        size: Some(octets(staged.inspection.size)),
        internet_message_id: staged.inspection.message_id.clone(),
        subject: staged.inspection.subject.clone(),
    }
}
