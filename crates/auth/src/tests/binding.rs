//! What one provider granted to one client is for nobody else.

use secrecy::ExposeSecret;
use wissel_model::{OAuthClient, SecretKind, Tokens};

use super::stage::{Stage, method, token};
use crate::{AuthError, Changed, Standing, status};

/// With a grant that was renewed, so that it says where it belongs; its token has ended.
async fn renewed() -> Stage {
    let stage = Stage::new("oauth2-code");
    // One of a version that did not say so: it is taken as it is.
    stage.granted("old", "R1", -1);
    stage.provider.says([token("new", Some("R2"))]);
    stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    stage
}

impl Stage {
    fn set_client(&mut self, key: &str, value: &str) {
        let client = self.account.client.take().unwrap();
        let mut client = OAuthClient::clone(&client);
        client.settings.insert(key.to_owned(), value.to_owned());
        self.account.client = Some(client.into());
    }

    /// It is not authorised any more, and nobody is sent anything; not even the token that is still good is used.
    async fn assert_belongs_elsewhere(&self, changed: Changed) {
        for authority in [&*self.authority, &self.other_process()] {
            let error =
                authority.token(&self.account, &self.description, &self.method, None).await.unwrap_err();
            assert_eq!(error.code.as_deref(), Some("not-authorized"));
        }
        let secret = (SecretKind::Secret, "s3cret-value".into());
        let tried = self.authority.try_secret(&self.account, &self.description, &self.method, secret).await;
        assert!(matches!(tried, Err(AuthError::Changed(why)) if why == changed), "{tried:?}");
        assert_eq!(self.provider.asked(), 1);
        let grant = self.authority.granted(&self.account, &self.plan()).await.unwrap();
        let status = status(&self.plan(), grant.as_ref());
        assert_eq!((status.standing, status.changed), (Standing::Unauthorized, Some(changed)));
    }
}

#[tokio::test]
async fn a_grant_is_not_sent_to_another_provider() {
    let mut stage = renewed().await;
    stage.set_client("authority", "https://other.example.test");
    stage.assert_belongs_elsewhere(Changed::Endpoint).await;
    // Nor where another description leads.
    let mut stage = renewed().await;
    stage.method.token = Some("https://elsewhere.example.test/token".to_owned());
    stage.assert_belongs_elsewhere(Changed::Endpoint).await;
}

#[tokio::test]
async fn a_grant_is_not_used_by_another_client() {
    let mut stage = renewed().await;
    stage.set_client("client-id", "wissel-2");
    stage.assert_belongs_elsewhere(Changed::Client).await;
    stage.set_client("client-id", "wissel-1");
    let token = stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "new", "what was changed back counts again");
}

#[tokio::test]
async fn a_users_token_is_none_of_the_client_and_the_other_way_round() {
    let mut stage = renewed().await;
    stage.method = method("oauth2-client");
    stage.provider.says([token("of-the-client", None)]);
    let token = stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "of-the-client");
    stage.method = method("oauth2-code");
    let error =
        stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("not-authorized"));
    assert_eq!(stage.provider.asked(), 2);
}

#[tokio::test]
async fn whoever_signed_in_on_another_device_uses_it_in_any_way() {
    let mut stage = renewed().await;
    stage.method = method("oauth2-device");
    let token = stage.authority.token(&stage.account, &stage.description, &stage.method, None).await.unwrap();
    assert_eq!(token.secret.expose_secret(), "new");
}
