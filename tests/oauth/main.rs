//! Accounts that are authorised at a token issuer that Wissel did not write, through the program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

mod broken_off;
mod consent;
mod directory;
mod elsewhere;
mod office;
mod refused;
mod relay;
mod renewal;
mod sign_in;
