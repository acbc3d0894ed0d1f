//! Client credentials with a secret.

use jiff::{SignedDuration, Timestamp, ToSpan};
use wissel_testbed::entra::{
    Rule,
    directory::{Policy, Secret, Tenant},
    sample::{CLIENT_ID, CLIENT_SECRET, DOMAIN, TENANT},
    tokens::GRAPH,
};

use crate::scene::{Scene, granted, is_refused};

const GRAPH_DEFAULT: &str = "https://graph.microsoft.com/.default";

fn fields<'a>(secret: &'a str, scope: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", secret),
        ("scope", scope),
    ]
}

async fn with_secret(scene: &Scene, secret: &str) -> (u16, serde_json::Value) {
    scene.token(&fields(secret, GRAPH_DEFAULT)).await
}

#[tokio::test]
async fn an_app_acts_by_itself_with_what_an_administrator_consented_to() {
    let scene = Scene::start().await;
    let answer = granted(scene.token_of(DOMAIN, &fields(CLIENT_SECRET, GRAPH_DEFAULT)).await);
    assert!(answer.get("refresh_token").is_none() && answer.get("scope").is_none());
    let check = |answer: &serde_json::Value| {
        scene.entra().tokens().check(answer["access_token"].as_str().unwrap(), GRAPH).unwrap()
    };
    let info = check(&answer);
    assert!(info.user.is_none() && info.scopes.is_empty());
    assert_eq!(info.roles, ["Mail.ReadWrite", "Mail.Send", "User.Read.All"]);
    let basic =
        scene.client.post(scene.in_tenant("oauth2/v2.0/token")).basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
    let basic = basic.form(&[("grant_type", "client_credentials"), ("scope", GRAPH_DEFAULT)]);
    assert_eq!(basic.send().await.unwrap().status(), 200);
    // Without consent there is a token that allows nothing, as in Entra.
    scene
        .entra()
        .change(|directory| directory.tenant(TENANT).unwrap().consents(CLIENT_ID).application.clear());
    assert!(check(&granted(with_secret(&scene, CLIENT_SECRET).await)).roles.is_empty());
}

#[tokio::test]
async fn a_wrong_expired_or_missing_secret_is_refused_each_in_its_own_way() {
    let scene = Scene::start().await;
    let id = scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().secrets[0].id.clone());
    for wrong in ["verkeerd", id.as_str()] {
        is_refused(with_secret(&scene, wrong).await, 401, "invalid_client", 7_000_215);
    }
    is_refused(with_secret(&scene, "").await, 401, "invalid_client", 7_000_218);
    scene.entra().tokens().advance(SignedDuration::from_hours(731 * 24));
    is_refused(with_secret(&scene, CLIENT_SECRET).await, 401, "invalid_client", 7_000_222);
}

#[tokio::test]
async fn two_secrets_are_good_side_by_side_until_one_ends() {
    let scene = Scene::start().await;
    let in_an_hour = Timestamp::now() + 1.hour();
    let secret = |value| Secret::new(value, in_an_hour);
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().secrets.push(secret("nieuw~geheim")));
    granted(with_secret(&scene, CLIENT_SECRET).await);
    granted(with_secret(&scene, "nieuw~geheim").await);
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().secrets.remove(0));
    is_refused(with_secret(&scene, CLIENT_SECRET).await, 401, "invalid_client", 7_000_215);
    granted(with_secret(&scene, "nieuw~geheim").await);
}

#[tokio::test]
async fn tenant_app_scope_and_policy_are_checked() {
    let scene = Scene::start().await;
    let empty = "66666666-2222-4333-8444-555555555555";
    scene.entra().change(|directory| directory.add_tenant(Tenant::new(empty, "leeg.example")));
    let usual = fields(CLIENT_SECRET, GRAPH_DEFAULT);
    for (tenant, error, code) in [
        (empty, "unauthorized_client", 700_016),
        ("77777777-2222-4333-8444-555555555555", "invalid_request", 90002),
        ("not a tenant", "invalid_request", 900_023),
        ("common", "invalid_request", 50194),
    ] {
        is_refused(scene.token_of(tenant, &usual).await, 400, error, code);
    }
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().multi_tenant = true);
    is_refused(scene.token_of(empty, &usual).await, 400, "unauthorized_client", 700_016);
    is_refused(scene.token_of("common", &usual).await, 400, "invalid_request", 50059);
    for scope in ["https://graph.microsoft.com/Mail.ReadWrite", "openid"] {
        is_refused(scene.token(&fields(CLIENT_SECRET, scope)).await, 400, "invalid_scope", 1_002_012);
    }
    let unknown =
        [("grant_type", "client_credentials"), ("client_id", "88888888-0000-4000-8000-000000000000")];
    is_refused(scene.token(&unknown).await, 400, "unauthorized_client", 700_016);
    scene
        .entra()
        .change(|directory| directory.tenant(TENANT).unwrap().policies = vec![Policy::new(Rule::Block)]);
    is_refused(with_secret(&scene, CLIENT_SECRET).await, 400, "invalid_grant", 53003);
}
