//! A TCP proxy in front of a server of this machine: listens to what the client sends, and breaks connections.
//!
//! It passes bytes on as they are, TLS included, and understands none of them.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A running proxy. Dropped, nobody listens on its port any more, and its connections are broken.
pub struct Proxy {
    /// The port to connect to.
    pub port: u16,
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    connections: AtomicUsize,
    broken: AtomicUsize,
    /// After how many octets from the server each of the next connections breaks.
    cuts: Mutex<VecDeque<u64>>,
    /// What becomes of connections for which no cut is left.
    always: Mutex<Option<u64>>,
    sent: Mutex<Vec<u8>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy on a free port, in front of the port `target`.
    #[must_use]
    pub fn to(target: u16) -> Self {
        Self::at(0, target)
    }

    /// A proxy on `port`, in front of the port `target`.
    #[must_use]
    pub fn at(port: u16, target: u16) -> Self {
        Self::begin(([127, 0, 0, 1], port), target)
    }

    /// A proxy on another address of this machine, in front of the port `target`.
    #[must_use]
    pub fn on(address: [u8; 4], target: u16) -> Self {
        Self::begin((address, 0), target)
    }

    fn begin((address, port): ([u8; 4], u16), target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::from(address), port)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let listening = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, target, &shared))
        };
        Self { port: address.port(), address, shared, listening: Some(listening) }
    }

    /// The next connections break: each after so many octets from the server.
    pub fn cut_next(&self, after: &[u64]) {
        self.shared.cuts.lock().unwrap().extend(after);
    }

    /// Every connection breaks after so many octets from the server; none: no more than [`Self::cut_next`] says.
    pub fn cut_always(&self, after: Option<u64>) {
        *self.shared.always.lock().unwrap() = after;
    }

    /// Breaks the connections that are open now.
    pub fn cut_open(&self) {
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections it has broken so far.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Ordering::SeqCst)
    }

    /// All that clients have sent so far, one connection after the other where they do not overlap.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.shared.sent.lock().unwrap().clone()
    }

    /// The same as lines of text, for a client that does not use TLS.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.sent()).lines().map(str::to_owned).collect()
    }

    /// Forgets what was sent.
    pub fn forget(&self) {
        self.shared.sent.lock().unwrap().clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, target: u16, shared: &Arc<Shared>) {
    while let Ok((client, _)) = listener.accept() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        // A server that is away refuses: so does the proxy.
        let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
        let cut = shared.cuts.lock().unwrap().pop_front().or(*shared.always.lock().unwrap());
        let again = |stream: &TcpStream| stream.try_clone().unwrap();
        shared.open.lock().unwrap().extend([again(&client), again(&server)]);
        let (up, down) = ((again(&client), again(&server)), (server, client));
        let listening = Arc::clone(shared);
        std::thread::spawn(move || listen(up, &listening));
        let cutting = Arc::clone(shared);
        std::thread::spawn(move || pass(down, cut, &cutting));
    }
}

/// From the client to the server, with a copy.
fn listen((mut client, mut server): (TcpStream, TcpStream), shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        shared.sent.lock().unwrap().extend_from_slice(&buffer[..length]);
        if server.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// From the server to the client, as far as the cut.
fn pass((mut server, mut client): (TcpStream, TcpStream), cut: Option<u64>, shared: &Shared) {
    let mut left = cut.unwrap_or(u64::MAX);
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        left -= length as u64;
        if client.write_all(&buffer[..length]).is_err() {
            break;
        }
        if left == 0 {
            shared.broken.fetch_add(1, Ordering::SeqCst);
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
