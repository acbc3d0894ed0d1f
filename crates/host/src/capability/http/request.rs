//! What a request may be: a granted origin, no header that is the host's, and the credential only where it belongs.
//! Where the credential comes from is in [`super::attempts`].

use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RANGE,
};
use reqwest::{Method, Url};
use wissel_model::{ConnectorError, ErrorKind};

use crate::address::Named;
use crate::bindings::wissel::connector::http;
use crate::capability::http::payload::Payload;
use crate::grants::{Grants, HttpGrant};

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

/// Octets of a URL.
const LONGEST_URL: usize = 16 << 10;
/// Fields of a request's head, and octets of all of them.
const MOST_HEADERS: usize = 100;
const LONGEST_HEADERS: usize = 32 << 10;

/// A request that was checked and can be sent, any number of times.
pub(super) struct Checked {
    method: Method,
    url: Url,
    headers: HeaderMap,
    payload: Option<Payload>,
    grant: HttpGrant,
    pub(super) authenticate: bool,
    /// Whether it may be sent again when nobody knows what became of it.
    pub(super) idempotent: bool,
}

impl Checked {
    /// Checks the request against what the account grants.
    pub(super) fn new(
        grants: &Grants,
        request: &http::Request,
        payload: Option<Payload>,
    ) -> Result<Self, ConnectorError> {
        let method = match Method::from_bytes(request.method.as_bytes()) {
            Ok(method) if method != Method::CONNECT && method != Method::TRACE => method,
            _ => {
                return Err(malformed(format!(
                    "the method '{}' cannot be sent",
                    request.method.escape_debug()
                )));
            }
        };
        if request.url.len() > LONGEST_URL {
            return Err(malformed(format!("the URL is longer than {LONGEST_URL} octets")));
        }
        let url =
            Url::parse(&request.url).map_err(|error| malformed(format!("the URL is malformed: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(denied("a URL may not carry a user name or password", "user-info"));
        }
        let grant = grants.origin(&url)?.clone();
        grant.named.check(&url)?;
        if request.authenticate {
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
        let mut headers = checked_headers(&request.headers)?;
        if let Some(payload) = &payload {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(payload.size()));
        }
        // A part of something compressed could not be read.
        if !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let (authenticate, idempotent) = (request.authenticate, request.idempotent);
        Ok(Self { method, url, headers, payload, grant, authenticate, idempotent })
    }

    /// Octets of the body.
    pub(super) fn body_size(&self) -> u64 {
        self.payload.as_ref().map_or(0, Payload::size)
    }

    /// As how many requests it counts.
    pub(super) fn weight(&self) -> u32 {
        self.payload.as_ref().map_or(1, |payload| payload.requests)
    }

    /// Who named the host.
    pub(super) fn named(&self) -> Named {
        self.grant.named
    }

    /// The host, as it stands in the URL.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// What a log may show of the URL. One that is sent without the credential may be a credential itself.
    pub(super) fn shown(&self) -> String {
        let origin = self.grant.origin.ascii_serialization();
        if self.authenticate { format!("{origin}{}", self.url.path()) } else { origin }
    }

    /// The request with this credential, ready to be sent.
    pub(super) fn with(&self, credential: Option<HeaderValue>) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some(credential) = credential {
            request.headers_mut().insert(AUTHORIZATION, credential);
        }
        if let Some(payload) = self.payload.clone() {
            *request.body_mut() = Some(payload.body());
        }
        request
    }
}

fn checked_headers(headers: &[(String, String)]) -> Result<HeaderMap, ConnectorError> {
    let mut checked = HeaderMap::with_capacity(headers.len());
    let octets: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MOST_HEADERS || octets > LONGEST_HEADERS {
        return Err(malformed(format!(
            "a request has at most {MOST_HEADERS} headers, of {LONGEST_HEADERS} octets in all"
        )));
    }
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
