//! The access tokens that were issued, and what each of them allows. A face that takes bearer tokens asks [`Tokens::check`].
//!
//! Clients get no more than the string. Whether that is opaque or a JWT makes no difference here: what a token allows is
//! looked up, not read out of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// The audience of Microsoft Graph, whatever address the Graph face has.
pub const GRAPH: &str = "https://graph.microsoft.com";
/// The audience of Exchange Online's IMAP, POP and SMTP.
pub const OUTLOOK: &str = "https://outlook.office.com";

/// The user a token was issued for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The object id in the directory (a GUID).
    pub id: String,
    /// The user principal name: how he signs in, an e-mail address.
    pub name: String,
}

/// What an access token allows.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    /// The tenant's id.
    pub tenant: String,
    /// The client id of the app that it was issued to.
    pub app: String,
    /// The canonical name of the resource: [`GRAPH`] or [`OUTLOOK`].
    pub audience: String,
    /// Who signed in; `None` where the app acts by itself (client credentials).
    pub user: Option<Subject>,
    /// Delegated permissions, by their short names: `Mail.ReadWrite.Shared`. Empty without a user.
    pub scopes: Vec<String>,
    /// Application permissions. Empty with a user.
    pub roles: Vec<String>,
    /// From when on it is good.
    pub issued: Timestamp,
    /// From then on it is refused.
    pub expires: Timestamp,
    /// What the client says that it can do: `cp1` is answering claims challenges.
    pub capabilities: Vec<String>,
    /// The claims that were asked for and given, by name, as in the `access_token` member of a `claims` parameter.
    pub claims: Map<String, Value>,
}

impl TokenInfo {
    /// Whether one of these delegated permissions was granted.
    pub fn has_scope(&self, scopes: &[&str]) -> bool {
        self.scopes.iter().any(|held| scopes.contains(&held.as_str()))
    }

    /// Whether one of these application permissions was granted.
    pub fn has_role(&self, roles: &[&str]) -> bool {
        self.roles.iter().any(|held| roles.contains(&held.as_str()))
    }

    /// Whether the client answers claims challenges.
    pub fn answers_challenges(&self) -> bool {
        self.capabilities.iter().any(|capability| capability == "cp1")
    }
}

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was never issued, or was taken away.
    #[error("unknown token")]
    Unknown,
    /// Its time is over.
    #[error("expired token")]
    Expired,
    /// It is good for another resource.
    #[error("token for another audience")]
    OtherAudience,
    /// More is demanded than it carries: the face answers with a claims challenge (401, `insufficient_claims`).
    #[error("token without the demanded claims")]
    InsufficientClaims {
        /// The JSON to put into the challenge (base64-encoded there), for the client to send along as `claims`.
        claims: String,
    },
}

#[derive(Debug, Default)]
struct Registry {
    issued: BTreeMap<String, TokenInfo>,
    /// Claims that tokens need, by audience.
    demanded: BTreeMap<String, Map<String, Value>>,
    /// When users' sign-ins were last revoked, by object id.
    revoked: BTreeMap<String, Timestamp>,
    /// Every access and refresh token that ever left, for tests that search logs for secrets.
    ever: BTreeSet<String>,
    ahead: SignedDuration,
}

/// The registry; clones share it. It has the clock of the face as well, which a test can put forward.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    registry: Arc<Mutex<Registry>>,
}

impl Tokens {
    /// What `bearer` allows at the resource `audience` ([`GRAPH`] or [`OUTLOOK`]).
    ///
    /// Claims are demanded only of clients that said they can answer the challenge, as Entra does it.
    pub fn check(&self, bearer: &str, audience: &str) -> Result<TokenInfo, Refused> {
        let registry = self.lock();
        let info = registry.issued.get(bearer).ok_or(Refused::Unknown)?;
        if info.audience != audience {
            return Err(Refused::OtherAudience);
        }
        if info.expires <= registry.now() {
            return Err(Refused::Expired);
        }
        if let Some(demanded) = registry.demanded.get(audience)
            && info.answers_challenges()
            && !demanded.iter().all(|(name, wanted)| satisfied(info, name, wanted))
        {
            let claims = json!({ "access_token": demanded }).to_string();
            return Err(Refused::InsufficientClaims { claims });
        }
        let revoked = info.user.as_ref().and_then(|user| registry.revoked.get(&user.id));
        if let Some(revoked) = revoked.filter(|revoked| info.answers_challenges() && info.issued <= **revoked)
        {
            let since = json!({ "essential": true, "value": revoked.as_second().to_string() });
            let claims = json!({ "access_token": { "nbf": since } }).to_string();
            return Err(Refused::InsufficientClaims { claims });
        }
        Ok(info.clone())
    }

    /// Makes `bearer` a good token. Faces do it when they issue one; a test may do it to have one at once.
    pub fn issue(&self, bearer: impl Into<String>, info: TokenInfo) {
        let (mut registry, bearer) = (self.lock(), bearer.into());
        registry.ever.insert(bearer.clone());
        registry.issued.insert(bearer, info);
    }

