//! Armed refusals, malformed requests, and what every answer has.

use wissel_testbed::entra::{
    Place,
    sample::{CLIENT_ID, CLIENT_SECRET, TENANT, USER},
};

use crate::scene::{Scene, granted, is_refused};

const APP_ONLY: [(&str, &str); 4] = [
    ("grant_type", "client_credentials"),
    ("client_id", CLIENT_ID),
    ("client_secret", CLIENT_SECRET),
    ("scope", "https://graph.microsoft.com/.default"),
];

#[tokio::test]
async fn every_code_that_people_meet_can_be_armed() {
    let scene = Scene::start().await;
    for (code, status, error) in [
        (7_000_215, 401, "invalid_client"),
        (7_000_222, 401, "invalid_client"),
        (65001, 400, "invalid_grant"),
        (90094, 400, "access_denied"),
        (65004, 400, "access_denied"),
        (50011, 400, "invalid_request"),
        (50076, 400, "interaction_required"),
        (50079, 400, "interaction_required"),
        (700_016, 400, "unauthorized_client"),
        (90002, 400, "invalid_request"),
        (900_023, 400, "invalid_request"),
        (53003, 400, "invalid_grant"),
        (70008, 400, "invalid_grant"),
        (700_082, 400, "invalid_grant"),
        (50173, 400, "invalid_grant"),
        (70043, 400, "invalid_grant"),
        (7_000_112, 400, "unauthorized_client"),
        (90033, 503, "temporarily_unavailable"),
    ] {
        scene.entra().fail(Place::Token, code, 2);
        is_refused(scene.token(&APP_ONLY).await, status, error, code);
        is_refused(scene.token(&APP_ONLY).await, status, error, code);
        granted(scene.token(&APP_ONLY).await);
    }
    scene.entra().fail(Place::DeviceCode, 53003, 1);
    let path = format!("{TENANT}/oauth2/v2.0/devicecode");
    is_refused(scene.post(&path, &[("client_id", CLIENT_ID)]).await, 400, "invalid_grant", 53003);
    scene.entra().fail(Place::Authorize, 65004, 1);
    assert_eq!(scene.authorize(&[]).await.sent("error").as_deref(), Some("access_denied"));
    scene.entra().fail(Place::Authorize, 53003, 1);
    scene.authorize(&[]).await.is_error(53003);
}

#[tokio::test]
async fn malformed_requests_are_told_what_they_lack() {
    let scene = Scene::start().await;
    for (fields, error, code) in [
        (&[][..], "invalid_request", 900_144),
        (&[("grant_type", "client_credentials")], "invalid_request", 900_144),
        (&[("grant_type", "password"), ("client_id", CLIENT_ID)], "unsupported_grant_type", 70003),
        (&[("grant_type", "authorization_code"), ("client_id", CLIENT_ID)], "invalid_request", 900_144),
        (&[("grant_type", "refresh_token"), ("client_id", CLIENT_ID)], "invalid_request", 900_144),
    ] {
        is_refused(scene.token(fields).await, 400, error, code);
    }
    // Only a form is a form.
    let json = scene
        .client
        .post(scene.in_tenant("oauth2/v2.0/token"))
        .json(&serde_json::json!({ "grant_type": "x" }));
    assert_eq!(json.send().await.unwrap().status(), 400);
    // A secret in the address is not looked at.
    let url = scene.in_tenant("oauth2/v2.0/token");
    let in_query = scene.client.post(url).query(&APP_ONLY).send().await.unwrap();
    assert_eq!(in_query.status(), 400);
    let get = scene.client.get(scene.in_tenant("oauth2/v2.0/token")).send().await.unwrap();
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn the_clients_own_request_id_comes_back_and_answers_are_not_kept() {
    let scene = Scene::start().await;
    let id = "d3c6f0aa-0000-4000-8000-000000000001";
    let post = |fields: &'static [(&str, &str)]| {
        let request = scene.client.post(scene.in_tenant("oauth2/v2.0/token")).header("client-request-id", id);
        request.form(fields).send()
    };
    let refused: serde_json::Value = post(&[("grant_type", "x")]).await.unwrap().json().await.unwrap();
    assert_eq!(refused["correlation_id"], id);
    let answer = post(&APP_ONLY).await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = scene.authorize(&[("client_id", "unknown")]).await;
    assert!(page.status.is_client_error() && page.body.contains("Correlation Id: "));
    assert!(scene.entra().traffic().requests() >= 3 && scene.entra().revoke(USER));
}
