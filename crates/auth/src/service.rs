//! Tokens that are there and stay fresh: kept, renewed before they end, by one task of one process at a time.
//!
//! A token is stored before anybody may use it. So a process that dies between the provider's answer and the store loses
//! that answer only; the next renewal begins from what is stored.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio_util::task::TaskTracker;
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::{
    AccessToken, Account, AccountId, ConnectorError, Description, RefusedToken, SecretKind, Tokens, clock,
    fault,
};

use crate::failure::Failure;
use crate::held::{Held, Slot, Unsaved};
use crate::{AuthError, Grant, Grants, Pending, Plan, Provider, Web, lock};

/// The longest time before its end that a token is renewed, in seconds; short-lived ones are renewed in their last fifth.
const AHEAD: i64 = 300;
/// How long what was read is used without looking whether another process has changed it.
const KNOWN_FOR: Duration = Duration::from_secs(20);

/// Gives out tokens, and keeps what accounts were granted. Clones are one and the same.
#[derive(Clone)]
pub struct Authority {
    grants: Arc<dyn Grants>,
    web: Arc<dyn Web>,
    pub(crate) locks: Arc<Path>,
    pub(crate) slots: Arc<Mutex<HashMap<(AccountId, String), Slot>>>,
    pub(crate) under_way: TaskTracker,
}

impl Authority {
    /// `locks`: the directory of lock files, the same for every process of an installation.
    #[must_use]
    pub fn new(grants: Arc<dyn Grants>, web: Arc<dyn Web>, locks: impl Into<Arc<Path>>) -> Self {
        Self { grants, web, locks: locks.into(), slots: Arc::default(), under_way: TaskTracker::new() }
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
        self.stored(account.id, &plan.field()).await
    }

    pub(crate) async fn stored(&self, account: AccountId, field: &str) -> Result<Option<Grant>, AuthError> {
        let text = self.grants.load(account, field).await.map_err(AuthError::Storage)?;
        text.as_ref().map(Grant::read).transpose()
    }

    /// What the service demanded of a token, and no renewal could give: whoever signs in again is asked for it.
    pub async fn demanded(&self, account: &Account, plan: &Plan) -> Option<String> {
        let grant = self.granted(account, plan).await.ok().flatten()?;
        let counts = grant.failure.is_some() && grant.changed(plan).is_none();
        grant.claims.filter(|_| counts)
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
        let provider = self.provider_with(account, description, method, secret.clone())?;
        if method.kind == AuthKind::OAuth2Client {
            return provider.as_client(None).await.map(drop);
        }
        let field = provider.plan.field();
        let mut held = self.slot(account.id, &field).lock_owned().await;
        let turn = lock::take(&self.locks, account.id, &field).await?;
        let (authority, account) = (self.clone(), account.clone());
        let (description, method) = (description.clone(), method.clone());
        self.apart(async move {
            let _turn = turn;
            let provider = authority.provider_with(&account, &description, &method, secret)?;
            let old = authority.caught_up(account.id, &field, &mut held).await?;
            let old = old.ok_or(AuthError::NotAuthorized)?;
            let grant = provider.renew(&old, None).await?;
            authority.received(&account, &field, &old, grant, &mut held).await
        })
        .await
    }

    /// Keeps a new grant in place of what was there, whatever state that was in.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn keep(&self, account: &Account, plan: &Plan, grant: &Grant) -> Result<(), AuthError> {
        let field = plan.field();
        let slot = self.slot(account.id, &field);
        let mut held = slot.lock().await;
        let _turn = lock::take(&self.locks, account.id, &field).await?;
        self.save(account.id, &field, grant).await?;
        held.is_stored(grant.clone());
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
        let pending = Pending::read(&text);
        if pending.is_err() {
            self.forget_pending(account, plan).await?;
        }
        pending
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

    pub(crate) async fn save(&self, account: AccountId, field: &str, grant: &Grant) -> Result<(), AuthError> {
        self.grants.save(account, field, &grant.write()?).await.map_err(AuthError::Storage)
    }

