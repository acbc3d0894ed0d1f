//! Imports from a real Dovecot, through the program `wissel` and the connector as it is shipped.
//!
//! What arrived is counted by the observer and read back by Python's imaplib, which share no code with the product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod actions;
mod broken_lines;
mod bytes;
mod clear_text;
mod corpus;
mod filters;
mod folders;
mod forget;
mod job_test;
mod malformed;
mod many_folders;
mod names;
mod poison;
mod proxies;
mod relocated;
mod rights;
mod sign_in;
mod trust;
mod validity;
mod while_running;
