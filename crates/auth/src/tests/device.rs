//! Signing in on another device.

use std::time::{Duration, Instant};

use serde_json::json;
use wissel_model::{ErrorKind, SecretKind};

use super::stage::{Says, Stage, certificate, no, token};
use crate::{AuthError, Provider};

fn code() -> Says {
    Says::Json(
        200,
        json!({ "device_code": "dev-c0de", "user_code": "ABCD", "verification_uri": "https://d.test/", "expires_in": 600, "interval": 0 }),
    )
}

async fn provider(stage: &Stage, secret: Option<(SecretKind, String)>) -> Provider<'_> {
    *stage.memory.secret.lock().unwrap() = secret;
    stage.authority.provider(&stage.account, &stage.description, &stage.method).await.unwrap()
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let stage = Stage::new("oauth2-device");
    let provider = provider(&stage, None).await;
    stage.provider.says([code(), Says::Later(503, "1"), token("A", Some("R"))]);
    let begun = provider.begin_device().await.unwrap();
    assert_eq!((begun.code(), begun.address()), ("ABCD", "https://d.test/"));
    let asking = Instant::now();
    let grant = provider.wait_for_device(&begun).await.unwrap();
    assert!(
        grant.renewable() && asking.elapsed() >= Duration::from_secs(1),
        "nobody is asked without a pause"
    );
    assert_eq!(stage.provider.form(1)["device_code"], "dev-c0de");
    for error in ["access_denied", "expired_token"] {
        stage.provider.says([no(error, "")]);
        let refused = provider.wait_for_device(&begun).await.unwrap_err();
        assert_eq!((refused.code(), refused.is_permanent()), (Some(error), true));
    }
}

#[tokio::test]
async fn a_client_with_a_secret_says_its_id_where_providers_look_for_it() {
    let stage = Stage::new("oauth2-device");
    let provider = provider(&stage, Some((SecretKind::Secret, "s3cret-value".to_owned()))).await;
    stage.provider.says([code(), token("A", None)]);
    provider.wait_for_device(&provider.begin_device().await.unwrap()).await.unwrap();
    for (form, header) in stage.provider.asked.lock().unwrap().iter() {
        assert_eq!(form["client_id"], "wissel-1");
        assert!(header.is_some() && !form.contains_key("client_secret"), "one proof, in one place");
    }
}

#[tokio::test]
async fn each_question_bears_an_assertion_of_its_own() {
    let stage = Stage::new("oauth2-device");
    let provider = provider(&stage, Some((SecretKind::Certificate, certificate().1))).await;
    stage.provider.says([code(), no("authorization_pending", ""), token("A", None)]);
    provider.wait_for_device(&provider.begin_device().await.unwrap()).await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for at in 0..3 {
        let form = stage.provider.form(at);
        assert_eq!(form["client_id"], "wissel-1");
        assert!(
            seen.insert(form["client_assertion"].clone()),
            "one that ends before the code does is no use"
        );
    }
}

#[tokio::test]
async fn what_does_not_pass_ends_the_waiting() {
    let stage = Stage::new("oauth2-device");
    let provider = provider(&stage, None).await;
    stage.provider.says([code(), Says::Fails(ErrorKind::InvalidSetting, "its certificate is not accepted")]);
    let begun = provider.begin_device().await.unwrap();
    let error = provider.wait_for_device(&begun).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    stage.provider.says([Says::Raw("text/html", "<html>proxy</html>")]);
    let error = provider.wait_for_device(&begun).await.unwrap_err();
    assert!(matches!(error, AuthError::Protocol(_)), "{error}");
}

#[tokio::test]
async fn a_provider_that_finds_the_asking_too_fast_is_asked_more_slowly() {
    let stage = Stage::new("oauth2-device");
    let provider = provider(&stage, None).await;
    stage.provider.says([code(), no("slow_down", ""), token("A", Some("R"))]);
    let begun = provider.begin_device().await.unwrap();
    let asked = Instant::now();
    provider.wait_for_device(&begun).await.unwrap();
    // RFC 8628, section 3.5: five seconds more from then on.
    assert!(asked.elapsed().as_secs() >= 5, "{:?}", asked.elapsed());
}
