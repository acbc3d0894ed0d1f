//! The Microsoft Graph face: mail of `/me` and `/users/{id}` in v1.0 over the same mailboxes as the other faces.
//!
//! Names, limits and refusals are those of Microsoft's documentation; what is known to differ from it in practice is
//! as it is in practice. Messages are written anew, as Exchange does ([`mime::rewrite`]). Not here: calendars, contacts,
//! search, change notifications, the beta version.

mod attachments;
mod auth;
mod batch;
mod call;
mod changes;
mod control;
mod delta;
mod drafts;
mod errors;
mod exchange_ids;
mod filter;
mod folders;
mod ids;
mod limits;
mod messages;
mod mime;
mod odata;
mod resources;
mod route;
mod send;
mod server;
mod target;
mod upload;

pub use control::{Control, Sent};
pub use limits::Limits;

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use self::server::Face;
use crate::{
    Error,
    counters::Counters,
    entra::{self, tokens::Tokens},
    faults::Faults,
    http::{Port, Server, Traffic},
    mailboxes::Mailboxes,
};

/// What the face shares with the others.
pub(crate) struct Shared {
    pub(crate) mailboxes: Mailboxes,
    pub(crate) entra: Arc<entra::Face>,
    pub(crate) tokens: Tokens,
    /// The tenant whose mailboxes these are.
    pub(crate) tenant: String,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
}

/// The running face, on two origins.
pub struct Graph {
    server: Server,
    upload: Server,
    control: Control,
}

impl Graph {
    pub(crate) async fn start(
        shared: Shared,
        port: u16,
        upload_port: u16,
        acceptor: TlsAcceptor,
    ) -> Result<Self, Error> {
        let port = Port::open(port, Some(acceptor.clone())).await?;
        let upload = Port::open(upload_port, Some(acceptor)).await?;
        let control = Control::default();
        let face = Face::new(shared, control.clone(), port.url(), upload.url());
        let server = port.serve(server::router(face.clone()));
        Ok(Self { server, upload: upload.serve(server::upload_router(face)), control })
    }

    /// Where clients reach it, without a slash and a version at the end.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The origin of upload sessions.
    pub fn upload_url(&self) -> &str {
        self.upload.url()
    }

    /// Limits, switches, and what was sent.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Requests that it saw, and its latency.
    pub fn traffic(&self) -> &Traffic {
        self.server.traffic()
    }

    pub(crate) async fn close(self) {
        self.server.close().await;
        self.upload.close().await;
    }
}
