//! A message of 150 MB is made while it is sent, and a file of many megabytes is taken in ranges.

use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use wissel_mime::{Inspector, Options};
use wissel_testbed::sample::Maker;

use crate::scene::{Scene, read};

#[tokio::test]
async fn a_message_of_150_mb_comes_in_pieces() {
    let scene = Scene::start().await;
    let large = Maker::new(9).large("GROOT", 150 * 1024 * 1024);
    let mut inspector = Inspector::new(Options::default());
    large.content.chunks().for_each(|piece| inspector.write(&piece));
    let expected = inspector.finish();
    scene.bed.mailbox().deliver("Postvak IN/Facturen", large).unwrap();
    let path =
        format!("me/mailFolders/{}/messages?$orderby=receivedDateTime desc", scene.folder("Facturen").await);
    let list = scene.get(&path).await.is(200);
    let messages = list["value"].as_array().unwrap();
    let found =
        messages.iter().find(|one| one["body"]["content"].as_str().unwrap().contains("GROOT")).unwrap();
    let path = format!("me/messages/{}/$value", found["id"].as_str().unwrap());
    let mut pieces = scene.ask(Method::GET, &path).send().await.unwrap().bytes_stream();
    let (mut inspector, mut largest) = (Inspector::new(Options::default()), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        largest = largest.max(piece.len());
        inspector.write(&piece);
    }
    let seen = inspector.finish();
    assert_eq!(seen.digest, expected.digest);
    assert!(seen.size > 150 * 1024 * 1024 && largest < 1024 * 1024, "{} {largest}", seen.size);
}

#[tokio::test]
async fn a_large_file_is_taken_in_ranges_in_order_without_a_token() {
    let scene = Scene::start().await;
    let draft = scene.post("me/messages", &json!({ "subject": "Scans" })).await.is(201);
    let id = draft["id"].as_str().unwrap();
    let path = format!("me/messages/{id}/attachments/createUploadSession");
    let item = |size: u64| json!({ "AttachmentItem": { "attachmentType": "file", "name": "scans.bin", "size": size } });
    let small = scene.post(&path, &item(1024)).await;
    small.refused(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize");
    scene.post(&path, &item(151 * 1024 * 1024)).await.refused(413, "ErrorAttachmentSizeLimitExceeded");

    let step = 320 * 1024;
    let bytes: Vec<u8> =
        (0..12 * step as u32 + 5).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let session = scene.post(&path, &item(bytes.len() as u64)).await.is(201);
    let url = session["uploadUrl"].as_str().unwrap().to_owned();
    assert!(url.starts_with(scene.bed.upload_url()) && !url.starts_with(scene.bed.graph_url()));
    assert_eq!(scene.bed.graph().control().upload_urls(), std::slice::from_ref(&url));
    let put = |from: usize, to: usize| {
        let range = format!("bytes {from}-{}/{}", to - 1, bytes.len());
        scene.client.put(&url).header("Content-Range", range).body(bytes[from..to].to_vec())
    };
    let with_token = read(put(0, step).bearer_auth("goed")).await;
    assert_eq!(with_token.status, 401);
    assert_eq!(read(put(step, 2 * step)).await.status, 416);
    assert_eq!(read(put(0, 1000)).await.status, 400);
    for at in 0..12 {
        let next = read(put(at * step, (at + 1) * step)).await.is(200);
        assert_eq!(next["nextExpectedRanges"], json!([((at + 1) * step).to_string()]));
    }
    let last = read(put(12 * step, bytes.len())).await;
    assert_eq!(last.status, 201);
    assert!(last.header("location").contains("/Attachments('"), "{}", last.header("location"));
    let list = scene.get(&format!("me/messages/{id}/attachments?$select=name,size")).await.is(200);
    assert_eq!(list["value"][0]["name"], "scans.bin");
    let attachment = list["value"][0]["id"].as_str().unwrap();
    let value = format!("me/messages/{id}/attachments/{attachment}/$value");
    let back = scene.ask(Method::GET, &value).send().await.unwrap().bytes().await.unwrap();
    assert!(back == bytes);
    // The session is over.
    assert_eq!(read(put(0, step)).await.status, 404);
}
