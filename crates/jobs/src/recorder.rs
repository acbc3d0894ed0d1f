//! The second half of the import's pipeline: makes fetched messages durable and records them, while the first half
//! fetches on.
//!
//! ```text
//! Session::fetch -> Intake -> at most WAITING -> Recorder: sync, rename, sync the directory, commit the ledger
//!                                                   |
//! Pass::act: move, mark or delete, many at once <---+
//! ```
//!
//! One fetch streams hundreds of messages without a pause. Those that wait together are a group, which shares its
//! syncs and its commit: the slower the disk, the larger the groups. When no more may wait, the intake lets the server
//! wait, so memory does not grow. A message comes back, for the mailbox to be changed, only once its ledger row is
//! committed. What a crash repeats is bounded by what waits and one group.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wissel_model::{ImportJob, MessageId, MessageKey, ProcessedAction, fault};
use wissel_sink::{DirectorySink, Staged};
use wissel_store::{DeliverTo, Delivered, Lease, Store};

use crate::listing::takes_inside;
use crate::pass::Pass;
use crate::recover::octets;
use crate::{Event, JobError, Progress};

/// Fetched messages that may wait for the recorder. Each holds its file open.
const WAITING: usize = 64;
/// Messages in one group.
const GROUP: usize = 64;
/// KiB that may be known of messages that wait or are being recorded: a hostile one has thousands of attachments.
const MEMORY: usize = 16 * 1024;

/// A message whose bytes are written, but not durable yet.
pub(crate) struct Fetched {
    message: MessageId,
    staged: Staged,
    /// Of [`MEMORY`].
    memory: OwnedSemaphorePermit,
}

/// The way to the recorder.
#[derive(Clone)]
pub(crate) struct ToRecorder {
    queue: mpsc::Sender<Fetched>,
    memory: Arc<Semaphore>,
}

/// A place in the recorder's queue, taken before the message is.
pub(crate) struct Reserved {
    place: mpsc::OwnedPermit<Fetched>,
    memory: Arc<Semaphore>,
}

impl ToRecorder {
    /// Whether the recorder has ended; it tells itself why.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Waits until one more message may be fetched.
    pub(crate) async fn reserve(&self) -> Result<Reserved, SendError<()>> {
        let place = self.queue.clone().reserve_owned().await?;
        Ok(Reserved { place, memory: Arc::clone(&self.memory) })
    }
}

impl Reserved {
    /// Hands over a message, once there is memory for what is known of it: all there is serves for any one.
    pub(crate) async fn hand_over(self, message: MessageId, staged: Staged) {
        let weight = u32::try_from((staged.inspection.octets() / 1024 + 1).min(MEMORY)).unwrap_or(u32::MAX);
        // Nobody closes the semaphore.
        if let Ok(memory) = self.memory.acquire_many_owned(weight).await {
            self.place.send(Fetched { message, staged, memory });
        }
    }
}

/// What became of one group.
struct Group {
    /// Durable and recorded.
    delivered: Vec<(MessageKey, MessageId)>,
    /// Recorded as not taken by the filter: they stay in the mailbox as they are.
    over: Vec<MessageId>,
}

/// The way back. Not bounded by itself: the first half empties it after each fetch.
pub(crate) struct Recorded {
    groups: mpsc::UnboundedReceiver<Group>,
    /// Messages that were fetched, as far as they did not come back: to the ledger, they may still be new.
    pub(crate) under_way: HashSet<MessageId>,
}

impl Recorded {
    /// The delivered messages that came back since the last time.
    pub(crate) fn take(&mut self) -> Vec<(MessageKey, MessageId)> {
        let mut messages = Vec::new();
        while let Ok(Group { delivered, over }) = self.groups.try_recv() {
            for message in over.iter().chain(delivered.iter().map(|(_, message)| message)) {
                self.under_way.remove(message);
            }
            messages.extend(delivered);
        }
        messages
    }
}

/// What the recorder did until its end, also when it failed.
pub(crate) struct Recording {
    pub(crate) imported: u64,
    pub(crate) filtered: u64,
    pub(crate) ended: Result<(), JobError>,
}

