//! The IMAP face (RFC 3501 with the extensions that `capabilities.rs` lists): listeners and connections.
//!
//! Grammar is imap-codec's, both ways; this module only decides what the answer is. It deliberately leaves out what no
//! import needs: BODYSTRUCTURE, single MIME parts, SORT, THREAD, CONDSTORE, subscriptions that are remembered.

mod append;
mod capabilities;
mod change;
mod envelope;
mod fetch;
mod fields;
mod flags;
mod folders;
mod mutf7;
mod names;
mod search;
mod session;
mod sign_in;
mod view;
mod wire;

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use self::session::{Ended, Session};
use crate::{
    Error, counters::Counters, entra, faults::Faults, mailbox::Mailbox, mailboxes::Mailboxes, users::Users,
};

/// How the face shows the mailbox.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What parts the levels of a folder's path. In a folder's own name it is shown as `_`.
    pub separator: char,
    /// Where the sub folders of the inbox are shown.
    pub inbox: InboxNaming,
    /// Scopes of which a bearer token needs one.
    pub scopes: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { separator: '/', inbox: InboxNaming::Localized, scopes: vec!["imap".to_owned()] }
    }
}

/// IMAP calls the inbox `INBOX` whatever its display name is. Servers differ in where they put its sub folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxNaming {
    /// `INBOX`, and the sub folders under the display name: `Postvak IN/Algemeen`, with a `Postvak IN` that cannot be selected.
    Localized,
    /// `INBOX` and `INBOX/Algemeen`.
    Nested,
}

/// How a listener protects its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// TLS from the first byte.
    Tls,
    /// Clear until STARTTLS; nobody may sign in before it.
    StartTls,
    /// Clear, and signing in is allowed.
    None,
}

/// What all connections share, and the mailbox that they open.
#[derive(Clone)]
pub(crate) struct Face {
    /// The mailbox of every user who has none of his own.
    pub(crate) mailbox: Mailbox,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) users: Users,
    pub(crate) entra: Arc<entra::Face>,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) settings: Settings,
    pub(crate) acceptor: TlsAcceptor,
}

impl Face {
    /// The same over another mailbox.
    fn over(&self, mailbox: Mailbox) -> Arc<Self> {
        Arc::new(Self { mailbox, ..self.clone() })
    }
}

/// One open port; dropping it closes the port and its connections.
pub(crate) struct Listener {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn open(face: &Arc<Face>, security: Security, port: u16) -> Result<Self, Error> {
        let listen = |source| Error::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let accepting = tokio::spawn(accept(face.clone(), security, listener));
        Ok(Self { address, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn close(mut self) {
        self.accepting.abort();
        // Ends as cancelled: that is what was asked for.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(face: Arc<Face>, security: Security, listener: TcpListener) {
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let face = face.clone();
                    connections.spawn(async move {
                        if let Err(error) = serve(face, security, stream).await {
                            tracing::debug!(%peer, %error, "connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(face: Arc<Face>, security: Security, stream: TcpStream) -> std::io::Result<()> {
    let _open = face.counters.connection();
    stream.set_nodelay(true)?;
    if security == Security::Tls {
        let stream = face.acceptor.accept(stream).await?;
        Session::new(face, stream, Security::Tls).greet_and_run().await?;
        return Ok(());
    }
    if let Ended::StartTls(stream) = Session::new(face.clone(), stream, security).greet_and_run().await? {
        // Only the stream goes over: what was read or said before TLS is forgotten (RFC 3501, section 6.2.1).
        let stream = face.acceptor.accept(stream).await?;
        Session::new(face, stream, Security::Tls).run().await?;
    }
    Ok(())
}
