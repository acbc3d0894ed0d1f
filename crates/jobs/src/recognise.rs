//! Runs the tiers of [`crate::matching`] against a mailbox, and uses them where a folder's ids have changed.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use wissel_model::{
    Account, ConnectorError, ErrorKind, Folder, ImportJob, LedgerEntry, MessageId, MessageSummary,
    PageRequest, ProcessedAction, Session, clock,
};
use wissel_store::{Lease, Mapping, Store};

use crate::JobError;
use crate::digests::digests;
use crate::folders::in_folder;
use crate::listing::{Pages, ids_changed};
use crate::matching::{Found, Matched, Setting, by_digest, by_fingerprint, same};

/// Messages of one folder that are compared with the ledger at most.
const MOST_LISTED: usize = 2_000_000;
/// How long a listing counts although nothing changed since: should a service not tell of every change, what it kept
/// quiet is found a day later.
const LISTING_HOLDS: SignedDuration = SignedDuration::from_hours(24);
/// Entries read from the ledger at once.
const PAGE: u32 = 1_000;

/// All entries of the job that have a place in the account.
pub(crate) async fn entries(
    store: &Store,
    job: &ImportJob,
    account: &Account,
) -> Result<Vec<LedgerEntry>, JobError> {
    let mut all: Vec<LedgerEntry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.key);
        let page = store.entries_for_matching(job.id, account.id, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// All messages of a folder, whatever the job's filter says; with sender and subject where a filter will read them.
pub(crate) async fn list_all(
    session: &mut dyn Session,
    account: &Account,
    folder: &Folder,
    texts: bool,
) -> Result<Vec<Found>, JobError> {
    let mut pages = Pages::new(account, folder, PageRequest { size: PAGE, ..PageRequest::default() });
    let (mut all, mut once) = (Vec::new(), HashSet::new());
    while let Some(messages) = pages.next(session).await? {
        // A message on two pages is one message: it must not pass for a copy.
        let messages = messages.into_iter().filter(|message| once.insert(message.id.clone()));
        // What a person reads is not compared, and would fill the memory in a large folder.
        let messages = messages.map(|message| match texts {
            true => message,
            false => MessageSummary { subject: None, sender: None, ..message },
        });
        all.extend(messages.map(|message| Found { folder: folder.id.clone(), message }));
        if all.len() > MOST_LISTED {
            let error = ConnectorError::new(
                ErrorKind::TooLarge,
                "the folder lists more messages than can be compared",
            );
            return Err(in_folder(account, folder)(error.with_code("listing")));
        }
    }
    Ok(all)
}

/// Matches entries with messages, downloading those that only a digest decides.
pub(crate) async fn recognise(
    session: &mut dyn Session,
    account: &Account,
    folder: &Folder,
    entries: Vec<LedgerEntry>,
    found: Vec<Found>,
    setting: Setting<'_>,
) -> Result<Matched, JobError> {
    let (mut matched, undecided) = by_fingerprint(entries, found, setting);
    if !undecided.found.is_empty() {
        let ids: Vec<MessageId> = undecided.found.iter().map(|found| found.message.id.clone()).collect();
        let digests = digests(session, &ids).await.map_err(in_folder(account, folder))?;
        by_digest(&mut matched, undecided, &digests);
    }
    Ok(matched)
}

/// How a folder stands against the last pass.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The connector vouched for the ids: one that always asks for a listing cannot.
    pub(crate) vouched: bool,
    /// Where the folder is now.
    pub(crate) cursor: Option<String>,
    /// Nothing changed since a listing of which nothing was left: there is nothing to list.
    pub(crate) settled: bool,
}

/// Asks the connector whether the ids of a folder are still good, and where they are not, gives the ledger the new
/// ones. Without this, everything that stays in a folder would be imported again.
///
/// `exact`: the connector promises that a cursor that comes back equal means an unchanged folder.
pub(crate) async fn keep_ids_valid(
    session: &mut dyn Session,
    store: &Store,
    lease: &Lease,
    job: &ImportJob,
    account: &Account,
    folder: &Folder,
    exact: bool,
) -> Result<Standing, JobError> {
    let saved = store.cursor(job.id, account.id, &folder.id).await?;
    let cursor = saved.as_ref().map(|saved| saved.cursor.as_str());
    let changes = match session.changes(&folder.id, cursor).await {
        Ok(changes) => changes,
        Err(error) if error.kind == ErrorKind::Unsupported => return Ok(Standing::default()),
        Err(error) => return Err(in_folder(account, folder)(error)),
    };
    let mut ids = NewIds::default();
    // Also without a cursor: the ledger may know the folder from an account switch. Where it does not, every id is new,
    // and a first import need not list the folder twice.
    if changes.list_again && store.knows_folder(job.id, account.id, &folder.id).await? {
        tracing::info!(
            account = account.name,
            folder = folder.display_path(),
            "the folder's ids may have changed"
        );
        ids = new_ids(session, store, job, account, folder).await?;
    }
    let same = cursor == Some(changes.next.as_str()) && !changes.list_again;
    let settled = saved.as_ref().and_then(|saved| saved.settled);
    if !same || !ids.is_empty() {
        let NewIds { stale, mappings } = ids;
        store.save_cursor(lease, account.id, &folder.id, &changes.next, stale, mappings).await?;
    }
    let fresh = settled.is_some_and(|(revision, listed)| {
        let age = clock::now().duration_since(listed);
        revision == job.revision && age < LISTING_HOLDS && !age.is_negative()
    });
    let settled_still = exact && same && fresh;
    if same && settled.is_some() && !settled_still {
        // Before the listing: should it break off, what it left must be listed again.
        store.settle_cursor(lease, account.id, &folder.id, &changes.next, None).await?;
    }
    Ok(Standing { vouched: !changes.list_again, cursor: Some(changes.next), settled: settled_still })
}

