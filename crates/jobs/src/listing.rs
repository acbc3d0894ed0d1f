//! The listing minus the ledger: which messages of a folder are new to the job.

use jiff::Timestamp;
use wissel_model::{
    Account, AccountId, Filter, Folder, ImportJob, JobId, LedgerState, MessageSummary, PageRequest, Session,
};
use wissel_store::Store;

use crate::JobError;
use crate::folders::in_folder;

/// Messages asked for in one page of a listing.
const PAGE: u32 = 500;

/// Goes through a folder page by page.
pub(crate) struct Listing<'a> {
    store: &'a Store,
    job: JobId,
    account: &'a Account,
    folder: &'a Folder,
    filter: Filter,
    since: Option<Timestamp>,
    after: Option<String>,
    ended: bool,
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
        let since = job.filter.newer_than.map(|limit| limit.since(Timestamp::now()));
        Self {
            store,
            job: job.id,
            account,
            folder,
            filter: job.filter.clone(),
            since,
            after: None,
            ended: false,
        }
    }

    /// The next page; none at the end.
    pub(crate) async fn next(&mut self, session: &mut dyn Session) -> Result<Option<NewMessages>, JobError> {
        if self.ended {
            return Ok(None);
        }
        let request = PageRequest {
            size: PAGE,
            after: self.after.take(),
            unread_only: self.filter.unread_only,
            received_since: self.since,
        };
        let page = session
            .list_messages(&self.folder.id, &request)
            .await
            .map_err(in_folder(self.account, self.folder))?;
        self.ended = page.next.is_none();
        self.after = page.next;
        let listed = page.messages.len();
        let messages = self.unknown(self.account.id, page.messages).await?;
        let passed = listed.saturating_sub(messages.len()) as u64;
        Ok(Some(NewMessages { messages, passed }))
    }

    async fn unknown(
        &self,
        account: AccountId,
        listed: Vec<MessageSummary>,
    ) -> Result<Vec<MessageSummary>, JobError> {
        let mut messages: Vec<MessageSummary> = listed.into_iter().filter(|m| self.is_wanted(m)).collect();
        let ids: Vec<_> = messages.iter().map(|m| m.id.clone()).collect();
        let known = self.store.known(self.job, account, &self.folder.id, &ids).await?;
        messages.retain(|m| known.get(&m.id).is_none_or(|(_, state)| *state == LedgerState::Reserved));
        Ok(messages)
    }

    /// The service may have answered more than was asked for.
    fn is_wanted(&self, message: &MessageSummary) -> bool {
        let unread = !self.filter.unread_only || message.read != Some(true);
        let young = match (self.since, message.received) {
            (Some(since), Some(received)) => received >= since,
            _ => true,
        };
        unread && young
    }
}
