//! Messages as the Graph face reads and writes them: taken apart, written anew, composed.
//!
//! It is written apart from the product's own reader of messages, so that a mistake in one is not made by the other.

pub(super) mod attachment;
pub(super) mod compose;
pub(super) mod fields;
pub(super) mod rewrite;
pub(super) mod summary;
#[cfg(test)]
mod tests;
pub(super) mod transfer;
pub(super) mod walk;
