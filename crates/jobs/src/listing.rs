//! Goes through folders page by page; and the listing minus the ledger: which messages of a folder are new to the job.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use wissel_mime::{Defect, Disposition, Inspection};
use wissel_model::{
    Account, ConnectorError, ErrorKind, Filter, Folder, ImportJob, JobId, LedgerEntry, LedgerState,
    MessageId, MessageSummary, PageRequest, Session, clock,
};
use wissel_store::{Lease, Store};

use crate::JobError;
use crate::folders::in_folder;
use crate::matching::same;

/// Messages asked for in one page of a listing.
const PAGE: u32 = 500;
/// Pages of one folder. A listing that has more does not end.
const PAGES: usize = 100_000;

/// The code of a failure because ids are no longer those that the ledger knows.
const IDS_CHANGED: &str = "ids-changed";

/// Pages in a row that bring nothing: empty, or beginning with a message that an earlier page began with. A service that
/// filters may send some; one that sends so many does not end.
const BARREN: usize = 1_000;

/// The pages of a folder. Ends also when the connector never says so.
pub(crate) struct Pages<'a> {
    account: &'a Account,
    folder: &'a Folder,
    request: PageRequest,
    seen: HashSet<String>,
    /// The first message of each page.
    firsts: HashSet<MessageId>,
    barren: usize,
    end: End,
}

enum End {
    /// There is another page.
    Open,
    /// The last page was read.
    Reached,
    /// The connector leads in a circle.
    Missing,
}

impl<'a> Pages<'a> {
    /// The pages of the folder, from the first.
    pub(crate) fn new(account: &'a Account, folder: &'a Folder, request: PageRequest) -> Self {
        Self {
            account,
            folder,
            request,
            seen: HashSet::new(),
            firsts: HashSet::new(),
            barren: 0,
            end: End::Open,
        }
    }

    /// The messages of the next page, each once; none at the end.
    pub(crate) async fn next(
        &mut self,
        session: &mut dyn Session,
    ) -> Result<Option<Vec<MessageSummary>>, JobError> {
        let failed = in_folder(self.account, self.folder);
        match self.end {
            End::Open => {}
            End::Reached => return Ok(None),
            End::Missing => {
                let circle = "the connector's listing of this folder does not come to an end";
                return Err(failed(ConnectorError::new(ErrorKind::Protocol, circle)));
            }
        }
        let page = session.list_messages(&self.folder.id, &self.request).await.map_err(failed)?;
        let brings = page.messages.first().is_some_and(|first| self.firsts.insert(first.id.clone()));
        self.barren = if brings { 0 } else { self.barren + 1 };
        let goes_on = self.seen.len() < PAGES && self.barren < BARREN;
        self.end = match &page.next {
            None => End::Reached,
            Some(next) if goes_on && self.seen.insert(next.clone()) => End::Open,
            Some(_) => End::Missing,
        };
        self.request.after = page.next;
        let mut messages = page.messages;
        let mut once = HashSet::with_capacity(messages.len());
        messages.retain(|message| once.insert(message.id.clone()));
        Ok(Some(messages))
    }
}

/// Goes through a folder for messages that are new to the job.
pub(crate) struct Listing<'a> {
    store: &'a Store,
    job: JobId,
    pages: Pages<'a>,
    filter: Wanted<'a>,
    /// With the lease, ids are held against the ledger: no whole comparison came before.
    held: Option<&'a Lease>,
}

/// One page, cut down to what is new.
pub(crate) struct NewMessages {
    /// Messages that the ledger does not know, or knows as reserved only.
    pub(crate) messages: Vec<MessageSummary>,
    /// How many others were on the page.
    pub(crate) passed: u64,
    /// How many of those the filter leaves out by what the listing tells.
    pub(crate) left_out: u64,
}

impl<'a> Listing<'a> {
    /// A listing of the folder. With `held`, each id is held against what the ledger knows by it; that is needed where
    /// the folder was not compared as a whole just before.
    pub(crate) fn new(
        store: &'a Store,
        job: &'a ImportJob,
        account: &'a Account,
        folder: &'a Folder,
        held: Option<&'a Lease>,
    ) -> Self {
        let filter = Wanted::now(&job.filter);
        let request = filter.request();
        Self { store, job: job.id, pages: Pages::new(account, folder, request), filter, held }
    }

