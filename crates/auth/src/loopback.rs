//! The loopback address that the browser comes back to (RFC 8252, section 7.3).
//!
//! It listens on this machine only, while a sign-in is waited for. Browsers open connections that they do not use, and
//! other pages may call any address, so each connection is served by itself, and what is no answer to this sign-in ends
//! nothing.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::page::{self, Outcome};
use crate::{Answer, AuthError};

/// Octets of a request's head.
const MOST_HEAD: usize = 32 << 10;
const MOST_FIELDS: usize = 100;
/// How long one connection may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections at once; further ones wait until one of them ends.
const MOST_OPEN: usize = 64;
/// The pause after a connection that could not be taken: files may be had again.
const PAUSE: Duration = Duration::from_millis(50);
/// How many ports are tried, when any will do.
const TRIES: u32 = 16;

/// A listener for one answer.
#[derive(Debug)]
pub struct Loopback {
    listeners: Vec<TcpListener>,
    port: u16,
}

impl Loopback {
    /// Listens on this port, or on any.
    ///
    /// # Errors
    /// [`AuthError::PortInUse`].
    pub async fn open(port: Option<u16>) -> Result<Self, AuthError> {
        let wanted = port.unwrap_or(0);
        let mut tries = TRIES;
        loop {
            match Self::listen(wanted).await {
                Ok(listening) => return Ok(listening),
                Err(_) if port.is_none() && tries > 1 => tries -= 1,
                Err(error) => {
                    return Err(AuthError::PortInUse { port: wanted, problem: error.to_string() });
                }
            }
        }
    }

    async fn listen(wanted: u16) -> std::io::Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(second) => listeners.push(second),
            // `localhost` may be either, and the answer is for nobody else who listens there.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(error),
            // A machine without IPv6.
            Err(_) => {}
        }
        Ok(Self { listeners, port })
    }

    /// The address to register and to be called back at.
    #[must_use]
    pub fn redirect(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// Waits for the answer that bears this state. Dropped, it stops listening.
    ///
    /// # Errors
    /// Connections cannot be taken any more.
    pub async fn answer(self, state: &str, language: &str) -> Result<(Answer, Waiting), AuthError> {
        let (send, mut found) = mpsc::channel(1);
        let open = Arc::new(Semaphore::new(MOST_OPEN));
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            let (state, language) = (state.to_owned(), language.to_owned());
            tasks.spawn(listen(listener, send.clone(), state, language, open.clone()));
        }
        drop(send);
        found.recv().await.ok_or_else(|| {
            AuthError::unavailable("the loopback address takes no connections any more; begin again")
        })
    }
}

/// The browser that brought the answer, and waits to hear what came of it.
#[derive(Debug)]
pub struct Waiting {
    stream: TcpStream,
    language: String,
}

impl Waiting {
    /// Says it. Whether the browser is still there is nobody's business any more.
    pub async fn tell(mut self, signed_in: bool) {
        let outcome = if signed_in { Outcome::SignedIn } else { Outcome::Failed };
        let _ = tokio::time::timeout(PATIENCE, say(&mut self.stream, outcome, &self.language)).await;
    }
}

async fn listen(
    listener: TcpListener,
    send: mpsc::Sender<(Answer, Waiting)>,
    state: String,
    language: String,
    open: Arc<Semaphore>,
) {
    let mut served = JoinSet::new();
    loop {
        let Ok(place) = open.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (send, state, language) = (send.clone(), state.clone(), language.clone());
        served.spawn(async move {
            let _place = place;
            if let Ok(Some(found)) = tokio::time::timeout(PATIENCE, serve(stream, &state, language)).await {
                let _ = send.send(found).await;
            }
        });
        while served.try_join_next().is_some() {}
    }
}

/// Serves one connection; the answer, if it brought the one to this sign-in.
async fn serve(mut stream: TcpStream, state: &str, language: String) -> Option<(Answer, Waiting)> {
    let answer = read(&mut stream).await?;
    match answer.filter(|answer| answer.state.as_deref() == Some(state)) {
        Some(answer) => Some((answer, Waiting { stream, language })),
        None => {
            say(&mut stream, Outcome::NotThis, &language).await;
            None
        }
    }
}

async fn say(stream: &mut TcpStream, outcome: Outcome, language: &str) {
    let _ = stream.write_all(page::response(outcome, language).as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The answer in a request's address; none when there is none in it, and nothing when it is no request.
async fn read(stream: &mut TcpStream) -> Option<Option<Answer>> {
    let mut head = Vec::with_capacity(2048);
    loop {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        if request.parse(&head).ok()?.is_complete() {
            let (path, query) = request.path?.split_once('?').unwrap_or((request.path?, ""));
            let asked = request.method == Some("GET") && path == "/";
            return Some(asked.then(|| Answer::of_query(query)).flatten());
        }
        if head.len() >= MOST_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
}
