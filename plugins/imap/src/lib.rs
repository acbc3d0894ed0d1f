//! The IMAP connector: reads, sorts and stores mail on any IMAP4rev1 server (RFC 3501, RFC 9051).
//!
//! It signs in, lists folders and messages, fetches them straight into the host, moves, marks, deletes and appends.
//! It does not send. Secrets, TLS and retries are the host's; see the README for what it uses of a server.

mod append;
mod changes;
mod connection;
mod describe;
mod fetch;
mod flags;
mod folders;
mod headers;
mod id;
mod listing;
mod moving;
mod protocol;
mod roles;
mod select;
mod session;
mod sign_in;
mod target;
mod tree;
mod wait;

use wissel_connector::{Connector, Host, Result, Settings};

/// The connector.
#[derive(Debug)]
pub struct Imap;

pub use session::ImapSession;

impl Connector for Imap {
    type Session = ImapSession;

    fn describe() -> String {
        describe::describe()
    }

    fn open(host: Host, settings: Settings) -> Result<ImapSession> {
        ImapSession::open(host, &settings)
    }
}

wissel_connector::export!(Imap);
