//! Starting and stopping the faces over one mailbox.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    counters::Counters,
    entra::{Entra, sample, tokens::GRAPH},
    faults::Faults,
    graph::{self, Graph},
    imap::{self, Face, Listener, Security},
    mailbox::Mailbox,
    mailboxes::{Mailboxes, Owner},
    tls::Tls,
    users::Users,
};

/// Why the test bed did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port of loopback could not be opened: it is in use, or needs rights.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The port asked for.
        port: u16,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make the test bed's certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// How a test bed starts. The default takes free ports and an empty mailbox.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The mailbox behind the faces.
    pub mailbox: Mailbox,
    /// Port for IMAP with TLS from the first byte; 0 for a free one.
    pub imaps_port: u16,
    /// Port for IMAP that begins TLS with STARTTLS and lets nobody in before; 0 for a free one.
    pub starttls_port: u16,
    /// Port for IMAP without any TLS; 0 for a free one.
    pub plain_port: u16,
    /// Port for the Entra face (https); 0 for a free one.
    pub entra_port: u16,
    /// Port for the Graph face (https); 0 for a free one.
    pub graph_port: u16,
    /// Port for upload sessions of the Graph face (https); 0 for a free one.
    pub upload_port: u16,
    /// How the IMAP face shows the mailbox.
    pub imap: imap::Settings,
}

/// The running faces. They end with [`Testbed::stop`], or when it is dropped.
pub struct Testbed {
    mailbox: Mailbox,
    users: Users,
    faults: Faults,
    counters: Counters,
    ca_pem: String,
    imaps: Listener,
    starttls: Listener,
    plain: Listener,
    entra: Entra,
    graph: Graph,
    mailboxes: Mailboxes,
}

impl Testbed {
    /// Opens every face on loopback.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options {
            mailbox,
            imaps_port,
            starttls_port,
            plain_port,
            entra_port,
            graph_port,
            upload_port,
            imap,
        } = options;
        let Tls { acceptor, http, ca_pem } = Tls::generate()?;
        let (users, faults, counters) = (Users::default(), Faults::default(), Counters::default());
        let entra = Entra::start(entra_port, http.clone()).await?;
        let mailboxes = Mailboxes::default();
        mailboxes.add(Owner::new(sample::USER, "Facturen", &mailbox));
        mailboxes.add(Owner::new(sample::SHARED, "Administratie", &Mailbox::new()));
        let face = Arc::new(Face {
            mailbox: mailbox.clone(),
            mailboxes: mailboxes.clone(),
            users: users.clone(),
            entra: entra.face(),
            faults: faults.clone(),
            counters: counters.clone(),
            settings: imap,
            acceptor,
        });
        let shared = graph::Shared {
            mailboxes: mailboxes.clone(),
            entra: entra.face(),
            tokens: entra.tokens().clone(),
            tenant: sample::TENANT.to_owned(),
            faults: faults.clone(),
            counters: counters.clone(),
        };
        let graph = Graph::start(shared, graph_port, upload_port, http).await?;
        entra.add_resource_name(GRAPH, graph.url());
        Ok(Self {
            imaps: Listener::open(&face, Security::Tls, imaps_port).await?,
            starttls: Listener::open(&face, Security::StartTls, starttls_port).await?,
            plain: Listener::open(&face, Security::None, plain_port).await?,
            graph,
            entra,
            mailboxes,
            mailbox,
            users,
            faults,
            counters,
            ca_pem,
        })
    }

    /// The mailbox behind the faces.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Who may sign in; nobody at the start.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// What is to go wrong; nothing at the start.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What the faces saw.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The certificate of the authority that the faces' certificates come from (PEM).
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where IMAP with TLS from the first byte listens.
    pub fn imaps_addr(&self) -> SocketAddr {
        self.imaps.address()
    }

    /// Where IMAP with STARTTLS listens.
    pub fn starttls_addr(&self) -> SocketAddr {
        self.starttls.address()
    }

    /// Where IMAP without TLS listens.
    pub fn plain_addr(&self) -> SocketAddr {
        self.plain.address()
    }

    /// The Entra face: apps, users, tokens.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// Where the Entra face is, without a slash at the end: `https://localhost:40123`.
    pub fn entra_url(&self) -> &str {
        self.entra.url()
    }

    /// The Graph face: what it saw, its limits, its latency.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where the Graph face is, without a slash and a version at the end: `https://localhost:40123`.
    pub fn graph_url(&self) -> &str {
        self.graph.url()
    }

    /// The origin of upload sessions.
    pub fn upload_url(&self) -> &str {
        self.graph.upload_url()
    }

    /// Whose mailboxes there are; at the start that of [`sample::USER`], which is
    /// [`Testbed::mailbox`], and an empty one of [`sample::SHARED`].
    pub fn mailboxes(&self) -> &Mailboxes {
        &self.mailboxes
    }

    /// Closes all ports and connections.
    pub async fn stop(self) {
        for listener in [self.imaps, self.starttls, self.plain] {
            listener.close().await;
        }
        self.graph.close().await;
        self.entra.close().await;
    }
}
