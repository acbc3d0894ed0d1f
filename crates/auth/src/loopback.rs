//! The loopback address that the browser comes back to (RFC 8252, section 7.3).
//!
//! It listens on this machine only, while a sign-in is waited for. Browsers open connections that they do not use, and
//! other pages may call any address, so each connection is served by itself, and what is no answer to this sign-in ends
//! nothing.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::page::{self, Outcome};
use crate::{Answer, AuthError};

/// Octets of a request's head.
const MOST_HEAD: usize = 32 << 10;
const MOST_FIELDS: usize = 100;
/// How long one connection may take.
const PATIENCE: Duration = Duration::from_secs(20);

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
        let failed =
            |error: std::io::Error| AuthError::PortInUse { port: wanted, problem: error.to_string() };
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await.map_err(failed)?;
        let port = first.local_addr().map_err(failed)?.port();
        let mut listeners = vec![first];
        // `localhost` may be either; a machine without IPv6, or with another program there, does with one.
        listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok());
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
    pub async fn answer(self, state: &str, language: &str) -> Result<Answer, AuthError> {
        let (send, mut found) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            let (send, state, language) = (send.clone(), state.to_owned(), language.to_owned());
            tasks.spawn(listen(listener, send, state, language));
        }
        drop(send);
        found.recv().await.ok_or_else(|| {
            AuthError::unavailable("the loopback address takes no connections any more; begin again")
        })
    }
}

async fn listen(listener: TcpListener, send: mpsc::Sender<Answer>, state: String, language: String) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (send, state, language) = (send.clone(), state.clone(), language.clone());
        open.spawn(tokio::time::timeout(PATIENCE, async move {
            if let Some(answer) = serve(stream, &state, &language).await {
                let _ = send.send(answer).await;
            }
        }));
        while open.try_join_next().is_some() {}
    }
}

/// Serves one connection; the answer, if it brought the one to this sign-in.
async fn serve(mut stream: TcpStream, state: &str, language: &str) -> Option<Answer> {
    let answer = read(&mut stream).await?;
    let answer = answer.filter(|answer| answer.state.as_deref() == Some(state));
    let outcome = match &answer {
        Some(answer) if answer.error.is_none() => Outcome::Taken,
        Some(_) => Outcome::Refused,
        None => Outcome::NotThis,
    };
    let _ = stream.write_all(page::response(outcome, language).as_bytes()).await;
    let _ = stream.shutdown().await;
    answer
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
