//! What an operator does with an installation: change its key, back it up and restore it, write its manual, run all
//! jobs. Through the program, and killed at each step that changes two things.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alerts;
mod backup;
mod manual;
mod office;
mod service;
mod vault;
