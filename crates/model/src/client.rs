//! OAuth clients (RFC 6749, section 2): what a program is registered as at a provider, and the secrets it proves that with.
//! One client serves many accounts. The values of its secrets are sealed in the store, and never here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ClientId, ClientSecretId};

/// A registration at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthClient {
    /// Given once.
    pub id: ClientId,
    /// What people call it. Unique without regard to case.
    pub name: String,
    /// The connector whose description its settings follow. Accounts of another connector may use it too, as far as
    /// that one describes the same settings.
    pub connector: String,
    /// The settings that the description marks as the client's, in canonical form.
    pub settings: BTreeMap<String, String>,
    /// The https address that is registered for the answer to an authorisation, where a page shows it for pasting; none
    /// for the loopback address (RFC 8252, section 7.3).
    pub redirect: Option<String>,
}

/// How a client proves that it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretKind {
    /// A text that both sides know (RFC 6749, section 2.3.1).
    Secret,
    /// A private key with its certificate, for signed assertions (RFC 7523, section 2.2). Its value is one PEM text: the
    /// key, then the certificate.
    Certificate,
}

/// What a secret is to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretState {
    /// Tokens are asked for with it. One at most is.
    InUse,
    /// It waits beside the one in use, while that one is replaced.
    Standby,
}

/// What is known of a client's secret, beside its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Given once.
    pub id: ClientSecretId,
    /// Whose it is.
    pub client: ClientId,
    /// What people call it, such as the description it has at the provider.
    pub label: String,
    /// What it is.
    pub kind: SecretKind,
    /// From when on the provider refuses it; none when the operator did not say, [`crate::expiry::NEVER`] when it does
    /// not end.
    pub expires: Option<Timestamp>,
    /// When it was stored.
    pub added: Timestamp,
    /// When the provider last gave a token for it.
    pub tested: Option<Timestamp>,
    /// Whether it is the one in use.
    pub state: SecretState,
}
