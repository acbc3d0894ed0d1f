//! Signing in here: in a browser, and on another device.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wissel_tests::issuer::{browse, link_of, sign_in};

use crate::office::{ACCOUNT, ALICE, Office};

#[test]
fn a_person_signs_in_and_the_account_is_authorised() {
    let office = Office::new();
    let before = office.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(before["authorization"]["standing"], "unauthorized");
    let said = office.authorize(ALICE).success().json();
    assert_eq!(
        (&said["signed_in_as"], &said["missing"], &said["warnings"]),
        (&json!(ALICE), &json!([]), &json!([]))
    );
    assert!(said["scopes"].as_array().unwrap().contains(&json!("IMAP.AccessAsUser.All")));
    let after = office.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(after["authorization"]["standing"], "authorized", "{after}");
    assert_eq!(after["authorization"]["signed_in_as"], ALICE);
    assert_eq!(office.issuer.grants("authorization_code", true), 1);
    // Again, at any time.
    office.authorize(ALICE).success();
}

#[test]
fn somebody_else_than_the_mailbox_is_warned_about() {
    let office = Office::new();
    let said = office.authorize("bob@example.test").success().json();
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.contains("bob@example.test") && warning.contains(ALICE), "{warning}");
    // From then on the account is his, until somebody says otherwise.
    let refused = office.authorize(ALICE);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stdout.contains("--as-another-user") && refused.stdout.contains("bob@example.test"),
        "{refused:?}"
    );
    let shown = office.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(shown["authorization"]["signed_in_as"], "bob@example.test");
    let (running, link) = office.begin(&["--json", "--as-another-user"]);
    let _ = sign_in(&link, ALICE, true);
    assert_eq!(running.wait().success().json()["signed_in_as"], ALICE);
}

#[test]
fn a_person_signs_in_on_another_device() {
    let office = Office::new();
    let running = office.wissel.spawn(&["account", "authorize", ACCOUNT, "--device", "--json"]);
    // The permission to speak in the clear is for the method by name, and this is another one.
    assert_eq!(running.wait().code, Some(2));
    office.wissel.run(&["account", "edit", ACCOUNT, "--allow-clear-text", "device"]).success();
    let running = office.wissel.spawn(&["account", "authorize", ACCOUNT, "--device", "--json"]);
    let begun = Instant::now();
    let (address, code) = loop {
        let said = running.stderr();
        let address = said.lines().find_map(|line| line.split_once("open ")).map(|(_, rest)| rest.to_owned());
        let code = said.split_once("the code ").and_then(|(_, rest)| rest.split_whitespace().next());
        if let (Some(address), Some(code)) = (address, code) {
            break (address, code.to_owned());
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no code comes: {said}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let _ = browse(&json!({ "link": address, "user": ALICE, "password": "any", "code": code }));
    let said = running.wait().success().json();
    assert_eq!(said["signed_in_as"], ALICE);
    // A public client has no secret, and needs none.
    let report = office.wissel.run(&["doctor", "--offline", "--json"]).json();
    let of_secret = |finding: &&Value| finding["check"] == "client-secret";
    let finding = report["findings"].as_array().unwrap().iter().find(of_secret).unwrap();
    assert_eq!(finding["status"], "ok", "{report:#}");
}

#[test]
fn what_is_no_answer_ends_nothing_and_the_right_one_counts() {
    let office = Office::new();
    let (running, link) = office.begin(&["--json"]);
    let redirect = link.split_once("redirect_uri=").unwrap().1.split('&').next().unwrap();
    let port = redirect.split_once("localhost%3A").unwrap().1.split('%').next().unwrap().to_owned();
    let forged = format!("http://localhost:{port}/?code=forged&state=forged");
    let page = std::panic::catch_unwind(|| browse(&json!({ "link": forged, "user": "" })));
    assert!(page.is_err(), "a forged answer gets no page of success");
    let _ = sign_in(&link, ALICE, true);
    running.wait().success();
}

#[cfg(target_os = "linux")]
#[test]
fn connections_that_cannot_be_taken_end_nothing() {
    let office = Office::new();
    let few = ["prlimit", "--nofile=48:48"];
    let arguments = ["account", "authorize", ACCOUNT, "--no-browser", "--json"];
    let running = office.wissel.spawn_under(&few, &arguments);
    let link = link_of(&running);
    let port = link.split_once("localhost%3A").unwrap().1.split('%').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    let open: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(&address).unwrap()).collect();
    // Time in which a listener that gives up has done so.
    std::thread::sleep(Duration::from_millis(300));
    drop(open);
    let _ = sign_in(&link, ALICE, true);
    running.wait().success();
}

#[test]
fn a_port_in_use_is_said_so() {
    let office = Office::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = office.wissel.run(&["account", "authorize", ACCOUNT, "--no-browser", "--port", &port]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains(&port) && output.stderr.contains("--port"), "{output:?}");
}

#[test]
fn a_stop_ends_the_waiting() {
    let office = Office::new();
    let (running, _) = office.begin(&[]);
    running.terminate();
    assert_eq!(running.wait().code, Some(130));
}
