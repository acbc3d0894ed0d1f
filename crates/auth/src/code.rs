//! Authorisation code with PKCE: the link that a person opens, and what comes of the answer.

use jiff::{SignedDuration, Timestamp};
use oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use wissel_model::clock;
use zeroize::Zeroizing;

use crate::binding::Binding;
use crate::web::refused;
use crate::{Answer, AuthError, Grant, Plan, Provider};

/// How long the answer to a link is taken: an administrator elsewhere gets round to it within a day.
const LINK_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// A sign-in that was begun.
pub struct Authorization {
    /// What the person opens.
    pub link: Url,
    /// What its answer is checked against.
    pub pending: Pending,
}

/// What the answer to a link is checked against, and redeemed with. Kept sealed while somebody signs in elsewhere.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    state: String,
    verifier: String,
    redirect: String,
    begun: Timestamp,
    /// Who redeems the answer; none from versions that did not note it.
    #[serde(default)]
    binding: Option<Binding>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("redirect", &self.redirect)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.verifier);
    }
}

impl Authorization {
    /// Begins a sign-in whose answer comes to `redirect`, which stays letter by letter as it is: providers compare it so.
    /// `claims`: what the service demanded of a token, and no renewal could give.
    ///
    /// # Errors
    /// The method has no page where a person signs in.
    pub fn begin(plan: &Plan, redirect: &str, claims: Option<&str>) -> Result<Self, AuthError> {
        let unusable = |what: &str| AuthError::setting(None, what.to_owned());
        let page = plan.authorize.clone().ok_or_else(|| {
            unusable("this auth method has no page where a person signs in for these settings")
        })?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let redirect_url = RedirectUrl::new(redirect.to_owned())
            .map_err(|_| unusable("the redirect address is not a URL"))?;
        let client = oauth2::basic::BasicClient::new(oauth2::ClientId::new(plan.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(page))
            .set_redirect_uri(redirect_url);
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(plan.asked().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        for (name, value) in plan.page_parameters(claims)? {
            request = request.add_extra_param(name, value);
        }
        let (link, state) = request.url();
        let pending = Pending {
            state: state.secret().clone(),
            verifier: verifier.secret().clone(),
            redirect: redirect.to_owned(),
            begun: clock::now(),
            binding: Some(plan.binding()),
        };
        Ok(Self { link, pending })
    }
}

impl Pending {
    /// What the answer has to bear, to be one to this sign-in.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Reads what [`write`](Self::write) wrote, if its answer is still waited for.
    ///
    /// # Errors
    /// [`AuthError::NothingPending`].
    pub fn read(text: &SecretString) -> Result<Self, AuthError> {
        let nothing = |why| AuthError::NothingPending { why };
        let pending: Self = serde_json::from_str(text.expose_secret())
            .map_err(|_| nothing("what was kept of it cannot be read; begin again"))?;
        let ends = pending.begun.saturating_add(LINK_LASTS).unwrap_or(Timestamp::MAX);
        if clock::now() > ends {
            return Err(nothing("the link is older than a day; make a new one with --link"));
        }
        Ok(pending)
    }

    /// The document to be kept, sealed.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn write(&self) -> Result<SecretString, AuthError> {
        let text = serde_json::to_string(self).map(Zeroizing::new);
        let text = text.map_err(|error| AuthError::Protocol(error.to_string()))?;
        Ok(SecretString::from(text.as_str()))
    }
}

impl Provider<'_> {
    /// Redeems the answer to a sign-in. An answer without state, such as a bare code, is bound to it by PKCE alone.
    ///
    /// # Errors
    /// The answer belongs to another sign-in or comes from somebody else, or the provider refuses.
    pub async fn finish(&self, pending: &Pending, answer: &Answer) -> Result<Grant, AuthError> {
        if answer.state.as_ref().is_some_and(|state| *state != pending.state) {
            return Err(AuthError::OtherState);
        }
        if pending.binding.as_ref().is_some_and(|binding| *binding != self.plan.binding()) {
            let why = "the settings have changed since the link was made; make a new one with --link";
            return Err(AuthError::NothingPending { why });
        }
        if let Some(issuer) = &answer.issuer {
            self.plan.check_issuer(issuer)?;
        }
        if let Some(error) = &answer.error {
            return Err(refused(&self.plan, error, answer.description.as_deref(), &[]));
        }
        let Some(code) = &answer.code else {
            return Err(AuthError::Protocol("the answer holds neither a code nor an error".to_owned()));
        };
        self.redeem(code, &pending.verifier, &pending.redirect).await
    }
}
