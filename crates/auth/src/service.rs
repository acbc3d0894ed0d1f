//! Tokens that are there and stay fresh: kept, renewed before they end, by one task of one process at a time.
//!
//! A token is stored before anybody may use it. So a process that dies between the provider's answer and the store loses
//! that answer only; the next renewal begins from what is stored.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::{
    AccessToken, Account, AccountId, ConnectorError, Description, RefusedToken, SecretKind, Tokens, clock,
    fault,
};

use crate::failure::Failure;
use crate::{AuthError, Grant, Grants, Pending, Plan, Provider, Web, lock};

/// The longest time before its end that a token is renewed, in seconds; short-lived ones are renewed in their last fifth.
const AHEAD: i64 = 300;
/// How long what was read is used without looking whether another process has changed it.
const KNOWN_FOR: Duration = Duration::from_secs(20);

/// What this process knows of one grant, and its turn among the tasks.
type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Grant)>>>;

/// Gives out tokens, and keeps what accounts were granted.
pub struct Authority {
    grants: Arc<dyn Grants>,
    web: Arc<dyn Web>,
    locks: PathBuf,
    slots: Mutex<HashMap<(AccountId, String), Slot>>,
}

impl Authority {
    /// `locks`: the directory of lock files, the same for every process of an installation.
    #[must_use]
    pub fn new(grants: Arc<dyn Grants>, web: Arc<dyn Web>, locks: PathBuf) -> Self {
        Self { grants, web, locks, slots: Mutex::default() }
    }

