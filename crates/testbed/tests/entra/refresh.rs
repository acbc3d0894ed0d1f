//! Refresh tokens: rotation, and everything that ends one.

use jiff::SignedDuration;
use serde_json::{Value, json};
use wissel_testbed::entra::{
    Rule,
    directory::{App, Policy},
    sample::{CLIENT_ID, PUBLIC_CLIENT_ID, TENANT, USER},
    tokens::{GRAPH, Refused},
};

use crate::scene::{Scene, granted, is_refused};

fn policy(scene: &Scene, rule: Rule) {
    scene.entra().change(|directory| directory.tenant(TENANT).unwrap().policies = vec![Policy::new(rule)]);
}

#[tokio::test]
async fn a_refresh_token_is_replaced_and_the_old_one_stays_good() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    let renewed = granted(scene.refresh(&tokens["refresh_token"], &[]).await);
    assert_ne!(renewed["refresh_token"], tokens["refresh_token"]);
    assert_ne!(renewed["access_token"], tokens["access_token"]);
    assert_eq!(renewed["scope"], tokens["scope"]);
    granted(scene.refresh(&tokens["refresh_token"], &[]).await);
    granted(scene.refresh(&renewed["refresh_token"], &[]).await);
    assert_eq!(scene.entra().sign_in_counts()["refresh_token"][&0], 3);
    // Everything handed out is known to who searches for it.
    let ever = scene.entra().tokens().ever_issued();
    assert!(ever.iter().any(|token| renewed["refresh_token"] == **token));
    assert_eq!(ever.len(), 8);
}

#[tokio::test]
async fn where_it_is_strict_a_second_use_ends_the_whole_family() {
    let scene = Scene::start().await;
    scene.entra().change(|directory| directory.settings.strict_refresh = true);
    let tokens = scene.tokens().await;
    let renewed = granted(scene.refresh(&tokens["refresh_token"], &[]).await);
    is_refused(scene.refresh(&tokens["refresh_token"], &[]).await, 400, "invalid_grant", 70000);
    is_refused(scene.refresh(&renewed["refresh_token"], &[]).await, 400, "invalid_grant", 70000);
}

#[tokio::test]
async fn a_refresh_token_is_its_clients_only() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    let token = &tokens["refresh_token"];
    let other = [("client_id", PUBLIC_CLIENT_ID), ("client_secret", "")];
    is_refused(scene.refresh(token, &other).await, 400, "invalid_grant", 70000);
    is_refused(scene.refresh(token, &[("client_secret", "")]).await, 401, "invalid_client", 7_000_218);
    is_refused(scene.refresh(token, &[("client_secret", "x")]).await, 401, "invalid_client", 7_000_215);
    is_refused(scene.refresh(&json!("1.guessed"), &[]).await, 400, "invalid_grant", 9_002_313);
    is_refused(scene.refresh(&tokens["access_token"], &[]).await, 400, "invalid_grant", 9_002_313);
}

#[tokio::test]
async fn time_revocation_and_a_disabled_user_end_it() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    let token = &tokens["refresh_token"];
    scene.entra().tokens().advance(SignedDuration::from_hours(89 * 24));
    let renewed = granted(scene.refresh(token, &[]).await);
    scene.entra().tokens().advance(SignedDuration::from_hours(2 * 24));
    is_refused(scene.refresh(token, &[]).await, 400, "invalid_grant", 700_082);
    granted(scene.refresh(&renewed["refresh_token"], &[]).await);

    assert!(scene.entra().revoke(USER) && !scene.entra().revoke("niemand@voorbeeld.example"));
    let revoked = scene.refresh(&renewed["refresh_token"], &[]).await;
    assert_eq!(is_refused(revoked, 400, "invalid_grant", 50173)["suberror"], "bad_token");
    let tokens = scene.tokens().await;
    granted(scene.refresh(&tokens["refresh_token"], &[]).await);

    scene.entra().change(|directory| directory.user(USER).unwrap().disabled = true);
    is_refused(scene.refresh(&tokens["refresh_token"], &[]).await, 400, "invalid_grant", 50057);
}

#[tokio::test]
async fn policies_that_came_later_end_it() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    let token = &tokens["refresh_token"];
    policy(&scene, Rule::RequireSecondFactor);
    let answer = is_refused(scene.refresh(token, &[]).await, 400, "interaction_required", 50079);
    assert!(answer["claims"].as_str().unwrap().contains("polids"));
    scene.entra().change(|directory| directory.user(USER).unwrap().second_factor = Some("123456".into()));
    is_refused(scene.refresh(token, &[]).await, 400, "interaction_required", 50076);
    policy(&scene, Rule::Block);
    is_refused(scene.refresh(token, &[]).await, 400, "invalid_grant", 53003);
    policy(&scene, Rule::SignInFrequency(SignedDuration::from_hours(1)));
    granted(scene.refresh(token, &[]).await);
    scene.entra().tokens().advance(SignedDuration::from_hours(1));
    is_refused(scene.refresh(token, &[]).await, 400, "invalid_grant", 70043);
    // Signing in once more is enough, and the browser asks for it.
    let page = scene.authorize(&[]).await;
    let code = scene.sign_in(&page, USER).await.sent("code").unwrap();
    let tokens = granted(scene.redeem(&code, &[]).await);
    granted(scene.refresh(&tokens["refresh_token"], &[]).await);
}

