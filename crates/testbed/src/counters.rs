//! What the faces saw, so that a test can assert how many round trips and connections an act took.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Counters of a test bed; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    commands: Mutex<BTreeMap<String, u64>>,
    round_trips: AtomicU64,
    message_bytes: AtomicU64,
    connections_made: AtomicU64,
    connections_open: AtomicU64,
    most_connections: AtomicU64,
}

impl Counters {
    /// How often each command came, by its name in capitals (`FETCH`, also for `UID FETCH`).
    pub fn commands(&self) -> BTreeMap<String, u64> {
        self.inner.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often one command came.
    pub fn command(&self, name: &str) -> u64 {
        self.commands().get(name).copied().unwrap_or_default()
    }

    /// How often a server had answered all it had and then had to wait for its client.
    pub fn round_trips(&self) -> u64 {
        self.inner.round_trips.load(Ordering::SeqCst)
    }

    /// Bytes of messages sent.
    pub fn message_bytes(&self) -> u64 {
        self.inner.message_bytes.load(Ordering::SeqCst)
    }

    /// Connections since the start.
    pub fn connections_made(&self) -> u64 {
        self.inner.connections_made.load(Ordering::SeqCst)
    }

    /// Connections now.
    pub fn connections_open(&self) -> u64 {
        self.inner.connections_open.load(Ordering::SeqCst)
    }

    /// The most connections at one time.
    pub fn most_connections(&self) -> u64 {
        self.inner.most_connections.load(Ordering::SeqCst)
    }

    /// Begins anew, but for the connections that are open.
    pub fn reset(&self) {
        self.inner.commands.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for counter in [&self.inner.round_trips, &self.inner.message_bytes, &self.inner.connections_made] {
            counter.store(0, Ordering::SeqCst);
        }
        self.inner.most_connections.store(self.connections_open(), Ordering::SeqCst);
    }

    pub(crate) fn count_command(&self, name: &str) {
        let mut commands = self.inner.commands.lock().unwrap_or_else(PoisonError::into_inner);
        *commands.entry(name.to_owned()).or_default() += 1;
    }

    pub(crate) fn count_round_trip(&self) {
        self.inner.round_trips.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn count_message_bytes(&self, bytes: u64) {
        self.inner.message_bytes.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Counts a connection for as long as the answer lives.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.inner.connections_made.fetch_add(1, Ordering::SeqCst);
        let open = self.inner.connections_open.fetch_add(1, Ordering::SeqCst) + 1;
        self.inner.most_connections.fetch_max(open, Ordering::SeqCst);
        OpenConnection(self.clone())
    }
}

#[derive(Debug)]
pub(crate) struct OpenConnection(Counters);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.inner.connections_open.fetch_sub(1, Ordering::SeqCst);
    }
}
