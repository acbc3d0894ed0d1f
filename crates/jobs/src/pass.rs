//! One pass over one account of a job with one session: first what an earlier run left half-way, then what is new.
//!
//! A pass can break off anywhere and be begun again: it asks the ledger, not its own memory, what is left to do.

use std::collections::{HashMap, HashSet};

use tokio_util::sync::CancellationToken;
use wissel_model::fault;
use wissel_model::{
    Account, ConnectorError, Description, ErrorKind, Folder, ImportJob, JobAccount, LedgerState, MessageId,
    MessageKey, MessageSummary, ProcessedAction, Session,
};
use wissel_sink::{Context, DirectorySink};
use wissel_store::{DeliverTo, Delivered, Lease, PinKind};

use crate::action::{Acted, act};
use crate::folders::{JobFolders, in_account, in_folder, pin_of, resolve};
use crate::intake::{FailedMessage, Intake, Intaken, taken};
use crate::listing::Listing;
use crate::quarantine::set_aside;
use crate::recognise::keep_ids_valid;
use crate::{Event, ImportReport, JobError, Progress, Workshop};

/// Messages in one `fetch`, unless the connector wants fewer.
const BATCH: usize = 64;
/// Octets in one `fetch`, as far as the listing tells; bounds what a crash has to repeat.
const BATCH_OCTETS: u64 = 32 * 1024 * 1024;
/// How often a message may break the connection or the connector before it is set aside.
const STRIKES: u32 = 2;

/// What a pass works with.
pub(crate) struct Pass<'a> {
    pub(crate) shop: &'a Workshop,
    pub(crate) job: &'a ImportJob,
    pub(crate) account: &'a Account,
    pub(crate) place: &'a JobAccount,
    pub(crate) lease: &'a Lease,
    pub(crate) sink: &'a DirectorySink,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) description: &'a Description,
    /// Kept over the passes of one run.
    pub(crate) memory: &'a mut Memory,
}

/// What a run remembers over its passes.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) report: ImportReport,
    /// How often a message was open when the session broke.
    strikes: HashMap<MessageId, u32>,
    /// Messages that this run leaves to the next one.
    skipped: HashSet<MessageId>,
    /// Messages that are delivered, but not yet as the job wants them, and why.
    pub(crate) unprocessed: Option<(usize, ConnectorError)>,
}

