//! Authorisation codes: what they bring, and what is refused.

use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;
use wissel_testbed::entra::{
    directory::App,
    sample::{CLIENT_ID, PUBLIC_CLIENT_ID, TENANT, USER},
    tokens::{GRAPH, OUTLOOK, Refused},
};

use crate::scene::{REDIRECT, SCOPE, Scene, VERIFIER, claims, granted, is_refused};

#[tokio::test]
async fn a_code_brings_tokens_for_what_was_consented_to() {
    let scene = Scene::start().await;
    let page = scene.authorize(&[]).await;
    assert!(page.body.contains("name=\"passwd\"") && page.body.contains("Wissel"));
    let sent = scene.sign_in(&page, USER).await;
    assert!(sent.location.as_ref().unwrap().as_str().starts_with(REDIRECT));
    assert_eq!(sent.sent("state").as_deref(), Some("st&te"));
    let tokens = granted(scene.redeem(&sent.sent("code").unwrap(), &[]).await);

    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(4500)));
    let scope: Vec<_> = tokens["scope"].as_str().unwrap().split(' ').collect();
    // All that was consented to for Graph, though sending was not asked for; and nothing of another service.
    assert_eq!(
        scope,
        [
            "https://graph.microsoft.com/Mail.ReadWrite.Shared",
            "https://graph.microsoft.com/Mail.Send.Shared",
            "https://graph.microsoft.com/User.Read",
            "openid"
        ]
    );
    let bearer = tokens["access_token"].as_str().unwrap();
    assert!(!bearer.contains('.'), "opaque unless it is switched");
    let info = scene.entra().tokens().check(bearer, GRAPH).unwrap();
    assert_eq!((info.tenant.as_str(), info.app.as_str()), (TENANT, CLIENT_ID));
    assert_eq!(info.user.unwrap().name, USER);
    assert_eq!(info.scopes, ["Mail.ReadWrite.Shared", "Mail.Send.Shared", "User.Read"]);
    assert!(info.roles.is_empty());
    assert_eq!(scene.entra().tokens().check(bearer, OUTLOOK).unwrap_err(), Refused::OtherAudience);
    scene.entra().tokens().advance(SignedDuration::from_secs(4500));
    assert_eq!(scene.entra().tokens().check(bearer, GRAPH).unwrap_err(), Refused::Expired);
}

