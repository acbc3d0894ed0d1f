//! What requests carry: form fields, the `claims` parameter, cookies, the client's request id.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The browser's session.
pub(super) const COOKIE: &str = "ESTSAUTH";

/// Fields of a form or a query; empty ones are as if they were not there.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(encoded);
        Self(pairs.into_owned().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The fields of a form; a body of another type has none.
    pub(super) fn of_body(headers: &HeaderMap, body: &[u8]) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            Self::parse(body)
        } else {
            Self::default()
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(name))
    }
}

/// A `claims` parameter (OpenID Connect Core, section 5.5), as far as it is about access tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    /// `xms_cc`: what the client can do.
    pub(super) capabilities: Vec<String>,
    /// The other claims that it wants in the token.
    pub(super) wanted: Map<String, Value>,
}

impl Claims {
    pub(super) fn of(fields: &Fields) -> Result<Self, Refusal> {
        let Some(text) = fields.get("claims") else { return Ok(Self::default()) };
        let malformed = || Refusal::new(9002313).saying("The 'claims' parameter is not valid JSON.");
        let mut parsed: Value = serde_json::from_str(text).map_err(|_| malformed())?;
        let mut wanted = match parsed.get_mut("access_token").map(Value::take) {
            Some(Value::Object(wanted)) => wanted,
            None => Map::new(),
            Some(_) => return Err(malformed()),
        };
        let values = wanted.remove("xms_cc").and_then(|capabilities| capabilities.get("values").cloned());
        let values = values.as_ref().and_then(Value::as_array).into_iter().flatten();
        let capabilities = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
        Ok(Self { capabilities, wanted })
    }
}

/// Client id and secret of HTTP Basic authentication (RFC 6749, section 2.3.1).
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |encoded: &str| {
        let pair = format!("v={encoded}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// The value of the session cookie.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then(|| value.to_owned()))
}