/// The second half.
pub(crate) struct Recorder<'a> {
    store: &'a Store,
    job: &'a ImportJob,
    lease: &'a Lease,
    sink: &'a DirectorySink,
    progress: &'a dyn Progress,
    fetched: mpsc::Receiver<Fetched>,
    recorded: mpsc::UnboundedSender<Group>,
}

/// A recorder with the way to it, which is closed once it has failed, and the way back.
pub(crate) fn pipeline<'a>(pass: &Pass<'a>) -> (ToRecorder, Recorded, Recorder<'a>) {
    let (queue, fetched) = mpsc::channel(WAITING);
    let to_recorder = ToRecorder { queue, memory: Arc::new(Semaphore::new(MEMORY)) };
    let (recorded, groups) = mpsc::unbounded_channel();
    let recorder = Recorder {
        store: &pass.shop.store,
        job: pass.job,
        lease: pass.lease,
        sink: pass.sink,
        progress: pass.progress,
        fetched,
        recorded,
    };
    (to_recorder, Recorded { groups, under_way: HashSet::new() }, recorder)
}

impl Recorder<'_> {
    /// Records what comes, until the first half drops its end or something fails.
    pub(crate) async fn run(mut self) -> Recording {
        let mut group = Vec::with_capacity(GROUP);
        let mut recording = Recording { imported: 0, filtered: 0, ended: Ok(()) };
        while self.fetched.recv_many(&mut group, GROUP).await > 0 {
            let (taken, over) = std::mem::take(&mut group)
                .into_iter()
                .partition(|fetched: &Fetched| takes_inside(&self.job.filter, &fetched.staged.inspection));
            let recorded = async {
                Ok(Group { delivered: self.deliver(taken).await?, over: self.pass_over(over).await? })
            };
            match recorded.await {
                Ok(recorded) => {
                    recording.imported += recorded.delivered.len() as u64;
                    recording.filtered += recorded.over.len() as u64;
                    // Whoever runs both halves keeps the other end.
                    let _ = self.recorded.send(recorded);
                }
                Err(error) => {
                    recording.ended = Err(error);
                    break;
                }
            }
        }
        recording
    }

    /// Makes messages durable and records them.
    async fn deliver(&self, group: Vec<Fetched>) -> Result<Vec<(MessageKey, MessageId)>, JobError> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Delivered> = group.iter().map(row).collect();
        let (mut messages, mut staged, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for fetched in group {
            messages.push((fetched.staged.key, fetched.message));
            staged.push(fetched.staged);
            memory.push(fetched.memory);
        }
        let failed = |source| JobError::Sink { job: self.job.name.clone(), source };
        self.sink.commit(staged).await.map_err(failed)?;
        let to =
            if self.job.action == ProcessedAction::Leave { DeliverTo::Done } else { DeliverTo::Delivered };
        drop(memory);
        self.store.deliver(self.lease, &rows, to).await?;
        fault::point("ledger-delivered");
        self.progress.on(Event::Imported(messages.len() as u64));
        Ok(messages)
    }

    /// Records messages that the filter does not take: their files go, and they stay in the mailbox as they are.
    async fn pass_over(&self, over: Vec<Fetched>) -> Result<Vec<MessageId>, JobError> {
        let Some(filter) = self.job.filter.inside().filter(|_| !over.is_empty()) else {
            return Ok(Vec::new());
        };
        let rows: Vec<Delivered> = over.iter().map(row).collect();
        let messages: Vec<MessageId> = over.into_iter().map(|fetched| fetched.message).collect();
        self.store.pass_over(self.lease, &rows, &filter).await?;
        self.progress.on(Event::Passed(messages.len() as u64));
        Ok(messages)
    }
}

/// What the ledger keeps of a message that was fetched whole.
fn row(Fetched { staged, .. }: &Fetched) -> Delivered {
    Delivered {
        key: staged.key,
        digest: Some(staged.inspection.digest.clone()),
        size: Some(octets(staged.inspection.size)),
        internet_message_id: staged.inspection.message_id.clone(),
        subject: staged.inspection.subject.clone(),
    }
}
