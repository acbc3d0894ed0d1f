//! The HTTP clients in use: one for each way to trust certificates, each proxy, and each say in where a name may lead, so
//! that connections are shared and kept apart as the accounts' trust is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use wissel_model::proxy::ProxyServer;
use wissel_model::{Account, AccountId, ConnectorError, ErrorKind};

use crate::address::{Named, Resolver};
use crate::proxy::Via;
use crate::tls::{Profile, Trust};

/// Octets of one answer that may come over HTTP/2 before somebody reads them.
const STREAM_WINDOW: u32 = 1 << 20;
/// The same of all answers on one connection: the most that the protocol knows (RFC 9113, section 6.9.1).
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// A client that signs in to a proxy is for one account only.
type Key = (Profile, u32, Named, Option<(ProxyServer, AccountId)>);

/// The clients, made at first use.
#[derive(Debug)]
pub(crate) struct Clients {
    trust: Arc<Trust>,
    clients: Mutex<HashMap<Key, Client>>,
}

#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    /// What it signs in to the proxy with.
    password: Option<SecretString>,
}

impl Clients {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self { trust, clients: Mutex::default() }
    }

    /// The client for the account's policy and this proxy.
    ///
    /// # Errors
    /// `invalid-setting` when the trusted certificates cannot be read.
    pub(crate) async fn client(
        &self,
        account: &Account,
        via: Option<Via>,
        named: Named,
    ) -> Result<reqwest::Client, ConnectorError> {
        let policy = &account.connection;
        let through = via.as_ref().map(|via| (via.server.clone(), account.id));
        let key = (Profile::of(policy), policy.connect_timeout_seconds, named, through);
        let password = via.as_ref().and_then(|via| via.password.clone());
        if let Some(known) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && known.password.as_ref().map(ExposeSecret::expose_secret)
                == password.as_ref().map(ExposeSecret::expose_secret)
        {
            return Ok(known.client.clone());
        }
        let failed = |error: reqwest::Error| {
            ConnectorError::new(ErrorKind::Temporary, error.without_url().to_string())
        };
        let mut tls = (*self.trust.config(key.0.clone()).await?).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // An answer that redirects is an answer: where to go next is for the connector to ask, and to be granted.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Decompressed here, where what comes out can be limited.
            .no_gzip()
            // A body that waits for its connector holds back itself alone: with less room for the connection than all its
            // streams may take together, the one that is being read would wait for those behind it (RFC 9113, section 5.2.2).
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            // What the system says about proxies counts only where the account says so, and then it was asked already.
            .no_proxy()
            .connect_timeout(Duration::from_secs(policy.connect_timeout_seconds.into()));
        // Behind a proxy, names are resolved there; its own is the operator's to give.
        if via.is_none() {
            client = client.dns_resolver(Resolver(named));
        }
        if let Some(via) = &via {
            let mut proxy = reqwest::Proxy::all(via.server.address()).map_err(failed)?;
            if let (Some(user), Some(password)) = (&via.server.user, &via.password) {
                proxy = proxy.basic_auth(user, password.expose_secret());
            }
            client = client.proxy(proxy);
        }
        let client = client.build().map_err(failed)?;
        let made = Client { client: client.clone(), password };
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made);
        Ok(client)
    }
}
