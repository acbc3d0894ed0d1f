//! An auth method filled with an account's values: where to ask, for what, as whom.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use url::Url;
use wissel_model::Account;
use wissel_model::description::{AuthKind, AuthMethod, ClientAuthentication};
use wissel_model::secrets::field;
use wissel_model::settings::fill;

use crate::AuthError;

/// The setting that holds the client's id at the provider.
const CLIENT_ID: &str = "client-id";
/// Parameters that belong to the page where a person signs in (OpenID Connect Core 1.0, section 3.1.2.1), and not to
/// requests for tokens.
const FOR_THE_PAGE: [&str; 10] = [
    "prompt",
    "login_hint",
    "domain_hint",
    "display",
    "max_age",
    "ui_locales",
    "acr_values",
    "id_token_hint",
    "response_mode",
    "nonce",
];

/// The parameter that says what a token has to hold (OpenID Connect Core 1.0, section 5.5).
const CLAIMS: &str = "claims";

/// An auth method, filled.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How tokens are had.
    pub kind: AuthKind,
    /// What they are for; tokens are kept by it.
    pub resource: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Those of them that may be missing.
    pub optional: BTreeSet<String>,
    /// Who should sign in, as far as the settings say so.
    pub user: Option<String>,
    pub(crate) client_id: String,
    pub(crate) authorize: Option<Url>,
    pub(crate) device: Option<Url>,
    pub(crate) token: Url,
    pub(crate) issuers: Vec<String>,
    pub(crate) proofs: Vec<ClientAuthentication>,
    pub(crate) error_code: Option<Regex>,
    pub(crate) consent_codes: Vec<String>,
    /// Those that may be missing are not asked for.
    pub(crate) asks_for_less: bool,
    parameters: BTreeMap<String, String>,
}

impl Plan {
    /// Fills a method.
    ///
    /// # Errors
    /// [`AuthError::Setting`] names what is missing or cannot be used, or is not encrypted without permission.
    pub fn new(account: &Account, method: &AuthMethod) -> Result<Self, AuthError> {
        let values = account.values();
        let filled = |template: &str| fill(template, &values).trim().to_owned();
        let url = |template: &Option<String>| -> Result<Option<Url>, AuthError> {
            let text = filled(template.as_deref().unwrap_or_default());
            if text.is_empty() {
                return Ok(None);
            }
            endpoint(account, method, &text).map(Some)
        };
        let token = url(&method.token)?.ok_or_else(|| {
            AuthError::setting(
                None,
                format!(
                    "the auth method '{}' has no token endpoint for these settings; give the missing settings with \
                     `wissel account edit`, or store a token there",
                    method.id
                ),
            )
        })?;
        let client_id = values.get(CLIENT_ID).map(|id| id.trim().to_owned()).unwrap_or_default();
        if client_id.is_empty() {
            return Err(AuthError::setting(
                Some(CLIENT_ID),
                "the account has no OAuth client, so the provider cannot know who asks; give it one with \
                 `wissel account edit NAME --client CLIENT`",
            ));
        }
        let scopes = method.scopes(&values);
        let optional = method.optional_scopes(&values).into_iter().collect();
        let error_code = method.error_code.as_deref().map(Regex::new).transpose().map_err(|_| {
            AuthError::setting(
                None,
                format!("the auth method '{}' describes error codes by an unreadable pattern", method.id),
            )
        })?;
        let parameters = method.parameters.iter().map(|(name, template)| (name.clone(), filled(template)));
        let resource = filled(method.resource.as_deref().unwrap_or_default());
        let user = [&method.user, &method.identity].into_iter().flatten().map(|template| filled(template));
        Ok(Self {
            kind: method.kind,
            resource: if resource.is_empty() { token.origin().ascii_serialization() } else { resource },
            scopes,
            optional,
            user: user.into_iter().find(|user| !user.is_empty()),
            client_id,
            authorize: url(&method.authorize)?,
            device: url(&method.device)?,
            token,
            issuers: method.issuers.iter().map(|template| filled(template)).collect(),
            proofs: method.client_authentication.clone(),
            error_code,
            consent_codes: method.consent_codes.clone(),
            asks_for_less: false,
            parameters: parameters.filter(|(_, value)| !value.is_empty()).collect(),
        })
    }

    /// Where its grant is kept among the account's secrets.
    #[must_use]
    pub fn field(&self) -> String {
        format!("{}{}", field::GRANT, self.resource)
    }

    /// Where a sign-in that was begun is kept among the account's secrets.
    #[must_use]
    pub fn pending_field(&self) -> String {
        format!("{}{}", field::PENDING, self.resource)
    }

    /// Further parameters for the page where a person signs in, with those of a claims challenge.
    ///
    /// # Errors
    /// The challenge is no JSON object.
    pub(crate) fn page_parameters(
        &self,
        claims: Option<&str>,
    ) -> Result<BTreeMap<String, String>, AuthError> {
        let mut parameters = self.parameters.clone();
        if let Some(challenge) = claims {
            let merged = merge(parameters.get(CLAIMS).map(String::as_str), challenge)?;
            parameters.insert(CLAIMS.to_owned(), merged);
        }
        Ok(parameters)
    }

    /// The same for requests for tokens.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn token_parameters(&self, claims: Option<&str>) -> Result<Vec<(String, String)>, AuthError> {
        let all = self.page_parameters(claims)?;
        Ok(all.into_iter().filter(|(name, _)| !FOR_THE_PAGE.contains(&name.as_str())).collect())
    }
}

/// An endpoint's address: encrypted, unless the operator allows clear text for the method by name.
fn endpoint(account: &Account, method: &AuthMethod, text: &str) -> Result<Url, AuthError> {
    let invalid = |problem: &str| AuthError::setting(None, format!("'{text}': {problem}"));
    let url =
        Url::parse(text).map_err(|_| invalid("this is not a URL such as https://login.example.com/"))?;
    if !url.has_host() || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(invalid("an endpoint has a host, and neither a user nor a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if account.connection.allow_clear_text.contains(&method.id) => Ok(url),
        "http" => Err(AuthError::setting(
            None,
            format!(
                "'{text}' is not encrypted, and secrets would go there in the clear: use https. Unsafe: \
                 `wissel account edit NAME --allow-clear-text {}` allows it",
                method.id
            ),
        )),
        _ => Err(invalid("an endpoint begins with https://")),
    }
}

/// What is always claimed together with what a challenge asks for; where both name one claim, the challenge counts.
fn merge(own: Option<&str>, challenge: &str) -> Result<String, AuthError> {
    use serde_json::Value;
    fn into(target: &mut Value, more: Value) {
        match (target, more) {
            (Value::Object(target), Value::Object(more)) => {
                for (key, value) in more {
                    into(target.entry(key).or_insert(Value::Null), value);
                }
            }
            (target, more) => *target = more,
        }
    }
    let broken = || AuthError::Protocol("the service asks for claims that cannot be read".to_owned());
    let mut all: Value = own.and_then(|own| serde_json::from_str(own).ok()).unwrap_or(Value::Null);
    let challenge: Value = serde_json::from_str(challenge).map_err(|_| broken())?;
    if !challenge.is_object() {
        return Err(broken());
    }
    into(&mut all, challenge);
    Ok(all.to_string())
}
