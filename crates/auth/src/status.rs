//! How the authorisation of an account stands: what `account list`, `account show` and `doctor` say.

use jiff::Timestamp;
use wissel_model::clock;
use wissel_model::description::AuthKind;

use crate::{Changed, Failure, Grant, Plan};

/// How it stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has authorised it.
    Unauthorized,
    /// Tokens come.
    Authorized,
    /// Tokens come, and will stop unless a person acts.
    Expiring,
    /// The provider refuses.
    Failing,
}

impl Standing {
    /// The word that programs read.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Authorized => "authorized",
            Self::Expiring => "expiring",
            Self::Failing => "failing",
        }
    }
}

/// How the authorisation stands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// In one word.
    pub standing: Standing,
    /// Who signed in.
    pub user: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What was asked for, is needed, and was not granted.
    pub missing: Vec<String>,
    /// What has changed since it was authorised, so that this does not count any more.
    pub changed: Option<Changed>,
    /// When a person authorised it.
    pub authorized: Option<Timestamp>,
    /// When tokens stop coming; none when they are renewed.
    pub ends: Option<Timestamp>,
    /// What the provider refuses.
    pub failure: Option<Failure>,
}

/// How a grant stands.
#[must_use]
pub fn status(plan: &Plan, grant: Option<&Grant>) -> Status {
    let now = clock::now();
    let changed = grant.and_then(|grant| grant.changed(plan));
    let grant = grant.filter(|_| changed.is_none());
    let by_itself = plan.kind == AuthKind::OAuth2Client;
    let failure = grant.and_then(|grant| grant.failure.clone());
    let has_token = grant.is_some_and(|grant| grant.access_token.is_some());
    let renews = by_itself || grant.is_some_and(Grant::renewable);
    let standing = match grant {
        _ if failure.is_some() => Standing::Failing,
        Some(_) if has_token && renews => Standing::Authorized,
        Some(grant) if grant.is_good(now) => Standing::Expiring,
        _ => Standing::Unauthorized,
    };
    let scopes = grant.map(|grant| grant.scopes.clone()).unwrap_or_default();
    let missing = if has_token { plan.missing(&scopes) } else { Vec::new() };
    Status {
        standing,
        user: grant.and_then(|grant| grant.user.clone()),
        missing: missing
            .into_iter()
            .filter(|scope| !plan.optional.contains(*scope))
            .map(str::to_owned)
            .collect(),
        scopes,
        changed: changed.filter(|_| !by_itself),
        authorized: grant.filter(|_| has_token).map(|grant| grant.authorized),
        ends: grant.filter(|_| has_token && !renews).map(|grant| grant.expires),
        failure,
    }
}
