//! The flows against a scripted provider, and grants in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

mod belonging;
mod codes;
mod keeping;
mod proofs;
mod scopes;
mod stage;
