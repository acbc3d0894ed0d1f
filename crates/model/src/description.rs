//! What a connector says about itself: the typed form of `wit/description.schema.json`.
//!
//! The host checks a document against the schema before it is read here, so these types only carry; readers ignore
//! members they do not know. Templates are text with `{setting-key}` in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Text;

/// The description of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The version of the schema; 1.
    pub schema: u32,
    /// The connector's name, such as `imap`: what an account refers to.
    pub name: String,
    /// The connector's version.
    pub version: String,
    /// What a person calls it, such as `IMAP Email Account`.
    pub title: Text,
    /// What an account of this connector must say.
    pub settings: Vec<Setting>,
    /// Where its connections may go.
    pub endpoints: Vec<Endpoint>,
    /// How its accounts sign in.
    pub auth: Vec<AuthMethod>,
    /// The operations of the contract that work; names that this version does not know are kept, and not used.
    pub operations: Vec<String>,
    /// Whether a cursor that `changes` gives back equal means that the folder is as it was: the same messages with the
    /// same flags.
    #[serde(default)]
    pub exact_cursors: bool,
    /// Whether the service writes the MIME form of a message anew each time: what it says is what came in, its octets are
    /// not.
    #[serde(default)]
    pub rewrites_messages: bool,
    /// Classes of servers that it meets.
    #[serde(default)]
    pub hosts: Vec<HostClass>,
    /// What a person has to do at the provider, chapter by chapter.
    #[serde(default)]
    pub guide: Vec<Chapter>,
    /// Formats of message ids that `translate` knows.
    #[serde(default)]
    pub id_forms: Vec<String>,
    /// What the host may ask of it at once.
    pub limits: Limits,
}

impl Description {
    /// Whether the connector declares this operation of the contract.
    #[must_use]
    pub fn supports(&self, operation: &str) -> bool {
        self.operations.iter().any(|o| o == operation)
    }

    /// The auth method of this id.
    #[must_use]
    pub fn auth_method(&self, id: &str) -> Option<&AuthMethod> {
        self.auth.iter().find(|a| a.id == id)
    }

    /// The endpoint of this name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|e| e.name == name)
    }

    /// The setting of this key.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|s| s.key == key)
    }
}

/// One field of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Its key, such as `host`.
    pub key: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// What a person calls it.
    pub label: Text,
    /// What a person should know about it.
    #[serde(default)]
    pub help: Text,
    /// The value when none is given.
    pub default: Option<String>,
    /// Other values when none is given, for when other settings have certain values; the first that fits counts.
    #[serde(default)]
    pub defaults_when: Vec<DefaultWhen>,
    /// Whether it must have a value.
    #[serde(default)]
    pub required: bool,
    /// Auth methods whose accounts must have a value, by id.
    #[serde(default)]
    pub required_for: Vec<String>,
    /// What a value looks like and where it is found, such as "Application (client) ID, such as 1b2c...": what an error says
    /// in place of the pattern.
    pub hint: Option<Text>,
    /// The values to choose from.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// The least value of an integer.
    pub min: Option<i64>,
    /// The greatest value of an integer.
    pub max: Option<i64>,
    /// Only asked for when these settings have these values.
    #[serde(default)]
    pub shown_when: BTreeMap<String, String>,
    /// What it belongs to.
    #[serde(default)]
    pub of: SettingOwner,
}

/// What a setting belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingOwner {
    /// Each account says it for itself.
    #[default]
    Account,
    /// The OAuth client, which serves many accounts.
    Client,
}

/// What kind of value a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SettingKind {
    Line,
    MultiLine,
    Email,
    Url,
    Host,
    Integer,
    Flag,
    Choice,
    Secret,
}

/// A default that depends on other settings, such as a port on the kind of security.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultWhen {
    /// The settings and the values that they must have.
    pub when: BTreeMap<String, String>,
    /// The value.
    pub value: String,
}

/// One value of a setting of the kind `choice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What a person sees.
    pub label: Text,
}

