//! What the face knows at one moment: the directory, and the sign-ins, codes and refresh tokens that are under way.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    directory::{App, Directory, Tenant, User},
    policy::SignedIn,
    refusal::Refusal,
    resources::{Asked, Resources, Wanted},
    sign_in::Pending,
};

/// Where an armed refusal strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The authorize endpoint.
    Authorize,
    /// The token endpoint.
    Token,
    /// The endpoint that device codes come from.
    DeviceCode,
    /// The admin consent endpoint.
    AdminConsent,
}

/// One line of the sign-in log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// When, by the clock of the face.
    pub at: Timestamp,
    /// The grant type at the token endpoint; `authorize` for what happened in the browser.
    pub flow: String,
    /// The client id that was given.
    pub app: String,
    /// The AADSTS code; 0 for success.
    pub code: u32,
}

/// Whether a client must prove who it is when it redeems something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Needed,
    Optional,
    /// A public client: a proof is refused.
    Forbidden,
}

/// What a user gave an app: what codes and refresh tokens stand for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) tenant: String,
    pub(super) app: String,
    pub(super) user: String,
    pub(super) signed_in: SignedIn,
    pub(super) proof: Proof,
    pub(super) asked: Asked,
    pub(super) nonce: Option<String>,
    pub(super) capabilities: Vec<String>,
    pub(super) claims: Map<String, Value>,
    /// All refresh tokens that descend from one sign-in share it.
    pub(super) family: Uuid,
}

#[derive(Debug)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) expires: Timestamp,
    pub(super) redeemed: bool,
}

#[derive(Debug)]
pub(super) struct Refresh {
    pub(super) grant: Grant,
    pub(super) issued: Timestamp,
    pub(super) replaced: bool,
}

#[derive(Debug)]
pub(super) enum DeviceState {
    Waiting,
    Approved(Box<Grant>),
    Declined,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) user_code: String,
    pub(super) segment: String,
    pub(super) app: String,
    pub(super) asked: Asked,
    pub(super) expires: Timestamp,
    pub(super) interval: jiff::SignedDuration,
    pub(super) polled: Option<Timestamp>,
    pub(super) state: DeviceState,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) tenant: String,
    pub(super) user: String,
    pub(super) signed_in: SignedIn,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) directory: Directory,
    pub(super) resources: Resources,
    pub(super) pending: BTreeMap<String, Pending>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) refresh: BTreeMap<String, Refresh>,
    pub(super) dead_families: BTreeSet<Uuid>,
    pub(super) devices: BTreeMap<String, Device>,
    /// Ids of assertions, with the time until which they may not come again.
    pub(super) assertions: BTreeMap<String, Timestamp>,
    pub(super) faults: Vec<(Place, u32, usize)>,
    pub(super) log: Vec<SignIn>,
}

/// Which tenants an address stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Realm {
    /// The one of this id.
    One(String),
    /// `common` or `organizations`: the user's own.
    Any,
}

