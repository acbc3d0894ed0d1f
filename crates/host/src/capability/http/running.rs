//! Requests under way: a few at a time, in the order in which they were started, each reading ahead a little.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use wissel_model::{ConnectorError, ErrorKind};

use super::attempts::Attempts;
use super::failure::silent;
use super::inflate::Content;
use super::request::Checked;
use crate::call::Call;
use crate::governor::{Governors, SessionNumber};
use crate::inlet::Feed;
use crate::state::Context;

/// Octets of a body that are read before the connector asks for them.
const READ_AHEAD: usize = 1 << 20;

type Result<T> = std::result::Result<T, ConnectorError>;
type Chunk = Result<(Bytes, OwnedSemaphorePermit)>;

/// Status and headers of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

/// A session's place under the governor of its mailbox.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    pub(crate) governors: Arc<Governors>,
    pub(crate) session: SessionNumber,
}

/// A request that was started; dropped, it is cancelled.
pub(crate) struct Running {
    head: oneshot::Receiver<Result<Head>>,
    body: Body,
}

/// The body of an answer, as far as it has come.
pub(crate) struct Body {
    chunks: mpsc::UnboundedReceiver<Chunk>,
    _task: AbortOnDropHandle<()>,
}

impl Seat {
    /// Queues the request and returns at once. Without an answer when the time of `call` is up.
    pub(super) fn start(&self, context: Arc<Context>, call: Call, request: Checked) -> Running {
        let (head_to, head) = oneshot::channel();
        let (chunks_to, chunks) = mpsc::unbounded_channel();
        // Queued here and not in the task, so that the order is that of the starts.
        let ticket = self.governors.queue(context.account.id, self.session);
        let task = tokio::spawn(async move {
            let Some(ticket) = ticket else { return };
            // Held until the body is read: an open answer counts.
            let Some(slot) = ticket.await else { return };
            let attempts = Attempts { context: &context, slot: &slot, call: &call, request: &request };
            match attempts.answer().await {
                Ok(mut response) => {
                    let (status, mut headers) = (response.status(), std::mem::take(response.headers_mut()));
                    let idle = context.idle();
                    let content = timeout(idle, Content::new(response, &mut headers)).await;
                    let host = request.host();
                    let content = content.map_err(|_| silent(host, idle));
                    if head_to
                        .send(content.as_ref().map(|_| Head { status, headers }).map_err(Clone::clone))
                        .is_ok()
                        && let Ok(content) = content
                    {
                        pump(content, &chunks_to, &context, host).await;
                    }
                }
                // The other side is gone only when nobody waits for this any more.
                Err(error) => drop(head_to.send(Err(error))),
            }
        });
        Running { head, body: Body { chunks, _task: AbortOnDropHandle::new(task) } }
    }
}

impl Running {
    /// Waits for status and headers.
    pub(super) async fn answer(self, call: &Call) -> Result<(Head, Body)> {
        let gone = || ConnectorError::new(ErrorKind::Temporary, "the request was lost in the host");
        let head = call.wait(self.head).await?.map_err(|_| gone())??;
        Ok((head, self.body))
    }
}

/// Reads the body, at most [`READ_AHEAD`] octets before the connector.
async fn pump(mut content: Content, into: &mpsc::UnboundedSender<Chunk>, context: &Context, host: &str) {
    let (idle, room) = (context.idle(), Arc::new(Semaphore::new(READ_AHEAD)));
    loop {
        let chunk = match timeout(idle, content.next(host)).await {
            Ok(Ok(Some(chunk))) => {
                let needed = u32::try_from(chunk.len().min(READ_AHEAD)).unwrap_or(u32::MAX);
                let Ok(permit) = Arc::clone(&room).acquire_many_owned(needed).await else { return };
                Ok((chunk, permit))
            }
            Ok(Ok(None)) => return,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(silent(host, idle)),
        };
        let last = chunk.is_err();
        if into.send(chunk).is_err() || last {
            return;
        }
    }
}

impl Feed for Body {
    async fn next(&mut self, call: &Call) -> Result<Option<Bytes>> {
        // The permit ends here: the connector has the chunk, and the next may be read.
        let chunk = call.wait(self.chunks.recv()).await?.transpose()?;
        Ok(chunk.map(|(chunk, _room)| chunk))
    }
}