/// A place that connections of an account may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What the connector calls it.
    pub name: String,
    /// HTTP, or a line protocol over a stream.
    pub kind: EndpointKind,
    /// The origin, for `http`. A template.
    pub url: Option<String>,
    /// The host, for `stream`. A template.
    pub host: Option<String>,
    /// The port, for `stream`. A template.
    pub port: Option<String>,
    /// `implicit`, `starttls`, `none`, or a template that gives one of them; for `stream`.
    pub tls: Option<String>,
    /// Auth methods whose credential may go here; none when empty.
    #[serde(default)]
    pub authenticate: Vec<String>,
}

/// Which host interface an endpoint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointKind {
    /// The interface `http`.
    Http,
    /// The interface `streams`.
    Stream,
}

/// The purpose whose scopes are asked for in any case.
const ALWAYS: &str = "always";
/// The purpose whose scopes are asked for, and may be missing in the answer.
const OPTIONAL: &str = "optional";

/// A way to sign in, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthMethod {
    /// Its id, such as `password`: what an account refers to.
    pub id: String,
    /// What kind of credential it needs.
    #[serde(rename = "type")]
    pub kind: AuthKind,
    /// What a person calls it.
    pub label: Text,
    /// Who signs in. A template.
    pub user: Option<String>,
    /// Who to act as when it is not the user. A template; empty means the user.
    pub identity: Option<String>,
    /// The authorisation endpoint (RFC 6749, section 3.1). A template.
    pub authorize: Option<String>,
    /// The device authorisation endpoint (RFC 8628, section 3.1). A template.
    pub device: Option<String>,
    /// The token endpoint (RFC 6749, section 3.2). A template.
    pub token: Option<String>,
    /// Where an administrator consents. A template.
    pub admin_consent: Option<String>,
    /// Who answers and gives tokens: the issuer (RFC 9207; OpenID Connect Core 1.0, section 2), when the provider has
    /// one. Templates of which one has to fit; `*` stands for one segment of the path.
    #[serde(default)]
    pub issuers: Vec<String>,
    /// What its tokens are for, such as the service's address: a token for one resource is never sent to another. A
    /// template.
    pub resource: Option<String>,
    /// Scopes by purpose; each is a template. A purpose counts when it is `always`, or when the flag setting of this
    /// name is set; those of `optional` are asked for too, and the account works without them.
    #[serde(default)]
    pub scopes: BTreeMap<String, Vec<String>>,
    /// How the client proves that it is itself; none of them when empty: a public client.
    #[serde(default)]
    pub client_authentication: Vec<ClientAuthentication>,
    /// A regular expression that finds the provider's own code in an `error_description` (RFC 6749, section 5.2).
    pub error_code: Option<String>,
    /// Those of the provider's own codes that mean: nobody consented to a scope that was asked for.
    #[serde(default)]
    pub consent_codes: Vec<String>,
    /// Further request parameters, as templates.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// SASL mechanisms (RFC 4422) that it serves, best first.
    #[serde(default)]
    pub mechanisms: Vec<String>,
    /// What to tell a person, by error code.
    #[serde(default)]
    pub advice: Vec<Advice>,
}

