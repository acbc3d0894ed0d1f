//! One pass over one account of a job with one session: first what an earlier run left half-way, then what is new.
//! How one batch of messages is fetched is in [`crate::batch`], how they are made durable meanwhile in
//! [`crate::recorder`].
//!
//! A pass can break off anywhere and be begun again: it asks the ledger, not its own memory, what is left to do.

use std::collections::{HashMap, HashSet};

use tokio_util::sync::CancellationToken;
use wissel_model::fault;
use wissel_model::{
    Account, ConnectorError, Description, Filter, Folder, FolderAddress, FolderId, ImportJob, JobAccount,
    LedgerState, MessageId, MessageKey, MessageSummary, ProcessedAction, Session,
};
use wissel_sink::DirectorySink;
use wissel_store::{Lease, PinKind};

use crate::action::{Acted, act};
use crate::batch::BATCH;
use crate::error::breaks_session;
use crate::folders::{JobFolders, check_apart, in_account, in_folder, pin_of, resolve};
use crate::intake::FailedMessage;
use crate::listing::{Listing, tells_ids_changed};
use crate::quarantine::set_aside;
use crate::recognise::{Standing, expect_ids_valid, keep_ids_valid};
use crate::recorder::{Recorded, Recording, ToRecorder, pipeline};
use crate::recover::record_held;
use crate::relocated::Looks;
use crate::{Event, ImportReport, JobError, Progress, Workshop};

/// Messages in a row that break the session twice each before the connector or the server is blamed, not the messages.
const CASUALTIES: u32 = 5;

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
    /// A fetch ended with the session in an unknown state, whatever the reason that the pass tells of in the end.
    pub(crate) broken: bool,
    /// Delivered messages that an earlier pass did not find where they were, and neither did this one: a person has moved or
    /// deleted them, or the earlier pass did and died. They are done with, unless they turn up in another folder of the job.
    pub(crate) lost: Vec<MessageKey>,
    /// What was looked through for messages that a person moved.
    pub(crate) looks: Looks,
}

/// What a run remembers over its passes. All but the report is about one account: another one may give its messages
/// the same ids.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) report: ImportReport,
    /// How often a message was open when the session broke.
    pub(crate) strikes: HashMap<MessageId, u32>,
    /// Messages that this run does not ask for again.
    pub(crate) skipped: HashSet<MessageId>,
    /// Messages that broke the connector each time. Set aside once the pass comes to its end: until then the
    /// connector may be what is broken, and then every message would end in quarantine.
    pub(crate) suspects: Vec<(Folder, MessageKey, FailedMessage)>,
    /// Whether messages that may have ended the process were tried; see [`crate::suspects`].
    pub(crate) tried_suspects: bool,
    /// How often the session broke while it was looked which messages a person moved.
    pub(crate) broken_looks: u32,
    /// Messages that broke the session each time, since one was fetched last.
    pub(crate) casualties: u32,
    /// Messages that are left to the next run, and the first reason.
    pub(crate) unfetched: Option<(usize, ConnectorError)>,
    /// Messages that are delivered, but not yet as the job wants them, and the first reason.
    pub(crate) unprocessed: Option<(usize, ConnectorError)>,
}

impl Memory {
    /// Keeps the report and forgets the rest.
    pub(crate) fn next_account(&mut self) {
        *self = Self { report: std::mem::take(&mut self.report), ..Self::default() };
    }

    /// So many messages in a row broke the session that going on would only hammer the service.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.casualties >= CASUALTIES
    }

    /// How much is settled: grows with each message that this run need not ask for again.
    pub(crate) fn settled(&self) -> u64 {
        let report = &self.report;
        report.imported
            + report.filtered
            + report.quarantined
            + report.vanished
            + report.failed
            + self.suspects.len() as u64
    }
}

