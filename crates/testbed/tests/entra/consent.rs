//! Consent: who may give it, what it covers, and what a missing one looks like.

use wissel_testbed::entra::{
    directory::Consents,
    sample::{ADMIN, CLIENT_ID, TENANT, USER},
};

use crate::scene::{Scene, granted, is_refused};

fn withdraw(scene: &Scene) {
    scene
        .entra()
        .change(|directory| *directory.tenant(TENANT).unwrap().consents(CLIENT_ID) = Consents::default());
}

#[tokio::test]
async fn a_user_who_may_not_consent_is_sent_to_an_administrator() {
    let scene = Scene::start().await;
    withdraw(&scene);
    let page = scene.authorize(&[]).await;
    let page = scene.sign_in(&page, USER).await;
    page.is_error(90094);
    assert!(page.body.contains("Need admin approval"));
    // A forged acceptance changes nothing.
    scene.submit(&page, &[("consent", "accept"), ("organization", "yes")]).await.is_error(90094);
    let back = scene.submit(&page, &[("consent", "decline")]).await;
    assert_eq!(back.sent("error").as_deref(), Some("access_denied"));
    assert!(back.sent("error_description").unwrap().starts_with("AADSTS65004: "));
    let silent = scene.authorize(&[("prompt", "none")]).await;
    assert_eq!(silent.sent("error").as_deref(), Some("interaction_required"));
}

#[tokio::test]
async fn a_user_who_may_consents_for_himself_and_may_decline() {
    let scene = Scene::start().await;
    withdraw(&scene);
    scene.entra().change(|directory| directory.tenant(TENANT).unwrap().user_consent = true);
    let page = scene.authorize(&[]).await;
    let page = scene.sign_in(&page, USER).await;
    assert!(page.body.contains("https://graph.microsoft.com/Mail.ReadWrite.Shared"));
    assert!(!page.body.contains("name=\"organization\""));
    let declined = scene.submit(&page, &[("consent", "decline")]).await;
    assert!(declined.sent("error_description").unwrap().starts_with("AADSTS65004: "));
    let page = scene.authorize(&[]).await;
    let code = scene.submit(&page, &[("consent", "accept"), ("organization", "yes")]).await.sent("code");
    let tokens = granted(scene.redeem(&code.unwrap(), &[]).await);
    assert!(!tokens["scope"].as_str().unwrap().contains("Mail.Send"), "only what was consented to");
    // For himself, whatever his form said.
    scene.forget_cookies();
    let page = scene.authorize(&[]).await;
    assert!(scene.sign_in(&page, ADMIN).await.body.contains("name=\"organization\""));
}

#[tokio::test]
async fn an_administrator_consents_for_everybody_at_a_sign_in() {
    let scene = Scene::start().await;
    withdraw(&scene);
    let page = scene.authorize(&[]).await;
    let page = scene.sign_in(&page, ADMIN).await;
    assert!(
        scene.submit(&page, &[("consent", "accept"), ("organization", "yes")]).await.sent("code").is_some()
    );
    scene.forget_cookies();
    let page = scene.authorize(&[]).await;
    assert!(scene.sign_in(&page, USER).await.sent("code").is_some());
}

#[tokio::test]
async fn a_withdrawn_or_never_given_consent_ends_renewal() {
    let scene = Scene::start().await;
    let tokens = scene.tokens().await;
    let more = [("scope", "https://graph.microsoft.com/MailboxSettings.Read")];
    let answer =
        is_refused(scene.refresh(&tokens["refresh_token"], &more).await, 400, "invalid_grant", 65001);
    assert_eq!(answer["suberror"], "consent_required");
    withdraw(&scene);
    is_refused(scene.refresh(&tokens["refresh_token"], &[]).await, 400, "invalid_grant", 65001);
}

#[tokio::test]
async fn permissions_that_the_app_is_not_configured_for_can_be_left_out() {
    let scene = Scene::start().await;
    scene.entra().change(|directory| {
        directory.settings.dynamic_consent = false;
        directory.app(CLIENT_ID).unwrap().delegated.remove("https://graph.microsoft.com/User.Read");
    });
    let tokens = scene.tokens().await;
    let scope = tokens["scope"].as_str().unwrap();
    assert!(scope.contains("Mail.ReadWrite.Shared") && !scope.contains("User.Read"), "{scope}");
    // A token for nothing is none.
    let only = [("scope", "https://graph.microsoft.com/User.Read")];
    scene.entra().change(|directory| directory.app(CLIENT_ID).unwrap().delegated.clear());
    is_refused(scene.refresh(&tokens["refresh_token"], &only).await, 400, "invalid_grant", 65001);
}
