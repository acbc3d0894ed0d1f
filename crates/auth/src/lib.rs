//! OAuth 2 for accounts: a person authorises once, and from then on tokens are there and stay fresh.
//!
//! What a provider's endpoints, scopes and codes are comes from the connector's description
//! ([`AuthMethod`](wissel_model::description::AuthMethod)) as data; nothing here knows a provider. Authorisation code with
//! PKCE (RFC 6749, RFC 7636, RFC 8252), device code (RFC 8628), client credentials, and client authentication by secret
//! or signed assertion (RFC 7523).
//!
//! What this crate deliberately does not do: open a database or a vault, make connections ([`Grants`] and [`Web`] are
//! ports to them), talk to a person, or read anything out of an access token, which is opaque to a client.

mod answer;
mod belonging;
mod binding;
mod browser;
mod code;
mod device;
mod error;
mod failure;
mod grant;
mod held;
mod issuer;
mod lock;
mod loopback;
mod page;
mod plan;
mod ports;
mod proof;
mod provider;
mod scopes;
mod service;
mod status;
mod web;

#[cfg(test)]
mod tests;

pub use answer::{Answer, NotAnAnswer};
pub use binding::Changed;
pub use browser::{may_open_browser, open_browser};
pub use code::{Authorization, Pending};
pub use device::DeviceSignIn;
pub use error::{AuthError, Refusal};
pub use failure::Failure;
pub use grant::Grant;
pub use loopback::{Loopback, Waiting};
pub use plan::Plan;
pub use ports::{Grants, Request, Response, Web};
pub use provider::Provider;
pub use service::Authority;
pub use status::{Standing, Status, status};
