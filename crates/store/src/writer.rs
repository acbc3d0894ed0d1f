//! The one writer: takes writes from a queue and commits those that wait together in one transaction.
//!
//! A commit costs a sync of the disk, whatever it holds. So the writes that arrive while one commit is under way share
//! the next one, each inside a savepoint of its own: one that fails takes nothing of the others with it. A write is
//! answered after the commit that holds it, never before.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::{Result, StoreError};

/// Writes that one transaction takes at most: bounds how long the first of them waits for the last.
const GROUP: usize = 64;
/// Writes that may wait; those who come later wait for a place.
pub(crate) const QUEUE: usize = 256;

/// How often the writer worked since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Writes that were asked for.
    pub writes: u64,
    /// Transactions that were committed.
    pub commits: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    writes: AtomicU64,
    commits: AtomicU64,
}

impl Tally {
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            writes: self.writes.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
        }
    }
}

/// A write that waits in the queue.
#[async_trait]
pub(crate) trait Request: Send {
    /// Does the work and keeps the result; true when it succeeded.
    async fn run(&mut self, tx: &mut SqliteConnection) -> bool;
    /// Tells the caller how it ended: its own failure, else the group's, else its result.
    fn answer(self: Box<Self>, group: &std::result::Result<(), Failure>);
}

/// What a write does inside the transaction.
pub(crate) type Work<T> = Box<
    dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, std::result::Result<T, Failure>> + Send,
>;

/// A [`Request`] made of a closure and the channel its caller waits on.
pub(crate) struct Pending<T> {
    work: Option<Work<T>>,
    result: Option<std::result::Result<T, Failure>>,
    path: PathBuf,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send + 'static> Pending<T> {
    /// The request, and where its answer will come.
    pub(crate) fn request(path: PathBuf, work: Work<T>) -> (Box<dyn Request>, oneshot::Receiver<Result<T>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { work: Some(work), result: None, path, reply }), answer)
    }
}

#[async_trait]
impl<T: Send + 'static> Request for Pending<T> {
    async fn run(&mut self, tx: &mut SqliteConnection) -> bool {
        if let Some(work) = self.work.take() {
            self.result = Some(work(tx).await);
        }
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, group: &std::result::Result<(), Failure>) {
        let Self { result, path, reply, .. } = *self;
        let result = match (result, group) {
            (Some(Err(own)), _) => Err(own.at(&path)),
            (_, Err(group)) => Err(group.clone().at(&path)),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // Nobody waits any more when the caller was cancelled; the write stands all the same.
        let _ = reply.send(result);
    }
}

/// The task that owns the writing connection.
pub(crate) struct Writer {
    pub(crate) connection: SqliteConnection,
    pub(crate) inbox: mpsc::Receiver<Box<dyn Request>>,
    pub(crate) closing: CancellationToken,
    pub(crate) tally: Arc<Tally>,
}

impl Writer {
    /// Works until the store is closed, or dropped with all its clones; either way after the last write accepted.
    pub(crate) async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            let closed = self.inbox.is_closed();
            tokio::select! {
                count = self.inbox.recv_many(&mut group, GROUP) => if count == 0 { break },
                () = self.closing.cancelled(), if !closed => {
                    self.inbox.close();
                    continue;
                }
            }
            let outcome = self.transact(&mut group).await;
            for request in group.drain(..) {
                request.answer(&outcome);
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close properly; nothing that was acknowledged is lost");
        }
    }

    async fn transact(&mut self, group: &mut [Box<dyn Request>]) -> std::result::Result<(), Failure> {
        self.tally.writes.fetch_add(group.len() as u64, Ordering::Relaxed);
        self.execute("BEGIN IMMEDIATE").await?;
        let done = match self.run_all(group).await {
            Ok(true) => self.execute("COMMIT").await,
            Ok(false) => return self.execute("ROLLBACK").await,
            Err(failure) => Err(failure),
        };
        match done {
            Ok(()) => {
                self.tally.commits.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(failure) => {
                // After some failures (disk full, I/O) SQLite has rolled back already and refuses this: no harm.
                let _ = self.execute("ROLLBACK").await;
                Err(failure)
            }
        }
    }

    /// Runs each write; true when there is something to commit.
    async fn run_all(&mut self, group: &mut [Box<dyn Request>]) -> std::result::Result<bool, Failure> {
        if let [alone] = group {
            return Ok(alone.run(&mut self.connection).await);
        }
        let mut any = false;
        for request in group {
            self.execute("SAVEPOINT one").await?;
            if request.run(&mut self.connection).await {
                any = true;
            } else {
                self.execute("ROLLBACK TO one").await?;
            }
            self.execute("RELEASE one").await?;
        }
        Ok(any)
    }

    async fn execute(&mut self, statement: &'static str) -> std::result::Result<(), Failure> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }
}