/// How the ledger's ids of a folder differ from what lies there.
#[derive(Default)]
struct NewIds {
    /// Ids that name other messages than the ledger's.
    stale: Vec<MessageId>,
    /// Where messages of the ledger are now.
    mappings: Vec<Mapping>,
}

impl NewIds {
    fn is_empty(&self) -> bool {
        self.stale.is_empty() && self.mappings.is_empty()
    }
}

/// Compares the whole folder with the ledger.
async fn new_ids(
    session: &mut dyn Session,
    store: &Store,
    job: &ImportJob,
    account: &Account,
    folder: &Folder,
) -> Result<NewIds, JobError> {
    let mut unknown = list_all(session, account, folder, false).await?;
    let present: HashSet<MessageId> = unknown.iter().map(|found| found.message.id.clone()).collect();
    let ids: Vec<MessageId> = present.iter().cloned().collect();
    let known = store.known_entries(job.id, account.id, &folder.id, &ids).await?;
    let known: HashMap<MessageId, LedgerEntry> =
        known.into_iter().map(|entry| (entry.message.clone(), entry)).collect();
    let stale = stale(session, account, folder, &unknown, &known).await?;
    unknown.retain(|found| !known.contains_key(&found.message.id) || stale.contains(&found.message.id));
    let mut lost = if unknown.is_empty() { Vec::new() } else { entries(store, job, account).await? };
    lost.retain(|entry| {
        entry.folder == folder.id && (!present.contains(&entry.message) || stale.contains(&entry.message))
    });
    let leave = matches!(job.action, ProcessedAction::Move | ProcessedAction::Delete);
    let setting = if leave { Setting::Leave } else { Setting::Stay };
    let matched = recognise(session, account, folder, lost, unknown, setting).await?;
    // A doubtful one is kept from being imported twice only by a person; importing it is the smaller harm.
    let mappings = matched.pairs.into_iter().map(mapping).collect();
    Ok(NewIds { stale: stale.into_iter().collect(), mappings })
}

/// Ids that a service gave out a second time: they name other messages than those that the ledger knows by them.
async fn stale(
    session: &mut dyn Session,
    account: &Account,
    folder: &Folder,
    listed: &[Found],
    known: &HashMap<MessageId, LedgerEntry>,
) -> Result<HashSet<MessageId>, JobError> {
    let (mut stale, mut open) = (HashSet::new(), HashMap::new());
    for message in listed.iter().map(|found| &found.message) {
        let Some(entry) = known.get(&message.id) else { continue };
        match (same(entry, message), &entry.digest) {
            (Some(true), _) | (None, None) => {}
            (Some(false), _) => _ = stale.insert(message.id.clone()),
            (None, Some(digest)) => _ = open.insert(message.id.clone(), digest),
        }
    }
    if !open.is_empty() {
        let ids: Vec<MessageId> = open.keys().cloned().collect();
        let now = digests(session, &ids).await.map_err(in_folder(account, folder))?;
        stale.extend(now.into_iter().filter(|(id, digest)| open.get(id) != Some(&digest)).map(|(id, _)| id));
    }
    if !stale.is_empty() {
        tracing::warn!(
            account = account.name,
            folder = folder.display_path(),
            count = stale.len(),
            "the service gave ids of imported messages to other messages, as after a restored backup"
        );
    }
    Ok(stale)
}

/// Makes sure that ids that a connector vouched for were not changed before the listing that follows: its messages
/// would pass for new.
pub(crate) async fn expect_ids_valid(
    session: &mut dyn Session,
    store: &Store,
    job: &ImportJob,
    account: &Account,
    folder: &Folder,
) -> Result<(), JobError> {
    let saved = store.cursor(job.id, account.id, &folder.id).await?;
    let cursor = saved.as_ref().map(|saved| saved.cursor.as_str());
    let changes = session.changes(&folder.id, cursor).await.map_err(in_folder(account, folder))?;
    if changes.list_again {
        return Err(ids_changed(account, folder));
    }
    Ok(())
}

/// A pair as the store takes it.
pub(crate) fn mapping((key, found): (wissel_model::MessageKey, Found)) -> Mapping {
    Mapping { key, folder: found.folder, message: found.message.id }
}