impl Pass<'_> {
    /// Does the pass.
    pub(crate) async fn run(&mut self, session: &mut dyn Session) -> Result<(), JobError> {
        self.memory.unprocessed = None;
        let folders = self.folders(session).await?;
        if self.description.supports("changes") {
            for folder in &folders.scanned {
                keep_ids_valid(session, &self.shop.store, self.lease, self.job, self.account, folder).await?;
            }
        }
        self.resume(session, &folders).await?;
        for folder in &folders.scanned {
            self.import_folder(session, &folders, folder).await?;
        }
        self.forget_vanished().await
    }

    async fn folders(&self, session: &mut dyn Session) -> Result<JobFolders, JobError> {
        let mut folders = resolve(session, self.job, self.account, self.place).await?;
        if folders.processed.is_none()
            && self.job.action == ProcessedAction::Move
            && let Some(wissel_model::FolderAddress::Path(path)) = &self.place.processed
        {
            let made = session.create_folder(path).await.map_err(in_account(self.account))?;
            tracing::info!(folder = made.display_path(), "created the processed folder");
            folders.scanned.retain(|folder| !folder.is_within(&made));
            folders.processed = Some(made);
        }
        let (job, account) = (self.job.id, self.account.id);
        let store = &self.shop.store;
        if self.place.pin.as_ref() != Some(&pin_of(&folders.import)) {
            store.pin_folder(job, account, PinKind::Import, &pin_of(&folders.import)).await?;
        }
        if let Some(processed) = &folders.processed
            && self.place.processed_pin.as_ref() != Some(&pin_of(processed))
        {
            store.pin_folder(job, account, PinKind::Processed, &pin_of(processed)).await?;
        }
        Ok(folders)
    }

    /// Finishes what an earlier run, or pass, left: messages that the sink holds already are recorded, and recorded
    /// ones are moved, marked or deleted.
    pub(crate) async fn resume(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
    ) -> Result<(), JobError> {
        self.record_held().await?;
        let left = self.shop.store.unfinished(self.job.id, self.account.id).await?;
        let messages: Vec<_> = left
            .into_iter()
            .filter(|entry| entry.state == LedgerState::Delivered)
            .map(|entry| (entry.key, entry.message))
            .collect();
        for group in messages.chunks(BATCH) {
            self.act(session, folders, group, true).await?;
        }
        Ok(())
    }

    /// Records messages that the sink holds although the ledger has them as reserved only: the power failed between
    /// the two. Needs no mailbox.
    pub(crate) async fn record_held(&mut self) -> Result<(), JobError> {
        let mut reserved = self.shop.store.unfinished(self.job.id, self.account.id).await?;
        reserved.retain(|entry| entry.state == LedgerState::Reserved);
        let keys: Vec<MessageKey> = reserved.iter().map(|entry| entry.key).collect();
        self.sink.discard_leftovers(&keys).await.map_err(|e| self.sink_failed(e))?;
        let held = self.sink.holds(&keys).await.map_err(|e| self.sink_failed(e))?;
        let recorded: Vec<Delivered> = keys
            .into_iter()
            .zip(held)
            .filter_map(|(key, held)| {
                let held = held?;
                Some(Delivered {
                    key,
                    digest: held.digest,
                    size: held.size.map(octets),
                    internet_message_id: held.message_id,
                    subject: held.subject,
                })
            })
            .collect();
        self.shop.store.deliver(self.lease, &recorded, DeliverTo::Delivered).await?;
        self.imported(recorded.len());
        Ok(())
    }

    async fn import_folder(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
    ) -> Result<(), JobError> {
        let shop = self.shop;
        let account = self.account;
        self.progress.on(Event::Folder {
            account: account.name.clone(),
            folder: folder.display_path(),
            total: folder.total,
        });
        let mut listing = Listing::new(&shop.store, self.job, account, folder);
        while let Some(mut page) = listing.next(session).await? {
            self.progress.on(Event::Passed(page.passed));
            page.messages.retain(|message| !self.memory.skipped.contains(&message.id));
            let mut rest = page.messages.as_slice();
            while !rest.is_empty() {
                self.check_stop()?;
                let (batch, more) = rest.split_at(self.batch_length(rest));
                self.import_batch(session, folders, folder, batch).await?;
                rest = more;
            }
        }
        Ok(())
    }

    /// How many of these messages go into the next batch; at least one.
    fn batch_length(&self, messages: &[MessageSummary]) -> usize {
        let wanted = self.description.limits.fetch_batch.map_or(BATCH, |n| n.max(1) as usize);
        let mut octets = 0;
        let fitting = messages.iter().take(wanted).take_while(|message| {
            octets += u64::from(message.size.unwrap_or(0));
            octets <= BATCH_OCTETS
        });
        fitting.count().clamp(1, messages.len())
    }

    /// Reserves, fetches, records and processes one batch; asks again for what was not attempted.
    async fn import_batch(
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
            let (intake, result) = Intake::new(self.sink.clone(), left.clone(), self.stop.clone());
            let fetched = session.fetch(&ids, intake).await;
            fault::point("fetched");
            let mut intaken = taken(&result);
            let settled = self.record(session, folders, folder, &keys, &mut intaken, &fetched).await?;
            if let Err(error) = fetched {
                return Err(self.broken(folder, &ids, &keys, intaken.open, &settled, error).await?);
            }
            if settled.is_empty() {
                let idle = "the connector fetched none of the messages it was asked for";
                return Err(in_folder(self.account, folder)(ConnectorError::new(ErrorKind::Protocol, idle)));
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
        let staged = std::mem::take(&mut intaken.staged);
        let delivered: Vec<Delivered> = staged
            .iter()
            .map(|staged| Delivered {
                key: staged.key,
                digest: Some(staged.inspection.digest.clone()),
                size: Some(octets(staged.inspection.size)),
                internet_message_id: staged.inspection.message_id.clone(),
                subject: staged.inspection.subject.clone(),
            })
            .collect();
        self.sink.commit(staged).await.map_err(|e| self.sink_failed(e))?;
        let to =
            if self.job.action == ProcessedAction::Leave { DeliverTo::Done } else { DeliverTo::Delivered };
        self.shop.store.deliver(self.lease, &delivered, to).await?;
        fault::point("ledger-delivered");
        self.imported(delivered.len());
        let mut settled = HashSet::new();
        for failed in std::mem::take(&mut intaken.failed) {
            settled.insert(failed.message.clone());
            if let Some(key) = keys.get(&failed.message) {
                self.settle(folder, *key, failed).await?;
            }
        }
        let done: HashSet<MessageKey> = delivered.iter().map(|d| d.key).collect();
        let messages: Vec<(MessageKey, MessageId)> =
            keys.iter().filter(|(_, key)| done.contains(key)).map(|(id, key)| (*key, id.clone())).collect();
        settled.extend(messages.iter().map(|(_, id)| id.clone()));
        if let Some(error) = intaken.sink_error.take() {
            return Err(self.sink_failed(error));
        }
        let usable = fetched.as_ref().err().is_none_or(|error| !error.session_lost);
        if usable && to == DeliverTo::Delivered {
            self.act(session, folders, &messages, false).await?;
        }
        Ok(settled)
    }

    /// Moves, marks or deletes what is recorded. A failure that costs the session ends the pass; any other is
    /// remembered, and the import goes on.
    async fn act(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        messages: &[(MessageKey, MessageId)],
        again: bool,
    ) -> Result<(), JobError> {
        let acted: Acted = act(session, self.job.action, folders.processed.as_ref(), messages, again).await;
        fault::point("mailbox-changed");
        self.shop.store.finish(self.lease, &acted.done).await?;
        fault::point("ledger-done");
        let Some(failure) = acted.failure else { return Ok(()) };
        if failure.session_lost {
            return Err(in_folder(self.account, &folders.import)(failure));
        }
        let before = self.memory.unprocessed.take();
        let count = before.as_ref().map_or(0, |(count, _)| *count) + acted.left;
        self.memory.unprocessed = Some((count, before.map_or(failure, |(_, first)| first)));
        Ok(())
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
    /// a second time it is set aside, so that it cannot block the folder for ever.
    async fn broken(
        &mut self,
        folder: &Folder,
        ids: &[MessageId],
        keys: &HashMap<MessageId, MessageKey>,
        open: Option<FailedMessage>,
        settled: &HashSet<MessageId>,
        error: ConnectorError,
    ) -> Result<JobError, JobError> {
        let suspect = open.or_else(|| {
            let message = ids.iter().find(|id| !settled.contains(*id))?.clone();
            Some(FailedMessage { message, reason: error.clone(), partial: None })
        });
        if let Some(mut suspect) = suspect
            && error.session_lost
            && !self.stop.is_cancelled()
        {
            let strikes = self.memory.strikes.entry(suspect.message.clone()).or_default();
            *strikes += 1;
            if *strikes >= STRIKES {
                suspect.reason = error.clone();
                match keys.get(&suspect.message) {
                    Some(key) if matches!(error.kind, ErrorKind::Fault | ErrorKind::Protocol) => {
                        self.quarantine(folder, *key, suspect).await?;
                    }
                    _ => self.skip(suspect),
                }
            }
        }
        self.check_stop()?;
        Ok(in_folder(self.account, folder)(error))
    }

    async fn quarantine(
        &mut self,
        folder: &Folder,
        key: MessageKey,
        failed: FailedMessage,
    ) -> Result<(), JobError> {
        set_aside(self.shop, self.lease, self.account, folder, key, failed).await?;
        self.memory.report.quarantined += 1;
        self.progress.on(Event::Quarantined);
        Ok(())
    }

    fn skip(&mut self, failed: FailedMessage) {
        tracing::warn!(message = %failed.message, reason = %failed.reason, "left to the next run");
        self.memory.skipped.insert(failed.message);
        self.memory.report.failed += 1;
    }

    /// After a complete listing without a filter, a reservation whose message did not turn up is of no use any more.
    async fn forget_vanished(&mut self) -> Result<(), JobError> {
        if self.job.filter != wissel_model::Filter::default() {
            return Ok(());
        }
        let left = self.shop.store.unfinished(self.job.id, self.account.id).await?;
        let vanished: Vec<MessageKey> = left
            .iter()
            .filter(|entry| {
                entry.state == LedgerState::Reserved && !self.memory.skipped.contains(&entry.message)
            })
            .map(|entry| entry.key)
            .collect();
        self.shop.store.forget(self.lease, &vanished).await?;
        Ok(())
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

    fn imported(&mut self, count: usize) {
        self.memory.report.imported += count as u64;
        self.progress.on(Event::Imported(count as u64));
    }

    fn sink_failed(&self, source: wissel_sink::SinkError) -> JobError {
        JobError::Sink { job: self.job.name.clone(), source }
    }

    fn check_stop(&self) -> Result<(), JobError> {
        if self.stop.is_cancelled() { Err(JobError::Stopped) } else { Ok(()) }
    }
}

/// The contract counts in 32 bits: a message has less than 4 GiB.
fn octets(size: u64) -> u32 {
    size.try_into().unwrap_or(u32::MAX)
}
