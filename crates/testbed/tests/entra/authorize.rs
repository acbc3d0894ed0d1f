//! The authorize endpoint: which requests are taken, who is let in, and where refusals are told.

use serde_json::Value;
use wissel_testbed::entra::{
    Rule,
    directory::{App, Platform, Policy, Redirect, Tenant, User},
    sample::{ADMIN, CLIENT_ID, PASSWORD, TENANT, USER},
};

use crate::scene::{CHALLENGE, REDIRECT, Scene, granted};

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_the_app_did_not_register() {
    let scene = Scene::start().await;
    for asked in [
        "http://localhost:49152/other",
        "http://localhost.evil.example/",
        "https://localhost:49152/",
        "http://127.0.0.1:49152/",
        "http://[::1]:49152/",
        "https://relay.voorbeeld.example/Authorize",
        "https://relay.voorbeeld.example/authorize?more",
    ] {
        // Even refusals that would go back to the app stay here.
        for prompt in ["", "none"] {
            scene.authorize(&[("redirect_uri", asked), ("prompt", prompt)]).await.is_error(50011);
        }
    }
    let relay = scene.authorize(&[("redirect_uri", "https://relay.voorbeeld.example/authorize")]).await;
    assert!(relay.body.contains("name=\"passwd\""));
}

#[tokio::test]
async fn an_unknown_app_or_tenant_is_told_to_the_person() {
    let scene = Scene::start().await;
    scene.authorize(&[("client_id", "22222222-0000-4000-8000-000000000000")]).await.is_error(700_016);
    let usual = [("client_id", CLIENT_ID), ("redirect_uri", REDIRECT)];
    let neighbour = "88888888-2222-4333-8444-555555555555";
    scene.entra().change(|directory| directory.add_tenant(Tenant::new(neighbour, "buren.example")));
    for (tenant, code) in [
        // An app of one tenant is none of another's.
        (neighbour, 700_016),
        ("33333333-0000-4000-8000-000000000000", 90002),
        ("elders.example", 90002),
        ("not-a-tenant", 900_023),
        ("common", 50194),
    ] {
        let url = scene.url(&format!("{tenant}/oauth2/v2.0/authorize"));
        scene.get(&url, &usual).await.is_error(code);
    }
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().disabled = true);
    scene.authorize(&[]).await.is_error(7_000_112);
}

#[tokio::test]
async fn what_is_wrong_with_a_sound_apps_request_is_told_to_the_app() {
    let scene = Scene::start().await;
    for (changed, error, code) in [
        (&[("response_type", "token")][..], "unsupported_response_type", 70005),
        (&[("response_type", "")], "invalid_request", 900_144),
        (&[("scope", "")], "invalid_request", 900_144),
        (&[("scope", "Mail.Everything")], "invalid_scope", 70011),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request", 9_002_325),
        (&[("code_challenge_method", "plain")], "invalid_request", 9_002_325),
        (&[("code_challenge", "short")], "invalid_request", 9_002_325),
        (&[("claims", "{")], "invalid_request", 9_002_313),
        (&[("prompt", "none")], "login_required", 50058),
    ] {
        let page = scene.authorize(changed).await;
        assert_eq!(page.sent("error").as_deref(), Some(error), "{changed:?}");
        assert!(page.sent("error_description").unwrap().starts_with(&format!("AADSTS{code}: ")));
        assert_eq!((page.sent("state").as_deref(), page.sent("code")), (Some("st&te"), None));
    }
    assert_eq!(CHALLENGE.len(), 43);
}

#[tokio::test]
async fn only_the_right_password_of_a_user_of_the_tenant_lets_in() {
    let scene = Scene::start().await;
    scene.entra().change(|directory| {
        let mut other = Tenant::new("44444444-2222-4333-8444-555555555555", "elders.example");
        other.add_user(User::new("piet@elders.example", PASSWORD));
        directory.add_tenant(other);
        let gone = User { disabled: true, ..User::new("weg@voorbeeld.example", PASSWORD) };
        directory.tenant(TENANT).unwrap().add_user(gone);
    });
    let page = scene.authorize(&[("login_hint", USER)]).await;
    assert!(page.body.contains(&format!("value=\"{USER}\"")));
    for (user, password, code) in [
        (USER, "verkeerd", 50126),
        (USER, "", 50126),
        ("niemand@voorbeeld.example", PASSWORD, 50034),
        ("piet@elders.example", PASSWORD, 50020),
        ("weg@voorbeeld.example", PASSWORD, 50057),
    ] {
        let answer = scene.submit(&page, &[("loginfmt", user), ("passwd", password)]).await;
        answer.is_error(code);
        assert!(answer.body.contains("name=\"passwd\""), "he may try again");
    }
    assert!(scene.sign_in(&page, &USER.to_uppercase()).await.sent("code").is_some());
    // The form's context is used up.
    scene.sign_in(&page, USER).await.is_error(9_002_313);
    assert_eq!(scene.entra().sign_in_counts()["authorize"][&50126], 2);
}

