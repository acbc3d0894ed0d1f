//! The Entra face: who may have which token for which service.

pub mod tokens;

use axum::Router;
use tokio_rustls::TlsAcceptor;

use self::tokens::Tokens;
use crate::{
    Error,
    http::{Port, Server, Traffic},
};

/// The running face.
pub struct Entra {
    server: Server,
    tokens: Tokens,
}

impl Entra {
    pub(crate) async fn start(port: u16, acceptor: TlsAcceptor) -> Result<Self, Error> {
        let server = Port::open(port, Some(acceptor)).await?.serve(Router::new());
        Ok(Self { server, tokens: Tokens::default() })
    }

    /// Where clients reach it, without a slash at the end: the authority, to which a tenant is added.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// What was issued.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Requests that it saw, and its latency.
    pub fn traffic(&self) -> &Traffic {
        self.server.traffic()
    }

    pub(crate) async fn close(self) {
        self.server.close().await;
    }
}
