//! What a request may be: a granted origin, no header that is the host's, and the credential only where it belongs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use wissel_model::description::AuthKind;
use wissel_model::{ConnectorError, ErrorKind};
use zeroize::Zeroizing;

use crate::capability::http::payload::Payload;
use crate::state::Context;

/// Headers that the host sets itself, or that would change how the request is framed.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that was checked and is ready to be sent.
pub(super) struct Checked {
    request: reqwest::Request,
    authenticate: bool,
}

impl Checked {
    /// Checks the request against what the account grants.
    pub(super) fn new(
        context: &Context,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Option<Payload>,
        authenticate: bool,
    ) -> Result<Self, ConnectorError> {
        let method = match Method::from_bytes(method.as_bytes()) {
            Ok(method) if method != Method::CONNECT && method != Method::TRACE => method,
            _ => return Err(malformed(format!("the method '{}' cannot be sent", method.escape_debug()))),
        };
        let url = Url::parse(url).map_err(|error| malformed(format!("the URL is malformed: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(denied("a URL may not carry a user name or password", "user-info"));
        }
        let grant = context.grants.origin(&url)?;
        if authenticate {
            let origin = grant.origin.ascii_serialization();
            if !grant.credential {
                let message =
                    format!("the connector does not describe {origin} as one for the account's credential");
                return Err(denied(&message, "no-credential"));
            }
            if url.scheme() != "https" && !grant.clear_text {
                let message = format!(
                    "the credential may not go to {origin} in the clear; use https, or allow the endpoint with \
                     allow-clear-text in the account's connection"
                );
                return Err(denied(&message, "clear-text"));
            }
        }
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = checked_headers(headers)?;
        if let Some(payload) = body {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(payload.size()));
            *request.body_mut() = Some(reqwest::Body::wrap_stream(payload.stream()));
        }
        Ok(Self { request, authenticate })
    }

    /// Octets of the body.
    pub(super) fn body_size(&self) -> u64 {
        let length = self.request.headers().get(CONTENT_LENGTH);
        length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
    }

    /// The request with the credential, where one was asked for.
    pub(super) async fn authenticated(
        mut self,
        context: &Context,
    ) -> Result<reqwest::Request, ConnectorError> {
        if self.authenticate {
            let value = authorization(context).await?;
            self.request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(self.request)
    }
}

async fn authorization(context: &Context) -> Result<HeaderValue, ConnectorError> {
    let secret = context.secret().await?;
    let secret = secret.expose_secret();
    let text = Zeroizing::new(match context.auth.kind {
        AuthKind::Password => {
            let pair = Zeroizing::new(format!("{}:{secret}", context.user()));
            format!("Basic {}", STANDARD.encode(pair.as_bytes()))
        }
        AuthKind::Ntlm => {
            let message = "Windows authentication over HTTP is not supported yet";
            return Err(ConnectorError::new(ErrorKind::Unsupported, message));
        }
        _ => format!("Bearer {secret}"),
    });
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        let message = "the stored secret has characters that HTTP cannot carry; store it again";
        ConnectorError::new(ErrorKind::AuthorizationNeeded, message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn checked_headers(headers: &[(String, String)]) -> Result<HeaderMap, ConnectorError> {
    let mut checked = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| malformed(format!("'{}' is not a header's name", name.escape_debug())))?;
        if RESERVED.contains(&header.as_str()) {
            return Err(denied(&format!("the header '{header}' is the host's to set"), "reserved-header"));
        }
        // This also refuses line breaks.
        let value = HeaderValue::from_str(value)
            .map_err(|_| malformed(format!("the value of header '{header}' has a control character")))?;
        checked.append(header, value);
    }
    Ok(checked)
}

fn denied(message: &str, code: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::PermissionMissing, message).with_code(code)
}

fn malformed(message: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::Unsupported, message).with_code("request")
}
