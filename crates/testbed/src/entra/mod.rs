//! The Entra face: who may have which token for which service.
//!
//! Pages and endpoints are Entra's (v2.0): discovery, authorize, token, device code, admin consent. [`directory`] is what
//! administrators set up and a test changes; [`tokens`] is what was issued, and what the other faces ask. Refusals come from
//! real conditions (a wrong secret, a policy, a missing consent), or are armed with [`Entra::fail`].
//!
//! It deliberately leaves out what no mail client needs: implicit and hybrid flows, on-behalf-of, passwords at the token
//! endpoint, personal accounts, guests, groups, signing out.

mod admin_consent;
mod authorize;
mod certificate;
mod client;
mod device;
pub mod directory;
mod discovery;
mod issue;
mod keys;
mod pages;
mod policy;
mod random;
mod redirect;
mod refusal;
mod request;
mod resources;
pub mod sample;
mod sign_in;
mod state;
mod token;
pub mod tokens;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    http::HeaderMap,
    routing::{get, post},
};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use self::{directory::Directory, refusal::Asking, state::State, tokens::Tokens};
pub use self::{
    policy::Rule,
    state::{Place, SignIn},
};
use crate::{
    Error,
    http::{Port, Server, Traffic},
    users::SignInError,
};

/// What the endpoints share.
pub(crate) struct Face {
    url: String,
    tokens: Tokens,
    state: Mutex<State>,
}

impl Face {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asking(&self, headers: &HeaderMap) -> Asking {
        let own = headers.get("client-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let correlation = own.unwrap_or_else(|| Uuid::new_v4().to_string());
        Asking { url: self.url.clone(), now: self.tokens.now(), correlation }
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::configuration))
            .route("/{tenant}/discovery/v2.0/keys", get(discovery::key_set))
            .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::endpoint).post(authorize::endpoint))
            .route("/{tenant}/oauth2/v2.0/token", post(token::endpoint))
            .route("/{tenant}/oauth2/v2.0/devicecode", post(device::endpoint))
            .route("/{tenant}/v2.0/adminconsent", get(admin_consent::endpoint))
            .route("/devicelogin", get(device::page).post(device::typed))
            .route("/login", post(sign_in::password))
            .route("/secondfactor", post(sign_in::second_factor))
            .route("/consent", post(sign_in::consent))
            .with_state(self)
    }

    /// What a user may do with a mailbox.
    pub(crate) fn rights(&self, user: &str, mailbox: &str) -> directory::Rights {
        self.state().directory.rights(user, mailbox)
    }

    /// The object id and the name of a user, by either of them.
    pub(crate) fn user(&self, id_or_name: &str) -> Option<(String, String)> {
        let state = self.state();
        let mut users = state.directory.tenants.values().flat_map(|tenant| tenant.users.values());
        let same = |one: &str| one.eq_ignore_ascii_case(id_or_name);
        let user = users.find(|user| same(&user.id) || same(&user.name))?;
        Some((user.id.clone(), user.name.clone()))
    }

    /// Whether the bearer may open `mailbox` over a mail protocol: by delegated `scope` his own mailbox and those that he
    /// has full access to, by application `role` any.
    pub(crate) fn may_open(
        &self,
        bearer: &str,
        mailbox: &str,
        scope: &str,
        role: &str,
    ) -> Result<(), SignInError> {
        let info = self.tokens.check(bearer, tokens::OUTLOOK).map_err(|refused| match refused {
            tokens::Refused::Expired => SignInError::ExpiredToken,
            tokens::Refused::OtherAudience => SignInError::MissingScope,
            _ => SignInError::UnknownToken,
        })?;
        let Some(user) = &info.user else {
            return if info.has_role(&[role]) { Ok(()) } else { Err(SignInError::MissingScope) };
        };
        if !info.has_scope(&[scope]) {
            return Err(SignInError::MissingScope);
        }
        let rights = self.state().directory.rights(&user.name, mailbox);
        if rights.full_access { Ok(()) } else { Err(SignInError::OtherUser) }
    }
}

/// The running face.
pub struct Entra {
    server: Server,
    face: Arc<Face>,
}

impl Entra {
    /// Opens the face over the directory of [`sample`].
    pub(crate) async fn start(port: u16, acceptor: TlsAcceptor) -> Result<Self, Error> {
        let port = Port::open(port, Some(acceptor)).await?;
        let state = State { directory: sample::directory(), ..State::default() };
        let face = Face { url: port.url(), tokens: Tokens::default(), state: Mutex::new(state) };
        let face = Arc::new(face);
        Ok(Self { server: port.serve(face.clone().router()), face })
    }

    /// What faces of mail protocols ask.
    pub(crate) fn face(&self) -> Arc<Face> {
        self.face.clone()
    }

    /// Where clients reach it, without a slash at the end: the authority, to which a tenant is added.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// What was issued. It has the clock of the face as well.
    pub fn tokens(&self) -> &Tokens {
        &self.face.tokens
    }

    /// Requests that it saw, and its latency.
    pub fn traffic(&self) -> &Traffic {
        self.server.traffic()
    }

    /// Looks at the directory, or changes it. Do not call the face inside.
    pub fn change<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(&mut self.face.state().directory)
    }

    /// What the user of that name may do with `mailbox`.
    pub fn rights(&self, user: &str, mailbox: &str) -> directory::Rights {
        self.face.state().directory.rights(user, mailbox)
    }

    /// Lets scopes for `audience` ([`tokens::GRAPH`] or [`tokens::OUTLOOK`]) begin with `name` as well: the address of the
    /// face that stands in for it.
    pub fn add_resource_name(&self, audience: &str, name: &str) {
        self.face.state().resources.add_name(audience, name);
    }

    /// Lets the next `times` requests at `place` fail with this AADSTS code.
    pub fn fail(&self, place: Place, code: u32, times: usize) {
        self.face.state().faults.push((place, code, times.max(1)));
    }

    /// Makes the user's sessions and refresh tokens worthless, as a changed password does. Access tokens of clients that
    /// answer claims challenges are challenged; others stay good until they end. Whether there is such a user.
    pub fn revoke(&self, user: &str) -> bool {
        let now = self.tokens().now();
        let revoked = self.change(|directory| {
            let user = directory.user(user)?;
            user.revoked = Some(now);
            Some(user.id.clone())
        });
        revoked.inspect(|id| self.tokens().revoke(id)).is_some()
    }

    /// The sign-in log, oldest first: every answer of the token endpoint, and how each sign-in in the browser ended.
    pub fn sign_ins(&self) -> Vec<SignIn> {
        self.face.state().log.clone()
    }

    /// How often each flow ended with each code (0: success).
    pub fn sign_in_counts(&self) -> BTreeMap<String, BTreeMap<u32, usize>> {
        let mut counts: BTreeMap<String, BTreeMap<u32, usize>> = BTreeMap::new();
        for line in &self.face.state().log {
            *counts.entry(line.flow.clone()).or_default().entry(line.code).or_default() += 1;
        }
        counts
    }

    pub(crate) async fn close(self) {
        self.server.close().await;
    }
}
