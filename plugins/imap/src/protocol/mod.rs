//! IMAP without I/O: imap-codec behind a small facade.
//!
//! What stands here turns bytes into responses, and intentions into commands. All grammar is imap-codec's; the one
//! encoding that no crate offers, modified UTF-7, is in [`mutf7`]. Connections, order and waiting are not known here.

pub(crate) mod assemble;
pub(crate) mod command;
pub(crate) mod failure;
pub(crate) mod fetched;
mod mutf7;
pub(crate) mod names;
pub(crate) mod sets;

pub(crate) use imap_codec::imap_types as types;