    /// The provider of an account's method.
    ///
    /// # Errors
    /// See [`Provider::of`].
    pub async fn provider<'a>(
        &'a self,
        account: &'a Account,
        description: &'a Description,
        method: &AuthMethod,
    ) -> Result<Provider<'a>, AuthError> {
        Provider::of(account, description, method, &*self.grants, &*self.web).await
    }

    /// The provider with a secret of the client that is not in use (yet), to test it.
    ///
    /// # Errors
    /// See [`Provider::with`].
    pub fn provider_with<'a>(
        &'a self,
        account: &'a Account,
        description: &'a Description,
        method: &AuthMethod,
        secret: (SecretKind, secrecy::SecretString),
    ) -> Result<Provider<'a>, AuthError> {
        Provider::with(account, description, method, Some(secret), &*self.web)
    }

    /// What the account was granted, if it was.
    ///
    /// # Errors
    /// What is stored cannot be opened or read.
    pub async fn granted(&self, account: &Account, plan: &Plan) -> Result<Option<Grant>, AuthError> {
        let text = self.grants.load(account.id, &plan.field()).await.map_err(AuthError::Storage)?;
        text.as_ref().map(Grant::read).transpose()
    }

    /// What the service demanded of a token, and no renewal could give: whoever signs in again is asked for it.
    pub async fn demanded(&self, account: &Account, plan: &Plan) -> Option<String> {
        let grant = self.granted(account, plan).await.ok().flatten()?;
        grant.claims.filter(|_| grant.failure.is_some())
    }

    /// Tries a secret of the client that is not in use (yet) by renewing what the account was granted. What the provider
    /// gives is kept before anything else, as after any renewal: it may take the place of what it was asked with. A
    /// refusal leaves all as it is.
    ///
    /// # Errors
    /// [`AuthError::NotAuthorized`] when there is nothing to renew; else the provider refuses, or it cannot be stored.
    pub async fn try_secret(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        secret: (SecretKind, secrecy::SecretString),
    ) -> Result<(), AuthError> {
        let provider = self.provider_with(account, description, method, secret)?;
        if method.kind == AuthKind::OAuth2Client {
            return provider.as_client(None).await.map(drop);
        }
        let field = provider.plan.field();
        let slot = self.slot(account.id, &field);
        let mut known = slot.lock().await;
        let _turn = lock::take(&self.locks, account.id, &field).await?;
        let old = self.granted(account, &provider.plan).await?.ok_or(AuthError::NotAuthorized)?;
        let grant = provider.renew(&old, None).await?;
        self.received(account, &field, &grant).await?;
        *known = Some((Instant::now(), grant));
        Ok(())
    }

    /// Keeps a new grant in place of what was there, whatever state that was in.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn keep(&self, account: &Account, plan: &Plan, grant: &Grant) -> Result<(), AuthError> {
        let field = plan.field();
        let slot = self.slot(account.id, &field);
        let mut known = slot.lock().await;
        let _turn = lock::take(&self.locks, account.id, &field).await?;
        self.save(account.id, &field, grant).await?;
        *known = Some((Instant::now(), grant.clone()));
        Ok(())
    }

    /// Keeps a sign-in whose answer comes later.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn keep_pending(
        &self,
        account: &Account,
        plan: &Plan,
        pending: &Pending,
    ) -> Result<(), AuthError> {
        let saved = self.grants.save(account.id, &plan.pending_field(), &pending.write()?).await;
        saved.map_err(AuthError::Storage)
    }

    /// The sign-in whose answer has come now.
    ///
    /// # Errors
    /// [`AuthError::NothingPending`].
    pub async fn pending(&self, account: &Account, plan: &Plan) -> Result<Pending, AuthError> {
        let text = self.grants.load(account.id, &plan.pending_field()).await.map_err(AuthError::Storage)?;
        let text = text.ok_or(AuthError::NothingPending {
            why: "none was begun, or its answer was used already; make a link with --link",
        })?;
        Pending::read(&text)
    }

    /// Forgets the sign-in, once its answer was used: an answer counts once.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn forget_pending(&self, account: &Account, plan: &Plan) -> Result<(), AuthError> {
        self.grants.remove(account.id, &plan.pending_field()).await.map_err(AuthError::Storage)
    }

    fn slot(&self, account: AccountId, field: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((account, field.to_owned())).or_default())
    }

    async fn save(&self, account: AccountId, field: &str, grant: &Grant) -> Result<(), AuthError> {
        self.grants.save(account, field, &grant.write()?).await.map_err(AuthError::Storage)
    }

    /// Keeps what a provider has just given.
    async fn received(&self, account: &Account, field: &str, grant: &Grant) -> Result<(), AuthError> {
        fault::point("token-received");
        self.save(account.id, field, grant).await?;
        fault::point("token-stored");
        tracing::debug!(account = account.name, expires = %grant.expires, "token renewed");
        Ok(())
    }

    async fn get(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        refused: Option<&RefusedToken>,
    ) -> Result<AccessToken, AuthError> {
        let plan = Plan::new(account, method)?;
        let field = plan.field();
        let slot = self.slot(account.id, &field);
        let mut known = slot.lock().await;
        if let Some((read, grant)) = &*known
            && read.elapsed() < KNOWN_FOR
            && let Some(token) = usable(grant, refused)
        {
            return Ok(token);
        }
        if let Some(grant) = self.granted(account, &plan).await? {
            if let Some(token) = usable(&grant, refused) {
                *known = Some((Instant::now(), grant));
                return Ok(token);
            }
        } else if method.kind != AuthKind::OAuth2Client {
            *known = None;
            return Err(AuthError::NotAuthorized);
        }
        let _turn = lock::take(&self.locks, account.id, &field).await?;
        // Whoever had the turn before may have renewed it.
        let old = self.granted(account, &plan).await?.unwrap_or_else(|| Grant::empty(clock::now()));
        if let Some(token) = usable(&old, refused) {
            *known = Some((Instant::now(), old));
            return Ok(token);
        }
        let grant = self.renewed(account, description, method, &old, refused).await?;
        *known = Some((Instant::now(), grant.clone()));
        grant.token().ok_or(AuthError::NotAuthorized)
    }

    /// The grant renewed and stored; or the old one, while its token is good and the provider cannot be reached.
    async fn renewed(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        old: &Grant,
        refused: Option<&RefusedToken>,
    ) -> Result<Grant, AuthError> {
        let provider = self.provider(account, description, method).await?;
        let field = provider.plan.field();
        let claims = refused.and_then(|refused| refused.claims.as_deref());
        let with = circumstances(&provider, old, claims);
        let still_good = || old.is_good(clock::now()) && !is_refused(old, refused);
        if let Some(failure) = old.failure.as_ref().filter(|failure| failure.holds(&with, clock::now())) {
            return if still_good() { Ok(old.clone()) } else { Err(failure.error()) };
        }
        let asked = match method.kind {
            AuthKind::OAuth2Client => provider.as_client(claims).await,
            AuthKind::OAuth2Code | AuthKind::OAuth2Device => provider.renew(old, claims).await,
            AuthKind::OAuth2Jwt | AuthKind::Password | AuthKind::Ntlm => {
                Err(AuthError::setting(None, format!("the auth method '{}' has no tokens", method.id)))
            }
        };
        match asked {
            Ok(grant) => {
                let grant = Grant { claims: claims.map(str::to_owned), ..grant };
                self.received(account, &field, &grant).await?;
                Ok(grant)
            }
            Err(AuthError::Refused(refusal)) => {
                let failure = Failure::after(old.failure.as_ref(), &refusal, with, clock::now());
                tracing::warn!(
                    account = account.name,
                    code = failure.code,
                    attempts = failure.attempts,
                    "the provider refuses to renew the authorisation"
                );
                let claims = claims.map(str::to_owned).or_else(|| old.claims.clone());
                let failed = Grant { claims, failure: Some(failure), ..old.clone() };
                self.save(account.id, &field, &failed).await?;
                if still_good() { Ok(failed) } else { Err(AuthError::Refused(refusal)) }
            }
            Err(error @ AuthError::Unavailable { .. }) if still_good() => {
                tracing::warn!(account = account.name, %error, "the token is not renewed yet; the old one is still good");
                Ok(old.clone())
            }
            Err(error) => Err(error),
        }
    }
}