async fn keys(scene: &Scene) -> JwkSet {
    let configuration: Value = scene
        .client
        .get(scene.in_tenant("v2.0/.well-known/openid-configuration"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(configuration["issuer"], scene.in_tenant("v2.0"));
    let keys = configuration["jwks_uri"].as_str().unwrap();
    scene.client.get(keys).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn id_tokens_and_on_request_access_tokens_verify_with_the_published_key() {
    let scene = Scene::start().await;
    scene.entra().change(|directory| directory.settings.jwt = true);
    let tokens = scene.tokens().await;
    let keys = keys(&scene).await;
    for (token, audience) in [(&tokens["id_token"], CLIENT_ID), (&tokens["access_token"], GRAPH)] {
        let token = token.as_str().unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[scene.in_tenant("v2.0")]);
        let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
        assert_eq!(
            (claims["preferred_username"].as_str(), claims["tid"].as_str()),
            (Some(USER), Some(TENANT))
        );
    }
    assert_eq!(claims(&tokens["id_token"])["nonce"], "n0nce");
    let scopes = "Mail.ReadWrite.Shared Mail.Send.Shared User.Read";
    let access = claims(&tokens["access_token"]);
    assert_eq!((access["scp"].as_str(), access["scope"].as_str()), (Some(scopes), Some(scopes)));
    assert!(scene.entra().tokens().check(tokens["access_token"].as_str().unwrap(), GRAPH).is_ok());
}

#[tokio::test]
async fn a_code_is_good_once_for_a_short_time() {
    let scene = Scene::start().await;
    let code = scene.code(&[]).await;
    granted(scene.redeem(&code, &[]).await);
    is_refused(scene.redeem(&code, &[]).await, 400, "invalid_grant", 54005);
    is_refused(scene.redeem("guessed", &[]).await, 400, "invalid_grant", 70000);
    scene.forget_cookies();
    let code = scene.code(&[]).await;
    scene.entra().tokens().advance(SignedDuration::from_mins(10));
    is_refused(scene.redeem(&code, &[]).await, 400, "invalid_grant", 70008);
}

#[tokio::test]
async fn a_code_needs_its_verifier_redirect_uri_and_client() {
    let scene = Scene::start().await;
    let other = "11111111-0000-4000-8000-000000000000";
    scene.entra().change(|directory| {
        let secrets = directory.app(CLIENT_ID).unwrap().secrets.clone();
        directory.add_app(App { secrets, ..App::new(other, "Other", TENANT) });
    });
    let wrong = VERIFIER.replace('d', "e");
    for (changed, status, error, code) in [
        (&[("code_verifier", wrong.as_str())][..], 400, "invalid_grant", 501_481),
        (&[("code_verifier", "")], 400, "invalid_request", 900_144),
        (&[("redirect_uri", "http://localhost:49153/")], 400, "invalid_client", 500_112),
        (&[("client_id", other)], 400, "invalid_grant", 70000),
        (&[("client_secret", "")], 401, "invalid_client", 7_000_218),
        (&[("client_secret", "wrong")], 401, "invalid_client", 7_000_215),
    ] {
        scene.forget_cookies();
        let issued = scene.code(&[]).await;
        is_refused(scene.redeem(&issued, changed).await, status, error, code);
    }
    // A wrong verifier has used the code up.
    scene.forget_cookies();
    let code = scene.code(&[]).await;
    scene.redeem(&code, &[("code_verifier", &wrong)]).await;
    is_refused(scene.redeem(&code, &[]).await, 400, "invalid_grant", 54005);
}

#[tokio::test]
async fn a_native_app_redeems_without_a_secret_and_only_so() {
    let scene = Scene::start().await;
    let native = ("client_id", PUBLIC_CLIENT_ID);
    let code = scene.code(&[native]).await;
    let with_secret = scene.redeem(&code, &[native]).await;
    is_refused(with_secret, 401, "invalid_client", 700_025);
    let tokens = granted(scene.redeem(&code, &[native, ("client_secret", "")]).await);
    let renewed = scene.refresh(&tokens["refresh_token"], &[native, ("client_secret", "")]).await;
    granted(renewed);
}

#[tokio::test]
async fn a_token_is_for_one_service_and_permissions_that_exist() {
    let scene = Scene::start().await;
    let imap = "https://outlook.office.com/IMAP.AccessAsUser.All";
    let both = format!("{SCOPE} {imap}");
    // Agreed to both, a client asks for a token of each.
    let code = scene.code(&[("scope", &both)]).await;
    is_refused(scene.redeem(&code, &[("scope", &both)]).await, 400, "invalid_request", 28000);
    scene.forget_cookies();
    let code = scene.code(&[("scope", &both)]).await;
    let first = granted(scene.redeem(&code, &[]).await);
    assert!(first["scope"].as_str().unwrap().contains("graph.microsoft.com"));
    let second = granted(scene.refresh(&first["refresh_token"], &[("scope", imap)]).await);
    assert_eq!(second["scope"], imap);
    let bearer = second["access_token"].as_str().unwrap();
    assert!(scene.entra().tokens().check(bearer, OUTLOOK).is_ok());
    assert!(scene.entra().tokens().check(bearer, GRAPH).is_err());
    for (scope, error, code) in [
        ("https://graph.microsoft.com/Mail.Everything", "invalid_scope", 70011),
        ("https://other.example/Mail.Read", "invalid_resource", 500_011),
    ] {
        let answer = scene.refresh(&first["refresh_token"], &[("scope", scope)]).await;
        is_refused(answer, 400, error, code);
    }
}

#[tokio::test]
async fn a_refresh_token_and_an_id_token_come_only_when_asked_for() {
    let scene = Scene::start().await;
    let code = scene.code(&[("scope", "https://graph.microsoft.com/User.Read")]).await;
    let tokens = granted(scene.redeem(&code, &[]).await);
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
}

#[tokio::test]
async fn the_address_of_a_face_stands_for_its_service() {
    let scene = Scene::start().await;
    let scope = format!("{}/User.Read", scene.bed.graph_url());
    let code = scene.code(&[("scope", &scope)]).await;
    let tokens = granted(scene.redeem(&code, &[]).await);
    assert!(tokens["scope"].as_str().unwrap().split(' ').any(|granted| granted == scope));
    let bearer = tokens["access_token"].as_str().unwrap();
    let url = format!("{}/v1.0/me", scene.bed.graph_url());
    let me = scene.client.get(url).bearer_auth(bearer).send().await.unwrap();
    assert_eq!(me.json::<Value>().await.unwrap()["userPrincipalName"], USER);
}