impl State {
    /// The refusal that was armed for this place, if one is.
    pub(super) fn fault(&mut self, place: Place) -> Result<(), Refusal> {
        let Some(at) = self.faults.iter().position(|(armed, ..)| *armed == place) else { return Ok(()) };
        let Some((_, code, left)) = self.faults.get_mut(at) else { return Ok(()) };
        let refusal = Refusal::new(*code);
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.faults.remove(at);
        }
        Err(refusal)
    }

    /// The tenant that the first segment of a path names.
    pub(super) fn realm(&self, segment: &str) -> Result<Realm, Refusal> {
        if matches!(segment, "common" | "organizations") {
            return Ok(Realm::Any);
        }
        let is_domain = segment.contains('.')
            && segment.split('.').all(|label| {
                !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            });
        if !is_domain && Uuid::try_parse(segment).is_err() && segment != "consumers" {
            return Err(Refusal::new(900023).saying(format!(
                "Specified tenant identifier '{segment}' is neither a valid DNS name, nor a valid external domain."
            )));
        }
        let fits = |tenant: &&Tenant| {
            tenant.id.eq_ignore_ascii_case(segment) || tenant.domain.eq_ignore_ascii_case(segment)
        };
        let tenant = self.directory.tenants.values().find(fits);
        tenant.map(|tenant| Realm::One(tenant.id.clone())).ok_or_else(|| {
            Refusal::new(90002).saying(format!(
                "Tenant '{segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ))
        })
    }

    /// The app, where the tenant may use it.
    pub(super) fn app(&self, client_id: &str, realm: &Realm) -> Result<&App, Refusal> {
        let place = match realm {
            Realm::One(tenant) => tenant.as_str(),
            Realm::Any => "common",
        };
        let unknown = || {
            Refusal::new(700016).saying(format!(
                "Application with identifier '{client_id}' was not found in the directory '{place}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ))
        };
        let app = self.directory.apps.get(client_id).ok_or_else(unknown)?;
        if !app.multi_tenant {
            match realm {
                Realm::Any => return Err(Refusal::new(50194)),
                Realm::One(tenant) if *tenant != app.home => return Err(unknown()),
                Realm::One(_) => {}
            }
        }
        if app.disabled {
            return Err(Refusal::new(7000112).saying(format!("Application '{client_id}' is disabled.")));
        }
        Ok(app)
    }

    pub(super) fn tenant(&self, id: &str) -> Result<&Tenant, Refusal> {
        self.directory.tenants.get(id).ok_or_else(|| Refusal::new(90002))
    }

    pub(super) fn user(&self, tenant: &str, name: &str) -> Result<&User, Refusal> {
        let user = self.tenant(tenant)?.user(name).ok_or_else(|| Refusal::new(50034))?;
        if user.disabled { Err(Refusal::new(50057)) } else { Ok(user) }
    }

    /// What a user would have to consent to, as `AUDIENCE/NAME`.
    pub(super) fn unconsented(
        &self,
        tenant: &str,
        app: &str,
        user: &User,
        asked: &Asked,
    ) -> BTreeSet<String> {
        let held = self.consented(tenant, app, user);
        asked
            .services
            .iter()
            .flat_map(|wanted| self.wished(app, wanted))
            .filter(|one| !held.contains(one))
            .collect()
    }

    /// Short names of what a token for the service of `wanted` may do: all that was consented to, not only what was asked
    /// for this time.
    pub(super) fn granted(
        &self,
        tenant: &str,
        app: &str,
        user: &User,
        wanted: &Wanted,
    ) -> Result<Vec<String>, Refusal> {
        let held = self.consented(tenant, app, user);
        let names: Vec<_> =
            held.iter().filter_map(|one| one.strip_prefix(wanted.audience)?.strip_prefix('/')).collect();
        if names.is_empty() || self.wished(app, wanted).iter().any(|one| !held.contains(one)) {
            return Err(Refusal::new(65001).saying(format!(
                "The user or administrator has not consented to use the application with ID '{app}'. Send an interactive authorization request for this user and resource."
            )));
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn consented(&self, tenant: &str, app: &str, user: &User) -> BTreeSet<String> {
        let consents = self.directory.tenants.get(tenant).and_then(|tenant| tenant.consents.get(app));
        let held = consents.map(|consents| consents.of(&user.id)).unwrap_or_default();
        held.into_iter().filter(|one| self.configurable(app, one)).collect()
    }

    /// The permissions that a scope parameter means, without those that can never be had.
    fn wished(&self, app: &str, wanted: &Wanted) -> BTreeSet<String> {
        let mut wished: BTreeSet<_> =
            wanted.names.iter().map(|name| format!("{}/{name}", wanted.audience)).collect();
        if let Some(app) = self.directory.apps.get(app).filter(|_| wanted.all) {
            let own = app.delegated.iter().filter(|one| one.starts_with(wanted.audience));
            wished.extend(own.cloned());
        }
        wished.retain(|one| self.configurable(app, one));
        wished
    }

    fn configurable(&self, app: &str, permission: &str) -> bool {
        self.directory.settings.dynamic_consent
            || self.directory.apps.get(app).is_some_and(|app| app.delegated.contains(permission))
    }
}
