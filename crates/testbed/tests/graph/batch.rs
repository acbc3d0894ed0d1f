//! Batches: each request is answered, counted and limited on its own.

use std::time::Duration;

use serde_json::{Value, json};
use wissel_testbed::faults::CommandFault;

use crate::scene::Scene;

fn by_id<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["responses"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()
}

#[tokio::test]
async fn each_request_has_its_own_answer() {
    let scene = Scene::start().await;
    let ids = scene.ids().await;
    let verwerkt = scene.folder("Facturen").await;
    scene.bed.faults().arm_command("PATCH messages/{id}", CommandFault::Throttle(Duration::from_secs(3)));
    let json = json!({ "Content-Type": "application/json", "Prefer": "IdType=\"ImmutableId\"" });
    let answer = scene
        .post("$batch", &json!({ "requests": [
            { "id": "a", "method": "POST", "url": format!("/me/messages/{}/move", ids[0]), "headers": json, "body": { "destinationId": verwerkt } },
            { "id": "b", "method": "PATCH", "url": format!("/me/messages/{}", ids[1]), "headers": json, "body": { "isRead": true } },
            { "id": "c", "method": "GET", "url": format!("/me/messages/{}/$value", ids[1]), "dependsOn": ["a"] },
            { "id": "d", "method": "DELETE", "url": format!("/me/messages/{}", ids[2]), "dependsOn": ["b"] },
            { "id": "e", "method": "GET", "url": "/me/messages/AAkA" },
        ] }))
        .await
        .is(200);
    assert_eq!(
        (&by_id(&answer, "a")["status"], &by_id(&answer, "a")["body"]["id"]),
        (&json!(201), &json!(ids[0]))
    );
    assert_eq!(
        (&by_id(&answer, "b")["status"], &by_id(&answer, "b")["headers"]["retry-after"]),
        (&json!(429), &json!("3"))
    );
    assert_eq!((&by_id(&answer, "c")["status"], &by_id(&answer, "d")["status"]), (&json!(200), &json!(424)));
    assert!(by_id(&answer, "c")["body"].as_str().unwrap().starts_with("UmVjZWl2ZWQ6"));
    assert_eq!(by_id(&answer, "e")["body"]["error"]["code"], "ErrorInvalidIdMalformed");
    assert_eq!(scene.places(0), ["Postvak IN/Facturen"]);
    assert_eq!(scene.places(2), ["Postvak IN/Algemeen"]);
}

#[tokio::test]
async fn a_batch_has_at_most_20_requests_and_each_is_counted() {
    let scene = Scene::start().await;
    let batch = |count: usize| {
        let requests =
            (0..count).map(|at| json!({ "id": at.to_string(), "method": "GET", "url": "/me/mailFolders" }));
        json!({ "requests": requests.collect::<Vec<_>>() })
    };
    scene.post("$batch", &batch(21)).await.refused(400, "BadRequest");
    scene.bed.graph().control().limit(|limits| limits.requests = 15);
    let answer = scene.post("$batch", &batch(20)).await.is(200);
    let of = |status: u16| {
        answer["responses"].as_array().unwrap().iter().filter(|one| one["status"] == status).count()
    };
    assert_eq!((of(200), of(429)), (15, 5));
}
