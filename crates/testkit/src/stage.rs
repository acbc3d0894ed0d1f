//! Where cases work: sessions of the examined account, folders and messages of the kit's own, and their removal.
//!
//! Every folder lies below one that is new for each run, in `Wissel conformance`. A session is opened for each purpose
//! and closed after it, so that a service that allows one session at a time can be examined too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wissel_model::{
    Description, Folder, FolderAddress, FolderId, MessageId, MessageSummary, OpenOptions, PageRequest,
    Session,
};

use crate::case::{Answer, Outcome, Stop, expect, failed};
use crate::collector::{Collector, Delivered};
use crate::sample::Sample;
use crate::subject::{Options, Subject};

/// The folder of all runs.
const TOP: &str = "Wissel conformance";

/// A page size that takes in whatever the kit puts into one folder.
pub(crate) const LARGE_PAGE: u32 = 500;

/// The workplace of one run.
pub(crate) struct Stage {
    pub(crate) subject: Subject,
    pub(crate) options: Options,
    pub(crate) description: Arc<Description>,
    /// The folder that the running case calls its own.
    pub(crate) own: String,
    /// The path of this run's folder, once it is made.
    root: Option<Vec<String>>,
    /// The paths of the folders that were made.
    made: Vec<Vec<String>>,
}

impl Stage {
    pub(crate) fn new(subject: Subject, options: Options, description: Arc<Description>) -> Self {
        Self { subject, options, description, own: String::new(), root: None, made: Vec::new() }
    }

    pub(crate) fn supports(&self, operation: &str) -> bool {
        self.description.supports(operation)
    }

    /// How long a service may take to show what was just put into it.
    pub(crate) fn settling(&self) -> Duration {
        self.options.patience / 5
    }

    /// A wait that something else is to end, in milliseconds.
    pub(crate) fn long_wait(&self) -> u32 {
        u32::try_from(self.options.patience.as_millis() / 2).unwrap_or(u32::MAX)
    }

    /// Ends the case as not applicable where the connector allows one session at a time.
    pub(crate) fn several_sessions(&self) -> Outcome {
        match self.description.limits.parallel_sessions {
            Some(1) => Err(Stop::NotApplicable("limits.parallelSessions is 1".to_owned())),
            _ => Ok(()),
        }
    }

    /// A session of the examined account.
    pub(crate) async fn open(&self) -> Outcome<Box<dyn Session>> {
        self.open_with(OpenOptions::default()).await
    }

    /// A session that can be ended or interrupted from outside.
    pub(crate) async fn open_stoppable(&self) -> Outcome<(Box<dyn Session>, OpenOptions)> {
        let options = OpenOptions {
            cancel: CancellationToken::new(),
            interrupt: CancellationToken::new(),
            purpose: String::new(),
        };
        Ok((self.open_with(options.clone()).await?, options))
    }

    async fn open_with(&self, options: OpenOptions) -> Outcome<Box<dyn Session>> {
        let options = OpenOptions { purpose: "conformance".to_owned(), ..options };
        self.subject.connectors.open(&self.subject.account, options).await.works("open")
    }

    /// A session of whoever can do `operation`: the examined account, else the one that seeds.
    async fn hands(&self, operation: &str) -> Outcome<(Box<dyn Session>, bool)> {
        if self.supports(operation) {
            return Ok((self.open().await?, true));
        }
        let Some(seed) = &self.options.seed else {
            return Err(Stop::NotApplicable(format!(
                "'{operation}' is not declared, and no seeding account was given"
            )));
        };
        let options = OpenOptions { purpose: "conformance".to_owned(), ..OpenOptions::default() };
        Ok((seed.connectors.open(&seed.account, options).await.works("open of the seeding account")?, false))
    }

    /// The case's own folder, empty.
    pub(crate) async fn folder(&mut self) -> Outcome<Folder> {
        self.folder_named(&self.own.clone()).await
    }

    /// A second folder of the case.
    pub(crate) async fn other_folder(&mut self) -> Outcome<Folder> {
        self.folder_named(&format!("{} 2", self.own)).await
    }

    /// The path of this run's folder, which is made with the first folder below it.
    pub(crate) fn root(&mut self) -> Vec<String> {
        self.root.get_or_insert_with(|| vec![TOP.to_owned(), unique()]).clone()
    }

    async fn folder_named(&mut self, name: &str) -> Outcome<Folder> {
        let mut path = self.root();
        path.push(name.to_owned());
        let (mut maker, own) = self.hands("create-folder").await?;
        let made = maker.create_folder(&path).await;
        maker.close().await;
        let made = made.works("create-folder")?;
        self.remember(&made);
        if own {
            return Ok(made);
        }
        let mut session = self.open().await?;
        let found = session.find_folder(&FolderAddress::Path(path)).await;
        session.close().await;
        found.works("find-folder, for a folder that the seeding account made")
    }

    /// Takes a folder into the list of those that are emptied at the end.
    pub(crate) fn remember(&mut self, folder: &Folder) {
        self.made.push(folder.path.clone());
    }

    /// Puts messages into a folder, in this order.
    pub(crate) async fn put(&self, folder: &Folder, samples: &[Sample]) -> Outcome {
        let (mut session, own) = self.hands("append").await?;
        let id = match own {
            true => folder.id.clone(),
            false => {
                let at = FolderAddress::Path(folder.path.clone());
                session.find_folder(&at).await.works("find-folder of the seeding account")?.id
            }
        };
        for sample in samples {
            session.append(&id, sample.source(), sample.info()).await.works("append")?;
        }
        session.close().await;
        Ok(())
    }

