//! What the fake connector does wrong, and what a test sees of what it was asked.

use std::collections::{HashMap, HashSet};

use tokio_util::sync::CancellationToken;

/// What goes wrong with one message when it is fetched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrong {
    LostBefore,
    LostMidway,
    Trap,
    Bad,
    Busy,
    Gone,
    /// It ends without a single octet.
    Empty,
    PassedOver,
    /// The connector takes an error of the sink for one of the message.
    NeverEnds,
}

#[derive(Debug, Default, Clone)]
pub struct Script {
    /// By token: what, and how often.
    pub fetch: HashMap<String, (Wrong, u32)>,
    pub all_trap: bool,
    pub move_denied: bool,
    pub move_unsaid: bool,
    /// New ids are not told.
    pub move_untold: bool,
    /// A person moves this message from one folder to another before the next move.
    pub drag_before_move: Option<(String, String, String)>,
    pub denied: Vec<String>,
    pub throttle_listings: u32,
    /// A folder that may not be listed.
    pub unlistable: Option<String>,
    pub endless: bool,
    /// Each page lists its messages twice, and its last one is listed on the next page too.
    pub twice_listed: bool,
    pub dead: HashSet<String>,
    /// Seconds that `beta` adds to the time of reception.
    pub beta_late: i64,
    /// Tokens that were fetched, in order.
    pub fetched: Vec<String>,
    pub listed_folders: Vec<String>,
    pub opened: u32,
    /// Messages whose fetch has begun.
    pub fetching: u32,
    /// Each fetched message takes so long; looked at again while it does.
    pub slow_ms: u64,
    /// Cancelled when this many messages were fetched.
    pub stop_after: Option<(usize, CancellationToken)>,
    /// A message that is refused leaves the connection in the middle of it.
    pub lost_when_refused: bool,
    pub batch: Option<u32>,
    pub no_changes: bool,
    /// Cursors tell of every change, and the connector says so.
    pub exact_cursors: bool,
    /// How often `wait` was called with time, and how many of those break the session.
    pub waits: u32,
    pub waits_broken: u32,
    /// Sessions that wait now.
    pub waiting: u32,
    pub parallel_sessions: Option<u32>,
    /// Sessions that are held before they wait, while there is a number.
    pub held: Option<u32>,
}
