//! Device codes.

use jiff::SignedDuration;
use serde_json::Value;
use wissel_testbed::entra::{
    Rule,
    directory::{Consents, Policy},
    sample::{CLIENT_ID, CLIENT_SECRET, PUBLIC_CLIENT_ID, TENANT, USER},
    tokens::GRAPH,
};

use crate::scene::{Page, SCOPE, Scene, granted, is_refused};

async fn begin(scene: &Scene) -> Value {
    let path = format!("{TENANT}/oauth2/v2.0/devicecode");
    granted(scene.post(&path, &[("client_id", PUBLIC_CLIENT_ID), ("scope", SCOPE)]).await)
}

/// Asks once, after the time that a client has to wait.
async fn poll(scene: &Scene, device: &Value) -> (u16, Value) {
    scene.entra().tokens().advance(SignedDuration::from_secs(11));
    at_once(scene, device, PUBLIC_CLIENT_ID).await
}

async fn at_once(scene: &Scene, device: &Value, client: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client),
        ("device_code", device["device_code"].as_str().unwrap()),
    ];
    scene.token(&fields).await
}

async fn type_code(scene: &Scene, device: &Value) -> Page {
    let page = scene.get(device["verification_uri"].as_str().unwrap(), &[]).await;
    // People type in small letters.
    let typed = device["user_code"].as_str().unwrap().to_lowercase();
    scene.submit(&page, &[("otc", &typed)]).await
}

#[tokio::test]
async fn a_code_typed_elsewhere_lets_the_device_in_once() {
    let scene = Scene::start().await;
    let device = begin(&scene).await;
    assert_eq!((device["expires_in"].as_i64(), device["interval"].as_i64()), (Some(900), Some(5)));
    assert!(device["message"].as_str().unwrap().contains(device["user_code"].as_str().unwrap()));
    is_refused(poll(&scene, &device).await, 400, "authorization_pending", 70016);
    let page = type_code(&scene, &device).await;
    is_refused(poll(&scene, &device).await, 400, "authorization_pending", 70016);
    let done = scene.sign_in(&page, USER).await;
    assert!(done.body.contains("id=\"done\""), "{}", done.body);
    let tokens = granted(poll(&scene, &device).await);
    let bearer = tokens["access_token"].as_str().unwrap();
    assert_eq!(scene.entra().tokens().check(bearer, GRAPH).unwrap().user.unwrap().name, USER);
    assert!(tokens["refresh_token"].is_string());
    is_refused(poll(&scene, &device).await, 400, "bad_verification_code", 70018);
    // The code on the page is used up as well.
    assert!(type_code(&scene, &device).await.body.contains("didn&#39;t work"));
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_slow_down() {
    let scene = Scene::start().await;
    let device = begin(&scene).await;
    is_refused(at_once(&scene, &device, PUBLIC_CLIENT_ID).await, 400, "authorization_pending", 70016);
    is_refused(at_once(&scene, &device, PUBLIC_CLIENT_ID).await, 400, "slow_down", 70016);
    scene.entra().tokens().advance(SignedDuration::from_secs(6));
    is_refused(at_once(&scene, &device, PUBLIC_CLIENT_ID).await, 400, "slow_down", 70016);
    scene.entra().tokens().advance(SignedDuration::from_secs(15));
    is_refused(at_once(&scene, &device, PUBLIC_CLIENT_ID).await, 400, "authorization_pending", 70016);
}

#[tokio::test]
async fn an_expired_declined_unknown_or_strange_code_is_refused() {
    let scene = Scene::start().await;
    let device = begin(&scene).await;
    is_refused(at_once(&scene, &device, CLIENT_ID).await, 401, "invalid_client", 7_000_218);
    let strange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("device_code", device["device_code"].as_str().unwrap()),
    ];
    is_refused(scene.token(&strange).await, 400, "bad_verification_code", 70018);
    scene.entra().tokens().advance(SignedDuration::from_mins(15));
    is_refused(poll(&scene, &device).await, 400, "expired_token", 70020);
    assert!(type_code(&scene, &device).await.body.contains("didn&#39;t work"));

    scene.entra().change(|directory| {
        let tenant = directory.tenant(TENANT).unwrap();
        *tenant.consents(PUBLIC_CLIENT_ID) = Consents::default();
        tenant.user_consent = true;
    });
    let device = begin(&scene).await;
    let page = type_code(&scene, &device).await;
    let page = scene.sign_in(&page, USER).await;
    assert!(scene.submit(&page, &[("consent", "decline")]).await.body.contains("id=\"declined\""));
    is_refused(poll(&scene, &device).await, 400, "authorization_declined", 65004);
}

#[tokio::test]
async fn a_policy_may_block_device_codes_alone() {
    let scene = Scene::start().await;
    let policy = Policy::new(Rule::BlockDeviceCode);
    scene.entra().change(|directory| directory.tenant(TENANT).unwrap().policies = vec![policy]);
    let device = begin(&scene).await;
    let page = type_code(&scene, &device).await;
    scene.sign_in(&page, USER).await.is_error(53003);
    is_refused(poll(&scene, &device).await, 400, "authorization_pending", 70016);
    assert!(scene.authorize(&[]).await.sent("code").is_some());
}

#[tokio::test]
async fn the_device_endpoint_checks_app_and_scope() {
    let scene = Scene::start().await;
    let path = format!("{TENANT}/oauth2/v2.0/devicecode");
    let stranger = "99999999-0000-4000-8000-000000000000";
    let answer = scene.post(&path, &[("client_id", stranger), ("scope", SCOPE)]).await;
    is_refused(answer, 400, "unauthorized_client", 700_016);
    is_refused(scene.post(&path, &[("client_id", CLIENT_ID)]).await, 400, "invalid_request", 900_144);
    let answer = scene.post("nowhere/oauth2/v2.0/devicecode", &[("client_id", CLIENT_ID)]).await;
    is_refused(answer, 400, "invalid_request", 900_023);
}