    /// The case's own folder with these messages in it, a session, and the messages' ids in the same order.
    pub(crate) async fn set_up(
        &mut self,
        samples: &[Sample],
    ) -> Outcome<(Folder, Box<dyn Session>, Vec<MessageId>)> {
        let folder = self.folder().await?;
        self.put(&folder, samples).await?;
        let mut session = self.open().await?;
        let ids = ids_of(&mut *session, &folder.id, samples, self.settling()).await?;
        Ok((folder, session, ids))
    }

    /// Takes the kit's messages out again; answers with what stays behind, in sentences for the operator.
    pub(crate) async fn clean_up(&mut self) -> Vec<String> {
        let made = std::mem::take(&mut self.made);
        let Some(root) = self.root.take().filter(|_| !made.is_empty()) else { return Vec::new() };
        let mut left = Vec::new();
        if let Err(problem) = self.empty(&made).await {
            left.push(format!("The kit's messages could not be removed: {problem}."));
        }
        // The contract has no operation that removes a folder.
        let root = root.join("/");
        left.push(format!("The folder '{root}' stays: the contract cannot remove one. Remove it by hand."));
        left
    }

    async fn empty(&self, made: &[Vec<String>]) -> Result<(), String> {
        let told = |stop: Stop| match stop {
            Stop::Failed { seen, .. } => seen,
            Stop::NotApplicable(why) => why,
        };
        let (mut session, _) = self.hands("delete-messages").await.map_err(told)?;
        for path in made {
            let Ok(folder) = session.find_folder(&FolderAddress::Path(path.clone())).await else { continue };
            if !folder.holds_messages {
                continue;
            }
            let messages = list(&mut *session, &folder.id, LARGE_PAGE).await.map_err(told)?;
            let ids: Vec<MessageId> = messages.into_iter().map(|message| message.id).collect();
            if !ids.is_empty() {
                session.delete_messages(&ids).await.map_err(|error| error.to_string())?;
            }
        }
        session.close().await;
        Ok(())
    }
}

/// A name that no other run has.
fn unique() -> String {
    let id = Uuid::new_v4().simple().to_string();
    let short = id.get(..8).unwrap_or(&id);
    format!("{} {short}", Timestamp::now().strftime("%Y-%m-%d %H%M%S"))
}

/// All messages of a folder, in pages of `size`.
pub(crate) async fn list(
    session: &mut dyn Session,
    folder: &FolderId,
    size: u32,
) -> Outcome<Vec<MessageSummary>> {
    list_as(session, folder, &PageRequest { size, ..PageRequest::default() }).await
}

/// All messages that a listing shows from `first` on. A listing that goes in a circle fails.
pub(crate) async fn list_as(
    session: &mut dyn Session,
    folder: &FolderId,
    first: &PageRequest,
) -> Outcome<Vec<MessageSummary>> {
    let (mut request, mut messages, mut tokens) = (first.clone(), Vec::new(), BTreeSet::new());
    loop {
        let page = session.list_messages(folder, &request).await.works("list-messages")?;
        messages.extend(page.messages);
        let Some(next) = page.next else { return Ok(messages) };
        expect(tokens.insert(next.clone()), "each page token is another one", || {
            format!("'{next}' came twice: the listing has no end")
        })?;
        expect(tokens.len() <= 10_000, "the listing ends", || "10,000 pages".to_owned())?;
        request.after = Some(next);
    }
}

/// Lists until the folder shows `count` messages; a service may take `settling` until it does.
pub(crate) async fn list_settled(
    session: &mut dyn Session,
    folder: &FolderId,
    count: usize,
    settling: Duration,
) -> Outcome<Vec<MessageSummary>> {
    let begun = tokio::time::Instant::now();
    loop {
        let messages = list(session, folder, LARGE_PAGE).await?;
        if messages.len() == count || begun.elapsed() > settling {
            expect(messages.len() == count, format!("the folder shows {count} messages"), || {
                format!("{} messages", messages.len())
            })?;
            return Ok(messages);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The ids of messages that were put into an empty folder, in the order of `samples`: by Message-ID where the listing
/// gives it, else by their place.
pub(crate) async fn ids_of(
    session: &mut dyn Session,
    folder: &FolderId,
    samples: &[Sample],
    settling: Duration,
) -> Outcome<Vec<MessageId>> {
    let listed = list_settled(session, folder, samples.len(), settling).await?;
    if listed.iter().any(|message| message.internet_message_id.is_none()) {
        return Ok(listed.into_iter().map(|message| message.id).collect());
    }
    let mut ids = Vec::with_capacity(samples.len());
    for sample in samples {
        let wanted = sample.message_id.as_str();
        let found = listed.iter().find(|message| message.internet_message_id.as_deref() == Some(wanted));
        match found {
            Some(message) => ids.push(message.id.clone()),
            None => {
                let seen: Vec<_> = listed.iter().filter_map(|m| m.internet_message_id.clone()).collect();
                return failed(
                    format!("the listing shows the message with Message-ID {wanted}"),
                    seen.join(", "),
                );
            }
        }
    }
    Ok(ids)
}

/// Fetches messages, and holds the delivery to its rules.
pub(crate) async fn fetch(session: &mut dyn Session, messages: &[MessageId]) -> Outcome<Delivered> {
    let collector = Collector::of(messages);
    let answer = session.fetch(messages, Box::new(collector.clone())).await;
    let delivered = collector.take();
    expect(delivered.breaches.is_empty(), "the delivery's order is kept: begin, write, end", || {
        delivered.breaches.join("; ")
    })?;
    answer.works("fetch")?;
    expect(delivered.left_open().is_none(), "every message that is begun is ended or failed", || {
        "a message was left open".to_owned()
    })?;
    Ok(delivered)
}