    /// Keeps what a provider has just given for the old grant. What cannot be stored is kept at hand, and stored before
    /// anything else is done with the grant.
    async fn received(
        &self,
        account: &Account,
        field: &str,
        old: &Grant,
        grant: Grant,
        held: &mut Held,
    ) -> Result<(), AuthError> {
        fault::point("token-received");
        if let Err(error) = self.save(account.id, field, &grant).await {
            // What the client gets for itself can be had again.
            let replaces = old.refresh_token.clone();
            let unsaved = replaces.map(|replaces| Unsaved { grant, replaces });
            *held = Held { known: None, unsaved };
            return Err(error);
        }
        fault::point("token-stored");
        tracing::debug!(account = account.name, expires = %grant.expires, "token renewed");
        held.is_stored(grant);
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
        let mut held = self.slot(account.id, &field).lock_owned().await;
        if held.unsaved.is_none() {
            if let Some((read, grant)) = &held.known
                && read.elapsed() < KNOWN_FOR
                && let Some(token) = usable(&plan, grant, refused)
            {
                return Ok(token);
            }
            if let Some(token) = self.look(account, &plan, refused, &mut held).await? {
                return Ok(token);
            }
        }
        let turn = lock::take(&self.locks, account.id, &field).await?;
        let (authority, account, refused) = (self.clone(), account.clone(), refused.cloned());
        let (description, method) = (description.clone(), method.clone());
        // From here on nothing is broken off: the provider may take back what is stored when it answers.
        self.apart(async move {
            let _turn = turn;
            // Whoever had the turn before may have renewed it.
            let old = authority.caught_up(account.id, &field, &mut held).await?;
            let old = old.filter(|old| old.changed(&plan).is_none() || method.kind != AuthKind::OAuth2Client);
            let old = old.unwrap_or_else(|| Grant::empty(clock::now()));
            if let Some(token) = usable(&plan, &old, refused.as_ref()) {
                held.is_stored(old);
                return Ok(token);
            }
            let renewing =
                authority.renewed(&account, &description, &method, &old, refused.as_ref(), &mut held);
            renewing.await?.ok_or(AuthError::NotAuthorized)
        })
        .await
    }

    /// The token that is stored, if it can be used; none when there is one to be renewed.
    async fn look(
        &self,
        account: &Account,
        plan: &Plan,
        refused: Option<&RefusedToken>,
        held: &mut Held,
    ) -> Result<Option<AccessToken>, AuthError> {
        held.known = None;
        let by_itself = plan.kind == AuthKind::OAuth2Client;
        let Some(grant) = self.granted(account, plan).await? else {
            return if by_itself { Ok(None) } else { Err(AuthError::NotAuthorized) };
        };
        let token = usable(plan, &grant, refused);
        match grant.changed(plan) {
            Some(changed) if !by_itself => return Err(AuthError::Changed(changed)),
            _ if token.is_some() => held.is_stored(grant),
            _ => {}
        }
        Ok(token)
    }

    /// The token of the grant renewed and stored; or of the old one, while it is good and the provider cannot be reached.
    async fn renewed(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        old: &Grant,
        refused: Option<&RefusedToken>,
        held: &mut Held,
    ) -> Result<Option<AccessToken>, AuthError> {
        let provider = self.provider(account, description, method).await?;
        let field = provider.plan.field();
        let claims = refused.and_then(|refused| refused.claims.as_deref());
        let with = circumstances(&provider, old, claims);
        let still_good = || old.is_good(clock::now()) && !is_refused(old, refused);
        if let Some(failure) = old.failure.as_ref().filter(|failure| failure.holds(&with, clock::now())) {
            return if still_good() { Ok(old.token()) } else { Err(failure.error()) };
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
                let token = grant.token();
                self.received(account, &field, old, grant, held).await?;
                Ok(token)
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
                held.is_stored(failed);
                if still_good() { Ok(old.token()) } else { Err(AuthError::Refused(refusal)) }
            }
            Err(error @ AuthError::Unavailable { .. }) if still_good() => {
                tracing::warn!(account = account.name, %error, "the token is not renewed yet; the old one is still good");
                held.is_stored(old.clone());
                Ok(old.token())
            }
            Err(error) => Err(error),
        }
    }
}

/// The token, unless it ends soon, is the refused one, or was given for something else.
fn usable(plan: &Plan, grant: &Grant, refused: Option<&RefusedToken>) -> Option<AccessToken> {
    if is_refused(grant, refused) || grant.changed(plan).is_some() {
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
