//! Conditional Access, as far as a mail client meets it.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::{
    directory::{Tenant, User},
    refusal::Refusal,
};

/// What a policy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No token is issued.
    Block,
    /// No token is issued for a device code.
    BlockDeviceCode,
    /// A second factor is needed.
    RequireSecondFactor,
    /// The sign-in may not be older.
    SignInFrequency(SignedDuration),
}

/// One policy of a tenant.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its id (a GUID).
    pub id: String,
    /// The client id that it is about; `None`: every app.
    pub app: Option<String>,
    /// The user principal name that it is about; `None`: every user. Apps that act by themselves are met by policies
    /// about no user in particular.
    pub user: Option<String>,
    /// What it asks.
    pub rule: Rule,
}

impl Policy {
    /// A policy for everybody.
    pub fn new(rule: Rule) -> Self {
        Self { id: Uuid::new_v4().to_string(), app: None, user: None, rule }
    }

    fn is_about(&self, app: &str, user: Option<&User>) -> bool {
        let user_fits = match (&self.user, user) {
            (None, _) => true,
            (Some(name), Some(user)) => user.name.eq_ignore_ascii_case(name),
            (Some(_), None) => false,
        };
        user_fits && self.app.as_ref().is_none_or(|about| about == app)
    }
}

/// How a user proved who he is.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedIn {
    pub(super) at: Timestamp,
    /// With a second factor.
    pub(super) strongly: bool,
    /// On another device.
    pub(super) by_device_code: bool,
}

/// Refuses what a policy of the tenant does not let pass.
pub(super) fn check(
    tenant: &Tenant,
    app: &str,
    user: Option<(&User, SignedIn)>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let about = |policy: &&Policy| policy.is_about(app, user.map(|(user, _)| user));
    for policy in tenant.policies.iter().filter(about) {
        let claims = || {
            json!({ "access_token": { "polids": { "essential": true, "values": [policy.id] } } }).to_string()
        };
        match (policy.rule, user) {
            (Rule::Block, _) => return Err(Refusal::new(53003)),
            (Rule::BlockDeviceCode, Some((_, SignedIn { by_device_code: true, .. }))) => {
                return Err(Refusal::new(53003));
            }
            (Rule::RequireSecondFactor, Some((user, SignedIn { strongly: false, .. }))) => {
                let code = if user.second_factor.is_some() { 50076 } else { 50079 };
                return Err(Refusal::new(code).with_claims(claims()));
            }
            (Rule::SignInFrequency(longest), Some((_, signed_in)))
                if now.duration_since(signed_in.at) >= longest =>
            {
                return Err(Refusal::new(70043).with_claims(claims()));
            }
            _ => {}
        }
    }
    Ok(())
}
