//! Where an account's connections may go: the endpoints of its connector's description, filled from its settings.

use std::collections::{BTreeMap, BTreeSet};

use url::{Origin, Url};
use wissel_model::description::{Endpoint, EndpointKind};
use wissel_model::settings::{fill, names_host};
use wissel_model::{Account, ConnectorError, Description, ErrorKind};

use crate::address::Named;

/// How a stream endpoint is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Implicit,
    StartTls,
    Clear,
}

/// A stream endpoint that is granted.
#[derive(Debug, Clone)]
pub(crate) struct StreamGrant {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: TlsMode,
    /// Whether the account's credential may go there.
    pub(crate) credential: bool,
    /// Whether a secret may go there in the clear.
    pub(crate) clear_text: bool,
}

/// An HTTP origin that is granted.
#[derive(Debug, Clone)]
pub(crate) struct HttpGrant {
    pub(crate) origin: Origin,
    pub(crate) named: Named,
    pub(crate) credential: bool,
    pub(crate) clear_text: bool,
}

/// All that one account may reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    streams: Vec<StreamGrant>,
    origins: Vec<HttpGrant>,
    described: BTreeSet<String>,
}

impl Grants {
    /// Fills the endpoints. One whose host or URL comes out empty is not used by this account, and not granted.
    ///
    /// # Errors
    /// `invalid-setting` when an endpoint comes out malformed.
    pub(crate) fn new(description: &Description, account: &Account) -> Result<Self, ConnectorError> {
        let mut grants = Self::default();
        for endpoint in &description.endpoints {
            grants.described.insert(endpoint.name.clone());
            match endpoint.kind {
                EndpointKind::Stream => grants.streams.extend(stream(endpoint, account)?),
                EndpointKind::Http => grants.origins.extend(origin(description, endpoint, account)?),
            }
        }
        Ok(grants)
    }

    /// The stream endpoint of this name.
    pub(crate) fn stream(&self, name: &str) -> Result<&StreamGrant, ConnectorError> {
        self.streams.iter().find(|grant| grant.name == name).ok_or_else(|| {
            let problem = if self.described.contains(name) {
                "is no stream, or the account's settings leave it empty"
            } else {
                "is not one of the connector's description"
            };
            refused(format!("the endpoint '{name}' {problem}"))
        })
    }

    /// Whether HTTP requests may be sent at all.
    pub(crate) fn has_origins(&self) -> bool {
        !self.origins.is_empty()
    }

    /// The origin that `url` belongs to.
    pub(crate) fn origin(&self, url: &Url) -> Result<&HttpGrant, ConnectorError> {
        let origin = url.origin();
        self.origins.iter().find(|grant| grant.origin == origin).ok_or_else(|| {
            let granted: Vec<String> = self.origins.iter().map(|g| g.origin.ascii_serialization()).collect();
            let granted = if granted.is_empty() { "none".to_owned() } else { granted.join(", ") };
            refused(format!(
                "{} is not granted to this account; granted: {granted}",
                origin.ascii_serialization()
            ))
        })
    }
}

fn refused(message: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("endpoint-not-granted")
}

fn stream(endpoint: &Endpoint, account: &Account) -> Result<Option<StreamGrant>, ConnectorError> {
    let filled = |part: &Option<String>| {
        fill(part.as_deref().unwrap_or_default(), &account.values()).trim().to_owned()
    };
    let host = filled(&endpoint.host);
    if host.is_empty() {
        return Ok(None);
    }
    let port = filled(&endpoint.port);
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        invalid(endpoint, &endpoint.port, format!("the port '{port}' is not between 1 and 65535"))
    })?;
    let tls = match filled(&endpoint.tls).as_str() {
        "implicit" | "" => TlsMode::Implicit,
        "starttls" => TlsMode::StartTls,
        "none" => TlsMode::Clear,
        other => {
            let problem = format!("'{other}' is none of implicit, starttls and none");
            return Err(invalid(endpoint, &endpoint.tls, problem));
        }
    };
    Ok(Some(StreamGrant {
        name: endpoint.name.clone(),
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        tls,
        credential: endpoint.authenticate.contains(&account.auth),
        clear_text: account.connection.allow_clear_text.contains(&endpoint.name),
    }))
}

fn origin(
    description: &Description,
    endpoint: &Endpoint,
    account: &Account,
) -> Result<Option<HttpGrant>, ConnectorError> {
    let (template, values) = (endpoint.url.as_deref().unwrap_or_default(), account.values());
    let text = fill(template, &values).trim().to_owned();
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let url = url.ok_or_else(|| {
        invalid(endpoint, &endpoint.url, format!("'{text}' is not a URL such as https://mail.example.com/"))
    })?;
    Ok(Some(HttpGrant {
        origin: url.origin(),
        named: named(description, template, &values, &url),
        credential: endpoint.authenticate.contains(&account.auth),
        clear_text: account.connection.allow_clear_text.contains(&endpoint.name),
    }))
}

/// Who names the host of a filled template. The operator does when the host stands as a whole in a setting of the
/// template, and that setting is not what the connector describes as its default: part of a name, or a value that
/// nobody chose, is the connector's word.
fn named(description: &Description, template: &str, values: &BTreeMap<String, String>, url: &Url) -> Named {
    let by_operator = description.settings.iter().any(|setting| {
        let described = |value: &String| {
            setting.default.as_ref() == Some(value)
                || setting.defaults_when.iter().any(|other| other.value == *value)
        };
        let value = values.get(&setting.key).filter(|value| !described(value));
        template.contains(&format!("{{{}}}", setting.key))
            && value.is_some_and(|value| names_host(value, url))
    });
    if by_operator { Named::ByOperator } else { Named::ByConnector }
}

/// Who names the host of a request for tokens.
pub(crate) fn named_provider(description: &Description, account: &Account, url: &Url) -> Named {
    let values = account.values();
    let templates = description.auth.iter().flat_map(|method| [&method.token, &method.device]).flatten();
    let leads_there = |template: &&String| {
        Url::parse(fill(template, &values).trim()).is_ok_and(|other| other.origin() == url.origin())
    };
    // The word of one of them is enough: a setting of the operator's leads there.
    let mut who = templates.filter(leads_there).map(|template| named(description, template, &values, url));
    if who.any(|named| named == Named::ByOperator) { Named::ByOperator } else { Named::ByConnector }
}

/// Names the setting that the template takes its value from, where it takes one.
fn invalid(endpoint: &Endpoint, template: &Option<String>, problem: String) -> ConnectorError {
    let message = format!("endpoint '{}': {problem}", endpoint.name);
    let error = ConnectorError::new(ErrorKind::InvalidSetting, message);
    let key = template.as_deref().and_then(|t| t.split_once('{')?.1.split_once('}')).map(|(key, _)| key);
    match key {
        Some(key) => error.with_setting(key),
        None => error,
    }
}
