//! How the client proves that it is itself: not at all, by its secret, or by an assertion that it signs (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use wissel_model::SecretKind;
use wissel_model::description::ClientAuthentication;

use crate::{AuthError, Plan};

/// Seconds that an assertion is good for: long enough for clocks that differ.
const GOOD_FOR: i64 = 300;

/// What a request for a token carries as proof.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// A public client.
    None,
    /// The client's secret.
    Secret(SecretString),
    /// Its key and certificate in PEM form.
    Certificate(SecretString),
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Proof {
    /// What to prove with: what is stored, if the method takes it; nothing, if the method takes that.
    ///
    /// # Errors
    /// [`AuthError::NoClientSecret`], or a secret that the method does not take.
    pub(crate) fn choose(
        plan: &Plan,
        client: &str,
        stored: Option<(SecretKind, SecretString)>,
    ) -> Result<Self, AuthError> {
        let takes = |way| plan.proofs.contains(&way);
        let (proof, way) = match stored {
            None if plan.proofs.is_empty() || takes(ClientAuthentication::None) => return Ok(Self::None),
            None => return Err(AuthError::NoClientSecret { client: client.to_owned() }),
            Some((SecretKind::Secret, secret)) => (Self::Secret(secret), ClientAuthentication::Secret),
            Some((SecretKind::Certificate, pem)) => {
                (Self::Certificate(pem), ClientAuthentication::Certificate)
            }
        };
        if takes(way) {
            return Ok(proof);
        }
        if plan.proofs.is_empty() {
            return Ok(Self::None);
        }
        let kind = if way == ClientAuthentication::Secret { "secret" } else { "certificate" };
        let message = format!("{client} has a {kind}, and this auth method does not take one");
        Err(AuthError::setting(None, message))
    }

    /// What of it may not show in anything that the provider says.
    pub(crate) fn secret(&self) -> Option<&SecretString> {
        match self {
            Self::None | Self::Certificate(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }

    /// What it is and its value, to tell one from another.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::None => ("none", ""),
            Self::Secret(secret) => ("secret", secret.expose_secret()),
            Self::Certificate(pem) => ("certificate", pem.expose_secret()),
        }
    }

    /// Further parameters of a request for a token.
    ///
    /// # Errors
    /// The certificate or its key cannot be used.
    pub(crate) fn parameters(&self, plan: &Plan) -> Result<Vec<(String, String)>, AuthError> {
        let Self::Certificate(pem) = self else { return Ok(Vec::new()) };
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        Ok(vec![
            ("client_assertion_type".to_owned(), kind.to_owned()),
            ("client_assertion".to_owned(), assertion(plan, pem)?),
        ])
    }
}

/// The signed assertion (RFC 7523, section 3), with the digest of the certificate that its key belongs to (RFC 7515,
/// section 4.1.8).
fn assertion(plan: &Plan, pem: &SecretString) -> Result<String, AuthError> {
    let unusable = |problem: &str| {
        AuthError::setting(None, format!("the certificate of the OAuth client cannot be used: {problem}"))
    };
    let pem = pem.expose_secret().as_bytes();
    let certificate =
        CertificateDer::from_pem_slice(pem).map_err(|_| unusable("no certificate in PEM form is in it"))?;
    let key = EncodingKey::from_rsa_pem(pem)
        .map_err(|_| unusable("no RSA key in PEM form is in it, unencrypted, beside the certificate"))?;
    let mut header = Header::new(Algorithm::PS256);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)));
    let now = wissel_model::clock::now().as_second();
    let claims = Claims {
        aud: plan.token.as_str(),
        iss: &plan.client_id,
        sub: &plan.client_id,
        jti: uuid::Uuid::new_v4().to_string(),
        iat: now,
        nbf: now,
        exp: now + GOOD_FOR,
    };
    jsonwebtoken::encode(&header, &claims, &key).map_err(|_| unusable("its key does not sign"))
}
