//! Each message arrives exactly once: in the sink, and where the job's action puts it in the mailbox. Held against a
//! real server while the program is killed at every step, at random, between two commands and during a switch.
//!
//! The judge is `wissel_tests::observer`, which knows nothing of ledger and sink; see [`bench`]. A failed test prints
//! its seed; `WISSEL_SEED` repeats it and `WISSEL_ROUNDS` lets the random kills go on for longer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report of a test"
)]

mod bench;
mod commands;
mod points;
mod proxy;
mod random;
mod switching;
mod trace;
mod traced;
mod two_at_once;
