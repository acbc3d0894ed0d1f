//! The Graph face over HTTP: tokens and rights, limits and faults, large messages, the two faces side by side.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy does not see helpers of a test as tests"
)]

mod batch;
mod changes;
mod large;
mod limits;
mod rights;
mod scene;
mod sending;
mod two_faces;
