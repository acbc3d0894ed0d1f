//! Client credentials with a certificate: the assertion must be sound in every point.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use wissel_testbed::entra::{
    directory::Certificate,
    sample::{CLIENT_ID, TENANT},
};

use crate::scene::{Scene, certificate, granted, is_refused};

async fn scene() -> Scene {
    let scene = Scene::start().await;
    let registered = Certificate::from_pem(&certificate().0.pem()).unwrap();
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().certificates.push(registered));
    scene
}

fn header(algorithm: Algorithm) -> Header {
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate().0.der());
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(thumbprint));
    header
}

fn claims(scene: &Scene, id: &str) -> Value {
    let now = scene.entra().tokens().now().as_second();
    json!({
        "aud": scene.in_tenant("oauth2/v2.0/token"), "iss": CLIENT_ID, "sub": CLIENT_ID,
        "jti": id, "nbf": now, "exp": now + 600,
    })
}

fn signed(header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(certificate().1.serialize_pem().as_bytes()).unwrap();
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

async fn present(scene: &Scene, assertion: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    scene.token(&fields).await
}

#[tokio::test]
async fn a_sound_assertion_stands_for_the_app_once() {
    let scene = scene().await;
    let ps256 = signed(&header(Algorithm::PS256), &claims(&scene, "a"));
    granted(present(&scene, &ps256).await);
    is_refused(present(&scene, &ps256).await, 401, "invalid_client", 50013);
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate().0.der());
    let mut older = Header::new(Algorithm::RS256);
    older.x5t = Some(URL_SAFE_NO_PAD.encode(sha1));
    granted(present(&scene, &signed(&older, &claims(&scene, "b"))).await);
    let mut by_issuer = claims(&scene, "c");
    by_issuer["aud"] = json!(scene.in_tenant("v2.0"));
    granted(present(&scene, &signed(&header(Algorithm::PS256), &by_issuer)).await);
}

#[tokio::test]
async fn each_claim_is_checked() {
    let scene = scene().await;
    let now = scene.entra().tokens().now().as_second();
    let other_tenant = scene.in_tenant("oauth2/v2.0/token").replace(TENANT, "elders.example");
    for (at, (name, value, code)) in [
        ("aud", json!("https://login.example/token"), 700_023),
        ("aud", json!(other_tenant), 700_023),
        ("iss", json!("another"), 50013),
        ("sub", json!("another"), 50013),
        ("exp", json!(now - 301), 700_024),
        ("nbf", json!(now + 330), 700_024),
        ("exp", Value::Null, 50013),
        ("jti", Value::Null, 50013),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = claims(&scene, &at.to_string());
        claims[name] = value;
        let answer = present(&scene, &signed(&header(Algorithm::RS256), &claims)).await;
        is_refused(answer, 401, "invalid_client", code);
    }
}

#[tokio::test]
async fn only_the_key_of_a_registered_certificate_signs() {
    let scene = scene().await;
    // Another key under the registered thumbprint.
    let stranger = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let key = EncodingKey::from_rsa_pem(stranger.serialize_pem().as_bytes()).unwrap();
    let forged = jsonwebtoken::encode(&header(Algorithm::PS256), &claims(&scene, "a"), &key).unwrap();
    is_refused(present(&scene, &forged).await, 401, "invalid_client", 50013);
    // The public certificate taken for a shared secret.
    let shared = EncodingKey::from_secret(certificate().0.pem().as_bytes());
    let confused = jsonwebtoken::encode(&header(Algorithm::HS256), &claims(&scene, "b"), &shared).unwrap();
    is_refused(present(&scene, &confused).await, 401, "invalid_client", 50013);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = json!({ "alg": "none", "typ": "JWT", "x5t#S256": header(Algorithm::RS256).x5t_s256 });
    let unsigned = format!("{}.{}.", part(&unsigned), part(&claims(&scene, "c")));
    is_refused(present(&scene, &unsigned).await, 401, "invalid_client", 50013);
    is_refused(present(&scene, "no JWT").await, 401, "invalid_client", 50013);
    // A thumbprint that is not registered, or none.
    let unnamed = signed(&Header::new(Algorithm::RS256), &claims(&scene, "d"));
    is_refused(present(&scene, &unnamed).await, 401, "invalid_client", 700_027);
    let good = signed(&header(Algorithm::RS256), &claims(&scene, "e"));
    scene.entra().change(|directory| {
        directory.app(CLIENT_ID).unwrap().certificates[0].expires = scene.entra().tokens().now();
    });
    is_refused(present(&scene, &good).await, 401, "invalid_client", 700_027);
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().certificates.clear());
    is_refused(present(&scene, &good).await, 401, "invalid_client", 700_027);
}

#[tokio::test]
async fn an_assertion_is_of_the_one_type_and_its_time() {
    let scene = scene().await;
    let good = signed(&header(Algorithm::PS256), &claims(&scene, "a"));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        ("client_assertion", good.as_str()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    is_refused(scene.token(&fields).await, 401, "invalid_client", 50013);
    scene.entra().tokens().advance(SignedDuration::from_mins(16));
    is_refused(present(&scene, &good).await, 401, "invalid_client", 700_024);
}
