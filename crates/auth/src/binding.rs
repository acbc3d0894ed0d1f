//! Where a grant belongs: with whom, for whom, and how it was had. What somebody else gave, or gave somebody else, is
//! neither used nor sent, whatever settings and descriptions say by now.

use std::fmt;

use serde::{Deserialize, Serialize};
use wissel_model::description::AuthKind;

use crate::{Grant, Plan};

/// Where a grant belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    /// The endpoint that gave it and renews it, without a query.
    endpoint: String,
    /// The id of the client that it was given to.
    client: String,
    /// Who the tokens stand for.
    holder: Holder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Holder {
    /// Whoever signed in, in a browser or on another device.
    User,
    /// The client itself.
    Client,
}

/// What has changed since an account was authorised, so that it has to be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Tokens are asked for elsewhere.
    Endpoint,
    /// Another OAuth client asks.
    Client,
    /// A user is to sign in instead of the client itself, or the other way round.
    Method,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "it was authorised at another token endpoint than the settings lead to now",
            Self::Client => "it was authorised for another client id than the settings hold now",
            Self::Method => "it was authorised by another auth method than it uses now",
        })
    }
}

impl Plan {
    /// Where grants of this plan belong.
    pub(crate) fn binding(&self) -> Binding {
        let mut endpoint = self.token.clone();
        endpoint.set_query(None);
        Binding {
            endpoint: endpoint.into(),
            client: self.client_id.clone(),
            holder: if self.kind == AuthKind::OAuth2Client { Holder::Client } else { Holder::User },
        }
    }
}

impl Grant {
    /// What has changed since it was given. A grant of a version that did not note where it belongs is taken as it is,
    /// until its next renewal notes it.
    #[must_use]
    pub fn changed(&self, plan: &Plan) -> Option<Changed> {
        let (was, is) = (self.binding.as_ref()?, plan.binding());
        if was.endpoint != is.endpoint {
            Some(Changed::Endpoint)
        } else if was.client != is.client {
            Some(Changed::Client)
        } else {
            (was.holder != is.holder).then_some(Changed::Method)
        }
    }
}