    /// The next page; none at the end.
    pub(crate) async fn next(&mut self, session: &mut dyn Session) -> Result<Option<NewMessages>, JobError> {
        let Some(mut messages) = self.pages.next(session).await? else { return Ok(None) };
        let listed = messages.len();
        messages.retain(|message| self.filter.includes(message));
        let left_out = listed.saturating_sub(messages.len()) as u64;
        let ids: Vec<_> = messages.iter().map(|m| m.id.clone()).collect();
        let (account, folder) = (self.pages.account.id, &self.pages.folder.id);
        let known = self.store.known_entries(self.job, account, folder, &ids).await?;
        let mut known: HashMap<MessageId, LedgerEntry> =
            known.into_iter().map(|entry| (entry.message.clone(), entry)).collect();
        if let Some(lease) = self.held
            && messages.iter().any(|m| known.get(&m.id).is_some_and(|entry| same(entry, m) == Some(false)))
        {
            // The service gave an id out a second time, and its cursor did not show it.
            self.store.forget_cursor(lease, account, folder).await?;
            return Err(ids_changed(self.pages.account, self.pages.folder));
        }
        let over: Vec<_> = known
            .values()
            .filter(|entry| entry.state == LedgerState::Filtered)
            .map(|entry| entry.key)
            .collect();
        if !over.is_empty() {
            let again = self.store.passed_over_otherwise(&over, self.filter.inside.as_deref()).await?;
            known.retain(|_, entry| !again.contains(&entry.key));
        }
        messages.retain(|m| known.get(&m.id).is_none_or(|entry| entry.state == LedgerState::Reserved));
        let passed = listed.saturating_sub(messages.len()) as u64;
        Ok(Some(NewMessages { messages, passed, left_out }))
    }
}

/// The failure of a listing whose ids are not those that the ledger knows: the next pass compares the whole folder.
pub(crate) fn ids_changed(account: &Account, folder: &Folder) -> JobError {
    let changed = "the folder's ids changed while it was listed";
    let error = ConnectorError::new(ErrorKind::Temporary, changed).with_code(IDS_CHANGED);
    in_folder(account, folder)(error)
}

/// Whether a failure says that ids changed.
pub(crate) fn tells_ids_changed(error: &ConnectorError) -> bool {
    error.code.as_deref() == Some(IDS_CHANGED)
}

/// A job's filter at one moment. Applied here too, as the service may answer more than was asked for.
pub(crate) struct Wanted<'a> {
    filter: &'a Filter,
    since: Option<Timestamp>,
    inside: Option<String>,
}

impl<'a> Wanted<'a> {
    /// The filter as it stands now.
    pub(crate) fn now(filter: &'a Filter) -> Self {
        let since = filter.newer_than.map(|limit| limit.since(clock::now()));
        Self { filter, since, inside: filter.inside() }
    }

    /// The request for its first page: the part that services can answer is asked of them, and spares the rest.
    pub(crate) fn request(&self) -> PageRequest {
        let unread_only = self.filter.unread_only;
        PageRequest { size: PAGE, after: None, unread_only, received_since: self.since }
    }

    /// Whether the job takes this message, as far as the listing tells. What is inside is seen when it is fetched.
    pub(crate) fn includes(&self, message: &MessageSummary) -> bool {
        let unread = !self.filter.unread_only || message.read != Some(true);
        let young = match (self.since, message.received) {
            (Some(since), Some(received)) => received >= since,
            _ => true,
        };
        unread && young && self.filter.takes_headers(message.sender.as_deref(), message.subject.as_deref())
    }
}

/// Whether the job takes a message with this inside. One that could not be read to its end is taken: nothing may be
/// missed for being broken.
pub(crate) fn takes_inside(filter: &Filter, inspection: &Inspection) -> bool {
    let cut_short = [Defect::PartsTruncated, Defect::NestedTooDeep];
    if filter.inside().is_none() || cut_short.iter().any(|defect| inspection.defects.contains(defect)) {
        return true;
    }
    filter.takes_files(inspection.attachments().map(|part| {
        let info = &part.info;
        let name = info.name.as_deref().or(info.file_name.as_deref()).unwrap_or_default();
        (name, info.disposition == Disposition::Inline && info.content_id.is_some())
    }))
}