#[tokio::test]
async fn a_multi_tenant_app_finds_the_users_own_tenant() {
    let scene = Scene::start().await;
    let id = "55555555-2222-4333-8444-555555555555";
    scene.entra().change(|directory| {
        let mut other = Tenant::new(id, "elders.example");
        other.user_consent = true;
        other.add_user(User::new("piet@elders.example", PASSWORD));
        directory.add_tenant(other);
        directory.app(CLIENT_ID).unwrap().multi_tenant = true;
    });
    let query = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "User.Read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let page = scene.get(&scene.url("common/oauth2/v2.0/authorize"), &query).await;
    let page = scene.sign_in(&page, "piet@elders.example").await;
    assert!(page.body.contains("Permissions requested"), "{}", page.body);
    let code = scene.submit(&page, &[("consent", "accept")]).await.sent("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("client_secret", wissel_testbed::entra::sample::CLIENT_SECRET),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", crate::scene::VERIFIER),
    ];
    // Another tenant cannot redeem the code.
    assert_eq!(scene.token(&fields).await.0, 400);
    let tokens = granted(scene.token_of("elders.example", &fields).await);
    let bearer = tokens["access_token"].as_str().unwrap();
    let info = scene.entra().tokens().check(bearer, wissel_testbed::entra::tokens::GRAPH).unwrap();
    assert_eq!(info.tenant, id);
}

#[tokio::test]
async fn a_signed_in_browser_is_not_asked_again_unless_the_app_wants_it() {
    let scene = Scene::start().await;
    scene.code(&[]).await;
    assert!(scene.authorize(&[]).await.sent("code").is_some());
    assert!(scene.authorize(&[("prompt", "none")]).await.sent("code").is_some());
    for changed in [("prompt", "login"), ("prompt", "select_account"), ("login_hint", ADMIN)] {
        assert!(scene.authorize(&[changed]).await.body.contains("name=\"passwd\""), "{changed:?}");
    }
    let consent = scene.authorize(&[("prompt", "consent")]).await;
    assert!(consent.body.contains("Permissions requested"));
    assert!(scene.submit(&consent, &[("consent", "accept")]).await.sent("code").is_some());
    scene.entra().revoke(USER);
    assert!(scene.authorize(&[]).await.body.contains("name=\"passwd\""), "revoked with the refresh tokens");
}

#[tokio::test]
async fn the_answer_comes_in_the_mode_asked_for() {
    let scene = Scene::start().await;
    let page = scene.authorize(&[("response_mode", "form_post")]).await;
    let page = scene.sign_in(&page, USER).await;
    assert_eq!((page.status.as_u16(), page.between("action=\"", "\"")), (200, Some(REDIRECT)));
    assert!(page.body.contains("name=\"code\"") && page.body.contains("value=\"st&amp;te\""));
    let page = scene.authorize(&[("response_mode", "fragment")]).await;
    assert!(page.location.unwrap().fragment().unwrap().contains("code="));
}

#[tokio::test]
async fn policies_ask_a_second_factor_or_block() {
    let scene = Scene::start().await;
    let policies = |rules: &[Rule]| {
        let policies: Vec<_> = rules.iter().copied().map(Policy::new).collect();
        scene.entra().change(|directory| directory.tenant(TENANT).unwrap().policies = policies);
    };
    policies(&[Rule::RequireSecondFactor]);
    let page = scene.authorize(&[]).await;
    scene.sign_in(&page, USER).await.is_error(50079);
    scene.entra().change(|directory| directory.user(USER).unwrap().second_factor = Some("123456".into()));
    let silent = scene.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.sent("error").as_deref(), Some("interaction_required"));
    assert!(silent.sent("claims").unwrap().contains("polids"));
    let page = scene.authorize(&[]).await;
    let again = scene.submit(&page, &[("otc", "000000")]).await;
    assert!(again.location.is_none() && again.body.contains("not right"));
    assert!(scene.submit(&again, &[("otc", "123456")]).await.sent("code").is_some());

    policies(&[Rule::Block]);
    scene.authorize(&[]).await.is_error(53003);
    policies(&[]);
    let about_another = Policy { app: Some("another".into()), ..Policy::new(Rule::Block) };
    scene.entra().change(|directory| directory.tenant(TENANT).unwrap().policies = vec![about_another]);
    assert!(scene.authorize(&[]).await.sent("code").is_some());
}

#[tokio::test]
async fn pkce_and_dynamic_ports_are_the_apps_own_business_where_it_is_so_configured() {
    let scene = Scene::start().await;
    scene.entra().change(|directory| {
        directory.settings.require_pkce = false;
        let redirect = Redirect { uri: "http://localhost/cb".into(), platform: Platform::Web };
        let app: &mut App = directory.app(CLIENT_ID).unwrap();
        app.redirects.push(redirect);
    });
    let changed =
        [("code_challenge", ""), ("code_challenge_method", ""), ("redirect_uri", "http://localhost:1/cb")];
    let code = scene.code(&changed).await;
    let answer =
        scene.redeem(&code, &[("code_verifier", ""), ("redirect_uri", "http://localhost:1/cb")]).await;
    let tokens: Value = granted(answer);
    assert!(tokens["access_token"].is_string());
}
