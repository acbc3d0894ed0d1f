//! The HTTP clients in use: one for each way to trust certificates, so that connections are shared and kept apart as
//! the accounts' trust is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wissel_model::{ConnectionPolicy, ConnectorError, ErrorKind};

use crate::tls::{Profile, Trust};

type Key = (Profile, u32);

/// The clients, made at first use.
#[derive(Debug)]
pub(crate) struct Clients {
    trust: Arc<Trust>,
    clients: Mutex<HashMap<Key, reqwest::Client>>,
}

impl Clients {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self { trust, clients: Mutex::default() }
    }

    /// The client for this policy.
    ///
    /// # Errors
    /// `invalid-setting` when the trusted certificates cannot be read.
    pub(crate) async fn client(&self, policy: &ConnectionPolicy) -> Result<reqwest::Client, ConnectorError> {
        let key = (Profile::of(policy), policy.connect_timeout_seconds);
        let known = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(client) = known {
            return Ok(client);
        }
        let mut tls = (*self.trust.config(key.0.clone()).await?).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // An answer that redirects is an answer: where to go next is for the connector to ask, and to be granted.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(policy.connect_timeout_seconds.into()))
            .build()
            .map_err(|error| ConnectorError::new(ErrorKind::Temporary, error.to_string()))?;
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(key, client.clone());
        Ok(client)
    }
}
