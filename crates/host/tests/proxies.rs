//! Proxies: TLS stays end to end through them, nothing is used unasked, and a failure tells who refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::sync::{Arc, Mutex};

use common::server::{Certificates, LineServer, Tls};
use common::{Inbox, Installed, PASSWORD, PROXY_PASSWORD, account, ids, with_settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wissel_model::{Account, ConnectorError, ErrorKind, Identity};

/// What a proxy answers CONNECT with, and where its way leads then.
#[derive(Clone, Copy)]
enum Way {
    /// To this port, after a proper answer.
    To(u16),
    /// Nowhere: these octets, and then silence.
    Says(&'static [u8]),
    /// Nowhere: these octets, and then the end.
    Ends(&'static [u8]),
}

/// A proxy that keeps what it was asked, and all that passed through it from the client.
struct Proxy {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    async fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, way, Arc::clone(&keeps)));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

async fn serve(mut stream: TcpStream, way: Way, heard: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 4096];
    while !heard.lock().unwrap().ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => heard.lock().unwrap().extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    match way {
        Way::Ends(answer) => stream.write_all(answer).await.unwrap_or_default(),
        Way::Says(answer) => {
            stream.write_all(answer).await.unwrap_or_default();
            while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {}
        }
        Way::To(port) => {
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await.unwrap();
            let (mut to_server, mut back) = ([0; 4096], [0; 4096]);
            loop {
                tokio::select! {
                    Ok(read @ 1..) = stream.read(&mut to_server) => {
                        heard.lock().unwrap().extend_from_slice(&to_server[..read]);
                        server.write_all(&to_server[..read]).await.unwrap();
                    }
                    Ok(read @ 1..) = server.read(&mut back) => stream.write_all(&back[..read]).await.unwrap(),
                    else => return,
                }
            }
        }
    }
}

fn through(mut account: Account, address: &str) -> Account {
    account.connection.proxy = Some(address.parse().unwrap());
    account.connection.call_timeout_seconds = 20;
    account
}

async fn check(account: &Account) -> Result<Identity, ConnectorError> {
    let host = Installed::probe().await;
    host.open(account).await.unwrap().check().await
}

/// The account of a line server that is named as only the proxy can find it.
fn elsewhere(behaviour: &str, security: &str) -> Account {
    let settings = [("host", "mail.example.com"), ("port", "4711"), ("security", security)];
    with_settings(account(behaviour), &settings)
}

async fn refusal(way: Way) -> ConnectorError {
    let proxy = Proxy::start(way).await;
    let mut account =
        through(elsewhere("hello", "implicit"), &format!("http://inkoop@127.0.0.1:{}", proxy.port));
    account.connection.connect_timeout_seconds = 2;
    let error = check(&account).await.unwrap_err();
    assert!(error.session_lost);
    assert!(
        error.message.contains(&format!("the proxy http://127.0.0.1:{}", proxy.port)),
        "{}",
        error.message
    );
    assert!(!error.message.contains(PROXY_PASSWORD), "{}", error.message);
    error
}

#[tokio::test]
async fn tls_is_between_host_and_server_and_the_proxy_resolves_the_name() {
    let certificates = Certificates::for_name("mail.example.com");
    let server = LineServer::start(Tls::AtOnce, Some(&certificates)).await;
    let proxy = Proxy::start(Way::To(server.port)).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &certificates.ca_pem).unwrap();
    let mut account = through(elsewhere("password", "implicit"), &format!("http://127.0.0.1:{}", proxy.port));
    account.connection.ca_file = Some(ca);
    check(&account).await.unwrap();
    assert_eq!(server.lines(), [format!("LOGIN \"{PASSWORD}\"")]);
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT mail.example.com:4711 HTTP/1.1\r\n"), "{heard}");
    assert!(!heard.contains("Proxy-Authorization") && !heard.contains(PASSWORD), "{heard}");

    // A proxy that leads to another server is found out by its certificate.
    let other = Certificates::for_name("mail.example.com");
    let impostor = LineServer::start(Tls::AtOnce, Some(&other)).await;
    let lying = Proxy::start(Way::To(impostor.port)).await;
    account.connection.proxy = Some(format!("http://127.0.0.1:{}", lying.port).parse().unwrap());
    assert_eq!(check(&account).await.unwrap_err().code.as_deref(), Some("certificate"));
    assert!(impostor.lines().is_empty());
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_from_its_first_octet() {
    let proxy = Proxy::start(Way::Says(b"HTTP/1.0 200 OK\r\n\r\n* welcome\r\n")).await;
    let account = through(elsewhere("hello", "none"), &format!("http://inkoop@127.0.0.1:{}", proxy.port));
    let identity = check(&account).await.unwrap();
    assert!(identity.facts.iter().any(|(_, value)| value == "* welcome"), "{identity:?}");
    assert!(proxy.heard().contains("Proxy-Authorization: Basic aW5rb29wOnByb3h5IHN0YXBsZQ==\r\n"));
}

#[tokio::test]
async fn who_refused_is_told_by_kind_and_code() {
    let cases: [(Way, ErrorKind, &str); 8] = [
        (Way::Ends(b"HTTP/1.1 407 Login\r\n\r\n"), ErrorKind::AuthorizationNeeded, "proxy-authorization"),
        (Way::Ends(b"HTTP/1.1 403 No\r\n\r\n"), ErrorKind::PermissionMissing, "proxy-refused"),
        (Way::Ends(b"HTTP/1.1 502 Bad gateway\r\n\r\n"), ErrorKind::Temporary, "unreachable"),
        (Way::Ends(b""), ErrorKind::Temporary, "proxy-unreachable"),
        (Way::Says(b"220 mail.example.com ESMTP\r\n"), ErrorKind::Protocol, "proxy-protocol"),
        (Way::Says(b"HTTP/9.9 200 OK\r\n\r\n"), ErrorKind::Protocol, "proxy-protocol"),
        (Way::Says(&[b'H'; 9000]), ErrorKind::Protocol, "proxy-protocol"),
        (Way::Says(b"HTTP/1.1 200 OK\r\n"), ErrorKind::Temporary, "proxy-timeout"),
    ];
    for (way, kind, code) in cases {
        let error = refusal(way).await;
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "{}", error.message);
    }
    let error = check(&through(elsewhere("hello", "implicit"), "socks5h://127.0.0.1:9")).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Temporary, Some("proxy-unreachable")));
}

