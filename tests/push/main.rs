//! Push beside the poll: a service that waits for changes, and polls that find out cheaply that there are none.
//!
//! Nothing here is timed: the interval is so long that only a wake-up can have caused what is seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod unchanged;
mod waiting;
