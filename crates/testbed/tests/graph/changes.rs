//! Moves and deltas: what is told, what is told again, and what is not told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{COUNT, IMMUTABLE, Scene, read};

async fn round(scene: &Scene, url: &str) -> (Vec<Value>, String) {
    let (mut told, mut url) = (Vec::new(), url.to_owned());
    loop {
        let page = read(scene.ask(Method::GET, &url).header(IMMUTABLE.0, IMMUTABLE.1)).await.is(200);
        told.extend(page["value"].as_array().unwrap().iter().cloned());
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => return (told, page["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
}

#[tokio::test]
async fn a_delta_tells_changes_again_and_ends_with_a_reset() {
    let scene = Scene::start().await;
    let (algemeen, facturen) = (scene.folder("Algemeen").await, scene.folder("Facturen").await);
    let first = format!("me/mailFolders/{algemeen}/messages/delta()?$select=subject");
    let (told, link) = round(&scene, &first).await;
    assert_eq!(told.len(), COUNT);
    assert!(told.iter().all(|one| one["subject"].is_string() && one.get("body").is_none()));
    let (none, link) = round(&scene, &link).await;
    assert_eq!(none, Vec::<Value>::new());

    let ids = scene.ids().await;
    scene.post(&format!("me/messages/{}/move", ids[0]), &json!({ "destinationId": facturen })).await.is(201);
    read(scene.ask(Method::POST, &format!("me/messages/{}/permanentDelete", ids[1]))).await.is(204);
    let (told, _) = round(&scene, &link).await;
    let reason = |id: &str| told.iter().find(|one| one["id"] == id).unwrap()["@removed"]["reason"].clone();
    assert_eq!((told.len(), reason(&ids[0]), reason(&ids[1])), (2, json!("changed"), json!("deleted")));
    assert_eq!(scene.places(1), Vec::<String>::new());

    // What was moved in may not be told.
    let there = format!("me/mailFolders/{facturen}/messages/delta");
    let (_, link_there) = round(&scene, &there).await;
    scene.post(&format!("me/messages/{}/move", ids[2]), &json!({ "destinationId": facturen })).await.is(201);
    scene.bed.graph().control().omit_moved_from_delta(true);
    assert_eq!(round(&scene, &link_there).await.0, Vec::<Value>::new());
    scene.bed.graph().control().omit_moved_from_delta(false);
    assert_eq!(round(&scene, &link_there).await.0.len(), 1);
    scene.bed.graph().control().replay_delta(true);
    assert!(round(&scene, &first).await.0.len() > COUNT - 3, "nothing was told twice");

    // By the time of receipt, and by nothing else.
    let late = format!("{first}&$filter=receivedDateTime ge 2026-11-02T11:00:00Z");
    let late = round(&scene, &late).await.0.len();
    assert!(0 < late && late < COUNT - 3, "{late}");
    let unread = scene.get(&format!("{first}&$filter=isRead eq false")).await;
    unread.refused(400, "ErrorInvalidUrlQueryFilter");

    scene.bed.graph().control().reset_delta();
    scene.get(&link).await.refused(410, "syncStateNotFound");
    assert_eq!(scene.get(&first).await.status, 200);
}

#[tokio::test]
async fn a_move_keeps_the_immutable_id_and_a_place_ends_the_other() {
    let scene = Scene::start().await;
    let facturen = scene.folder("Facturen").await;
    let id = scene.ids().await.remove(5);
    let path = format!("me/messages/{id}/move");
    let body = json!({ "destinationId": facturen });
    let moved = read(scene.ask(Method::POST, &path).header(IMMUTABLE.0, IMMUTABLE.1).json(&body)).await;
    assert_eq!(moved.header("preference-applied"), "IdType=\"ImmutableId\"");
    let moved = moved.is(201);
    assert_eq!((&moved["id"], &moved["parentFolderId"]), (&json!(id), &json!(facturen)));
    // Without the preference the same message has the other kind of id.
    let plain = scene.get(&format!("me/messages/{id}")).await.is(200);
    let place = plain["id"].as_str().unwrap();
    assert!(place.starts_with("AAMk") && id.starts_with("AAkA"));
    scene.post(&format!("me/messages/{place}/move"), &json!({ "destinationId": "archive" })).await.is(201);
    scene.get(&format!("me/messages/{place}")).await.refused(404, "ErrorItemNotFound");
    scene.get(&format!("me/mailFolders/{facturen}/messages/{id}")).await.refused(404, "ErrorItemNotFound");
    assert_eq!(scene.places(5), ["Archief"]);
    let gone = scene.post(&path, &json!({ "destinationId": "AAMkniets" })).await;
    gone.refused(400, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn folders_hide_count_and_stand_under_their_well_known_names() {
    let scene = Scene::start().await;
    let mailbox = scene.bed.mailbox();
    let hidden = mailbox.ensure_folder("Gespreksgeschiedenis").unwrap();
    mailbox.describe_folder(hidden, true, 7).unwrap();
    let names = async |query: &str| {
        let list = scene.get(&format!("me/mailFolders?$top=100{query}")).await.is(200);
        let folders = list["value"].as_array().unwrap().clone();
        folders.iter().map(|one| one["displayName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!names("").await.contains(&"Gespreksgeschiedenis".to_owned()));
    assert!(names("&includeHiddenFolders=true").await.contains(&"Gespreksgeschiedenis".to_owned()));
    mailbox.create_folder(None, "In/uit").unwrap();
    assert!(names("").await.contains(&"In/uit".to_owned()));
    scene.bed.graph().control().show_slash_as_xf8ff(true);
    assert!(names("").await.contains(&"In_xF8FF_uit".to_owned()));
    let root = scene.get("me/mailFolders/msgfolderroot").await.is(200);
    for (name, shown) in
        [("inbox", "Postvak IN"), ("drafts", "Concepten"), ("JunkEmail", "Ongewenste e-mail")]
    {
        let folder = scene.get(&format!("me/mailFolders/{name}")).await.is(200);
        assert_eq!((&folder["displayName"], &folder["parentFolderId"]), (&json!(shown), &root["id"]));
    }
    let all = scene
        .get("me/mailFolders?includeHiddenFolders=true&$filter=displayName eq 'Gespreksgeschiedenis'")
        .await;
    let folder = all.is(200)["value"][0].clone();
    assert_eq!((&folder["isHidden"], &folder["totalItemCount"]), (&json!(true), &json!(7)));
}
