//! The directory sink as the software behind it sees it: by the files that are there, after success, after errors and
//! after a power failure.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, their helpers included"
)]

mod attachments;
mod crash;
mod full;
mod layout;
mod speed;
mod support;
mod target;
