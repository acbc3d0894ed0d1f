//! What the end-to-end tests share: a real Dovecot, a corpus, an independent observer, a driver for `wissel`.
//!
//! Everything here panics when it cannot do its work: in a test that is the failure to show. It shares no
//! code with the product, so that a mistake there cannot hide here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "called by tests only, where a panic is the report"
)]

pub mod bed;
pub mod certificates;
pub mod corpus;
pub mod dovecot;
pub mod graph;
pub mod identical;
pub mod imap;
pub mod issuer;
pub mod observer;
pub mod paths;
pub mod proxy;
pub mod python;
pub mod scene;
pub mod small_disk;
pub mod way;
pub mod wissel;
