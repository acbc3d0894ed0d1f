//! The port through which the host reaches access tokens at the moment it needs one.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::description::AuthMethod;
use crate::{Account, ConnectorError, Description, ErrorKind};

/// An access token (RFC 6749, section 1.4). Opaque: nothing is read out of it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// What is sent.
    pub secret: SecretString,
    /// From when on it is refused, by what the token answer said.
    pub expires: Timestamp,
    /// What was granted, by what the token answer said.
    pub scopes: Vec<String>,
}

/// A token that the service refused.
#[derive(Debug, Clone)]
pub struct RefusedToken {
    /// The token, so that one that was renewed meanwhile is not renewed again.
    pub token: SecretString,
    /// What the service wants to be claimed: the JSON of a claims challenge, decoded, to be handed on as it is.
    pub claims: Option<String>,
}

/// Gives access tokens to whoever acts for an account.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token of the account for what the auth method names as its resource. It is renewed first when it ends soon, or
    /// when it is the refused one; many callers at once cause one renewal.
    ///
    /// # Errors
    /// `authorization-needed` with the provider's code when a person has to act; `temporary` when the provider could
    /// not be reached.
    async fn token(
        &self,
        account: &Account,
        description: &Description,
        method: &AuthMethod,
        refused: Option<&RefusedToken>,
    ) -> Result<AccessToken, ConnectorError>;
}

/// For where no account can be authorised: every token is missing.
#[derive(Debug, Clone, Copy)]
pub struct NoTokens;

#[async_trait]
impl Tokens for NoTokens {
    async fn token(
        &self,
        account: &Account,
        _description: &Description,
        _method: &AuthMethod,
        _refused: Option<&RefusedToken>,
    ) -> Result<AccessToken, ConnectorError> {
        let message = format!(
            "nobody has authorised this account; run `wissel account authorize \"{}\"`",
            account.name
        );
        Err(ConnectorError::new(ErrorKind::AuthorizationNeeded, message)
            .with_code(crate::secrets::code::NOT_AUTHORIZED))
    }
}
