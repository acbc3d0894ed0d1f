//! One mailbox in memory with several protocol faces, for the demonstration and for tests.
//!
//! [`Testbed::start`] opens the faces on loopback over one [`mailbox::Mailbox`]. A test delivers mail into the mailbox, lets
//! [`faults`] happen, and counts what is where: it looks into the mailbox itself, not through a face. The faces
//! are [`imap`], [`entra`], whose tokens the others take, and [`graph`]; more join by taking the same mailbox, [`users`],
//! [`faults`] and [`counters`].
//!
//! This is no mail server: nothing is stored, and nothing here is fit for a network that others can reach.

pub mod counters;
pub mod entra;
pub mod faults;
pub mod graph;
pub mod http;
pub mod imap;
pub mod mailbox;
pub mod mailboxes;
pub mod person;
pub mod sample;
mod testbed;
mod tls;
pub mod users;

pub use testbed::{Error, Options, Testbed};
