//! Messages that a person moved from one folder of the job into another. They have new ids there, and are not imported a second
//! time. A copy is a message of its own, and is imported; so is a message without a Message-ID, as nothing tells where to look.
//!
//! Where messages stay, a person may move any of them at any time. Where the job moves them, it is about those that were delivered,
//! and that a person moved before we did. One that we moved, and that a person puts back, is to be imported again. A job that
//! deletes cannot tell what it deleted from what a person moved, so there nothing is recognised.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use wissel_model::{
    Account, ConnectorError, ErrorKind, Folder, FolderAddress, FolderId, ImportJob, LedgerEntry, LedgerState,
    MessageId, MessageKey, MessageSummary, PageRequest, ProcessedAction, Session,
};
use wissel_store::{Mapping, Store};

use crate::error::breaks_session;
use crate::folders::{JobFolders, in_account};
use crate::listing::Pages;
use crate::matching::{Fingerprint, Found, Setting, bare, fingerprint, fingerprint_of_entry};
use crate::pass::Pass;
use crate::recognise::recognise;
use crate::{Event, JobError};

/// Messages asked for in one page of a folder that is looked through.
const PAGE: u32 = 1_000;
/// How much earlier than its time of reception a message is looked for.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);
/// How often looking may break the session before the run goes on without it.
const STRIKES: u32 = 2;

/// What is known of the messages of a page.
#[derive(Default)]
pub(crate) struct Relocated {
    /// Entries of the ledger, and the ids that they have here.
    pub(crate) here: Vec<(LedgerEntry, MessageId)>,
    /// Entries that lie in the processed folder: we moved them, and could not record it.
    processed: Vec<MessageKey>,
}

/// What was seen in this pass of folders that messages may have been moved out of.
#[derive(Default)]
pub(crate) struct Looks {
    looked_through: HashMap<FolderId, Look>,
    /// Folders outside the job that messages of it once lay in, and whether they are gone.
    outside: HashMap<FolderId, bool>,
}

/// What lay in a folder.
#[derive(Default)]
struct Look {
    /// The moment from which on messages were listed; all when there is none.
    since: Option<Timestamp>,
    ids: HashSet<MessageId>,
    /// Pages that it took, and pages of new messages that were compared with it since. With as many, it is made anew: so
    /// what is looked through costs no more than what is imported, and does not grow old.
    cost: usize,
    served: usize,
}

/// Looks which of these new messages of the folder are ones that the ledger knows in another folder of the job, where they are
/// not any more. Changes nothing.
#[allow(clippy::too_many_arguments, reason = "also for a dry run, which is no pass")]
pub(crate) async fn relocated(
    session: &mut dyn Session,
    store: &Store,
    job: &ImportJob,
    account: &Account,
    folders: &JobFolders,
    folder: &Folder,
    messages: &[MessageSummary],
    looks: &mut Looks,
) -> Result<Relocated, JobError> {
    use LedgerState::{Baseline, Delivered, Done, Quarantined};
    let states: &[LedgerState] = match job.action {
        ProcessedAction::Leave | ProcessedAction::MarkRead => &[Delivered, Done, Baseline, Quarantined],
        ProcessedAction::Move => &[Delivered],
        ProcessedAction::Delete => return Ok(Relocated::default()),
    };
    if folders.scanned.len() < 2 {
        return Ok(Relocated::default());
    }
    let names: HashSet<String> = messages.iter().filter_map(name).collect();
    let names: Vec<String> = names.into_iter().collect();
    let known = store.entries_named(job.id, account.id, &names, states).await?;
    let mut twins: Vec<&[LedgerEntry]> = Vec::new();
    for places in known.chunk_by(|one, other| one.key == other.key) {
        if let Some(last) = places.last()
            && last.folder != folder.id
            && looks.is_the_jobs(session, account, &folders.scanned, &last.folder).await?
        {
            twins.push(places);
        }
    }
    let present = looks.still_in_place(session, account, &folders.scanned, &twins).await?;
    twins.retain(|places| places.iter().all(|entry| !present.contains(&entry.key)));
    let mut entries: Vec<LedgerEntry> =
        twins.into_iter().filter_map(|places| places.last().cloned()).collect();
    let mut moved = Relocated::default();
    if let (false, ProcessedAction::Move, Some(to)) = (entries.is_empty(), job.action, &folders.processed) {
        moved.processed = arrived(session, account, to, &entries).await?;
        entries.retain(|entry| !moved.processed.contains(&entry.key));
    }
    if entries.is_empty() {
        return Ok(moved);
    }
    let names: HashSet<String> =
        entries.iter().filter_map(|entry| entry.internet_message_id.as_deref().map(bare)).collect();
    let found = messages.iter().filter(|message| name(message).is_some_and(|name| names.contains(&name)));
    let found = found.map(|message| Found { folder: folder.id.clone(), message: message.clone() }).collect();
    let matched = recognise(session, account, folder, entries.clone(), found, Setting::Elsewhere).await?;
    let mut ids: HashMap<MessageKey, MessageId> =
        matched.pairs.into_iter().map(|(key, found)| (key, found.message.id)).collect();
    moved.here =
        entries.into_iter().filter_map(|entry| ids.remove(&entry.key).map(|id| (entry, id))).collect();
    Ok(moved)
}

