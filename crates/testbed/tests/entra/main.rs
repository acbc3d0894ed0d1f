//! The Entra face over HTTP, as a client and a person's browser meet it: each flow, and each refusal.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy does not see helpers of a test as tests"
)]

mod admin_consent;
mod app_only;
mod assertion;
mod authorize;
mod code;
mod consent;
mod device;
mod mail;
mod refresh;
mod refusals;
mod scene;
