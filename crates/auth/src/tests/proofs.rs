//! The client proves that it is itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};
use wissel_model::{ErrorKind, SecretKind, Tokens};

use super::stage::{Stage, certificate, no, token};
use crate::AuthError;

#[tokio::test]
async fn a_client_gets_tokens_for_itself_with_its_secret() {
    let stage = Stage::new("oauth2-client");
    *stage.memory.secret.lock().unwrap() = Some((SecretKind::Secret, "s3cret:value".to_owned()));
    stage.provider.says([token("A", None)]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    let (form, header) = stage.provider.asked.lock().unwrap()[0].clone();
    assert_eq!(form["grant_type"], "client_credentials");
    assert!(form["scope"].contains("Mail.Read") && !form.contains_key("client_secret"));
    let basic = STANDARD.encode("wissel-1:s3cret%3Avalue");
    assert_eq!(header, Some(format!("Basic {basic}")), "encoded as RFC 6749, section 2.3.1 says");
}

#[tokio::test]
async fn without_a_secret_that_is_needed_nobody_is_asked() {
    let mut stage = Stage::new("oauth2-client");
    stage.method.client_authentication.remove(0);
    let error =
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::AuthorizationNeeded, Some("no-secret")));
    assert!(error.message.contains("Kantoor"), "{error}");
}

#[tokio::test]
async fn what_a_provider_repeats_of_a_secret_is_masked() {
    let stage = Stage::new("oauth2-client");
    *stage.memory.secret.lock().unwrap() = Some((SecretKind::Secret, "s3cret-value".to_owned()));
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig";
    stage
        .provider
        .says([no("invalid_client", &format!("CODE1: s3cret-value is wrong\r\n\u{1b}[31m, and {jwt} too"))]);
    let error =
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
    assert!(error.message.contains("*** is wrong"), "{error}");
    assert!(!error.message.contains("s3cret") && !error.message.contains("eyJ"), "{error}");
    // Nor the beginning of one where a long text is cut, nor what stands in the wrong place.
    stage.memory.kept.lock().unwrap().clear();
    stage.provider.says([no("invalid_s3cret-value", &format!("{}s3cret-value", "x".repeat(595)))]);
    let error =
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
    assert!(error.message.contains("xxx") && !error.message.contains("s3"), "{error}");
    assert!(!error.message.contains(char::is_control) && !stage.kept().to_string().contains("s3cret-value"));
}

#[tokio::test]
async fn a_certificate_signs_an_assertion() {
    let (key, pem, certificate) = certificate();
    let stage = Stage::new("oauth2-client");
    *stage.memory.secret.lock().unwrap() = Some((SecretKind::Certificate, pem));
    stage.provider.says([token("A", None)]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    let (form, header) = stage.provider.asked.lock().unwrap()[0].clone();
    assert_eq!(header, None);
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(form["client_id"], "wissel-1");
    let parts: Vec<&str> = form["client_assertion"].split('.').collect();
    let part =
        |at: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap() };
    let (head, claims) = (part(0), part(1));
    assert_eq!((head["alg"].as_str(), head["typ"].as_str()), (Some("PS256"), Some("JWT")));
    assert_eq!(head["x5t#S256"], URL_SAFE_NO_PAD.encode(Sha256::digest(certificate)));
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some("wissel-1"), Some("wissel-1")));
    assert_eq!(claims["aud"], "https://login.example.test/token");
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!(lasts > 0 && lasts <= 600 && claims["jti"].as_str().unwrap().len() > 20);
    let signed = format!("{}.{}", parts[0], parts[1]);
    let public = aws_lc_public(&key);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
}

fn aws_lc_public(key: &rcgen::KeyPair) -> aws_lc_rs::signature::UnparsedPublicKey<Vec<u8>> {
    use rcgen::PublicKeyData;
    aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256,
        key.der_bytes().to_vec(),
    )
}

#[tokio::test]
async fn a_certificate_without_its_key_is_said_so() {
    let stage = Stage::new("oauth2-client");
    for pem in ["nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let secret = Some((SecretKind::Certificate, SecretString::from(pem)));
        let provider = crate::Provider::with(
            &stage.account,
            &stage.description,
            &stage.method,
            secret,
            &*stage.provider,
        )
        .unwrap();
        let error = provider.as_client(None).await.unwrap_err();
        assert!(
            matches!(&error, AuthError::Setting { message, .. } if message.contains("certificate")),
            "{error}"
        );
    }
}
