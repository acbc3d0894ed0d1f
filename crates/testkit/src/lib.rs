//! The conformance kit for connectors: every rule of the contract (`wit/`) that can be seen from outside, as a case that
//! runs against an account.
//!
//! [`run`] takes a [`Subject`], which is any implementation of the ports of `wissel-model`, so a sandboxed component, a
//! native connector and one in memory are examined alike. It runs every case that the connector's declared operations
//! allow, and says of each whether it passed, failed (what was expected, what was seen, and a hint for the author), or
//! does not apply (and why). [`check`] runs the cases that need no account; [`component`] those about a file.
//!
//! The kit works in a folder of its own, which it makes, and changes nothing else of the mailbox. It deliberately knows
//! no provider, and does not judge speed.

mod case;
mod cases;
mod collector;
pub mod component;
mod junit;
mod plausible;
mod report;
mod run;
mod sample;
mod stage;
mod subject;

pub use case::{Case, Failure, Need};
pub use cases::all as cases;
pub use plausible::account as plausible_account;
pub use report::{CaseReport, Ending, Report};
pub use run::{check, run};
pub use subject::{Options, Subject};
