//! Counts round trips from outside: a relay that sees how often the client speaks again after the server has spoken.
//!
//! That is the number of round trips for a client that waits for answers, and an upper bound for one that sends ahead.
//! TLS passes through it unread. Runs through it are not timed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::Result;

/// A relay in front of a port of this machine.
pub(crate) struct Turns {
    /// Where it listens.
    pub(crate) port: u16,
    counted: Arc<Counted>,
}

#[derive(Default)]
struct Counted {
    connections: AtomicU64,
    turns: AtomicU64,
}

impl Turns {
    /// Listens until the program ends.
    pub(crate) fn before(target: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let counted = Arc::new(Counted::default());
        let counting = Arc::clone(&counted);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", target)) {
                    counting.connections.fetch_add(1, Ordering::Relaxed);
                    let _ = relay(&client, &server, &counting);
                }
            }
        });
        Ok(Self { port, counted })
    }

    /// Connections and turns since the last call.
    pub(crate) fn take(&self) -> (u64, u64) {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        (take(&self.counted.connections), take(&self.counted.turns))
    }
}

fn relay(client: &TcpStream, server: &TcpStream, counted: &Arc<Counted>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // The server speaks first, or the client's hello does: neither waits for the other.
    let heard = Arc::new(AtomicBool::new(true));
    let (up, down) = ((client.try_clone()?, server.try_clone()?), (server.try_clone()?, client.try_clone()?));
    let (counted, spoken) = (Arc::clone(counted), Arc::clone(&heard));
    thread::spawn(move || {
        pass(up, || {
            if spoken.swap(false, Ordering::SeqCst) {
                counted.turns.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
    thread::spawn(move || pass(down, || heard.store(true, Ordering::SeqCst)));
    Ok(())
}

fn pass((mut from, mut to): (TcpStream, TcpStream), seen: impl Fn()) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        seen();
        if buffer.get(..length).is_none_or(|bytes| to.write_all(bytes).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