impl Pass<'_> {
    /// Does the pass.
    pub(crate) async fn run(&mut self, session: &mut dyn Session) -> Result<(), JobError> {
        self.memory.unprocessed = None;
        let vanished = self.memory.report.vanished;
        let folders = self.folders(session).await?;
        // Before ids are compared: what the sink holds counts as imported, also under a new id.
        self.record_held().await?;
        let mut standings = HashMap::new();
        if self.description.supports("changes") {
            for folder in &folders.scanned {
                let (store, job, account) = (&self.shop.store, self.job, self.account);
                let exact = self.description.exact_cursors;
                let standing =
                    keep_ids_valid(session, store, self.lease, job, account, folder, exact).await?;
                standings.insert(folder.id.clone(), standing);
            }
        }
        self.act_on_delivered(session, &folders).await?;
        self.try_suspects(session, &folders).await?;
        for folder in &folders.scanned {
            let standing = standings.get(&folder.id);
            // What is lost may have come in since the folder was asked.
            if self.lost.is_empty() && standing.is_some_and(|standing| standing.settled) {
                tracing::debug!(folder = folder.display_path(), "unchanged since the last listing");
                standings.remove(&folder.id);
                continue;
            }
            let vouched = standing.is_some_and(|standing| standing.vouched);
            let stays = self.import_folder(session, &folders, folder, vouched).await?;
            // A folder that nothing stays in costs nothing to list.
            if !stays {
                standings.remove(&folder.id);
            }
        }
        self.set_suspects_aside().await?;
        self.forget_vanished().await?;
        // What was listed and then not there is looked for again: the server may have been wrong.
        if self.memory.report.vanished > vanished {
            return Ok(());
        }
        // Nor may it lie in what could not be looked at.
        if self.memory.unfetched.is_none() {
            self.finish_lost().await?;
        }
        self.keep_settled(standings).await
    }

    /// When nothing is left of what was listed, the listings need not be made again while the folders stay as they
    /// are. The cursors were taken before the listings, so that what came in between is a change.
    async fn keep_settled(&self, standings: HashMap<FolderId, Standing>) -> Result<(), JobError> {
        let memory = &self.memory;
        let (store, account) = (&self.shop.store, self.account.id);
        if !self.description.exact_cursors
            || standings.is_empty()
            || memory.unfetched.is_some()
            || memory.unprocessed.is_some()
            || !memory.skipped.is_empty()
            || !store.unfinished(self.job.id, account).await?.is_empty()
        {
            return Ok(());
        }
        for (folder, standing) in standings {
            if let Some(cursor) = &standing.cursor {
                store.settle_cursor(self.lease, account, &folder, cursor, Some(self.job.revision)).await?;
            }
        }
        Ok(())
    }

    async fn folders(&self, session: &mut dyn Session) -> Result<JobFolders, JobError> {
        let mut folders = resolve(session, self.job, self.account, self.place).await?;
        if folders.processed.is_none()
            && self.job.action == ProcessedAction::Move
            && let Some(FolderAddress::Path(path)) = &self.place.processed
        {
            let made = session.create_folder(path).await.map_err(in_account(self.account))?;
            check_apart(self.job, self.account, &folders.import, &made)?;
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

    /// Records what the sink holds although the ledger does not say so; see [`crate::recover`].
    pub(crate) async fn record_held(&mut self) -> Result<(), JobError> {
        let suspects: Vec<MessageKey> = self.memory.suspects.iter().map(|(_, key, _)| *key).collect();
        let (store, job, account) = (&self.shop.store, self.job, self.account);
        let recovered = record_held(store, self.lease, self.sink, job, account, &suspects).await?;
        if recovered.recorded > 0 {
            self.memory.report.imported += recovered.recorded;
            self.progress.on(Event::Imported(recovered.recorded));
        }
        Ok(())
    }

    /// Moves, marks or deletes what an earlier run, or pass, delivered and recorded without getting that far.
    pub(crate) async fn act_on_delivered(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
    ) -> Result<(), JobError> {
        let left = self.shop.store.unfinished(self.job.id, self.account.id).await?;
        let messages: Vec<_> = left
            .into_iter()
            .filter(|entry| entry.state == LedgerState::Delivered)
            .map(|entry| (entry.key, entry.message))
            .collect();
        for group in messages.chunks(BATCH) {
            self.check_stop()?;
            self.act(session, folders, group, true).await?;
        }
        Ok(())
    }

    /// Fetches what is new in a folder while the [recorder](crate::recorder) makes it durable. Returns whether messages
    /// stay in the folder when this went well.
    async fn import_folder(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        vouched: bool,
    ) -> Result<bool, JobError> {
        self.progress.on(Event::Folder {
            account: self.account.name.clone(),
            folder: folder.display_path(),
            total: folder.total,
        });
        let (to, mut recorded, recorder) = pipeline(self);
        let fetching = self.fetch_folder(session, folders, folder, vouched, to, &mut recorded);
        let (fetched, recording) = tokio::join!(fetching, recorder.run());
        self.conclude(session, folders, fetched, recording, recorded).await
    }

    /// Imports one message, whose key is reserved, all the way before the next.
    pub(crate) async fn import_one(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        key: MessageKey,
        message: MessageSummary,
    ) -> Result<(), JobError> {
        let (to, recorded, recorder) = pipeline(self);
        let keys = HashMap::from([(message.id.clone(), key)]);
        let fetching = async {
            // The recorder ends when this end is dropped.
            let to = to;
            self.fetch_batch(session, folder, &[message], &keys, &to).await
        };
        let (fetched, recording) = tokio::join!(fetching, recorder.run());
        self.conclude(session, folders, fetched, recording, recorded).await
    }

    /// Both halves of the pipeline have ended: counts, and changes the mailbox for what is left of it.
    async fn conclude<T>(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        fetched: Result<T, JobError>,
        recording: Recording,
        mut recorded: Recorded,
    ) -> Result<T, JobError> {
        self.memory.report.imported += recording.imported;
        self.memory.report.filtered += recording.filtered;
        // When the recorder failed, that is why the other half ended.
        recording.ended?;
        let usable = !self.broken
            && match &fetched {
                // Where ids changed, those at hand may name other messages: the next pass finds the new ones first.
                Err(JobError::Mailbox { source, .. }) => {
                    !breaks_session(source) && !tells_ids_changed(source)
                }
                Err(JobError::Store(_)) => false,
                _ => true,
            };
        if usable {
            let acted = self.act_on_recorded(session, folders, &mut recorded).await;
            // Why the fetch ended is what is told, not what came of it.
            return fetched.and_then(|fetched| acted.map(|()| fetched));
        }
        fetched
    }

    /// Goes through a folder page by page, and changes the mailbox for what was recorded meanwhile. Returns whether messages
    /// stay there.
    async fn fetch_folder(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        vouched: bool,
        to: ToRecorder,
        recorded: &mut Recorded,
    ) -> Result<bool, JobError> {
        let store = &self.shop.store;
        let mut listing = Listing::new(store, self.job, self.account, folder, vouched.then_some(self.lease));
        let leaves = matches!(self.job.action, ProcessedAction::Leave | ProcessedAction::MarkRead);
        let mut stays = false;
        while let Some(mut page) = listing.next(session).await? {
            self.check_stop()?;
            self.progress.on(Event::Passed(page.passed));
            self.memory.report.left_out += page.left_out;
            stays |= page.passed > 0 || leaves && !page.messages.is_empty();
            let skipped = &self.memory.skipped;
            page.messages.retain(|m| !skipped.contains(&m.id) && !recorded.under_way.contains(&m.id));
            if page.messages.is_empty() {
                continue;
            }
            if vouched {
                expect_ids_valid(session, store, self.job, self.account, folder).await?;
            }
            self.take_out_relocated(session, folders, folder, &mut page.messages).await?;
            if page.messages.is_empty() {
                continue;
            }
            let keys = store.reserve(self.lease, self.account.id, &folder.id, &page.messages).await?;
            fault::point("ledger-reserved");
            let keys = page.messages.iter().map(|message| message.id.clone()).zip(keys).collect();
            let mut rest = page.messages.as_slice();
            while !rest.is_empty() {
                self.check_stop()?;
                let (batch, more) = rest.split_at(self.batch_length(rest));
                self.fetch_batch(session, folder, batch, &keys, &to).await?;
                recorded.under_way.extend(batch.iter().map(|message| message.id.clone()));
                self.act_on_recorded(session, folders, recorded).await?;
                rest = more;
            }
        }
        Ok(stays)
    }

    /// Changes the mailbox for what was recorded since the last time.
    async fn act_on_recorded(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        recorded: &mut Recorded,
    ) -> Result<(), JobError> {
        let messages = recorded.take();
        if messages.is_empty() || self.job.action == ProcessedAction::Leave {
            return Ok(());
        }
        self.act(session, folders, &messages, false).await
    }

    /// Moves, marks or deletes what is recorded. A failure that costs the session ends the pass; any other is
    /// remembered, and the import goes on.
    pub(crate) async fn act(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        messages: &[(MessageKey, MessageId)],
        again: bool,
    ) -> Result<(), JobError> {
        let action = self.job.action;
        let acted: Acted = act(session, action, folders.processed.as_ref(), messages, again).await;
        let (mut done, unproven) = (acted.done, acted.unproven);
        if action != ProcessedAction::Move || folders.scanned.len() < 2 {
            // There is no folder in which it would be imported again.
            done.extend(unproven);
        } else if again {
            self.lost.extend(unproven);
        }
        fault::point("mailbox-changed");
        if !done.is_empty() {
            self.shop.store.finish(self.lease, &done).await?;
        }
        fault::point("ledger-done");
        let Some(failure) = acted.failure else { return Ok(()) };
        if failure.session_lost {
            return Err(in_folder(self.account, &folders.import)(failure));
        }
        add(&mut self.memory.unprocessed, acted.left, failure);
        Ok(())
    }

    /// The pass came to its end, so the connector works: the messages that broke it are to blame themselves.
    async fn set_suspects_aside(&mut self) -> Result<(), JobError> {
        while let Some((folder, key, failed)) = self.memory.suspects.pop() {
            self.quarantine(&folder, key, failed).await?;
        }
        Ok(())
    }

    pub(crate) async fn quarantine(
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

    /// After a complete listing without a filter, a reservation whose message did not turn up is of no use any more:
    /// the sink does not hold it, or else it would be recorded.
    async fn forget_vanished(&mut self) -> Result<(), JobError> {
        if self.job.filter != Filter::default() {
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
        if !vanished.is_empty() {
            self.shop.store.forget(self.lease, &vanished).await?;
        }
        Ok(())
    }

    pub(crate) fn check_stop(&self) -> Result<(), JobError> {
        if self.stop.is_cancelled() { Err(JobError::Stopped) } else { Ok(()) }
    }
}

/// Counts failures and keeps the first reason.
pub(crate) fn add(total: &mut Option<(usize, ConnectorError)>, count: usize, reason: ConnectorError) {
    match total {
        Some((sum, _)) => *sum += count,
        None => *total = Some((count, reason)),
    }
}
