//! Requests under way: a few at a time, in the order in which they were started, each reading ahead a little.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::coop::unconstrained;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use wissel_model::secrets::Secrets;
use wissel_model::{Account, ConnectorError, ErrorKind};

use super::client::Clients;
use super::request::Checked;
use crate::call::Call;
use crate::inlet::Feed;
use crate::proxy;
use crate::state::Context;

/// Octets of a body that are read before the connector asks for them.
const READ_AHEAD: usize = 1 << 20;
/// Slowest upload that is not taken for a dead one, in octets a second.
const SLOWEST_UPLOAD: u64 = 32 << 10;

type Result<T> = std::result::Result<T, ConnectorError>;
type Chunk = Result<(Bytes, OwnedSemaphorePermit)>;

/// Status and headers of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

/// The request slots of one session.
#[derive(Debug)]
pub(crate) struct Slots {
    /// Hands out permits in the order in which they were asked for.
    free: Arc<Semaphore>,
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

impl Slots {
    pub(crate) fn new(parallel_requests: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(parallel_requests)) }
    }

    /// Queues the request and returns at once.
    pub(super) fn start(&self, context: Arc<Context>, request: Checked) -> Running {
        let (head_to, head) = oneshot::channel();
        let (chunks_to, chunks) = mpsc::unbounded_channel();
        // Queued here and not in the task, so that the order is that of the starts.
        let mut slot = Box::pin(unconstrained(Arc::clone(&self.free).acquire_owned()));
        let at_once = slot.as_mut().now_or_never();
        let task = tokio::spawn(async move {
            let slot = match at_once {
                Some(slot) => slot,
                None => slot.await,
            };
            // Held until the body is read: an open answer counts.
            let Ok(_slot) = slot else { return };
            let idle = Duration::from_secs(context.account.connection.idle_timeout_seconds.into());
            match answer(&context, request, idle).await {
                Ok(mut response) => {
                    let headers = std::mem::take(response.headers_mut());
                    let head = Head { status: response.status(), headers };
                    if head_to.send(Ok(head)).is_ok() {
                        pump(response, &chunks_to, idle).await;
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

async fn answer(context: &Context, request: Checked, idle: Duration) -> Result<reqwest::Response> {
    let within = idle + Duration::from_secs(request.body_size() / SLOWEST_UPLOAD);
    let request = request.authenticated(context).await?;
    let Context { account, secrets, clients, .. } = context;
    execute(account, &**secrets, clients, request, within).await
}

/// Sends a request as the account's connections go, and waits at most this long for the head of the answer.
pub(crate) async fn execute(
    account: &Account,
    secrets: &dyn Secrets,
    clients: &Clients,
    request: reqwest::Request,
    within: Duration,
) -> Result<reqwest::Response> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let port = request.url().port_or_known_default().unwrap_or_default();
    let via = proxy::via(account, secrets, host.trim_matches(['[', ']']), port).await?;
    let client = clients.client(account, via.clone()).await?;
    match timeout(within, client.execute(request)).await {
        // A request in the clear is not tunnelled: there the proxy answers itself.
        Ok(Ok(response)) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => match &via {
            Some(via) => Err(via.unauthorized()),
            None => Ok(response),
        },
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(match (&via, on_the_way(&error)) {
            (Some(via), Some(reason)) => via.failed(&host, port, &reason),
            _ => failed(&host, error),
        }),
        Err(_) => Err(silent(&host, within)),
    }
}

/// Reads the body, at most [`READ_AHEAD`] octets before the connector.
async fn pump(mut response: reqwest::Response, into: &mpsc::UnboundedSender<Chunk>, idle: Duration) {
    let host = response.url().host_str().unwrap_or_default().to_owned();
    let room = Arc::new(Semaphore::new(READ_AHEAD));
    loop {
        let chunk = match timeout(idle, response.chunk()).await {
            Ok(Ok(Some(chunk))) if chunk.is_empty() => continue,
            Ok(Ok(Some(chunk))) => {
                let needed = u32::try_from(chunk.len().min(READ_AHEAD)).unwrap_or(u32::MAX);
                let Ok(permit) = Arc::clone(&room).acquire_many_owned(needed).await else { return };
                Ok((chunk, permit))
            }
            Ok(Ok(None)) => return,
            Ok(Err(error)) => Err(failed(&host, error)),
            Err(_) => Err(silent(&host, idle)),
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

pub(crate) fn silent(host: &str, idle: Duration) -> ConnectorError {
    let message = format!("{host} was silent for {} seconds", idle.as_secs());
    ConnectorError::new(ErrorKind::Temporary, message).with_code("timeout")
}

/// What kept a request from getting through the proxy, in the words of the HTTP library, which has no types for it.
fn on_the_way(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.starts_with("tunnel error: ") || text.starts_with("SOCKS error: ") {
            return Some(text);
        }
        cause = error.source();
    }
    None
}

/// The innermost cause says what went wrong; the URL, which may hold an id, stays out.
pub(crate) fn failed(host: &str, error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    loop {
        if let Some(own) = cause.downcast_ref::<ConnectorError>() {
            return own.clone();
        }
        if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref::<rustls::Error>() {
            let message = format!(
                "{host}: its certificate is not accepted ({problem}); correct the host name, give the account a CA \
                 file, or allow untrusted certificates"
            );
            return ConnectorError::new(ErrorKind::InvalidSetting, message).with_code("certificate");
        }
        let io = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        match io.map(|inner| inner as &dyn std::error::Error).or_else(|| cause.source()) {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    ConnectorError::new(ErrorKind::Temporary, format!("{host}: {cause}")).with_code("connection-lost")
}
