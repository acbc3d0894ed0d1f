//! Whether an answer comes from the provider that was asked: its issuer (RFC 9207; OpenID Connect Core 1.0, section
//! 3.1.3.7, item 2).

use url::Url;

use crate::grant::issuer_of;
use crate::{AuthError, Plan, Provider};

impl Plan {
    /// Checks who an answer says it comes from. Where the description names no issuer, it has to be of the origin of the
    /// page or of the token endpoint.
    pub(crate) fn check_issuer(&self, issuer: &str) -> Result<(), AuthError> {
        let fits = if self.issuers.is_empty() {
            let own = [self.authorize.as_ref(), Some(&self.token)];
            let is_own = |origin| own.into_iter().flatten().any(|url| url.origin() == origin);
            Url::parse(issuer).is_ok_and(|issuer| issuer.has_host() && is_own(issuer.origin()))
        } else {
            self.issuers.iter().any(|pattern| fits(pattern, issuer))
        };
        if fits {
            return Ok(());
        }
        let got = issuer.chars().filter(|letter| !letter.is_control()).take(200).collect();
        Err(AuthError::OtherIssuer { got })
    }
}

impl Provider<'_> {
    /// Checks the issuer of an ID token that came with a sign-in, where the description says what it has to be.
    pub(crate) fn check_id_token(&self, id_token: Option<&str>) -> Result<(), AuthError> {
        match id_token.and_then(issuer_of).filter(|_| !self.plan.issuers.is_empty()) {
            Some(issuer) => self.plan.check_issuer(&issuer),
            None => Ok(()),
        }
    }
}

/// Compared letter by letter (RFC 9207, section 2.4), but for the segments that the pattern leaves open.
fn fits(pattern: &str, issuer: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), issuer.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some("*"), Some(segment)) if is_segment(segment) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-._".contains(&letter))
}
