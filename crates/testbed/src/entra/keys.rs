//! The key that tokens are signed with (RS256), and its public half as a JWK (RFC 7517).

use std::sync::LazyLock;

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, ThumbprintHash},
};
use serde_json::{Value, json};

use super::refusal::Refusal;

struct Key {
    encoding: EncodingKey,
    id: String,
    jwk: Value,
}

/// One for all test beds of a process: making it costs a tenth of a second, and most tests never need it.
static KEY: LazyLock<Option<Key>> = LazyLock::new(Key::generate);

impl Key {
    fn generate() -> Option<Self> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).ok()?;
        let encoding = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).ok()?;
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).ok()?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
        let mut jwk = serde_json::to_value(jwk).ok()?;
        let members = jwk.as_object_mut()?;
        members.insert("kid".to_owned(), json!(id));
        members.insert("use".to_owned(), json!("sig"));
        Some(Self { encoding, id, jwk })
    }
}

fn key() -> Result<&'static Key, Refusal> {
    KEY.as_ref().ok_or_else(|| Refusal::new(90033).saying("The test bed could not make its signing key."))
}

/// The JWT with these claims.
pub(super) fn sign(claims: &Value) -> Result<String, Refusal> {
    let key = key()?;
    let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, &key.encoding)
        .map_err(|error| Refusal::new(90033).saying(error.to_string()))
}

/// The key set that clients verify tokens with.
pub(super) fn set() -> Result<Value, Refusal> {
    Ok(json!({ "keys": [key()?.jwk] }))
}