impl AuthMethod {
    /// The secret field of the account that the host reads for it; none when tokens are had through an OAuth client.
    #[must_use]
    pub fn secret_field(&self) -> Option<&'static str> {
        self.token.is_none().then(|| self.kind.secret_field())
    }

    /// Whether accounts that sign in like this need an OAuth client.
    #[must_use]
    pub fn needs_client(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the client must prove that it is itself: by a secret, or a certificate.
    #[must_use]
    pub fn needs_client_secret(&self) -> bool {
        !self.client_authentication.is_empty()
            && !self.client_authentication.contains(&ClientAuthentication::None)
    }

    /// The scopes to ask for, given the values of the settings: those of `always` first, then of each purpose whose flag
    /// is set, then those that the account can do without.
    #[must_use]
    pub fn scopes(&self, values: &BTreeMap<String, String>) -> Vec<String> {
        let purposes = self.scopes.keys().map(String::as_str).filter(|purpose| {
            ![ALWAYS, OPTIONAL].contains(purpose) && values.get(*purpose).is_some_and(|flag| flag == "true")
        });
        let mut scopes: Vec<String> = Vec::new();
        for purpose in std::iter::once(ALWAYS).chain(purposes).chain([OPTIONAL]) {
            for scope in self.scopes_of(purpose, values) {
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }

    /// Those of [`scopes`](Self::scopes) that the account can do without.
    #[must_use]
    pub fn optional_scopes(&self, values: &BTreeMap<String, String>) -> Vec<String> {
        self.scopes_of(OPTIONAL, values)
    }

    /// The scopes of one purpose; a template may give several, parted by spaces (RFC 6749, section 3.3).
    fn scopes_of(&self, purpose: &str, values: &BTreeMap<String, String>) -> Vec<String> {
        let templates = self.scopes.get(purpose).into_iter().flatten();
        let filled: Vec<String> = templates.map(|template| crate::settings::fill(template, values)).collect();
        filled.iter().flat_map(|scopes| scopes.split_ascii_whitespace()).map(str::to_owned).collect()
    }
}

/// What kind of credential an auth method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthKind {
    /// Authorisation code (RFC 6749, section 4.1) with PKCE (RFC 7636).
    #[serde(rename = "oauth2-code")]
    OAuth2Code,
    /// Device code (RFC 8628).
    #[serde(rename = "oauth2-device")]
    OAuth2Device,
    /// Client credentials (RFC 6749, section 4.4).
    #[serde(rename = "oauth2-client")]
    OAuth2Client,
    /// A signed assertion (RFC 7523).
    #[serde(rename = "oauth2-jwt")]
    OAuth2Jwt,
    /// A user name and a password.
    #[serde(rename = "password")]
    Password,
    /// Windows authentication.
    #[serde(rename = "ntlm")]
    Ntlm,
}

impl AuthKind {
    /// The secret field that the host reads for it; see [`crate::secrets::field`].
    #[must_use]
    pub fn secret_field(self) -> &'static str {
        match self {
            Self::Password | Self::Ntlm => crate::secrets::field::PASSWORD,
            Self::OAuth2Code | Self::OAuth2Device | Self::OAuth2Client | Self::OAuth2Jwt => {
                crate::secrets::field::ACCESS_TOKEN
            }
        }
    }
}

/// A way in which an OAuth client proves that it is itself (RFC 6749, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// Not at all: a public client, protected by PKCE.
    None,
    /// By a secret.
    Secret,
    /// By a signed assertion.
    Certificate,
}

/// A chapter of what a person has to do at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chapter {
    /// Its name on the command line.
    pub id: String,
    /// Its heading.
    pub title: Text,
    /// Only shown when these settings have these values.
    #[serde(default)]
    pub shown_when: BTreeMap<String, String>,
    /// The steps in order, as templates over the settings and over what the host adds; see the schema.
    pub steps: Vec<Text>,
}

/// What to tell a person when a service answers with this code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The code, as in [`crate::ConnectorError::code`].
    pub code: String,
    /// What to do.
    pub text: Text,
}

/// A class of servers, told by their host names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostClass {
    /// Its name.
    pub class: String,
    /// A host name; a leading `*.` stands for any labels.
    pub pattern: String,
    /// What a person calls it.
    pub label: Text,
    /// The date on which this connector stops working there.
    pub ends_on: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub advice: Text,
}

/// How many requests a service takes in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRate {
    /// Requests.
    pub requests: u32,
    /// The span, in seconds.
    pub seconds: u32,
}

/// What the host may ask of a connector at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Sessions on one mailbox at the same time.
    pub parallel_sessions: Option<u32>,
    /// HTTP requests of one mailbox under way at the same time.
    pub parallel_requests: Option<u32>,
    /// HTTP requests of one mailbox in a minute.
    pub requests_per_minute: Option<u32>,
    /// HTTP requests of one mailbox in other spans of time.
    pub request_rates: Vec<RequestRate>,
    /// Octets of the largest message.
    pub largest_message: Option<u64>,
    /// Messages in one `fetch`.
    pub fetch_batch: Option<u32>,
    /// Limits that this version does not know: kept, and not used.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}
