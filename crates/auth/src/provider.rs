//! Requests for tokens: each way that the protocol knows to get one.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenType};
use oauth2::{
    AuthorizationCode, Client, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken,
    StandardTokenIntrospectionResponse, StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use wissel_model::description::AuthMethod;
use wissel_model::{Account, Description, SecretKind, clock};

use crate::grant::signed_in;
use crate::proof::Proof;
use crate::web::{Asker, meaning};
use crate::{AuthError, Grant, Grants, Plan, Web};

/// Seconds that a token is taken to be good for when the answer does not say.
const UNSAID: u64 = 3600;
/// The longest that is believed, in seconds.
const LONGEST: u64 = 366 * 24 * 60 * 60;

/// What an answer holds beside RFC 6749.
#[derive(Serialize, Deserialize)]
pub(crate) struct Extra {
    pub(crate) id_token: Option<String>,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extra").finish_non_exhaustive()
    }
}

impl ExtraTokenFields for Extra {}

pub(crate) type TokenAnswer = StandardTokenResponse<Extra, BasicTokenType>;

type OAuth = Client<
    BasicErrorResponse,
    TokenAnswer,
    StandardTokenIntrospectionResponse<EmptyExtraTokenFields, BasicTokenType>,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A provider as one account asks it.
pub struct Provider<'a> {
    pub(crate) plan: Plan,
    pub(crate) proof: Proof,
    pub(crate) asker: Asker<'a>,
}

impl<'a> Provider<'a> {
    /// The provider of the account's method, with the client's secret that is in use.
    ///
    /// # Errors
    /// The settings do not lead there, or there is no secret that fits.
    pub async fn of(
        account: &'a Account,
        description: &'a Description,
        method: &AuthMethod,
        grants: &dyn Grants,
        web: &'a dyn Web,
    ) -> Result<Self, AuthError> {
        let stored = match &account.client {
            Some(client) => grants.client_secret(client.id).await.map_err(AuthError::Storage)?,
            None => None,
        };
        Self::with(account, description, method, stored, web)
    }

    /// The same with a secret that is not in use (yet).
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn with(
        account: &'a Account,
        description: &'a Description,
        method: &AuthMethod,
        secret: Option<(SecretKind, SecretString)>,
        web: &'a dyn Web,
    ) -> Result<Self, AuthError> {
        let plan = Plan::new(account, method)?;
        let client = match &account.client {
            Some(client) => format!("the OAuth client '{}'", client.name),
            None => "the account's OAuth client".to_owned(),
        };
        plan.check_owner(account, description)?;
        let proof = Proof::choose(&plan, &client, secret)?;
        Ok(Self { plan, proof, asker: Asker { account, description, web } })
    }

    /// The same, asking only for scopes that the account cannot do without.
    #[must_use]
    pub fn without_optional(mut self) -> Self {
        self.plan = self.plan.without_optional();
        self
    }

