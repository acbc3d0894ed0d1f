//! Renewal: once, stored before use, and no more often than it makes sense.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use wissel_model::{ErrorKind, RefusedToken, SecretKind, Tokens};

use super::stage::{Says, Stage, no, token};
use crate::{Standing, status};

impl Stage {
    async fn token(&self) -> Result<String, wissel_model::ConnectorError> {
        let token = self.authority.token(&self.account, &self.description, &self.method, None).await;
        token.map(|token| token.secret.expose_secret().to_owned())
    }
}

#[tokio::test]
async fn a_token_that_lasts_is_used_as_it_is() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", 1800);
    assert_eq!(stage.token().await.unwrap(), "old");
    assert_eq!(stage.provider.asked(), 0);
}

#[tokio::test]
async fn one_that_ends_soon_is_renewed_and_what_renews_it_replaced_before_use() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", 60);
    stage.provider.says([token("new", Some("R2"))]);
    assert_eq!(stage.token().await.unwrap(), "new");
    let form = stage.provider.form(0);
    assert_eq!((form["grant_type"].as_str(), form["refresh_token"].as_str()), ("refresh_token", "R1"));
    assert!(form["claims"].contains("c1") && !form.contains_key("login_hint"));
    let kept = stage.kept();
    assert_eq!((kept["access_token"].as_str(), kept["refresh_token"].as_str()), (Some("new"), Some("R2")));
    assert_eq!(kept["user"], "anna@example.test", "an answer without an ID token leaves the user");
    assert_eq!(kept["scopes"], serde_json::json!(["read"]), "and one without scopes those of before");
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_not_used() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", -1);
    *stage.memory.read_only.lock().unwrap() = true;
    stage.provider.says([token("new", Some("R2"))]);
    assert!(stage.token().await.is_err());
}

#[tokio::test]
async fn many_tasks_and_two_processes_renew_once() {
    let stage = Arc::new(Stage::new("oauth2-code"));
    stage.granted("old", "R1", -1);
    stage.provider.says([token("new", Some("R2"))]);
    *stage.provider.takes.lock().unwrap() = Duration::from_millis(100);
    let other = Arc::new(stage.other_process());
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..20 {
        let (stage, other) = (stage.clone(), other.clone());
        tasks.spawn(async move {
            let authority = if at % 2 == 0 { &*stage.authority } else { &*other };
            let token =
                authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
            token.secret.expose_secret().to_owned()
        });
    }
    while let Some(token) = tasks.join_next().await {
        assert_eq!(token.unwrap(), "new");
    }
    assert_eq!(stage.provider.asked(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_with_the_claims_that_are_asked_for_and_only_that_one() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", 1800);
    stage.provider.says([token("new", None)]);
    let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let refused = RefusedToken { token: SecretString::from("old"), claims: Some(challenge.to_owned()) };
    for _ in 0..2 {
        let token = stage
            .authority
            .token(&stage.account, &stage.description, &stage.method, Some(&refused))
            .await
            .unwrap();
        assert_eq!(token.secret.expose_secret(), "new");
    }
    let claims: serde_json::Value = serde_json::from_str(&stage.provider.form(0)["claims"]).unwrap();
    assert_eq!(claims["access_token"]["nbf"]["value"], "1");
    assert_eq!(claims["access_token"]["cc"]["values"][0], "c1", "what is always claimed stays");
    assert_eq!(stage.kept()["refresh_token"], "R1", "one that is not replaced stays");
    assert_eq!(stage.provider.asked(), 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_keeps_the_token_while_it_is_good() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", 100);
    stage.provider.says([Says::Later(503, "7"), Says::Nothing, no("temporarily_unavailable", "")]);
    for _ in 0..3 {
        let other = stage.other_process();
        let token = other.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
        assert_eq!(token.secret.expose_secret(), "old");
    }
    stage.granted("old", "R1", -1);
    stage.provider.says([Says::Later(429, "7"), token("new", None)]);
    let error = stage
        .other_process()
        .token(&stage.account, &stage.description, &stage.method, None)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.retry_after()), (ErrorKind::Temporary, Some(Duration::from_secs(7))));
    assert_eq!(
        stage
            .other_process()
            .token(&stage.account, &stage.description, &stage.method, None)
            .await
            .unwrap()
            .secret
            .expose_secret(),
        "new"
    );
}

#[tokio::test]
async fn a_refusal_is_remembered_across_processes_and_asked_again_after_a_pause_or_a_change() {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", -1);
    stage.provider.says([no("invalid_grant", "CODE70008: the token R1-and-more expired")]);
    for _ in 0..3 {
        let error = stage
            .other_process()
            .token(&stage.account, &stage.description, &stage.method, None)
            .await
            .unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::AuthorizationNeeded, Some("CODE70008")));
    }
    assert_eq!(stage.provider.asked(), 1, "the provider is not hammered");
    let grant = stage.authority.granted(&stage.account, &stage.plan()).await.unwrap().unwrap();
    assert_eq!(status(&stage.plan(), Some(&grant)).standing, Standing::Failing);

    // An administrator changed something at the provider: it is found out without anybody telling.
    let mut kept = stage.kept();
    kept["failure"]["last"] = (Timestamp::now() - SignedDuration::from_secs(61)).to_string().into();
    stage.memory.kept.lock().unwrap().insert(stage.plan().field(), kept.to_string());
    stage.provider.says([no("invalid_grant", "CODE70008")]);
    assert!(stage.token().await.is_err());
    assert_eq!((stage.provider.asked(), stage.kept()["failure"]["attempts"].as_u64()), (2, Some(2)));

    // Another secret is worth asking with at once.
    *stage.memory.secret.lock().unwrap() = Some((SecretKind::Secret, "s3cret-value".to_owned()));
    stage.provider.says([token("new", Some("R2"))]);
    assert_eq!(stage.token().await.unwrap(), "new");
    assert!(stage.kept()["failure"].is_null());
}

