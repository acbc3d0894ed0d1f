//! A proxy between Wissel and a server that breaks what the server sends, for every connection that is made while it is
//! told to. It breaks at an octet of the stream, TLS or not ([`Spoil::Octet`]), or at an answer that it reads as a line
//! with its literals ([`Spoil::Answer`], in the clear). What the client sends passes as it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use memchr::memmem;
use rustix::net::sockopt::set_socket_linger;

/// Where it breaks, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoil {
    /// At this octet of each connection.
    Octet(u64, Break),
    /// At the answer in whose first line the text stands for so many times, counted from one.
    Answer(&'static str, usize, Break),
    /// At the answer that holds the message with this UID.
    Message(u32, Break),
}

/// What happens there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// The connection ends, before the answer.
    Drop,
    /// The connection ends after the answer.
    DropAfter,
    /// The connection ends in the middle of the answer.
    Half,
    /// The connection ends as when a process is killed: RST.
    Reset,
    /// Nothing comes any more, and nothing ends.
    Hang,
    /// The rest waits until [`Wire::resume`].
    Pause,
    /// From here on each piece comes late.
    Slow(Duration),
    /// So many octets are left out (of an answer, from its middle).
    Lose(usize),
    /// Two neighbours come in the wrong order.
    Exchange,
    /// A bit is the other way round (of an answer, in its middle).
    Flip,
    /// The text that was looked for is another one.
    Instead(&'static str),
}

/// A running proxy.
pub(crate) struct Wire {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    spoil: Mutex<Option<Spoil>>,
    connections: AtomicUsize,
    struck: AtomicUsize,
    paused: Mutex<bool>,
    resumed: Condvar,
    /// Keeps connections open that hang.
    open: Mutex<Vec<TcpStream>>,
}

