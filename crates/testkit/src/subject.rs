//! What is examined, and what the operator gives along.

use std::sync::Arc;
use std::time::Duration;

use wissel_model::{Account, Connectors};

/// An account and the connectors through which it is opened.
#[derive(Clone)]
pub struct Subject {
    /// Opens the account.
    pub connectors: Arc<dyn Connectors>,
    /// The account.
    pub account: Account,
}

impl Subject {
    /// An account and what opens it.
    pub fn new(connectors: Arc<dyn Connectors>, account: Account) -> Self {
        Self { connectors, account }
    }
}

/// What some cases need beside the account.
#[derive(Clone)]
pub struct Options {
    /// Another account of the same mailbox, which makes folders and puts messages into them where the examined connector
    /// cannot.
    pub seed: Option<Subject>,
    /// An account whose password or token the service refuses.
    pub refused: Option<Subject>,
    /// Connectors whose sessions reach nothing, for what a connector does without a network.
    pub unreachable: Option<Arc<dyn Connectors>>,
    /// An address that may be sent to.
    pub recipient: Option<String>,
    /// How long one case may take. Generous: the kit does not judge speed.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let patience = Duration::from_secs(300);
        Self { seed: None, refused: None, unreachable: None, recipient: None, patience }
    }
}
