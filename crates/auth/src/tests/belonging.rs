//! Secrets and grants go to the provider that they belong to.

use std::sync::Arc;

use wissel_model::{ErrorKind, SecretKind, Tokens};

use super::stage::{Stage, token};

#[tokio::test]
async fn a_client_of_another_connector_is_shown_only_to_whom_its_settings_name() {
    let mut stage = Stage::new("oauth2-client");
    *stage.memory.secret.lock().unwrap() = Some((SecretKind::Secret, "s3cret-value".to_owned()));
    let mut client = stage.account.client.as_deref().unwrap().clone();
    client.connector = "other".to_owned();
    stage.account.client = Some(Arc::new(client));
    // The settings of the client name this one.
    stage.provider.says([token("A", None)]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    for is_token in [true, false] {
        let [own, evil] =
            ["{authority}/token", "https://evil.test/{client-id}"].map(|one| Some(one.to_owned()));
        (stage.method.token, stage.method.device) = if is_token { (evil, own) } else { (own, evil) };
        let other = stage.other_process();
        stage.memory.kept.lock().unwrap().clear();
        let refused = other.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidSetting);
        assert!(
            refused.message.contains("https://evil.test") && refused.message.contains("Kantoor"),
            "{refused}"
        );
    }
    assert_eq!(stage.provider.asked(), 1);
}

#[tokio::test]
async fn a_grant_is_not_renewed_at_another_provider() {
    let mut stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", -1);
    stage.provider.says([token("A", Some("R2"))]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    let mut kept = stage.kept();
    assert_eq!(kept["provider"], "https://login.example.test");
    kept["expires"] = "2020-01-01T00:00:00Z".into();
    stage.memory.kept.lock().unwrap().insert(stage.plan().field(), kept.to_string());
    stage.method.token = Some("https://evil.test/token".to_owned());
    let other = stage.other_process();
    let refused = other.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
    assert!(refused.message.contains("authorised at https://login.example.test"), "{refused}");
    assert_eq!(stage.provider.asked(), 1);
}