#[tokio::test]
async fn requests_go_through_the_proxy_too_and_its_refusal_is_told() {
    let host = Installed::probe().await;
    for (way, kind, code) in [
        (Way::Ends(b"HTTP/1.1 407 Login\r\n\r\n"), ErrorKind::AuthorizationNeeded, "proxy-authorization"),
        (Way::Ends(b"HTTP/1.1 403 No\r\n\r\n"), ErrorKind::PermissionMissing, "proxy-refused"),
    ] {
        let proxy = Proxy::start(way).await;
        let account = with_settings(account("http-four"), &[("url", "https://mail.example.com:4711")]);
        let account = through(account, &format!("http://inkoop@127.0.0.1:{}", proxy.port));
        let mut session = host.open(&account).await.unwrap();
        let inbox = Inbox::default();
        let result = session.fetch(&ids(&["1"]), Box::new(inbox.clone())).await;
        let failed = inbox.received().failed;
        let error = result.err().or_else(|| failed.into_iter().next().map(|(_, error)| error)).unwrap();
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)), "{}", error.message);
        assert!(!error.message.contains(PROXY_PASSWORD), "{}", error.message);
        assert!(proxy.heard().starts_with("CONNECT mail.example.com:4711 HTTP/1.1\r\n"), "{}", proxy.heard());
        assert!(proxy.heard().to_lowercase().contains("proxy-authorization: basic "), "{}", proxy.heard());
    }
}
