//! The tables: accounts and OAuth clients with their sealed secrets, alert channels, jobs, leases, the ledger, cursors, quarantine, runs and audit.
//!
//! One [`Store`] is one database file. All writes go through one connection that commits them in groups
//! (`writer`); reads use a small pool of read-only connections. Every write of a job is fenced by its [`Lease`].
//!
//! What this crate deliberately does not do: open secrets (it keeps sealed bytes; the vault opens them), decide what
//! a job does next, or know what a connector is.

mod accounts;
mod alerts;
mod audit;
mod client_secrets;
mod clients;
mod copy;
mod cursors;
mod error;
mod jobs;
mod lease;
mod ledger;
mod lookup;
mod matching;
mod open;
mod private_file;
mod quarantine;
mod relocated;
mod rows;
mod runs;
mod vault_keys;
mod watches;
mod writer;

#[cfg(test)]
mod tests;

pub use accounts::SealedField;
pub use audit::AuditRecord;
pub use cursors::Cursor;
pub use error::{Result, StoreError};
pub use jobs::{JobsVersion, PinKind};
pub use lease::Lease;
pub use ledger::{DeliverTo, Delivered};
pub use lookup::{LedgerQuery, LedgerRow, Location};
pub use matching::{Mapping, Switch};
pub use open::Store;
pub use quarantine::{QuarantineItem, Quarantined};
pub use runs::{JobHealth, Run, RunId, RunOutcome, RunReport};
pub use vault_keys::{KeyState, Resealed, Sealed, VaultKey, key_of};
pub use watches::WatchState;
pub use writer::Counters;
