//! w
/// How often the writer worked since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Writes that were asked for.
    pub writes: u64,
    /// Transactions that were committed.
    pub commits: u64,
}
