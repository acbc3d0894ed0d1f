//! Certificates registered for an app, and the assertions that prove possession of their keys
//! (RFC 7523; Microsoft: "Microsoft identity platform application authentication certificate credentials").

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use x509_parser::prelude::{FromDer, X509Certificate, parse_x509_pem};

use super::refusal::Refusal;

/// The only type of assertion (RFC 7523, section 2.2).
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clocks of clients may be off.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// A certificate of an app.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// SHA-1 of the DER, base64url: `x5t`.
    sha1: String,
    /// SHA-256 of the DER, base64url: `x5t#S256`.
    sha256: String,
    /// RSAPublicKey (RFC 8017, appendix A.1.1), DER.
    key: Vec<u8>,
    /// From then on it is refused.
    pub expires: Timestamp,
}

impl Certificate {
    /// Reads an X.509 certificate with an RSA key (PEM); `None` when it is none.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let der = parse_x509_pem(pem.as_bytes()).ok()?.1.contents;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &der));
        Some(Self {
            sha1: thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: thumbprint(&digest::SHA256),
            key: certificate.public_key().subject_public_key.data.to_vec(),
            expires: Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
        })
    }
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    /// A NumericDate may have fractions (RFC 7519, section 2), and MSAL's have.
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    jti: String,
}

/// An assertion that held: its id may not come again as long as it would hold.
pub(super) struct Used {
    pub(super) id: String,
    pub(super) until: Timestamp,
}

/// Checks an assertion of the app `client_id`, which must be meant for one of `audiences`.
pub(super) fn check(
    assertion: &str,
    client_id: &str,
    certificates: &[Certificate],
    audiences: &[String],
    now: Timestamp,
) -> Result<Used, Refusal> {
    let unsound = |why: &str| Refusal::new(50013).saying(format!("Assertion failed validation: {why}."));
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| unsound("it is not a JWT"))?;
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::PS256) {
        return Err(unsound("the algorithm is neither RS256 nor PS256"));
    }
    // Microsoft's own clients pad the thumbprints, against RFC 7515, section 2.
    let is = |named: &Option<String>, known: &str| {
        named.as_ref().is_some_and(|thumbprint| thumbprint.trim_end_matches('=') == known)
    };
    let named = |certificate: &&Certificate| {
        is(&header.x5t, &certificate.sha1) || is(&header.x5t_s256, &certificate.sha256)
    };
    let certificate = certificates.iter().find(named).ok_or_else(|| Refusal::new(700027))?;
    if certificate.expires <= now {
        return Err(Refusal::new(700027).saying(
            "The certificate with identifier used to sign the client assertion is expired on application.",
        ));
    }
    let mut validation = Validation::new(header.alg);
    // Times are compared with the clock of the face, and the audience answers with a code of its own.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp", "aud"]);
    let claims =
        jsonwebtoken::decode::<Claims>(assertion, &DecodingKey::from_rsa_der(&certificate.key), &validation)
            .map_err(|_| unsound("the signature does not fit, or a claim is not there"))?
            .claims;
    if claims.iss != client_id || claims.sub != client_id {
        return Err(unsound("'iss' and 'sub' must be the client id"));
    }
    if !audiences.contains(&claims.aud) {
        return Err(Refusal::new(700023));
    }
    let at = |seconds: f64| {
        let since = SignedDuration::try_from_secs_f64(seconds).map_err(|_| Refusal::new(700024))?;
        Timestamp::from_duration(since).map_err(|_| Refusal::new(700024))
    };
    let expires = at(claims.exp)?;
    let too_late = expires < now.saturating_sub(LEEWAY).unwrap_or(Timestamp::MIN);
    let soon = now.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
    if too_late || claims.nbf.map(at).transpose()?.is_some_and(|begin| begin > soon) {
        return Err(Refusal::new(700024));
    }
    let until = expires.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX);
    Ok(Used { id: claims.jti, until })
}