    /// What is asked for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn client(&self) -> OAuth {
        let client = Client::new(ClientId::new(self.plan.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.plan.token.clone()));
        // Sent as RFC 6749, section 2.3.1 demands of every provider: by HTTP's Basic.
        match &self.proof {
            Proof::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Proof::None | Proof::Certificate(_) => client,
        }
    }

    /// Further parameters of a request for a token.
    pub(crate) fn parameters(&self, claims: Option<&str>) -> Result<Vec<(String, String)>, AuthError> {
        let mut parameters = self.plan.token_parameters(claims)?;
        parameters.extend(self.proof.parameters(&self.plan)?);
        Ok(parameters)
    }

    /// What may not show in the provider's words.
    pub(crate) fn hidden<'b>(&'b self, more: &[&'b str]) -> Vec<&'b str> {
        let own = self.proof.secret().map(ExposeSecret::expose_secret);
        own.into_iter().chain(more.iter().copied()).collect()
    }

    /// The scopes of a request for a token.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.plan.asked().cloned().map(Scope::new)
    }

    /// A token for a code (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
    pub(crate) async fn redeem(
        &self,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<Grant, AuthError> {
        let client = self.client();
        let redirect = RedirectUrl::new(redirect.to_owned())
            .map_err(|_| AuthError::setting(None, "the redirect address is not a URL"))?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .set_redirect_uri(std::borrow::Cow::Owned(redirect));
        for (name, value) in self.parameters(None)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.asker).await;
        let answer = answer.map_err(|error| meaning(&self.plan, error, &self.hidden(&[code, verifier])))?;
        self.check_id_token(answer.extra_fields().id_token.as_deref())?;
        Ok(self.grant(&answer, None, None))
    }

    /// A token as the client itself, for no user (RFC 6749, section 4.4).
    ///
    /// # Errors
    /// The provider does not give one.
    pub async fn as_client(&self, claims: Option<&str>) -> Result<Grant, AuthError> {
        let client = self.client();
        let mut request = client.exchange_client_credentials().add_scopes(self.scopes());
        for (name, value) in self.parameters(claims)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.asker).await;
        let answer = answer.map_err(|error| meaning(&self.plan, error, &self.hidden(&[])))?;
        Ok(self.grant(&answer, None, None))
    }

    /// A new token for an old grant (RFC 6749, section 6). Where the provider does not give all of it any more, it is asked
    /// once for what the account cannot do without.
    pub(crate) async fn renew(&self, old: &Grant, claims: Option<&str>) -> Result<Grant, AuthError> {
        let asked = self.plan.renewed(&old.scopes);
        match self.refresh(old, asked.as_deref(), claims).await {
            Err(AuthError::Refused(refusal)) if self.plan.is_about_scopes(&refusal) => {
                let Some(less) = self.plan.renewed_with_less(&old.scopes) else {
                    return Err(AuthError::Refused(refusal));
                };
                self.refresh(old, Some(&less), claims).await
            }
            answered => answered,
        }
    }

    async fn refresh(
        &self,
        old: &Grant,
        scopes: Option<&[String]>,
        claims: Option<&str>,
    ) -> Result<Grant, AuthError> {
        if let Some(changed) = old.changed(&self.plan) {
            return Err(AuthError::Changed(changed));
        }
        let Some(refresh) = &old.refresh_token else { return Err(AuthError::NotAuthorized) };
        let refresh = refresh.expose_secret();
        let client = self.client();
        let token = RefreshToken::new(refresh.to_owned());
        let asked = scopes.into_iter().flatten().cloned().map(Scope::new);
        let mut request = client.exchange_refresh_token(&token).add_scopes(asked);
        for (name, value) in self.parameters(claims)? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.asker).await;
        let answer = answer.map_err(|error| meaning(&self.plan, error, &self.hidden(&[refresh])))?;
        Ok(self.grant(&answer, Some(old), scopes))
    }

    /// What an answer grants. What it leaves out stays as it was: the scopes that were asked for (RFC 6749, section 5.1),
    /// the refresh token (section 6), the user.
    pub(crate) fn grant(&self, answer: &TokenAnswer, old: Option<&Grant>, asked: Option<&[String]>) -> Grant {
        let now = clock::now();
        let seconds = answer.expires_in().map_or(UNSAID, |time| time.as_secs()).min(LONGEST);
        let seconds = i64::try_from(seconds).unwrap_or(0);
        let granted = answer.scopes().filter(|scopes| !scopes.is_empty());
        let id = answer.extra_fields().id_token.as_deref();
        Grant {
            access_token: Some(SecretString::from(answer.access_token().secret().as_str())),
            refresh_token: answer
                .refresh_token()
                .map(|token| SecretString::from(token.secret().as_str()))
                .or_else(|| old?.refresh_token.clone()),
            expires: now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX),
            scopes: match (granted, asked, old) {
                (Some(scopes), ..) => scopes.iter().map(|scope| scope.to_string()).collect(),
                (None, Some(asked), _) => asked.to_vec(),
                (None, None, Some(old)) => old.scopes.clone(),
                (None, None, None) => self.plan.asked().cloned().collect(),
            },
            user: id.and_then(signed_in).or_else(|| old?.user.clone()),
            authorized: old.map_or(now, |old| old.authorized),
            renewed: now,
            binding: Some(self.plan.binding()),
            ..Grant::empty(now)
        }
    }
}
