//! What the administrators of tenants set up: users, apps with their credentials, consents, policies.
//!
//! Plain data that a test changes through [`super::Entra::change`]; what happens with it is in the endpoints.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use super::{certificate::Certificate, policy::Policy};

/// One organisation.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id (a GUID).
    pub id: String,
    /// Its domain, which may stand for the id in addresses.
    pub domain: String,
    /// Whether users may consent for themselves. Since late 2025 they may not, unless an administrator allows it.
    pub user_consent: bool,
    /// By user principal name, in lower case.
    pub users: BTreeMap<String, User>,
    /// What is checked at each sign-in and each renewal.
    pub policies: Vec<Policy>,
    /// By client id.
    pub consents: BTreeMap<String, Consents>,
}

impl Tenant {
    /// A tenant without users.
    pub fn new(id: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            domain: domain.into(),
            user_consent: false,
            users: BTreeMap::new(),
            policies: Vec::new(),
            consents: BTreeMap::new(),
        }
    }

    /// Adds a user, or replaces the one of that name.
    pub fn add_user(&mut self, user: User) {
        self.users.insert(user.name.to_lowercase(), user);
    }

    /// The user of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&name.to_lowercase())
    }

    /// The consents for an app, to be changed.
    pub fn consents(&mut self, client_id: &str) -> &mut Consents {
        self.consents.entry(client_id.to_owned()).or_default()
    }
}

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub struct User {
    /// His object id (a GUID).
    pub id: String,
    /// His user principal name, an e-mail address.
    pub name: String,
    /// His password.
    pub password: String,
    /// The code that he types where a second factor is asked; `None`: he has not enrolled.
    pub second_factor: Option<String>,
    /// Whether he may consent for everybody.
    pub admin: bool,
    /// Whether he may not sign in any more.
    pub disabled: bool,
    /// Refresh tokens and sessions from before are not good any more.
    pub revoked: Option<Timestamp>,
    /// Further mailboxes that he may open, by address in lower case.
    pub mailboxes: BTreeMap<String, Rights>,
}

impl User {
    /// A user with a password and nothing else.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            name: name.into(),
            password: password.into(),
            second_factor: None,
            admin: false,
            disabled: false,
            revoked: None,
            mailboxes: BTreeMap::new(),
        }
    }
}

/// What a user may do with a mailbox that is not his own, as the admin centre names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// "Full access" (Read and manage): open it, read, move, delete.
    pub full_access: bool,
    /// "Send as".
    pub send_as: bool,
    /// "Send on behalf".
    pub send_on_behalf: bool,
}

/// What was consented to for one app in one tenant. Permissions are written `AUDIENCE/NAME`.
#[derive(Clone, Debug, Default)]
pub struct Consents {
    /// Delegated permissions, by an administrator for all users.
    pub everybody: BTreeSet<String>,
    /// Delegated permissions, by users (object ids) for themselves.
    pub users: BTreeMap<String, BTreeSet<String>>,
    /// Application permissions, by an administrator.
    pub application: BTreeSet<String>,
}

impl Consents {
    /// Delegated permissions that hold for a user.
    pub fn of(&self, user: &str) -> BTreeSet<String> {
        self.everybody.iter().chain(self.users.get(user).into_iter().flatten()).cloned().collect()
    }
}

/// An app registration.
#[derive(Clone, Debug)]
pub struct App {
    /// "Application (client) ID" (a GUID).
    pub client_id: String,
    /// What pages call it.
    pub name: String,
    /// The id of the tenant where it is registered.
    pub home: String,
    /// Whether other tenants may use it.
    pub multi_tenant: bool,
    /// Whether it was disabled.
    pub disabled: bool,
    /// Client secrets, side by side.
    pub secrets: Vec<Secret>,
    /// Certificates, side by side.
    pub certificates: Vec<Certificate>,
    /// Where answers may go.
    pub redirects: Vec<Redirect>,
    /// "Allow public client flows": device codes without a secret.
    pub public_flows: bool,
    /// Delegated permissions that it is configured for, as `AUDIENCE/NAME`.
    pub delegated: BTreeSet<String>,
    /// Application permissions that it is configured for, as `AUDIENCE/NAME`.
    pub application: BTreeSet<String>,
}