impl Wire {
    /// A proxy on `port` of `address` (0: a free one), in front of the port `target` of this machine. Ends with the
    /// process.
    pub(crate) fn on(address: [u8; 4], port: u16, target: u16) -> Self {
        let listener = TcpListener::bind((std::net::Ipv4Addr::from(address), port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                state.connections.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                connect(client, server, &state);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn to(target: u16) -> Self {
        Self::on([127, 0, 0, 1], 0, target)
    }

    /// From now on new connections break; none: they do not.
    pub(crate) fn spoil(&self, spoil: Option<Spoil>) {
        *self.shared.spoil.lock().unwrap() = spoil;
        *self.shared.paused.lock().unwrap() = true;
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How often it has broken something.
    pub(crate) fn struck(&self) -> usize {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// Waits until it has broken something for the first time.
    pub(crate) fn wait(&self) {
        let patience = std::time::Instant::now() + Duration::from_secs(120);
        while self.struck() == 0 {
            assert!(std::time::Instant::now() < patience, "nothing came to where it should break");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets pass what [`Break::Pause`] holds.
    pub(crate) fn resume(&self) {
        *self.shared.paused.lock().unwrap() = false;
        self.shared.resumed.notify_all();
    }
}

fn connect(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let again = |stream: &TcpStream| stream.try_clone().unwrap();
    let _ = client.set_nodelay(true);
    shared.open.lock().unwrap().extend([again(&client), again(&server)]);
    let (mut from, mut to) = (again(&client), again(&server));
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let spoil = *shared.spoil.lock().unwrap();
    let mut down = Down { client, server, shared: Arc::clone(shared), slow: None };
    std::thread::spawn(move || {
        let ended = match spoil {
            Some(Spoil::Answer(text, nth, how)) => down.answers(text, nth, how),
            Some(Spoil::Message(uid, how)) => down.answers(&format!("(UID {uid} "), 1, how),
            Some(Spoil::Octet(at, how)) => down.octets(at, how),
            None => down.octets(u64::MAX, Break::Drop),
        };
        if ended.is_none() {
            let _ = down.client.shutdown(Shutdown::Both);
            let _ = down.server.shutdown(Shutdown::Both);
        }
    });
}

/// The way from the server to the client.
struct Down {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    slow: Option<Duration>,
}

/// What is left as it is: the connection hangs.
struct Hanging;

impl Down {
    /// None when the connection is over.
    fn pass(&mut self, bytes: &[u8]) -> Option<()> {
        if let Some(slow) = self.slow {
            std::thread::sleep(slow);
        }
        self.client.write_all(bytes).ok()
    }

    /// Does to `bytes` what has to happen at `at` in them; the rest of the stream follows unless this says otherwise.
    fn strike(&mut self, how: Break, bytes: &[u8], at: usize) -> Result<(), Option<Hanging>> {
        self.shared.struck.fetch_add(1, Ordering::SeqCst);
        let (before, rest) = bytes.split_at(at);
        let passed = match how {
            Break::Drop => {
                let _ = self.pass(before);
                return Err(None);
            }
            Break::Half => {
                let _ = self.pass(&bytes[..at + rest.len() / 2]);
                return Err(None);
            }
            Break::DropAfter => {
                let _ = self.pass(bytes);
                return Err(None);
            }
            Break::Reset => {
                let _ = self.pass(before);
                let _ = set_socket_linger(&self.client, Some(Duration::ZERO));
                // Closing the last copy says RST, as long as nothing said FIN before.
                let _ = self.client.shutdown(Shutdown::Read);
                self.shared.open.lock().unwrap().clear();
                return Err(Some(Hanging));
            }
            Break::Hang => {
                let _ = self.pass(before);
                return Err(Some(Hanging));
            }
            Break::Pause => {
                let _ = self.pass(before);
                let paused = self.shared.paused.lock().unwrap();
                drop(self.shared.resumed.wait_while(paused, |paused| *paused).unwrap());
                self.pass(rest)
            }
            Break::Slow(late) => {
                self.slow = Some(late);
                self.pass(bytes)
            }
            Break::Lose(count) => {
                let from = at + rest.len().saturating_sub(count) / 2;
                self.pass(&[&bytes[..from], &bytes[(from + count).min(bytes.len())..]].concat())
            }
            Break::Exchange => {
                let (first, second) = rest.split_at(rest.len() / 2);
                self.pass(&[before, second, first].concat())
            }
            Break::Flip => {
                let mut bytes = bytes.to_vec();
                bytes[at + rest.len() / 2] ^= 0x10;
                self.pass(&bytes)
            }
            Break::Instead(_) => unreachable!("only in answers"),
        };
        passed.ok_or(None)
    }

    fn octets(&mut self, at: u64, how: Break) -> Option<Hanging> {
        let (mut seen, mut done) = (0, false);
        let mut buffer = vec![0; 16 * 1024];
        let mut server = self.server.try_clone().unwrap();
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            let bytes = &buffer[..length];
            if done || seen + length as u64 <= at {
                self.pass(bytes)?;
            } else {
                done = true;
                let at = usize::try_from(at.saturating_sub(seen)).unwrap();
                if let Err(ended) = self.strike(how, bytes, at) {
                    return ended;
                }
            }
            seen += length as u64;
        }
        None
    }

    fn answers(&mut self, text: &str, nth: usize, how: Break) -> Option<Hanging> {
        let mut server = BufReader::new(self.server.try_clone().unwrap());
        let mut left = nth;
        while let Some(answer) = read_answer(&mut server) {
            let head = memmem::find(&answer, b"\n").unwrap_or(answer.len());
            let has = |text: &str| memmem::find(&answer[..head], text.as_bytes()).is_some();
            // Of what is told of one message, its body is meant.
            let found = left > 0 && has(text) && (!text.starts_with("(UID") || has("BODY[] {"));
            left -= usize::from(found);
            if !found || left > 0 {
                self.pass(&answer)?;
                continue;
            }
            let struck = match how {
                Break::Exchange => {
                    self.shared.struck.fetch_add(1, Ordering::SeqCst);
                    let next = read_answer(&mut server)?;
                    self.pass(&[next, answer].concat()).ok_or(None)
                }
                Break::Instead(other) => {
                    self.shared.struck.fetch_add(1, Ordering::SeqCst);
                    let at = memmem::find(&answer, text.as_bytes()).unwrap();
                    let (before, rest) = answer.split_at(at);
                    self.pass(&[before, other.as_bytes(), &rest[text.len()..]].concat()).ok_or(None)
                }
                how => self.strike(how, &answer, 0),
            };
            if let Err(ended) = struck {
                return ended;
            }
        }
        None
    }
}

/// One line with its literals; none at the end.
fn read_answer(server: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let begin = answer.len();
        server.read_until(b'\n', &mut answer).ok().filter(|length| *length > 0)?;
        let line = String::from_utf8_lossy(&answer[begin..]).into_owned();
        let literal = line.trim_end().strip_suffix('}').and_then(|line| line.rsplit_once('{'));
        match literal.and_then(|(_, length)| length.parse().ok()) {
            Some(length) => {
                server.by_ref().take(length).read_to_end(&mut answer).ok()?;
            }
            None => return Some(answer),
        }
    }
}
