//! The host interfaces of the contract, one module each: all that a connector can reach.
//!
//! Deny by default: whatever is not granted by the account's endpoints is refused with an error that says how it
//! would be allowed.
#![allow(unreachable_pub, reason = "the generated bindings re-export these types")]

mod clock;
pub(crate) mod content;
pub(crate) mod credentials;
pub(crate) mod http;
pub(crate) mod log;
mod random;
pub(crate) mod streams;
