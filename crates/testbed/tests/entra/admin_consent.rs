//! Admin consent for a whole tenant.

use wissel_testbed::entra::{
    Place,
    directory::Consents,
    sample::{ADMIN, CLIENT_ID, TENANT, USER},
};

use crate::scene::{Page, REDIRECT, Scene};

async fn link(scene: &Scene, redirect_uri: &str) -> Page {
    let query = [
        ("client_id", CLIENT_ID),
        ("scope", "https://graph.microsoft.com/.default"),
        ("redirect_uri", redirect_uri),
        ("state", "12&3"),
    ];
    scene.get(&scene.in_tenant("v2.0/adminconsent"), &query).await
}

fn consents(scene: &Scene) -> Consents {
    scene.entra().change(|directory| directory.tenant(TENANT).unwrap().consents(CLIENT_ID).clone())
}

async fn without() -> Scene {
    let scene = Scene::start().await;
    scene
        .entra()
        .change(|directory| *directory.tenant(TENANT).unwrap().consents(CLIENT_ID) = Consents::default());
    scene
}

#[tokio::test]
async fn an_administrator_accepts_all_that_is_configured() {
    let scene = without().await;
    let page = link(&scene, REDIRECT).await;
    let page = scene.sign_in(&page, ADMIN).await;
    assert!(
        page.body.contains("Mail.ReadWrite.Shared") && page.body.contains("User.Read.All"),
        "{}",
        page.body
    );
    let sent = scene.submit(&page, &[("consent", "accept")]).await;
    assert_eq!(sent.sent("admin_consent").as_deref(), Some("True"));
    assert_eq!((sent.sent("tenant").as_deref(), sent.sent("state").as_deref()), (Some(TENANT), Some("12&3")));
    let given = consents(&scene);
    assert!(given.everybody.contains("https://graph.microsoft.com/Mail.Send.Shared"));
    assert!(given.application.contains("https://graph.microsoft.com/Mail.ReadWrite"));
    scene.forget_cookies();
    let page = scene.authorize(&[]).await;
    assert!(scene.sign_in(&page, USER).await.sent("code").is_some());
}

#[tokio::test]
async fn a_declined_consent_and_another_than_an_administrator_change_nothing() {
    let scene = without().await;
    let page = link(&scene, REDIRECT).await;
    scene.sign_in(&page, USER).await.is_error(90094);
    // His forged acceptance neither.
    let forged = Page { body: page.body.replace("/login", "/consent"), ..page };
    scene.submit(&forged, &[("consent", "accept")]).await.is_error(90094);
    scene.forget_cookies();
    let page = link(&scene, REDIRECT).await;
    let page = scene.sign_in(&page, ADMIN).await;
    let declined = scene.submit(&page, &[("consent", "decline")]).await;
    assert_eq!(declined.sent("error").as_deref(), Some("permission_denied"));
    assert_eq!((declined.sent("state").as_deref(), declined.sent("admin_consent")), (Some("12&3"), None));
    assert!(consents(&scene).everybody.is_empty() && consents(&scene).application.is_empty());
}

#[tokio::test]
async fn a_strange_redirect_uri_or_an_armed_refusal_ends_in_a_page() {
    let scene = Scene::start().await;
    link(&scene, "https://evil.example/").await.is_error(50011);
    scene.entra().fail(Place::AdminConsent, 90094, 1);
    link(&scene, REDIRECT).await.is_error(90094);
    assert!(link(&scene, REDIRECT).await.body.contains("name=\"passwd\""));
}
