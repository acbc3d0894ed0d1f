//! An HTTP/1.1 server that answers as a test says, and remembers what it was asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer with this status, these headers and this body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// The same, held back for a while.
    Late(Duration, Box<Reply>),
    /// The connection is closed without an answer.
    Nothing,
    /// A body that does not end.
    Endless,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    pub fn ok(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.as_bytes().to_vec())
    }

    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// How many came before it.
    pub number: usize,
    pub text: String,
    pub at: Instant,
}

impl Asked {
    pub fn path(&self) -> &str {
        self.text.split(' ').nth(1).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.lines().skip(1).take_while(|line| !line.is_empty());
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

type Answers = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server. Ends with its test's runtime.
#[derive(Clone)]
pub struct Web {
    pub url: String,
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    answers: Arc<Answers>,
}

impl Web {
    pub async fn start(answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            asked: Arc::default(),
            under_way: Arc::default(),
            most: Arc::default(),
            answers: Arc::new(answers),
        };
        let serving = web.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await });
            }
        });
        web
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The most requests that were under way at once.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    async fn serve(self, mut stream: TcpStream) -> Option<()> {
        loop {
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.ok()?;
                request.extend_from_slice(piece.get(..read).filter(|piece| !piece.is_empty())?);
            }
            let text = String::from_utf8(request).unwrap();
            let asked = {
                let mut all = self.asked.lock().unwrap();
                let number = all.len();
                all.push(Asked { number, text, at: Instant::now() });
                all.last().unwrap().clone()
            };
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let mut reply = (self.answers)(&asked);
            while let Reply::Late(time, then) = reply {
                tokio::time::sleep(time).await;
                reply = *then;
            }
            // It counts until the first octet of the answer: from then on the client may begin another.
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            match reply {
                Reply::Answer(status, headers, body) => {
                    let mut head = format!("HTTP/1.1 {status} As said\r\nContent-Length: {}\r\n", body.len());
                    for (name, value) in headers {
                        head.push_str(&format!("{name}: {value}\r\n"));
                    }
                    stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
                    stream.write_all(&body).await.ok()?;
                }
                Reply::Endless => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await.ok()?;
                    loop {
                        stream.write_all(&[b'x'; 16 << 10]).await.ok()?;
                    }
                }
                Reply::Nothing | Reply::Late(..) => return None,
            }
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
}
