//! `credentials`: SASL exchanges whose answers a connector can send but not read.
//!
//! An answer is sealed for one endpoint, and lives in its session's table: it cannot leave the session. The exchanges
//! themselves are in [`sasl`], what they are made of comes from [`crate::wallet`].

mod sasl;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use wasmtime::component::Resource;
use wissel_model::settings::fill;
use wissel_model::{ConnectorError, ErrorKind};
use zeroize::Zeroizing;

pub use self::sasl::Exchange;
use crate::bindings::wissel::connector::credentials::{self, SealedForm};
use crate::capability::streams::clear_text_refused;
use crate::grants::{StreamGrant, TlsMode};
use crate::refusal::Refusal;
use crate::state::State;

/// A secret that only the host can read, made for one endpoint.
pub struct Sealed {
    endpoint: String,
    octets: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Sealed {
    fn new(endpoint: &str, octets: &[u8], form: SealedForm) -> Result<Self, ConnectorError> {
        let octets = match form {
            SealedForm::Raw => octets.to_vec(),
            SealedForm::Base64 => STANDARD.encode(octets).into_bytes(),
            SealedForm::Quoted => quoted(octets)?,
        };
        Ok(Self { endpoint: endpoint.to_owned(), octets: Zeroizing::new(octets) })
    }

    /// The octets, for the endpoint that they were made for.
    pub(super) fn open_for(&self, endpoint: &str) -> Result<Zeroizing<Vec<u8>>, ConnectorError> {
        if self.endpoint == endpoint {
            return Ok(self.octets.clone());
        }
        let message = format!("a secret for endpoint '{}' may not go to '{endpoint}'", self.endpoint);
        Err(ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("other-endpoint"))
    }
}

/// A quoted string (RFC 3501, section 4.3), which cannot hold every password.
fn quoted(octets: &[u8]) -> Result<Vec<u8>, ConnectorError> {
    if octets.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n' | 0x80..)) {
        let message = "the password has characters that LOGIN cannot carry; use another mechanism";
        return Err(ConnectorError::new(ErrorKind::Unsupported, message));
    }
    // Room for every octet escaped: nothing is moved, and so nothing of the secret is left behind.
    let mut text = Vec::with_capacity(octets.len() * 2 + 2);
    text.push(b'"');
    for byte in octets {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    Ok(text)
}

impl State {
    /// The endpoint, if the account's credential may go there at all.
    fn credential_endpoint(&self, endpoint: &str) -> Result<&StreamGrant, ConnectorError> {
        let grant = self.context.grants.stream(endpoint)?;
        if !grant.credential {
            let message = format!(
                "the connector does not describe endpoint '{endpoint}' as one for the credential '{}'",
                self.context.account.auth
            );
            return Err(ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("no-credential"));
        }
        if grant.tls == TlsMode::Clear && !grant.clear_text {
            return Err(clear_text_refused(endpoint));
        }
        Ok(grant)
    }
}

impl credentials::Host for State {
    async fn mechanisms(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(sasl::offered(&self.context.auth).map(str::to_owned).collect())
    }

    async fn begin(
        &mut self,
        endpoint: String,
        mechanism: String,
        identity: Option<String>,
    ) -> Result<Resource<Exchange>, Refusal> {
        let grant = self.credential_endpoint(&endpoint)?.clone();
        let context = &self.context;
        let Some(mechanism) = sasl::offered(&context.auth).find(|m| m.eq_ignore_ascii_case(&mechanism))
        else {
            let message = format!("the account's credential cannot serve the mechanism {mechanism}");
            return Err(ConnectorError::new(ErrorKind::Unsupported, message).into());
        };
        let described =
            || fill(context.auth.identity.as_deref().unwrap_or_default(), &context.account.values());
        let user = context.user();
        let identity = identity.unwrap_or_else(described).trim().to_owned();
        let identity = Some(identity).filter(|identity| !identity.is_empty() && *identity != user);
        let secret = self.call.wait(context.wallet.spoken(&context.account, &context.auth)).await??;
        self.context.echoes.remember(secret.expose_secret().as_bytes());
        Ok(self.table.push(Exchange::new(mechanism, grant, user, identity, secret)?)?)
    }

    async fn user(&mut self) -> wasmtime::Result<String> {
        Ok(self.context.user())
    }

    async fn password(&mut self, endpoint: String, form: SealedForm) -> Result<Resource<Sealed>, Refusal> {
        self.credential_endpoint(&endpoint)?;
        if !sasl::is_password(&self.context.auth) {
            return Err(ConnectorError::new(ErrorKind::Unsupported, "the account has no password").into());
        }
        let secret = self.call.wait(self.context.secret()).await??;
        let octets = secret.expose_secret().as_bytes();
        let sealed = Sealed::new(&endpoint, octets, form)?;
        self.context.echoes.remember(octets);
        self.context.echoes.remember(&sealed.octets);
        Ok(self.table.push(sealed)?)
    }
}

impl credentials::HostSealed for State {
    async fn drop(&mut self, this: Resource<Sealed>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl credentials::HostExchange for State {
    async fn mechanism(&mut self, this: Resource<Exchange>) -> wasmtime::Result<String> {
        Ok(self.table.get(&this)?.mechanism().to_owned())
    }

    async fn initial(
        &mut self,
        this: Resource<Exchange>,
        form: SealedForm,
    ) -> Result<Option<Resource<Sealed>>, Refusal> {
        let exchange = self.table.get_mut(&this)?;
        let Some(answer) = exchange.initial() else { return Ok(None) };
        let sealed = Sealed::new(exchange.endpoint(), &answer, form)?;
        self.context.echoes.remember(&sealed.octets);
        Ok(Some(self.table.push(sealed)?))
    }

    async fn respond(
        &mut self,
        this: Resource<Exchange>,
        _challenge: Vec<u8>,
        form: SealedForm,
    ) -> Result<Resource<Sealed>, Refusal> {
        let exchange = self.table.get_mut(&this)?;
        let answer = exchange.respond()?;
        let sealed = Sealed::new(exchange.endpoint(), &answer, form)?;
        self.context.echoes.remember(&sealed.octets);
        Ok(self.table.push(sealed)?)
    }

    async fn drop(&mut self, this: Resource<Exchange>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_shows_nothing_and_opens_for_its_endpoint_only() {
        let sealed = Sealed::new("imap", b"a\"b\\c", SealedForm::Quoted).unwrap();
        assert!(!format!("{sealed:?}").contains("b"));
        assert_eq!(sealed.open_for("imap").unwrap().as_slice(), br#""a\"b\\c""#);
        assert_eq!(sealed.open_for("smtp").unwrap_err().kind, ErrorKind::PermissionMissing);
    }

    #[test]
    fn a_password_that_a_quoted_string_cannot_hold_is_refused() {
        for password in ["a\r\nb", "p\u{e9}", "\0"] {
            let error = Sealed::new("imap", password.as_bytes(), SealedForm::Quoted).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(!error.message.contains(password));
        }
    }
}
