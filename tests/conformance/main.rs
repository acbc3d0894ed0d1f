//! The conformance kit, through `wissel connector check`: first-party connectors keep the whole contract, against a real
//! server and against the testbed; a connector that breaks it fails, and in the right cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, where a panic is the report"
)]

mod accounts;
mod bad;
mod file;
mod graph;
mod report;
