//! What is asked for, and what is done when a provider gives less.

use serde_json::json;
use wissel_model::Tokens;

use super::stage::{Stage, no, token};
use crate::{Answer, AuthError, Authorization};

const READ: &str = "https://mail.example.test/Mail.Read";

/// With a grant of these scopes, whose token has ended.
fn granted(scopes: &[&str]) -> Stage {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", -1);
    let mut kept = stage.kept();
    kept["scopes"] = json!(scopes);
    stage.memory.kept.lock().unwrap().insert(stage.plan().field(), kept.to_string());
    stage
}

/// The scopes of each request so far.
fn asked(stage: &Stage) -> Vec<Option<String>> {
    (0..stage.provider.asked()).map(|at| stage.provider.form(at).get("scope").cloned()).collect()
}

#[tokio::test]
async fn a_renewal_asks_for_what_was_granted() {
    let stage = granted(&["openid", READ, "profile-read"]);
    stage.provider.says([token("A", None)]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(asked(&stage), [None], "a request without scopes is one for all that was granted");

    // Short as some providers write it, and without the optional one.
    let stage = granted(&["Mail.Read"]);
    stage.provider.says([token("A", None)]);
    let got = stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(asked(&stage), [Some(format!("openid offline_access {READ}"))]);
    assert_eq!(got.scopes, ["openid", "offline_access", READ], "no scopes in the answer: those asked for");

    let stage = granted(&["called-something-else"]);
    stage.provider.says([token("A", None)]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(asked(&stage), [None]);
}

#[tokio::test]
async fn what_is_optional_is_left_out_once_it_is_refused() {
    for (error, says) in
        [("invalid_grant", "CODE65001: no consent"), ("invalid_scope", ""), ("consent_required", "")]
    {
        let stage = granted(&[READ, "profile-read"]);
        stage.provider.says([no(error, says), token("A", None)]);
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
        assert_eq!(asked(&stage), [None, Some(format!("openid offline_access {READ}"))], "{error}");
    }
    // A grant that is gone, or nothing that could be left out: once is enough.
    for (scopes, error) in [(&[READ, "profile-read"][..], "invalid_grant"), (&[READ], "invalid_scope")] {
        let stage = granted(scopes);
        stage.provider.says([no(error, "CODE70000: gone")]);
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
        assert_eq!(stage.provider.asked(), 1, "{error}");
    }
}

#[test]
fn a_sign_in_can_ask_for_less() {
    let stage = Stage::new("oauth2-code");
    let plan = stage.plan().without_optional();
    let link = Authorization::begin(&plan, "http://localhost:7/", None).unwrap().link;
    let scope = link.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    assert_eq!(scope, format!("openid offline_access {READ}"));
    assert_eq!(plan.missing(&[READ.to_owned()]), ["profile-read"], "that it lacks one is told all the same");
}

#[tokio::test]
async fn an_issuer_has_to_be_one_that_the_description_names() {
    let mut stage = Stage::new("oauth2-code");
    stage.method.issuers =
        vec!["{authority}/*/v2.0".to_owned(), "https://other.example.test/v2.0".to_owned()];
    let plan = stage.plan();
    for good in ["https://login.example.test/1111-22/v2.0", "https://other.example.test/v2.0"] {
        assert!(plan.check_issuer(good).is_ok(), "{good}");
    }
    for bad in [
        "https://login.example.test/v2.0",
        "https://login.example.test//v2.0",
        "https://login.example.test/1111-22/v2.0/",
        "https://login.example.test/a/b/v2.0",
        "https://login.example.test/a?b/v2.0",
        "https://login.example.test.evil.test/1111-22/v2.0",
        "http://login.example.test/1111-22/v2.0",
        "",
    ] {
        assert!(matches!(plan.check_issuer(bad), Err(AuthError::OtherIssuer { .. })), "{bad}");
    }
    // The ID token of a sign-in says it as well: {"iss":"https://evil.test/1/v2.0","sub":"1"}
    let begun = Authorization::begin(&plan, "http://localhost:7/", None).unwrap();
    let provider = stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap();
    let id = "e30.eyJpc3MiOiJodHRwczovL2V2aWwudGVzdC8xL3YyLjAiLCJzdWIiOiIxIn0.x";
    stage.provider.says([super::stage::Says::Json(
        200,
        json!({ "access_token": "A", "token_type": "bearer", "expires_in": 60, "id_token": id }),
    )]);
    let refused = provider.finish(&begun.pending, &Answer::read("code=c0de").unwrap()).await;
    assert!(matches!(refused, Err(AuthError::OtherIssuer { got }) if got == "https://evil.test/1/v2.0"));
}
