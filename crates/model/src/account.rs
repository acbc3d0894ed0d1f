//! Mail accounts: which connector, which settings, and what the operator allows its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AccountId, OAuthClient, Proxy};

/// A mail account. Its secrets are not here: they are sealed in the store and opened by the host at need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Given once.
    pub id: AccountId,
    /// The identifier that people use, such as `Inkoopfacturen`. Unique without regard to case.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// The id of one of the auth methods that the connector describes.
    pub auth: String,
    /// The OAuth client that it is authorised through, for the auth methods that need one.
    pub client: Option<Arc<OAuthClient>>,
    /// Settings that the connector describes, those of the client and secret ones left out, in canonical form.
    pub settings: BTreeMap<String, String>,
    /// What the operator allows this account's connections.
    pub connection: ConnectionPolicy,
    /// The account that is used where none is named. At most one account is.
    pub is_default: bool,
}

impl Account {
    /// Its settings together with those of its OAuth client: what templates are filled from, and what the connector
    /// is opened with.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        let mut values = self.client.as_ref().map(|client| client.settings.clone()).unwrap_or_default();
        values.extend(self.settings.clone());
        values
    }
}

/// What the operator allows the connections of an account, whatever its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectionPolicy {
    /// A file with PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate. Off by default, and warned about: whoever sits on the wire can read the credential.
    pub allow_untrusted_certificate: bool,
    /// Names of endpoints to which secrets may go in the clear.
    pub allow_clear_text: BTreeSet<String>,
    /// The proxy that every connection goes through; none, not even the system's, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Seconds to wait for a connection, its TLS handshake included.
    pub connect_timeout_seconds: u32,
    /// Seconds that a connection may stay silent while an answer is awaited.
    pub idle_timeout_seconds: u32,
    /// Seconds that one call of the connector may take in all.
    pub call_timeout_seconds: u32,
}

impl Default for ConnectionPolicy {
    fn default() -> Self {
        Self {
            ca_file: None,
            allow_untrusted_certificate: false,
            allow_clear_text: BTreeSet::new(),
            proxy: None,
            connect_timeout_seconds: 30,
            idle_timeout_seconds: 100,
            call_timeout_seconds: 1800,
        }
    }
}