fn name(message: &MessageSummary) -> Option<String> {
    message.internet_message_id.as_deref().map(bare)
}

/// The moment from which on the messages were received; none when that is not known of all. A day earlier than that:
/// services round, and a mailbox that was copied may tell other times.
fn since<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Option<Timestamp> {
    let received: Option<Vec<_>> = entries.into_iter().map(|entry| entry.received).collect();
    received?.into_iter().min()?.checked_sub(MARGIN).ok()
}

fn request(received_since: Option<Timestamp>) -> PageRequest {
    PageRequest { size: PAGE, received_since, ..PageRequest::default() }
}

impl Looks {
    /// Whether messages of this folder may have been moved into another folder of the job: it is one of them, or was one
    /// and is gone, as after a person has renamed it.
    async fn is_the_jobs(
        &mut self,
        session: &mut dyn Session,
        account: &Account,
        scanned: &[Folder],
        id: &FolderId,
    ) -> Result<bool, JobError> {
        if scanned.iter().any(|folder| folder.id == *id) {
            return Ok(true);
        }
        if let Some(gone) = self.outside.get(id) {
            return Ok(*gone);
        }
        let gone = match session.find_folder(&FolderAddress::Id(id.clone())).await {
            Ok(_) => false,
            Err(error) if error.kind == ErrorKind::NotFound => true,
            Err(error) => return Err(in_account(account)(error)),
        };
        self.outside.insert(id.clone(), gone);
        Ok(gone)
    }

    /// Which messages still lie at one of their places, each with all its places.
    async fn still_in_place(
        &mut self,
        session: &mut dyn Session,
        account: &Account,
        scanned: &[Folder],
        twins: &[&[LedgerEntry]],
    ) -> Result<HashSet<MessageKey>, JobError> {
        let mut present = HashSet::new();
        for folder in scanned {
            let here =
                twins.iter().flat_map(|places| places.iter()).filter(|entry| entry.folder == folder.id);
            let here: Vec<&LedgerEntry> = here.filter(|entry| !present.contains(&entry.key)).collect();
            if here.is_empty() {
                continue;
            }
            let ids = self.ids(session, account, folder, since(here.iter().copied())).await?;
            present.extend(here.iter().filter(|entry| ids.contains(&entry.message)).map(|entry| entry.key));
        }
        Ok(present)
    }

    /// The messages that lie in the folder since that moment, and perhaps earlier ones.
    async fn ids(
        &mut self,
        session: &mut dyn Session,
        account: &Account,
        folder: &Folder,
        since: Option<Timestamp>,
    ) -> Result<&HashSet<MessageId>, JobError> {
        let holds = |look: &Look| look.served < look.cost && (look.since.is_none() || look.since <= since);
        if !self.looked_through.get(&folder.id).is_some_and(holds) {
            let mut look = Look { since, ..Look::default() };
            let mut pages = Pages::new(account, folder, request(since));
            while let Some(messages) = pages.next(session).await? {
                look.cost += 1;
                look.ids.extend(messages.into_iter().map(|message| message.id));
            }
            self.looked_through.insert(folder.id.clone(), look);
        }
        let look = self.looked_through.entry(folder.id.clone()).or_default();
        look.served += 1;
        Ok(&look.ids)
    }
}

