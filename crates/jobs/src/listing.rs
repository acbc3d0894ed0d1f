//! Goes through folders page by page; and the listing minus the ledger: which messages of a folder are new to the job.

use std::collections::HashSet;

use jiff::Timestamp;
use wissel_model::{
    Account, ConnectorError, ErrorKind, Filter, Folder, ImportJob, JobId, LedgerState, MessageSummary,
    PageRequest, Session,
};
use wissel_store::Store;

use crate::JobError;
use crate::folders::in_folder;

/// Messages asked for in one page of a listing.
const PAGE: u32 = 500;
/// Pages of one folder. A listing that has more does not end.
const PAGES: usize = 100_000;

/// The pages of a folder. Ends also when the connector never says so.
pub(crate) struct Pages<'a> {
    account: &'a Account,
    folder: &'a Folder,
    request: PageRequest,
    seen: HashSet<String>,
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
        Self { account, folder, request, seen: HashSet::new(), end: End::Open }
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
        self.end = match &page.next {
            None => End::Reached,
            Some(next) if self.seen.len() < PAGES && self.seen.insert(next.clone()) => End::Open,
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
    filter: Wanted,
}

/// One page, cut down to what is new.
pub(crate) struct NewMessages {
    /// Messages that the ledger does not know, or knows as reserved only.
    pub(crate) messages: Vec<MessageSummary>,
    /// How many others were on the page.
    pub(crate) passed: u64,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(store: &'a Store, job: &ImportJob, account: &'a Account, folder: &'a Folder) -> Self {
        let filter = Wanted::now(&job.filter);
        let request = PageRequest {
            size: PAGE,
            after: None,
            unread_only: filter.unread_only,
            received_since: filter.since,
        };
        Self { store, job: job.id, pages: Pages::new(account, folder, request), filter }
    }

    /// The next page; none at the end.
    pub(crate) async fn next(&mut self, session: &mut dyn Session) -> Result<Option<NewMessages>, JobError> {
        let Some(mut messages) = self.pages.next(session).await? else { return Ok(None) };
        let listed = messages.len();
        messages.retain(|message| self.filter.includes(message));
        let ids: Vec<_> = messages.iter().map(|m| m.id.clone()).collect();
        let (account, folder) = (self.pages.account.id, &self.pages.folder.id);
        let known = self.store.known(self.job, account, folder, &ids).await?;
        messages.retain(|m| known.get(&m.id).is_none_or(|(_, state)| *state == LedgerState::Reserved));
        let passed = listed.saturating_sub(messages.len()) as u64;
        Ok(Some(NewMessages { messages, passed }))
    }
}

/// A job's filter at one moment. Applied here too, as the service may answer more than was asked for.
pub(crate) struct Wanted {
    unread_only: bool,
    since: Option<Timestamp>,
}

impl Wanted {
    /// The filter as it stands now.
    pub(crate) fn now(filter: &Filter) -> Self {
        let since = filter.newer_than.map(|limit| limit.since(Timestamp::now()));
        Self { unread_only: filter.unread_only, since }
    }

    /// Whether the job takes this message.
    pub(crate) fn includes(&self, message: &MessageSummary) -> bool {
        let unread = !self.unread_only || message.read != Some(true);
        let young = match (self.since, message.received) {
            (Some(since), Some(received)) => received >= since,
            _ => true,
        };
        unread && young
    }
}
