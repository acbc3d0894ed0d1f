//! A client's secret goes to the provider that it belongs to.

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
