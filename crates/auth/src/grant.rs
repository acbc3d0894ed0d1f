//! What an account was granted for one resource, as it is kept: sealed, as one JSON document.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use wissel_model::AccessToken;
use zeroize::Zeroizing;

use crate::binding::Binding;
use crate::{AuthError, Failure};

/// The form of the document.
const VERSION: u32 = 1;

/// A grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    pub(crate) version: u32,
    /// Where it belongs; none from versions that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) binding: Option<Binding>,
    /// The access token; none before the first, or when there was only a failure.
    #[serde(serialize_with = "expose", skip_serializing_if = "Option::is_none", default)]
    pub(crate) access_token: Option<SecretString>,
    /// What renews it.
    #[serde(serialize_with = "expose", skip_serializing_if = "Option::is_none", default)]
    pub(crate) refresh_token: Option<SecretString>,
    /// When the access token ends.
    pub expires: Timestamp,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Who signed in, by what the provider says of him.
    pub user: Option<String>,
    /// When a person authorised.
    pub authorized: Timestamp,
    /// When the access token was last renewed.
    pub renewed: Timestamp,
    /// What the service demanded of the token that was asked for last, beside what is always asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<String>,
    /// What went wrong since.
    #[serde(default)]
    pub failure: Option<Failure>,
}

fn expose<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(ExposeSecret::expose_secret).serialize(serializer)
}

impl Grant {
    /// One that nothing was granted in yet.
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self {
            version: VERSION,
            binding: None,
            access_token: None,
            refresh_token: None,
            expires: now,
            scopes: Vec::new(),
            user: None,
            authorized: now,
            renewed: now,
            claims: None,
            failure: None,
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// It is something else: authorising again puts a new one in its place.
    pub(crate) fn read(text: &SecretString) -> Result<Self, AuthError> {
        serde_json::from_str::<Self>(text.expose_secret())
            .ok()
            .filter(|grant| grant.version == VERSION)
            .ok_or_else(|| {
                let problem = "what is stored of the authorisation cannot be read: it is damaged, or of a newer version; \
                               authorise again with `wissel account authorize`";
                AuthError::setting(None, problem)
            })
    }

    /// The document.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub(crate) fn write(&self) -> Result<SecretString, AuthError> {
        let text = serde_json::to_string(self).map(Zeroizing::new);
        let text = text.map_err(|error| AuthError::Protocol(error.to_string()))?;
        Ok(SecretString::from(text.as_str()))
    }

    /// Whether it can be renewed without a person.
    #[must_use]
    pub fn renewable(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Whether there is an access token that has not ended.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.access_token.is_some() && self.expires > now
    }

    /// The access token, for whoever sends it.
    pub(crate) fn token(&self) -> Option<AccessToken> {
        let secret = self.access_token.clone()?;
        Some(AccessToken { secret, expires: self.expires, scopes: self.scopes.clone() })
    }
}

/// What is read of an ID token. It came from the token endpoint over TLS, so that its signature need not be checked (OpenID
/// Connect Core 1.0, section 3.1.3.7, item 6).
#[derive(Deserialize)]
struct Payload {
    iss: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    sub: Option<String>,
}

fn payload(id_token: &str) -> Option<Payload> {
    let payload = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Who issued an ID token.
pub(crate) fn issuer_of(id_token: &str) -> Option<String> {
    payload(id_token)?.iss
}

/// Who signed in. Only shown to a person; nothing depends on it.
pub(crate) fn signed_in(id_token: &str) -> Option<String> {
    let payload = payload(id_token)?;
    let name = payload.preferred_username.or(payload.email).or(payload.sub)?;
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(320).collect();
    (!name.is_empty()).then_some(name)
}
