//! The manual's Graph account through the program: imports, switches, deaths, tokens that end, throttling, sizes and secrets.
//!
//! What arrived is counted in the files' and the mailbox's own bytes; see [`scene`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

mod application;
mod imports;
mod killed;
mod renewal;
mod scene;
mod secrets;
mod size;
mod throttled;
