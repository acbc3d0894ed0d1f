//! One mailbox, two faces: the same messages, and never the same bytes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wissel_mime::{Inspector, Options};

use crate::scene::{COUNT, Scene};

fn digest(bytes: &[u8]) -> String {
    let mut inspector = Inspector::new(Options::default());
    inspector.write(bytes);
    inspector.finish().digest
}

/// Every message of 'Postvak IN/Algemeen' as the IMAP face gives it.
async fn over_imap(scene: &Scene) -> Vec<Vec<u8>> {
    scene.bed.users().add_password("a", "b");
    let mut stream = TcpStream::connect(scene.bed.plain_addr()).await.unwrap();
    let commands =
        "a LOGIN a b\r\nb SELECT \"Postvak IN/Algemeen\"\r\nc FETCH 1:* (BODY.PEEK[])\r\nd LOGOUT\r\n";
    stream.write_all(commands.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    let mut messages = Vec::new();
    let mut rest = said.as_slice();
    while let Some(at) = rest.windows(7).position(|window| window == b"BODY[] ") {
        rest = &rest[at + 8..];
        let end = rest.iter().position(|byte| *byte == b'}').unwrap();
        let length: usize = std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
        messages.push(rest[end + 3..end + 3 + length].to_vec());
        rest = &rest[end + 3 + length..];
    }
    messages
}

#[tokio::test]
async fn both_faces_say_the_same_in_different_bytes() {
    let scene = Scene::start().await;
    let imap = over_imap(&scene).await;
    let ids = scene.ids().await;
    assert_eq!((imap.len(), ids.len()), (COUNT, COUNT));
    for (imap, id) in imap.iter().zip(&ids) {
        let url = format!("me/messages/{id}/$value");
        let response = scene.ask(reqwest::Method::GET, &url).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain");
        let graph = response.bytes().await.unwrap();
        assert!(graph != imap, "byte-equal: a client that compares bytes would pass");
        assert_eq!(digest(&graph), digest(imap));
        assert!(graph.starts_with(b"Received: "));
    }
}