#[tokio::test]
async fn revoking_challenges_clients_that_can_answer_and_spares_the_others() {
    let scene = Scene::start().await;
    let check = |tokens: &Value| {
        scene.entra().tokens().check(tokens["access_token"].as_str().unwrap(), GRAPH).map(|info| info.scopes)
    };
    let tokens = scene.tokens().await;
    let cp1 = able(&json!({ "access_token": {} }));
    let renewed = granted(scene.refresh(&tokens["refresh_token"], &[("claims", &cp1)]).await);
    assert!(check(&renewed).is_ok());
    scene.entra().revoke(USER);
    assert!(check(&tokens).is_ok());
    let Err(Refused::InsufficientClaims { claims }) = check(&renewed) else { panic!("no challenge") };
    assert!(claims.contains("nbf"), "{claims}");
    let with = able(&serde_json::from_str(&claims).unwrap());
    let answer = scene.refresh(&renewed["refresh_token"], &[("claims", &with)]).await;
    is_refused(answer, 400, "invalid_grant", 50173);
    scene.entra().tokens().advance(SignedDuration::from_secs(1));
    let page = scene.authorize(&[("claims", &with)]).await;
    let code = scene.sign_in(&page, USER).await.sent("code").unwrap();
    assert!(check(&granted(scene.redeem(&code, &[]).await)).is_ok());
}

fn able(claims: &Value) -> String {
    let mut wanted = claims.clone();
    wanted["access_token"]["xms_cc"] = json!({ "values": ["cp1"] });
    wanted.to_string()
}

#[tokio::test]
async fn a_claims_challenge_is_answered_by_sending_the_claims_along() {
    let scene = Scene::start().await;
    let registry = scene.entra().tokens();
    let tokens = scene.tokens().await;
    let cp1 = able(&json!({ "access_token": {} }));
    let renewed = granted(scene.refresh(&tokens["refresh_token"], &[("claims", &cp1)]).await);
    assert_eq!(renewed["expires_in"], 28 * 3600);
    let bearer = renewed["access_token"].as_str().unwrap();
    assert!(registry.check(bearer, GRAPH).is_ok());
    let acrs = json!({ "acrs": { "essential": true, "value": "c1" } });
    registry.demand(GRAPH, acrs.as_object().unwrap().clone());
    let Err(Refused::InsufficientClaims { claims }) = registry.check(bearer, GRAPH) else {
        panic!("no challenge")
    };
    // Renewed as ever, it is challenged as ever.
    let as_ever = granted(scene.refresh(&renewed["refresh_token"], &[("claims", &cp1)]).await);
    assert!(registry.check(as_ever["access_token"].as_str().unwrap(), GRAPH).is_err());
    let with = able(&serde_json::from_str(&claims).unwrap());
    let stepped_up = granted(scene.refresh(&renewed["refresh_token"], &[("claims", &with)]).await);
    assert!(registry.check(stepped_up["access_token"].as_str().unwrap(), GRAPH).is_ok());
    let later = granted(scene.refresh(&stepped_up["refresh_token"], &[("claims", &cp1)]).await);
    assert!(registry.check(later["access_token"].as_str().unwrap(), GRAPH).is_ok(), "the grant keeps them");

    // Where the claims need the person, a refresh token is not enough.
    scene.entra().change(|directory| directory.settings.claims_need_sign_in = true);
    let answer = scene.refresh(&tokens["refresh_token"], &[("claims", &with)]).await;
    let answer = is_refused(answer, 400, "interaction_required", 50076);
    assert_eq!(answer["claims"], with);
    let page = scene.authorize(&[("claims", &with)]).await;
    let tokens = granted(scene.redeem(&page.sent("code").unwrap(), &[]).await);
    assert!(registry.check(tokens["access_token"].as_str().unwrap(), GRAPH).is_ok());
}

#[tokio::test]
async fn an_app_that_is_gone_or_disabled_renews_nothing() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().disabled = true);
    is_refused(scene.refresh(&tokens["refresh_token"], &[]).await, 400, "unauthorized_client", 7_000_112);
    scene.entra().change(|directory| directory.apps.remove(CLIENT_ID).map(|app: App| app.name));
    is_refused(scene.refresh(&tokens["refresh_token"], &[]).await, 400, "unauthorized_client", 700_016);
}
