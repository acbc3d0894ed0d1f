//! OAuth access tokens as JWTs that Dovecot checks by itself against a key in a folder.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::config::{ISSUER, USER_CLAIM};

const KEY_ID: &str = "test-key";

/// Puts the public half of a key for RS256 below `keys`, where Dovecot looks it up by algorithm and id.
pub(super) fn trust(keys: &Path, id: &str, pem: &str) {
    let folder = keys.join("default/RS256");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(id), pem).unwrap();
}

/// Signs tokens with RS256.
pub(super) struct Signer(KeyPair);

impl Signer {
    /// Makes a key, and lets Dovecot trust it.
    pub(super) fn new(keys: &Path) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let lines = STANDARD.encode(public.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
        trust(keys, KEY_ID, &pem);
        Self(pair)
    }

    /// A token for `user` that ends in `expires_in` seconds; negative: that ended already.
    pub(super) fn token(&self, user: &str, expires_in: i64, scope: &str) -> String {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
        let claims = json!({
            "iss": ISSUER, "aud": "https://mail.example.test", "sub": user, USER_CLAIM: user,
            "scope": scope, "iat": now - 7200, "nbf": now - 7200, "exp": now + expires_in,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
