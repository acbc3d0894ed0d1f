//! What every face over HTTP needs: a port of loopback, TLS, HTTP/1.1 and HTTP/2, added latency, and counting.
//!
//! A face hands in a [`Router`]; what its paths mean is no business of this module.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// How long requests that are under way may take to end when the port is closed.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What a face over HTTP saw, and how slow it is; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    requests: AtomicU64,
    in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    connections: AtomicU64,
    latency_micros: AtomicU64,
}

impl Traffic {
    /// Requests since the start, or since [`Traffic::reset`].
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::SeqCst)
    }

    /// Requests whose answers have not been sent whole yet.
    pub fn in_flight(&self) -> u64 {
        self.inner.in_flight.load(Ordering::SeqCst)
    }

    /// The most requests that were in flight at one time.
    pub fn most_in_flight(&self) -> u64 {
        self.inner.most_in_flight.load(Ordering::SeqCst)
    }

    /// Connections since the start, or since [`Traffic::reset`].
    pub fn connections(&self) -> u64 {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Lets each request wait this long before it is carried out, as a distant service does.
    pub fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.inner.latency_micros.store(micros, Ordering::SeqCst);
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        self.inner.requests.store(0, Ordering::SeqCst);
        self.inner.connections.store(0, Ordering::SeqCst);
        self.inner.most_in_flight.store(self.in_flight(), Ordering::SeqCst);
    }

    fn begin(&self) -> InFlight {
        self.inner.requests.fetch_add(1, Ordering::SeqCst);
        let now = self.inner.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.inner.most_in_flight.fetch_max(now, Ordering::SeqCst);
        InFlight(self.clone())
    }
}

/// One request that is under way.
struct InFlight(Traffic);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.inner.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An answer's body that counts as in flight until it is sent or given up.
struct Counted {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Poll::Ready(ready!(Pin::new(&mut self.body).poll_frame(context)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn observe(State(traffic): State<Traffic>, request: Request, next: Next) -> Response {
    let in_flight = traffic.begin();
    let latency = Duration::from_micros(traffic.inner.latency_micros.load(Ordering::SeqCst));
    if !latency.is_zero() {
        // In a thread: the runtime's timer counts whole milliseconds, and always waits for one more.
        let waited = tokio::task::spawn_blocking(move || std::thread::sleep(latency)).await;
        debug_assert!(waited.is_ok(), "a thread that sleeps does not panic");
    }
    next.run(request).await.map(|body| Body::new(Counted { body, _in_flight: in_flight }))
}

/// A port that is open but not served yet: a face whose answers name their own address needs the address first.
pub(crate) struct Port {
    listener: TcpListener,
    port: u16,
    acceptor: Option<TlsAcceptor>,
}

impl Port {
    /// Opens `port` of loopback (0 for a free one), with TLS where an `acceptor` is given.
    pub(crate) async fn open(port: u16, acceptor: Option<TlsAcceptor>) -> Result<Self, Error> {
        let listen = |source| Error::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        Ok(Self { listener, port, acceptor })
    }

    /// Where clients reach it, without a slash at the end: `https://localhost:40123`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.acceptor.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.port)
    }

    /// Begins to answer.
    pub(crate) fn serve(self, router: Router) -> Server {
        let (url, traffic) = (self.url(), Traffic::default());
        let router = router.layer(middleware::from_fn_with_state(traffic.clone(), observe));
        let (ending, ended) = watch::channel(false);
        let serving = tokio::spawn(accept(self, router, traffic.clone(), ended));
        Server { url, traffic, ending, serving }
    }
}

/// A port that is served; dropping it closes the port and its connections.
pub(crate) struct Server {
    url: String,
    traffic: Traffic,
    ending: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Where clients reach it, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Takes no more connections, and waits a little for the requests that are under way.
    pub(crate) async fn close(mut self) {
        // Fails only when nothing listens any more.
        let _ = self.ending.send(true);
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(port: Port, router: Router, traffic: Traffic, mut ended: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = port.listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    traffic.inner.connections.fetch_add(1, Ordering::SeqCst);
                    let (router, acceptor) = (router.clone(), port.acceptor.clone());
                    let watcher = graceful.watcher();
                    connections.spawn(async move {
                        if let Err(error) = connection(stream, acceptor, router, watcher).await {
                            tracing::debug!(%peer, error, "connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = ended.changed() => break,
        }
    }
    drop(port);
    // Who is still busy after that is cut off.
    let _ = tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await;
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    match acceptor {
        Some(acceptor) => answer(acceptor.accept(stream).await?, router, watcher).await,
        None => answer(stream, router, watcher).await,
    }
}

async fn answer<S>(stream: S, router: Router, watcher: Watcher) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    watcher.watch(connection.into_owned()).await
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn requests_are_counted_while_they_are_in_flight_and_a_late_one_is_cut_off() {
        let (entered, never) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let entered = entered.clone();
            get(async move || {
                entered.notify_one();
                never.notified().await;
            })
        };
        let router = Router::new().route("/slow", slow).route("/", get(async || "here"));
        let server = Port::open(0, None).await.unwrap().serve(router);
        let (url, traffic) = (server.url().to_owned(), server.traffic().clone());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let late = tokio::spawn(client.get(format!("{url}/slow")).send());
        entered.notified().await;
        assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "here");
        assert_eq!((traffic.requests(), traffic.in_flight(), traffic.most_in_flight()), (2, 1, 2));
        server.close().await;
        assert!(late.await.unwrap().is_err());
        assert!(client.get(&url).send().await.is_err());
        assert_eq!(traffic.in_flight(), 0);
    }
}
