//! Which scopes are asked for: those that an account needs, those that it can do without, and what is left of both when
//! a provider gave less or gives less now.

use std::collections::BTreeSet;

use crate::{Plan, Refusal};

/// Scopes of OpenID Connect, which stand for something else than access; answers often leave them out.
const NOT_ACCESS: [&str; 5] = ["openid", "profile", "email", "offline_access", "phone"];

impl Plan {
    /// The same, asking only for scopes that the account cannot do without: where others would need an administrator.
    #[must_use]
    pub fn without_optional(mut self) -> Self {
        self.asks_for_less = true;
        self
    }

    /// Whether scopes are asked for that the account can do without.
    #[must_use]
    pub fn asks_for_optional(&self) -> bool {
        !self.asks_for_less && !self.optional.is_empty()
    }

    /// The scopes of a sign-in.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &String> {
        self.scopes.iter().filter(|scope| !(self.asks_for_less && self.optional.contains(*scope)))
    }

    /// Whether a refusal is about what was asked for: less may be given.
    #[must_use]
    pub fn is_about_scopes(&self, refusal: &Refusal) -> bool {
        matches!(refusal.error.as_str(), "invalid_scope" | "consent_required")
            || self.consent_codes.contains(&refusal.code)
    }

    /// The scopes of a renewal. None: all that was granted, which a request without scopes stands for (RFC 6749, section
    /// 6). Where the grant lacks one that is optional, some providers take such a request for one of all that was asked
    /// for once, so what was granted is asked for by name.
    pub(crate) fn renewed(&self, granted: &[String]) -> Option<Vec<String>> {
        let lacks = self.missing(granted).iter().any(|scope| self.optional.contains(*scope));
        lacks.then(|| self.held(granted, true)).flatten()
    }

    /// Those of them that are needed; none where nothing is left to be left out.
    pub(crate) fn renewed_with_less(&self, granted: &[String]) -> Option<Vec<String>> {
        let (all, needed) = (self.held(granted, true)?, self.held(granted, false)?);
        (needed.len() < all.len()).then_some(needed)
    }

    /// What was asked for and granted. None when nothing of it gives access: then the provider calls it something else.
    fn held(&self, granted: &[String], with_optional: bool) -> Option<Vec<String>> {
        let missing = self.missing(granted);
        let held: Vec<String> = self
            .scopes
            .iter()
            .filter(|scope| !missing.contains(&scope.as_str()))
            .filter(|scope| with_optional || !self.optional.contains(*scope))
            .cloned()
            .collect();
        held.iter().any(|scope| !NOT_ACCESS.contains(&scope.to_ascii_lowercase().as_str())).then_some(held)
    }

    /// Scopes that belong to the account and are not among the granted ones. Providers write a scope of a resource with
    /// the resource before it or without; those of OpenID Connect stand for something else than access.
    #[must_use]
    pub fn missing<'a>(&'a self, granted: &[String]) -> Vec<&'a str> {
        if self.kind == wissel_model::description::AuthKind::OAuth2Client {
            return Vec::new();
        }
        let bare = |scope: &str| {
            let scope = scope.to_ascii_lowercase();
            let resource = format!("{}/", self.resource.trim_end_matches('/').to_ascii_lowercase());
            scope.strip_prefix(&resource).map(str::to_owned).unwrap_or(scope)
        };
        let granted: BTreeSet<String> = granted.iter().map(|scope| bare(scope)).collect();
        let lacks = |scope: &&String| {
            let scope = bare(scope);
            !NOT_ACCESS.contains(&scope.as_str()) && scope != ".default" && !granted.contains(&scope)
        };
        self.scopes.iter().filter(lacks).map(String::as_str).collect()
    }
}
