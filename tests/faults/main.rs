//! Faults of everything around the program: the network, the server, the disk, the database, the clock, names, and its
//! own death. Each ends in a known way, nothing is lost or doubled meanwhile, and the next run without the fault leads to
//! each message exactly once in the sink and in its folder, as counted by the independent observer.
//!
//! Each case has a row in `docs/faults.md`, and prints what it ended in and how long the next run took.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report of a test"
)]

mod clock;
mod core_dumps;
mod database;
mod disk;
mod field;
mod names;
mod network;
mod services;
mod wire;
