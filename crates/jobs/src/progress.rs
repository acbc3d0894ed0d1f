//! What a run tells while it works, for progress bars and logs.

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Work on a folder of an account begins; `total` messages are in it, as far as known.
    Folder {
        /// The account's name.
        account: String,
        /// The folder's path.
        folder: String,
        /// Messages in it.
        total: Option<u32>,
    },
    /// So many messages of the listing were looked at and need nothing: known, or filtered out.
    Passed(u64),
    /// So many messages are delivered, durable and recorded.
    Imported(u64),
    /// A message went into quarantine.
    Quarantined,
    /// The connection failed; the run goes on after this many milliseconds.
    Retrying {
        /// The account's name.
        account: String,
        /// Why.
        reason: String,
        /// Milliseconds until the next attempt.
        after_ms: u64,
    },
}

/// Listens to a run.
pub trait Progress: Send + Sync {
    /// Called for each event, on the run's task: be quick.
    fn on(&self, event: Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn on(&self, _event: Event) {}
}
