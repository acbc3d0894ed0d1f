//! Providers that say no, cannot be reached, or may not be asked.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;
use wissel_tests::issuer::browse;

use crate::office::{ACCOUNT, Office};

#[test]
fn a_provider_in_the_clear_is_not_asked_without_permission() {
    let office = Office::empty(&json!({}));
    office.add("oauth", &[("client-id", "public")], &[]).success();
    let output = office.wissel.run(&["account", "authorize", ACCOUNT, "--link"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("--allow-clear-text oauth"), "{output:?}");
}

#[test]
fn an_unknown_client_is_refused_with_the_providers_own_words() {
    let office = Office::empty(&json!({}));
    office.add("device", &[("client-id", "nobody")], &["--allow-clear-text", "device"]).success();
    let output = office.wissel.run(&["account", "authorize", ACCOUNT, "--json"]);
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.stdout.contains("invalid_client"), "{output:?}");
}

#[test]
fn a_person_who_declines_is_told_so() {
    let office = Office::new();
    let (running, link) = office.begin(&["--json"]);
    let redirect = link.split_once("redirect_uri=").unwrap().1.split('&').next().unwrap();
    let port = redirect.split_once("localhost%3A").unwrap().1.split('%').next().unwrap();
    let state = link.split_once("state=").unwrap().1.split('&').next().unwrap();
    let declined = format!("http://localhost:{port}/?error=access_denied&error_description=no&state={state}");
    let _ = browse(&json!({ "link": declined, "user": "" }));
    let output = running.wait();
    assert_eq!(output.code, Some(4), "{output:?}");
    assert!(output.stdout.contains("declined"), "{output:?}");
}

#[test]
fn an_endless_answer_is_cut_off() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"access_token\":\"");
            while stream.write_all(&[b'a'; 65536]).is_ok() {}
        }
    });
    let office = Office::empty(&json!({}));
    let device = ("device-url", address.as_str());
    office.add("device", &[("client-id", "public"), device], &["--allow-clear-text", "device"]).success();
    let output = office.wissel.run(&["account", "authorize", ACCOUNT]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("larger than"), "{output:?}");
}
