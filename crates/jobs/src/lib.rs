//! Import jobs: what happens between a mailbox and a sink, and when.
//!
//! The order of work for every message is `list minus ledger -> fetch into the sink -> the sink acknowledges
//! (durable) -> the ledger row commits -> move, mark or delete -> row done`. Each step can be repeated, so a crash
//! anywhere costs time and nothing else. The rules live here once; mailboxes are reached through the ports of
//! `wissel-model` only, so nothing here knows a provider or the WebAssembly runtime.

mod action;
mod baseline;
mod batch;
mod digests;
mod error;
mod folders;
mod import;
mod intake;
mod lease;
mod listing;
mod matching;
mod pass;
mod probe;
mod progress;
mod quarantine;
mod recognise;
mod recorder;
mod recover;
mod relocated;
mod service;
mod suspects;
mod switch;
mod target;
mod timetable;
mod watch;

pub use baseline::{BaselineReport, baseline};
pub use error::JobError;
pub use import::{ImportOptions, ImportReport, import};
pub use probe::{AccountProbe, FolderProbe, ProbeReport, probe};
pub use progress::{Event, NoProgress, Progress};
pub use service::{ServiceOptions, serve};
pub use switch::{Doubtful, SwitchOptions, SwitchReport, switch};
pub use target::probe_target;
pub use watch::is_watching;

use std::path::PathBuf;
use std::sync::Arc;

use wissel_model::Connectors;
use wissel_store::Store;

/// What every job works with.
#[derive(Clone)]
pub struct Workshop {
    /// Accounts, jobs and the ledger.
    pub store: Store,
    /// The way to mailboxes.
    pub connectors: Arc<dyn Connectors>,
    /// Where lock files and the raw bytes of quarantined messages are kept.
    pub home: PathBuf,
}
