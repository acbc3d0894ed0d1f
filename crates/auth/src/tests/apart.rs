//! A renewal that began is ended and its grant kept, whoever waits for it or does not, and whenever it can be stored.

use std::time::Duration;

use secrecy::ExposeSecret;
use wissel_model::Tokens;

use super::stage::{Stage, token};

/// With a token that has ended.
fn ended() -> Stage {
    let stage = Stage::new("oauth2-code");
    stage.granted("old", "R1", -1);
    stage
}

impl Stage {
    fn read_only(&self, yes: bool) {
        *self.memory.read_only.lock().unwrap() = yes;
    }

    /// A renewal whose outcome cannot be stored.
    async fn renews_in_vain(&self) {
        self.provider.says([token("new", Some("R2"))]);
        self.read_only(true);
        self.authority.token(&self.account, &self.description, &self.method, None).await.unwrap_err();
        self.read_only(false);
        assert_eq!(self.kept()["refresh_token"], "R1");
    }

    async fn got(&self) -> String {
        let token = self.authority.token(&self.account, &self.description, &self.method, None).await.unwrap();
        token.secret.expose_secret().to_owned()
    }
}

#[tokio::test]
async fn a_renewal_that_nobody_waits_for_any_more_is_stored_all_the_same() {
    let stage = ended();
    stage.provider.says([token("new", Some("R2"))]);
    *stage.provider.takes.lock().unwrap() = Duration::from_millis(200);
    let call = stage.authority.token(&stage.account, &stage.description, &stage.method, None);
    let broken_off = tokio::select! {
        _ = call => false,
        () = async { while stage.provider.asked() == 0 { tokio::task::yield_now().await } } => true,
    };
    assert!(broken_off);
    stage.authority.settle().await;
    assert_eq!(stage.kept()["refresh_token"], "R2");
    assert_eq!((stage.got().await.as_str(), stage.provider.asked()), ("new", 1));
}

#[tokio::test]
async fn what_could_not_be_stored_is_stored_before_anything_else_and_then_used() {
    let stage = ended();
    stage.renews_in_vain().await;
    assert_eq!((stage.got().await.as_str(), stage.provider.asked()), ("new", 1));
    assert_eq!(stage.kept()["refresh_token"], "R2");
}

#[tokio::test]
async fn what_could_not_be_stored_is_stored_at_the_end_of_the_process() {
    let stage = ended();
    stage.renews_in_vain().await;
    stage.authority.settle().await;
    assert_eq!(stage.kept()["refresh_token"], "R2");
}

#[tokio::test]
async fn what_could_not_be_stored_takes_no_place_of_something_newer() {
    let stage = ended();
    stage.renews_in_vain().await;
    // Somebody authorised anew, by another process.
    stage.granted("other", "R9", 1800);
    assert_eq!((stage.got().await.as_str(), stage.provider.asked()), ("other", 1));
    assert_eq!(stage.kept()["refresh_token"], "R9");

    let stage = ended();
    stage.renews_in_vain().await;
    // The account was given another client.
    stage.memory.kept.lock().unwrap().clear();
    stage.authority.settle().await;
    assert!(stage.memory.kept.lock().unwrap().is_empty());
}
