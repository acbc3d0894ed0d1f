//! The flows against a scripted provider, and grants in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

mod apart;
mod belonging;
mod binding;
mod codes;
mod device;
mod keeping;
mod proofs;
mod scopes;
mod stage;
