//! How a host function says no: with an error of the contract that the connector passes on, or with a trap when the
//! connector broke the contract.

use wasmtime::component::ResourceTableError;
use wissel_model::{ConnectorError, ErrorKind};

use crate::bindings::wissel::connector::types;
use crate::state::State;

/// What a host function fails with.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Handed to the connector.
    Error(ConnectorError),
    /// Ends the session.
    Trap(wasmtime::Error),
}

/// The connector broke a rule of the contract. Becomes a fault with the code `contract`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Breach(pub(crate) String);

impl Refusal {
    /// A trap for a connector that broke a rule.
    pub(crate) fn breach(rule: impl Into<String>) -> Self {
        Self::Trap(wasmtime::Error::new(Breach(rule.into())))
    }
}

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Self {
        Self::Error(error)
    }
}

impl From<ResourceTableError> for Refusal {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl types::Host for State {
    fn convert_error(&mut self, refusal: Refusal) -> wasmtime::Result<types::Error> {
        match refusal {
            Refusal::Error(error) => Ok(to_contract(error)),
            Refusal::Trap(trap) => Err(trap),
        }
    }
}

/// The contract's form of an error. [`ErrorKind::Fault`] is the host's own: a connector sees it as temporary.
pub(crate) fn to_contract(error: ConnectorError) -> types::Error {
    use types::ErrorKind as Kind;
    let kind = match error.kind {
        ErrorKind::AuthorizationNeeded => Kind::AuthorizationNeeded,
        ErrorKind::PermissionMissing => Kind::PermissionMissing,
        ErrorKind::Throttled => Kind::Throttled,
        ErrorKind::NotFound => Kind::NotFound,
        ErrorKind::InvalidSetting => Kind::InvalidSetting,
        ErrorKind::Unsupported => Kind::Unsupported,
        ErrorKind::TooLarge => Kind::TooLarge,
        ErrorKind::Temporary | ErrorKind::Fault => Kind::Temporary,
        ErrorKind::Protocol => Kind::Protocol,
        ErrorKind::BadMessage => Kind::BadMessage,
        ErrorKind::Cancelled => Kind::Cancelled,
    };
    types::Error {
        kind,
        message: error.message,
        code: error.code,
        retry_after_ms: error.retry_after_ms,
        setting: error.setting,
        session_lost: error.session_lost,
    }
}