/// The token, unless it ends soon or is the refused one.
fn usable(grant: &Grant, refused: Option<&RefusedToken>) -> Option<AccessToken> {
    if is_refused(grant, refused) {
        return None;
    }
    let lifetime = grant.expires.as_second().saturating_sub(grant.renewed.as_second());
    let ahead = SignedDuration::from_secs((lifetime / 5).clamp(0, AHEAD));
    let now = clock::now();
    let soon = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    // A clock that was set back since: by it, the token lasts longer than it was given for.
    let believable = grant.renewed.as_second() <= now.as_second().saturating_add(AHEAD);
    (believable && grant.expires > soon).then(|| grant.token()).flatten()
}

fn is_refused(grant: &Grant, refused: Option<&RefusedToken>) -> bool {
    let (Some(token), Some(refused)) = (&grant.access_token, refused) else { return false };
    // Another token that was not asked to hold what is demanded would be refused as well.
    let lacks = refused.claims.is_some() && grant.claims != refused.claims;
    lacks || token.expose_secret() == refused.token.expose_secret()
}

/// A digest of what a provider is asked with: as long as it is the same, a refusal stays one.
fn circumstances(provider: &Provider<'_>, old: &Grant, claims: Option<&str>) -> String {
    let plan = &provider.plan;
    let mut digest = Sha256::new();
    let (kind, secret) = provider.proof.parts();
    let refresh = old.refresh_token.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    let scopes = plan.scopes.join(" ");
    let claims = claims.unwrap_or_default();
    for part in [plan.token.as_str(), &plan.client_id, &scopes, kind, secret, refresh, claims] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex::encode(digest.finalize())
}

#[async_trait]
impl Tokens for Authority {
    async fn token(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        refused: Option<&RefusedToken>,
    ) -> Result<AccessToken, ConnectorError> {
        Ok(self.get(account, description, method, refused).await?)
    }
}