#[tokio::test]
async fn authorising_again_works_whatever_is_stored() {
    let stage = Stage::new("oauth2-code");
    stage.memory.kept.lock().unwrap().insert(stage.plan().field(), "rubbish".to_owned());
    let error = stage.token().await.unwrap_err();
    assert!(error.message.contains("authorize") && !error.message.contains("rubbish"), "{error}");
    let provider = stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap();
    stage.provider.says([token("new", Some("R"))]);
    let grant = provider.redeem("c0de", "verifier", "http://localhost/").await.unwrap();
    stage.authority.keep(&stage.account, &stage.plan(), &grant).await.unwrap();
    assert_eq!(stage.token().await.unwrap(), "new");
    assert_eq!(
        stage.kept()["scopes"].as_array().unwrap().len(),
        4,
        "no scopes in the answer: those asked for"
    );
}

#[tokio::test]
async fn nobody_is_asked_for_an_account_that_was_never_authorised() {
    let stage = Stage::new("oauth2-code");
    let error = stage.token().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::AuthorizationNeeded, Some("not-authorized")));
    assert_eq!(stage.provider.asked(), 0);
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_token_and_shows_nothing_of_itself() {
    let stage = Stage::new("oauth2-code");
    for (kind, body) in [
        ("text/html", "<html>proxy</html>"),
        ("application/json", r#"{"access_token":{"v":"s3cret-in-json"}}"#),
        ("application/json", r#"{"access_token":"s3cret-in-json""#),
        ("application/json", r#"{"access_token":"A","token_type":"bearer","expires_in":"s3cret-in-json"}"#),
    ] {
        stage.granted("old", "R1", -1);
        stage.provider.says([Says::Raw(kind, body)]);
        let error = stage
            .other_process()
            .token(&stage.account, &stage.description, &stage.method, None)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}

#[test]
fn nothing_of_a_grant_shows() {
    let stage = Stage::new("oauth2-code");
    stage.granted("t0ken", "r3fresh", 60);
    let kept = stage.memory.kept.lock().unwrap()[&stage.plan().field()].clone();
    let grant = crate::Grant::read(&SecretString::from(kept)).unwrap();
    let shown = format!("{grant:?}");
    assert!(!shown.contains("t0ken") && !shown.contains("r3fresh"), "{shown}");
}
