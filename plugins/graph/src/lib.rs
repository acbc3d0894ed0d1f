//! The Microsoft Graph connector: reads and sorts mail in Microsoft 365, in the user's own mailbox or a shared one.
//!
//! It lists folders and messages, fetches messages straight into the host, moves, marks and deletes them, and translates
//! ids. It does not send. Tokens, pacing and repeating are the host's; see the README for what it asks of the service.

mod acting;
mod batch;
mod changes;
mod check;
mod create;
mod describe;
mod fetch;
mod find;
mod folders;
mod listing;
mod protocol;
mod service;
mod session;
mod translate;

use wissel_connector::{Connector, Host, Result, Settings};

/// The connector.
#[derive(Debug)]
pub struct Graph;

pub use session::GraphSession;

impl Connector for Graph {
    type Session = GraphSession;

    fn describe() -> String {
        describe::describe()
    }

    fn open(host: Host, settings: Settings) -> Result<GraphSession> {
        GraphSession::open(host, &settings)
    }
}

wissel_connector::export!(Graph);
