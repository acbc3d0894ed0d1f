//! A connector that sends requests where none may go, or that ask for too much; and a web server that answers too much.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::yard::{List, Yard, each, printable};

/// What the server sends after its head.
#[derive(Clone)]
enum Body {
    Empty,
    /// Nothing is left out: it goes on until the other side has enough.
    Endless,
    /// The same member of gzip, so often.
    Members(Vec<u8>, usize),
}

/// A web server in the clear that keeps what it hears. Ends with the process.
struct Web {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn start(head: &str, body: &Body) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, head, body) = (Arc::clone(&heard), head.to_owned(), body.clone());
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let (kept, head, body) = (Arc::clone(&kept), head.clone(), body.clone());
                std::thread::spawn(move || answer(&mut client, &kept, &head, &body));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Answers one request; the connection ends with it.
fn answer(client: &mut TcpStream, kept: &Mutex<Vec<String>>, head: &str, body: &Body) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        client.read_exact(&mut octet)?;
        request.extend(octet);
    }
    kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    write!(client, "{head}\r\nConnection: close\r\n\r\n")?;
    match body {
        Body::Empty => Ok(()),
        Body::Endless => loop {
            client.write_all(&[b'x'; 16 << 10])?;
        },
        Body::Members(member, count) => (0..*count).try_for_each(|_| client.write_all(member)),
    }
}

struct Case {
    misdeed: &'static str,
    exit: i32,
    code: &'static str,
    says: &'static str,
}

const fn case(misdeed: &'static str, exit: i32, code: &'static str, says: &'static str) -> Case {
    Case { misdeed, exit, code, says }
}

/// What is refused before anything is sent to anybody.
const REFUSED: &[Case] = &[
    case("elsewhere", 4, "permission-missing", "[endpoint-not-granted]"),
    case("metadata", 4, "permission-missing", "[private-address]"),
    case("loopback-name", 4, "permission-missing", "localhost leads to"),
    case("loopback", 4, "permission-missing", "[private-address]"),
    case("authorization", 4, "permission-missing", "[reserved-header]"),
    case("injection", 1, "unsupported", "[request]"),
    case("user-info", 4, "permission-missing", "[user-info]"),
];

/// Patience with a slow and busy machine: what counts is that it ends, and in what.
const SLACK: Duration = Duration::from_secs(240);

#[track_caller]
fn assert_refused(yard: &Yard, list: &List, name: &str, case: &Case, web: &Web, port: u16) {
    let url = format!("web=http://127.0.0.1:{}/", web.port);
    let port = format!("port={port}");
    let more = ["--set", &url, "--set", &port, "--allow-clear-text", "web"];
    yard.hostile(name, &format!("list:web-{}", case.misdeed), &more);
    let begun = Instant::now();
    let output = printable(yard.scene.run(&["job", "run", name, "--json"]));
    let error = &output.json()["errors"][0];
    let shown = format!("{name}: {error:#}\n{}", output.stderr);
    list.add(name, format!("{} ({:?})", error["code"], output.code), begun.elapsed());
    assert_eq!((output.code, &error["code"]), (Some(case.exit), &case.code.into()), "{shown}");
    assert!(error["message"].as_str().unwrap().contains(case.says), "{shown}");
    assert!(begun.elapsed() < SLACK, "{shown}");
    yard.assert_holds(name, &[]);
}

#[test]
fn a_request_that_is_not_granted_is_not_sent() {
    let yard = Yard::new();
    let list = List::new("requests that are not granted");
    each(REFUSED, |_, case| {
        // One that the operator's setting names, and one that it does not.
        let [web, other] = [(); 2].map(|()| Web::start("HTTP/1.1 200 OK", &Body::Empty));
        assert_refused(&yard, &list, case.misdeed, case, &web, other.port);
        assert!(web.heard().is_empty() && other.heard().is_empty(), "{}: it was sent", case.misdeed);
    });
    yard.assert_neighbour_works(51);
}

#[test]
fn a_redirect_takes_neither_the_request_nor_the_credential_along() {
    let yard = Yard::new();
    let list = List::new("a redirect to an origin that is not granted");
    let other = Web::start("HTTP/1.1 200 OK", &Body::Empty);
    let head = format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{}/next", other.port);
    let web = Web::start(&head, &Body::Empty);
    let expected = case("redirected", 4, "permission-missing", "[endpoint-not-granted]");
    assert_refused(&yard, &list, expected.misdeed, &expected, &web, 9);
    let heard = web.heard();
    assert!(
        heard.len() == 1 && heard[0].contains("authorization: Basic "),
        "the first was not sent: {heard:?}"
    );
    assert!(other.heard().is_empty(), "the redirect was followed");
}

#[test]
fn an_answer_is_not_held_beyond_its_limit() {
    let yard = Yard::new();
    let list = List::new("answers without end");
    let zeros = member_of_zeros();
    let bodies = [
        ("endless", "longer than 67108864 octets", "HTTP/1.1 200 OK", Body::Endless),
        // A gigabyte out of a megabyte.
        (
            "bomb",
            "[decompression]",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip",
            Body::Members(zeros, 16_384),
        ),
    ];
    for (name, says, head, body) in bodies {
        let web = Web::start(head, &body);
        let expected = case("all", 1, "too-large", says);
        assert_refused(&yard, &list, name, &expected, &web, 9);
        assert_eq!(web.heard().len(), 1);
    }
    yard.assert_neighbour_works(52);
}

/// 64 KiB of zeros (RFC 1951 and 1952).
fn member_of_zeros() -> Vec<u8> {
    hex::decode(MEMBER).unwrap()
}

const MEMBER: &str = "1f8b08000000000002ffedc101010000008090feafee080a0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006aeb8e97d700000100";

/// The page lists what becomes of a hostile connector; each of these has to stand there.
#[test]
fn each_refusal_stands_in_the_security_page() {
    let page = std::fs::read_to_string(xtask::workspace::root().join("docs/security.md")).unwrap();
    for case in REFUSED.iter().filter(|case| case.says.starts_with('[')) {
        assert!(page.contains(case.says) && page.contains(case.code), "{}: {}", case.misdeed, case.says);
    }
    assert!(page.contains("[decompression]") && page.contains("`too-large`"));
}
