//! Who waits for a slot: one line for each session, served in turn.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::time::Instant;
use wissel_model::ConnectorError;

use super::Governor;
use crate::call::Call;

/// Tells the sessions of a process apart.
pub(crate) type SessionNumber = u64;

/// The waiting requests of a mailbox, and how many are under way.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) under_way: usize,
    /// In the order in which they are served next. None is empty.
    lines: VecDeque<Line>,
}

#[derive(Debug)]
pub(super) struct Line {
    session: SessionNumber,
    /// Each is told by whom it was given its slot: it may have moved to another governor while it waited.
    waiting: VecDeque<oneshot::Sender<Arc<Governor>>>,
}

impl Lines {
    pub(super) fn queue(&mut self, session: SessionNumber) -> Ticket {
        let (told, ticket) = oneshot::channel();
        match self.lines.iter_mut().find(|line| line.session == session) {
            Some(line) => line.waiting.push_back(told),
            None => self.lines.push_back(Line { session, waiting: VecDeque::from([told]) }),
        }
        Ticket(ticket)
    }

    /// Gives out free slots: to each session in turn one.
    pub(super) fn serve(&mut self, parallel: usize, governor: &Arc<Governor>) {
        while self.under_way < parallel
            && let Some(mut line) = self.lines.pop_front()
        {
            while let Some(told) = line.waiting.pop_front() {
                // Who does not wait any more is passed over.
                if told.send(Arc::clone(governor)).is_ok() {
                    self.under_way += 1;
                    break;
                }
            }
            if !line.waiting.is_empty() {
                self.lines.push_back(line);
            }
        }
    }

    pub(super) fn take_waiting(&mut self) -> VecDeque<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Sessions have numbers of their own: no two lines are one session's.
    pub(super) fn join(&mut self, lines: VecDeque<Line>) {
        self.lines.extend(lines);
    }
}

/// A place in the line. Resolves to a slot; dropped, the place is given up.
#[derive(Debug)]
pub(crate) struct Ticket(oneshot::Receiver<Arc<Governor>>);

impl Future for Ticket {
    type Output = Option<Slot>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(context).map(|given| given.ok().map(Slot))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.close();
        // It was given a slot that nobody took.
        if let Ok(governor) = self.0.try_recv() {
            governor.release();
        }
    }
}

/// One of the requests that may be under way at once. Held for a request and all its repetitions, until the answer is
/// read: who has begun is not overtaken by those who wait, which could go on for ever.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Governor>);

impl Slot {
    /// See [`Governor::clearance`].
    pub(crate) async fn clearance(&self, weight: u32, call: &Call) -> Result<(), ConnectorError> {
        self.0.clearance(weight, call).await
    }

    /// See [`Governor::pause`].
    pub(crate) fn pause(&self, sent: Instant, asked: Option<Duration>) -> Duration {
        self.0.pause(sent, asked)
    }

    /// See [`Governor::calm`].
    pub(crate) fn calm(&self, sent: Instant) {
        self.0.calm(sent);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.release();
    }
}
