//! Components of every version of the contract that landed still load, describe themselves and work, with the host as it
//! is now; and none is missing. What the contract leaves open, a description may use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, where a panic is the report"
)]

mod frozen;
mod open_sets;
