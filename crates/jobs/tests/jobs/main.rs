//! Holds import jobs to what a user would notice: which messages are in the target directory, which are in which
//! folder of the mailbox, and what the run says about it. The mailbox is a fake behind the ports of `wissel-model`;
//! store and sink are the real ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod baseline;
mod crash;
mod failures;
mod import;
mod relocated;
mod restored;
mod service;
mod settled;
mod support;
mod switching;
mod unchanged;
mod watching;
