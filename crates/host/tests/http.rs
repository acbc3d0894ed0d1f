//! HTTP: requests in parallel behind one blocking connector, and what a request may not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Inbox, Installed, PASSWORD, TOKEN, account, ends, ids, with_settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wissel_model::connector::{Certainty, Envelope, Source};
use wissel_model::{Account, ErrorKind};

/// How many requests the connector may have under way.
const AT_ONCE: usize = 4;

/// An HTTP/1.1 server that counts the requests under way and remembers their text.
#[derive(Clone, Default)]
struct Web {
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    /// The body of every answer, in pieces that are sent apart; empty: what was asked for.
    body: Arc<Vec<String>>,
}

impl Web {
    async fn start(body: &[&str]) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let web = Self { body: Arc::new(body.iter().map(ToString::to_string).collect()), ..Self::default() };
        let serving = web.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        (web, url)
    }

    /// Holds an answer back until as many requests are under way as there may be, so that they meet on the slowest
    /// machine, too. Not for ever: in other tests a request is alone.
    async fn meet(&self) {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if self.most.load(Ordering::SeqCst) >= AT_ONCE {
                return;
            }
        }
    }

    async fn serve(self, mut stream: tokio::net::TcpStream) {
        loop {
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut piece = [0; 4096];
                match stream.read(&mut piece).await {
                    Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
                    _ => return,
                }
            }
            let request = String::from_utf8(request).unwrap();
            let path = request.split(' ').nth(1).unwrap().to_owned();
            self.requests.lock().unwrap().push(request);
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.meet().await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            let whole = [format!("message {path}")];
            let pieces = if self.body.is_empty() { &whole[..] } else { &self.body[..] };
            let length: usize = pieces.iter().map(String::len).sum();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
}

fn web_account(behaviour: &str, url: &str) -> Account {
    with_settings(account(behaviour), &[("url", url)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn four_requests_are_under_way_at_once_and_answers_come_in_order() {
    let (web, url) = Web::start(&[]).await;
    let host = Installed::probe().await;
    let mut session = host.open(&web_account("http-four", &url)).await.unwrap();
    let inbox = Inbox::default();
    let wanted: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    ends(session.fetch(&ids(&wanted), Box::new(inbox.clone()))).await.unwrap();
    let received: Vec<(String, String)> = inbox
        .received()
        .ended
        .into_iter()
        .map(|(id, bytes)| (id, String::from_utf8(bytes).unwrap()))
        .collect();
    let expected: Vec<(String, String)> =
        wanted.iter().map(|id| ((*id).to_owned(), format!("message /{id}"))).collect();
    assert_eq!(received, expected);
    assert_eq!(web.most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test]
async fn messages_are_cut_out_of_an_answer_wherever_it_is_split() {
    let document = r#"[{"data":"SGVsbG8\/"},{"data":"V29y\r\nbGQh"}]"#;
    for cut in [1, 3, 7, document.len()] {
        let pieces: Vec<&str> =
            document.as_bytes().chunks(cut).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
        let (_web, url) = Web::start(&pieces).await;
        let host = Installed::probe().await;
        let mut session = host.open(&web_account("splice-until", &url)).await.unwrap();
        let inbox = Inbox::default();
        session.fetch(&ids(&["1", "2"]), Box::new(inbox.clone())).await.unwrap();
        let bytes: Vec<Vec<u8>> = inbox.received().ended.into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(bytes, [b"Hello?".to_vec(), b"World!".to_vec()], "in pieces of {cut}");
    }
}

#[tokio::test]
async fn another_origin_and_the_hosts_headers_are_refused() {
    let (web, url) = Web::start(&[]).await;
    let host = Installed::probe().await;
    for (behaviour, code) in [("http-get", "endpoint-not-granted"), ("http-header", "reserved-header")] {
        let error = host.open(&web_account(behaviour, &url)).await.unwrap().check().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::PermissionMissing, Some(code)));
    }
    assert!(web.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_credential_is_attached_by_the_host_and_not_in_the_clear_unless_allowed() {
    let (web, url) = Web::start(&[]).await;
    let host = Installed::probe().await;
    let mut account = web_account("http-auth", &url);
    let error = host.open(&account).await.unwrap().check().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::PermissionMissing, Some("clear-text")));
    assert!(web.requests.lock().unwrap().is_empty());
    account.connection.allow_clear_text.insert("web".to_owned());
    host.open(&account).await.unwrap().check().await.unwrap();
    account.auth = "token".to_owned();
    host.open(&account).await.unwrap().check().await.unwrap();
    let requests = web.requests.lock().unwrap().clone();
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("jan@example.com:{PASSWORD}"));
    assert!(requests[0].contains(&format!("authorization: Basic {pair}\r\n")), "{}", requests[0]);
    assert!(requests[1].contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{}", requests[1]);
}

struct Outgoing {
    bytes: Vec<u8>,
    passed: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl Source for Outgoing {
    fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap()
    }

    async fn read(&self, offset: u32, max: u32) -> wissel_model::connector::Result<Vec<u8>> {
        let rest = &self.bytes[(offset as usize).min(self.bytes.len())..];
        Ok(rest[..rest.len().min(max as usize)].to_vec())
    }

    fn point_of_no_return(&self) {
        self.passed.store(true, Ordering::SeqCst);
    }
}

fn outgoing() -> (Envelope, Arc<Outgoing>) {
    let envelope = Envelope {
        sender: "jan@example.com".to_owned(),
        recipients: vec!["piet@example.com".to_owned()],
        internet_message_id: "<1@example.com>".to_owned(),
        save_copy: false,
    };
    (envelope, Arc::new(Outgoing { bytes: vec![b'x'; 100_000], passed: false.into() }))
}

#[tokio::test]
async fn a_message_is_sent_out_of_the_host_with_its_length_known() {
    let (web, url) = Web::start(&[]).await;
    let host = Installed::probe().await;
    let (envelope, content) = outgoing();
    let mut session = host.open(&web_account("ok", &url)).await.unwrap();
    let receipt = session.send(&envelope, content.clone()).await.unwrap();
    assert_eq!(receipt.answer, "200");
    assert!(content.passed.load(Ordering::SeqCst));
    use base64::Engine as _;
    let raw = base64::engine::general_purpose::STANDARD.encode(&content.bytes);
    let request = web.requests.lock().unwrap()[0].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(body == format!("{{\"raw\":\"{raw}\"}}"));
    assert!(head.to_lowercase().contains(&format!("content-length: {}", body.len())), "{head}");
}

#[tokio::test]
async fn a_trap_while_sending_leaves_the_outcome_unknown() {
    let host = Installed::probe().await;
    let (envelope, content) = outgoing();
    let mut session = host.session("trap-before-send").await;
    let error = session.send(&envelope, content.clone()).await.unwrap_err();
    assert_eq!((error.certainty, error.reason.kind), (Certainty::Unknown, ErrorKind::Fault));
    let again = session.send(&envelope, content).await.unwrap_err();
    assert_eq!(again.certainty, Certainty::NotSent);
}
