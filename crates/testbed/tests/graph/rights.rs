//! Tokens are checked, permissions are asked for, and mailboxes of others need rights.

use jiff::SignedDuration;
use serde_json::json;
use wissel_testbed::entra::{
    sample::{ADMIN, SHARED, USER},
    tokens::{GRAPH, OUTLOOK},
};

use crate::scene::{Scene, read};

#[tokio::test]
async fn a_token_is_good_for_its_service_tenant_and_time() {
    let scene = Scene::start().await;
    scene.token("ander", &["User.Read"], |info| info.audience = OUTLOOK.into());
    scene.token("vreemd", &["User.Read"], |info| info.tenant = "2".into());
    for bearer in ["onbekend", "ander", "vreemd"] {
        let refused = scene.get_as(bearer, "me").await;
        refused.refused(401, "InvalidAuthenticationToken");
        assert!(refused.header("www-authenticate").starts_with("Bearer "), "{bearer}");
    }
    let none = read(scene.client.get(format!("{}/v1.0/me", scene.bed.graph_url()))).await;
    none.refused(401, "InvalidAuthenticationToken");
    let me = scene.get("me").await;
    assert_eq!(me.header("odata-version"), "4.0");
    let me = me.is(200);
    assert_eq!((&me["mail"], &me["displayName"]), (&json!(USER), &json!("Facturen")));
    scene.bed.entra().tokens().advance(SignedDuration::from_hours(1));
    scene.get("me").await.refused(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn a_claims_challenge_carries_the_claims_in_base64() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let scene = Scene::start().await;
    scene.token("cp1", &["User.Read"], |info| info.capabilities = vec!["cp1".into()]);
    let claims = json!({ "acrs": { "essential": true, "value": "c1" } });
    scene.bed.entra().tokens().demand(GRAPH, claims.as_object().unwrap().clone());
    let challenged = scene.get_as("cp1", "me").await;
    challenged.refused(401, "InvalidAuthenticationToken");
    let field = challenged.header("www-authenticate");
    assert!(field.contains("error=\"insufficient_claims\""), "{field}");
    let encoded = field.split_once("claims=\"").unwrap().1.trim_end_matches('"');
    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&decoded).unwrap(),
        json!({ "access_token": claims })
    );
}

#[tokio::test]
async fn what_was_not_granted_is_refused() {
    let scene = Scene::start().await;
    scene.token("lezen", &["Mail.Read"], |_| {});
    scene.get_as("lezen", "me/mailFolders/inbox").await.is(200);
    scene.get_as("lezen", "me").await.refused(403, "Authorization_RequestDenied");
    let url = |path: &str| format!("{}/v1.0/{path}", scene.bed.graph_url());
    let new = json!({ "displayName": "x" });
    let post = scene.client.post(url("me/mailFolders")).bearer_auth("lezen").json(&new);
    read(post).await.refused(403, "ErrorAccessDenied");
    let mail = scene.client.post(url("me/sendMail")).bearer_auth("lezen").json(&json!({ "message": {} }));
    read(mail).await.refused(403, "ErrorAccessDenied");
    // A shared mailbox needs the permission for shared ones.
    scene
        .get_as("lezen", &format!("users/{SHARED}/mailFolders/inbox"))
        .await
        .refused(403, "ErrorAccessDenied");
}

#[tokio::test]
async fn mailboxes_of_others_need_rights_and_an_app_alone_reaches_all() {
    let scene = Scene::start().await;
    let shared = format!("users/{SHARED}/mailFolders/inbox");
    scene.get(&shared).await.is(200);
    scene.bed.entra().change(|directory| directory.user(USER).unwrap().mailboxes.clear());
    scene.get(&shared).await.refused(403, "ErrorAccessDenied");
    scene.get("users/niemand@voorbeeld.example/messages").await.refused(404, "ErrorInvalidUser");
    scene.token("app", &[], |info| {
        info.user = None;
        info.roles = vec!["Mail.ReadWrite".into()];
    });
    scene.get_as("app", &shared).await.is(200);
    scene.get_as("app", "me/messages").await.refused(400, "BadRequest");
    let without = scene.get_as("app", &format!("users/{ADMIN}/messages")).await;
    without.refused(404, "MailboxNotEnabledForRESTAPI");
    // An id is good in its own mailbox only.
    let id = scene.ids().await.remove(0);
    let there = scene.get_as("app", &format!("users/{SHARED}/messages/{id}")).await;
    there.refused(400, "ErrorInvalidIdMalformed");
}