    /// Takes one token away, or all when `bearer` is `None`.
    pub fn take_away(&self, bearer: Option<&str>) {
        let mut registry = self.lock();
        registry.issued.retain(|token, _| bearer.is_some_and(|bearer| bearer != token));
    }

    /// From now on, tokens for `audience` need these claims: the members of `access_token` in a claims request, such as
    /// `{"nbf": {"essential": true, "value": "1604106651"}}` or `{"acrs": {"essential": true, "value": "c1"}}`.
    /// An empty map ends the demand.
    pub fn demand(&self, audience: &str, claims: Map<String, Value>) {
        let mut registry = self.lock();
        if claims.is_empty() {
            registry.demanded.remove(audience);
        } else {
            registry.demanded.insert(audience.to_owned(), claims);
        }
    }

    /// Every access and refresh token that was ever handed out, for a test that searches for them.
    pub fn ever_issued(&self) -> Vec<String> {
        self.lock().ever.iter().cloned().collect()
    }

    /// The time by the clock of the face.
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// Puts the clock of the face forward: tokens, codes and secrets age.
    pub fn advance(&self, by: SignedDuration) {
        let mut registry = self.lock();
        registry.ahead = registry.ahead.saturating_add(by);
    }

    /// From now on the user's tokens are challenged where their client can answer; those of other clients live on, as
    /// with Entra's continuous access evaluation.
    pub(crate) fn revoke(&self, user_id: &str) {
        let mut registry = self.lock();
        let now = registry.now();
        registry.revoked.insert(user_id.to_owned(), now);
    }

    /// Notes a refresh token that was handed out.
    pub(crate) fn note(&self, token: &str) {
        self.lock().ever.insert(token.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}

/// Whether a token has a demanded claim. `nbf` is a time: every token that was issued since has it.
fn satisfied(info: &TokenInfo, name: &str, wanted: &Value) -> bool {
    let value = |claim: &Value| claim.get("value").cloned();
    if name == "nbf" {
        let since = value(wanted).and_then(|value| value.as_str()?.parse::<i64>().ok());
        return since.is_some_and(|since| info.issued.as_second() >= since);
    }
    info.claims.get(name).is_some_and(|given| value(given) == value(wanted))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn info(tokens: &Tokens) -> TokenInfo {
        TokenInfo {
            tenant: "t".into(),
            app: "a".into(),
            audience: GRAPH.into(),
            user: None,
            scopes: Vec::new(),
            roles: vec!["Mail.ReadWrite".into()],
            issued: tokens.now(),
            expires: tokens.now() + 1.hour(),
            capabilities: vec!["cp1".into()],
            claims: Map::new(),
        }
    }

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_token_is_good_for_its_audience_and_time_only() {
        let tokens = Tokens::default();
        tokens.issue("tok", info(&tokens));
        assert!(tokens.check("tok", GRAPH).unwrap().has_role(&["Mail.ReadWrite"]));
        assert_eq!(tokens.check("tok", OUTLOOK).unwrap_err(), Refused::OtherAudience);
        assert_eq!(tokens.check("kot", GRAPH).unwrap_err(), Refused::Unknown);
        tokens.advance(SignedDuration::from_hours(1));
        assert_eq!(tokens.check("tok", GRAPH).unwrap_err(), Refused::Expired);
        tokens.take_away(Some("tok"));
        assert_eq!(tokens.check("tok", GRAPH).unwrap_err(), Refused::Unknown);
        assert_eq!(tokens.ever_issued(), ["tok"]);
    }

    #[test]
    fn demanded_claims_are_demanded_of_clients_that_can_answer() {
        let tokens = Tokens::default();
        let plain = TokenInfo { capabilities: Vec::new(), ..info(&tokens) };
        let acrs = json!({ "acrs": { "essential": true, "value": "c1" } });
        let stepped_up = TokenInfo { claims: claims(&acrs), ..info(&tokens) };
        tokens.issue("plain", plain);
        tokens.issue("able", info(&tokens));
        tokens.issue("stepped-up", stepped_up);
        tokens.demand(GRAPH, claims(&acrs));
        assert!(tokens.check("plain", GRAPH).is_ok());
        assert!(tokens.check("stepped-up", GRAPH).is_ok());
        let Refused::InsufficientClaims { claims: asked } = tokens.check("able", GRAPH).unwrap_err() else {
            unreachable!("the demand was not made")
        };
        assert_eq!(serde_json::from_str::<Value>(&asked).unwrap(), json!({ "access_token": acrs }));

        let since = |at: Timestamp| {
            claims(&json!({ "nbf": { "essential": true, "value": at.as_second().to_string() } }))
        };
        tokens.demand(GRAPH, since(tokens.now() + 1.minute()));
        assert!(tokens.check("able", GRAPH).is_err());
        tokens.demand(GRAPH, since(tokens.now() - 1.minute()));
        assert!(tokens.check("able", GRAPH).is_ok());
        tokens.demand(GRAPH, Map::new());
        assert!(tokens.check("able", GRAPH).is_ok());
    }
}
