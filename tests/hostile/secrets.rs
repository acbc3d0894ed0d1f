//! A connector that tries to have the account's secret sent where it may not go: what a listener hears is searched for
//! it, plain and in base64.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use wissel_tests::dovecot::PASSWORD;
use wissel_tests::wissel::Output;

use crate::yard::{List, Yard, printable};

/// A server in the clear that keeps what it hears. Ends with the process.
struct Listener {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let _ = client.write_all(b"* OK hello\r\n");
                    let mut bytes = [0; 4096];
                    while let Ok(length @ 1..) = client.read(&mut bytes) {
                        kept.lock().unwrap().extend_from_slice(&bytes[..length]);
                    }
                });
            }
        });
        Self { port, heard }
    }

    /// What it heard so far, once something of it is `expected`.
    fn heard(&self, expected: &str) -> String {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let text = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
            if text.contains(expected) || Instant::now() > patience {
                return text;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether the password is in a text: as it is, or in any run of base64 characters.
fn shows_password(text: &str) -> bool {
    let base64 = |c: char| !(c.is_ascii_alphanumeric() || "+/".contains(c));
    let decoded = text.split(base64).filter_map(|run| STANDARD_NO_PAD.decode(run).ok());
    text.contains(PASSWORD)
        || decoded.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains(PASSWORD))
}

fn run(yard: &Yard, name: &str, misdeed: &str, listener: &Listener, more: &[&str]) -> (Output, Duration) {
    let port = format!("port={}", listener.port);
    yard.hostile(name, &format!("list:{misdeed}"), &[&["--set", &port], more].concat());
    let begun = Instant::now();
    (printable(yard.scene.run(&["job", "run", name, "--json"])), begun.elapsed())
}

#[test]
fn a_sealed_secret_never_goes_over_a_plaintext_connection() {
    let yard = Yard::new();
    let list = List::new("a secret to a plaintext connection");
    for (misdeed, security, says) in [
        ("sealed", "none", "clear"),
        ("password", "none", "clear"),
        // The endpoint will have TLS, but has it not yet.
        ("sealed", "starttls", "TLS"),
        ("password", "starttls", "TLS"),
        // The secret is for one endpoint, the connection to another.
        ("sealed-elsewhere", "implicit", "public"),
        ("sealed-elsewhere", "starttls", "public"),
    ] {
        let listener = Listener::start();
        let name = format!("{misdeed} {security}");
        let setting = format!("security={security}");
        let (output, time) = run(&yard, &name, misdeed, &listener, &["--set", &setting]);
        let error = &output.json()["errors"][0];
        let shown = format!("{name}: {error:#}");
        list.add(&name, format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), output.code), time);
        assert_eq!((output.code, &error["code"]), (Some(4), &"permission-missing".into()), "{shown}");
        assert!(error["message"].as_str().unwrap().contains(says), "{shown}");
        let before = if misdeed == "password" { "LOGIN " } else { "AUTH PLAIN " };
        let heard = listener.heard(before);
        assert!(heard.contains(before), "the listener was not reached, so nothing was proven: {heard:?}");
        assert!(!shows_password(&heard), "the password went over the wire: {heard:?}");
        yard.assert_failing(&name, &[says, &name]);
        yard.assert_holds(&name, &[]);
    }
    yard.assert_neighbour_works(21);
}

/// Without this the test above could be deaf.
#[test]
fn the_listener_hears_a_password_that_the_operator_allows_in_the_clear() {
    let yard = Yard::new();
    for (misdeed, before) in [("sealed", "AUTH PLAIN "), ("password", "LOGIN ")] {
        let listener = Listener::start();
        let allow = ["--set", "security=none", "--allow-clear-text", "line"];
        let (output, _) = run(&yard, misdeed, misdeed, &listener, &allow);
        assert_eq!(output.success().json()["imported"], 5);
        assert!(shows_password(&listener.heard(before)));
    }
}
