//! Connectors that are hostile, through the program `wissel` as an administrator uses it: each misdeed ends in a typed
//! error within its time, loses and halves no message, and harms no other account.
//!
//! The connector is the guest `rogue`; its setting says what it does. Each test prints a list of its cases: what each
//! ended in, and after how many seconds (`cargo test -p wissel-tests --test hostile -- --nocapture`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, where a panic is the report"
)]

mod faults;
mod files;
mod lying;
mod messages;
mod replaced;
mod secrets;
mod servers;
mod service;
mod terminal;
mod tokens;
mod web;
mod yard;