impl App {
    /// An app with nothing configured.
    pub fn new(client_id: impl Into<String>, name: impl Into<String>, home: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            name: name.into(),
            home: home.into(),
            multi_tenant: false,
            disabled: false,
            secrets: Vec::new(),
            certificates: Vec::new(),
            redirects: Vec::new(),
            public_flows: false,
            delegated: BTreeSet::new(),
            application: BTreeSet::new(),
        }
    }
}

/// A client secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// "Secret ID" (a GUID): what people paste by mistake.
    pub id: String,
    /// "Value".
    pub value: String,
    /// From then on it is refused.
    pub expires: Timestamp,
}

impl Secret {
    /// A secret that is good until `expires`.
    pub fn new(value: impl Into<String>, expires: Timestamp) -> Self {
        Self { id: Uuid::new_v4().to_string(), value: value.into(), expires }
    }
}

/// A redirect URI and the platform that it is registered under.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The URI; http on `localhost` stands for any port.
    pub uri: String,
    /// Which credentials its codes need.
    pub platform: Platform,
}

/// The platform of a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// "Web": codes are redeemed with a secret or a certificate.
    Web,
    /// "Mobile and desktop applications": codes are redeemed without.
    Native,
}

/// How the face behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Lifetime of access tokens.
    pub access: SignedDuration,
    /// Lifetime of access tokens of clients that answer claims challenges.
    pub access_with_challenges: SignedDuration,
    /// For how long an unused refresh token is good.
    pub refresh: SignedDuration,
    /// Lifetime of authorisation codes.
    pub code: SignedDuration,
    /// Lifetime of device codes.
    pub device: SignedDuration,
    /// How long a client waits between two questions about a device code.
    pub device_interval: SignedDuration,
    /// Access tokens are JWTs instead of opaque strings.
    pub jwt: bool,
    /// A replaced refresh token is refused, and its successors with it. (Entra leaves it good.)
    pub strict_refresh: bool,
    /// Codes need PKCE.
    pub require_pkce: bool,
    /// Permissions that an app is not configured for can be consented to when they are asked for, as in Entra.
    /// Otherwise answers leave them out.
    pub dynamic_consent: bool,
    /// Demanded claims are not given for a refresh token: the user has to sign in again.
    pub claims_need_sign_in: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access: SignedDuration::from_mins(75),
            access_with_challenges: SignedDuration::from_hours(28),
            refresh: SignedDuration::from_hours(90 * 24),
            code: SignedDuration::from_mins(10),
            device: SignedDuration::from_mins(15),
            device_interval: SignedDuration::from_secs(5),
            jwt: false,
            strict_refresh: false,
            require_pkce: true,
            dynamic_consent: true,
            claims_need_sign_in: false,
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// By id.
    pub tenants: BTreeMap<String, Tenant>,
    /// By client id.
    pub apps: BTreeMap<String, App>,
    /// How the face behaves.
    pub settings: Settings,
}

impl Directory {
    /// Adds a tenant, or replaces the one of that id.
    pub fn add_tenant(&mut self, tenant: Tenant) {
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    /// Adds an app, or replaces the one of that client id.
    pub fn add_app(&mut self, app: App) {
        self.apps.insert(app.client_id.clone(), app);
    }

    /// The app, to be changed.
    pub fn app(&mut self, client_id: &str) -> Option<&mut App> {
        self.apps.get_mut(client_id)
    }

    /// The tenant of that id or domain, to be changed.
    pub fn tenant(&mut self, name: &str) -> Option<&mut Tenant> {
        self.tenants.values_mut().find(|tenant| tenant.id == name || tenant.domain.eq_ignore_ascii_case(name))
    }

    /// The user of that name, to be changed.
    pub fn user(&mut self, name: &str) -> Option<&mut User> {
        self.tenants.values_mut().find_map(|tenant| tenant.users.get_mut(&name.to_lowercase()))
    }

    /// What the user of that name may do with `mailbox`: everything with his own, what he was given with another.
    pub fn rights(&self, user: &str, mailbox: &str) -> Rights {
        if user.eq_ignore_ascii_case(mailbox) {
            return Rights { full_access: true, send_as: true, send_on_behalf: true };
        }
        let known = self.tenants.values().find_map(|tenant| tenant.user(user));
        known.and_then(|user| user.mailboxes.get(&mailbox.to_lowercase())).copied().unwrap_or_default()
    }
}