/// Which of these messages lie in the processed folder, each for one of them that looks like it.
async fn arrived(
    session: &mut dyn Session,
    account: &Account,
    processed: &Folder,
    entries: &[LedgerEntry],
) -> Result<Vec<MessageKey>, JobError> {
    let mut sought: HashMap<Fingerprint, Vec<MessageKey>> = HashMap::new();
    for entry in entries {
        sought.entry(fingerprint_of_entry(entry)).or_default().push(entry.key);
    }
    let mut arrived = Vec::new();
    let mut pages = Pages::new(account, processed, request(since(entries)));
    while arrived.len() < entries.len()
        && let Some(messages) = pages.next(session).await?
    {
        arrived.extend(messages.iter().filter_map(|m| sought.get_mut(&fingerprint(m))?.pop()));
    }
    Ok(arrived)
}

/// Whether looking again with another session would fail alike.
fn is_lasting(error: &ConnectorError) -> bool {
    use ErrorKind::{BadMessage, NotFound, PermissionMissing, Protocol, TooLarge, Unsupported};
    !breaks_session(error)
        && matches!(error.kind, BadMessage | NotFound | PermissionMissing | Protocol | TooLarge | Unsupported)
}

impl Pass<'_> {
    /// Takes those out of the new messages of a folder that a person moved there from another folder of the job, and records
    /// where they are. What was not moved to the processed folder before goes there now.
    pub(crate) async fn take_out_relocated(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
        folder: &Folder,
        messages: &mut Vec<MessageSummary>,
    ) -> Result<(), JobError> {
        let (store, job, account) = (&self.shop.store, self.job, self.account);
        if self.memory.broken_looks >= STRIKES {
            return Ok(());
        }
        let looks = &mut self.looks;
        let looked = relocated(session, store, job, account, folders, folder, messages, looks).await;
        let Relocated { here, processed } = match looked {
            Err(JobError::Mailbox { source, .. }) if is_lasting(&source) => {
                // Importing twice is a smaller harm than not at all.
                tracing::warn!(
                    account = account.name,
                    folder = folder.display_path(),
                    reason = %source,
                    "cannot see which messages were moved here; all count as new"
                );
                return Ok(());
            }
            Err(error) => {
                self.memory.broken_looks +=
                    u32::from(matches!(&error, JobError::Mailbox { source, .. } if breaks_session(source)));
                return Err(error);
            }
            Ok(relocated) => relocated,
        };
        if !processed.is_empty() {
            store.finish(self.lease, &processed).await?;
        }
        let settled: HashSet<MessageKey> = here.iter().map(|(entry, _)| entry.key).chain(processed).collect();
        self.lost.retain(|key| !settled.contains(key));
        if here.is_empty() {
            return Ok(());
        }
        let mapping = |(entry, id): &(LedgerEntry, MessageId)| Mapping {
            key: entry.key,
            folder: folder.id.clone(),
            message: id.clone(),
        };
        store.relocate(self.lease, account.id, here.iter().map(mapping).collect()).await?;
        tracing::info!(
            account = account.name,
            folder = folder.display_path(),
            count = here.len(),
            "somebody moved messages here from another folder of the job; they are not imported again"
        );
        let ids: HashSet<&MessageId> = here.iter().map(|(_, id)| id).collect();
        messages.retain(|message| !ids.contains(&message.id));
        self.progress.on(Event::Passed(here.len() as u64));
        let delivered: Vec<(MessageKey, MessageId)> = here
            .into_iter()
            .filter(|(entry, _)| entry.state == LedgerState::Delivered)
            .map(|(entry, id)| (entry.key, id))
            .collect();
        if delivered.is_empty() { Ok(()) } else { self.act(session, folders, &delivered, false).await }
    }

    /// What is lost did not turn up anywhere: nothing is left to do for it.
    pub(crate) async fn finish_lost(&mut self) -> Result<(), JobError> {
        if !self.lost.is_empty() {
            self.shop.store.finish(self.lease, &std::mem::take(&mut self.lost)).await?;
        }
        Ok(())
    }
}
