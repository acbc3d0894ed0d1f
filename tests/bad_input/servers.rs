//! Servers that are away, speak something else, or cannot be found.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use wissel_tests::proxy::Proxy;
use wissel_tests::scene::ACCOUNT;

use crate::{Case, assert_failed};

#[test]
fn a_stopped_server_is_said_so_and_its_return_brings_everything() {
    let case = Case::new();
    let way = Proxy::to(case.scene.server.tls_port);
    let port = way.port;
    case.scene.run(&["account", "edit", ACCOUNT, "--set", &format!("port={port}")]).success();
    case.scene.run(&["account", "test", ACCOUNT]).success();
    drop(way);
    for command in [["account", "test", ACCOUNT], ["job", "run", "J"]] {
        assert_failed(&case.scene.run(&command), 1, &[ACCOUNT, &port.to_string()]);
    }
    let shown = case.scene.wissel.json(&["job", "show", "J"]);
    let health = shown.get("health").or_else(|| shown["job"].get("health")).unwrap();
    assert!(health["failing_since"].is_string() && health["reason"].is_string(), "{shown:#}");
    let _way = Proxy::at(port, case.scene.server.tls_port);
    case.assert_untouched();
    case.assert_recovers();
    let shown = case.scene.wissel.json(&["job", "show", "J"]);
    let health = shown.get("health").or_else(|| shown["job"].get("health")).unwrap();
    assert!(health["failing_since"].is_null(), "{shown:#}");
}

#[test]
fn a_host_that_does_not_exist_and_a_server_of_another_kind_are_told_apart() {
    let case = Case::new();
    case.scene.run(&["account", "edit", ACCOUNT, "--set", "host=nowhere.invalid"]).success();
    assert_failed(&case.scene.run(&["account", "test", ACCOUNT]), 1, &[ACCOUNT, "nowhere.invalid"]);

    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.write_all(b"220 mail.example.test ESMTP\r\n");
            std::thread::sleep(std::time::Duration::from_secs(2));
        }
    });
    let port = format!("port={port}");
    let edit = ["account", "edit", ACCOUNT, "--set", "host=127.0.0.1", "--set", &port, "--set"];
    for security in ["security=implicit", "security=starttls"] {
        case.scene.run(&[&edit[..], &[security]].concat()).success();
        assert_failed(&case.scene.run(&["account", "test", ACCOUNT]), 1, &[ACCOUNT]);
    }
    let port = format!("port={}", case.scene.server.tls_port);
    let edit =
        ["account", "edit", ACCOUNT, "--set", "host=localhost", "--set", &port, "--set", "security=implicit"];
    case.scene.run(&edit).success();
    case.assert_untouched();
    case.assert_recovers();
}

#[test]
fn the_wrong_kind_of_tls_for_a_port_ends_within_its_time() {
    let case = Case::new();
    let (plain, tls) = (case.scene.server.port, case.scene.server.tls_port);
    for (port, security) in [(plain, "implicit"), (tls, "starttls")] {
        let (port, security) = (format!("port={port}"), format!("security={security}"));
        let edit = ["account", "edit", ACCOUNT, "--idle-timeout", "3", "--connect-timeout", "3", "--set"];
        case.scene.run(&[&edit[..], &[&port, "--set", &security]].concat()).success();
        let begun = std::time::Instant::now();
        assert_failed(&case.scene.run(&["account", "test", ACCOUNT]), 1, &[ACCOUNT]);
        // Well before the 100 seconds that an account has of its own, also on a slow machine.
        assert!(begun.elapsed().as_secs() < 90, "{:?}", begun.elapsed());
    }
    case.assert_untouched();
}

/// A server that repeats what it refuses, as some do: the password must not come back with it.
fn parrot(capabilities: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let _ = client.write_all(b"* OK ready\r\n");
            let lines = BufReader::new(client.try_clone().unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
                let answer = match command {
                    "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 {capabilities}\r\n{tag} OK done\r\n"),
                    _ => format!("* OK [ALERT] you said {line}\r\n{tag} BAD unknown command: {command}\r\n"),
                };
                if client.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    port
}

#[test]
fn a_server_that_repeats_the_command_does_not_bring_the_password_out() {
    for capabilities in ["", "AUTH=PLAIN SASL-IR"] {
        let case = Case::new();
        let port = format!("port={}", parrot(capabilities));
        let edit = ["account", "edit", ACCOUNT, "--allow-clear-text", "imap", "--set", "security=none"];
        case.scene.run(&[&edit[..], &["--set", "host=127.0.0.1", "--set", &port]].concat()).success();
        let refused = case.scene.run(&["--log", "trace", "account", "test", ACCOUNT]);
        assert!(
            refused.stderr.contains("unknown command") && refused.stderr.contains("***"),
            "{}",
            refused.stderr
        );
        // The driver searches every output for the secret and its base64 forms; the database is searched here.
        let _ = case.scene.run(&["job", "run", "J"]);
        let _ = case.scene.run(&["job", "show", "J"]);
        for file in ["wissel.db", "wissel.db-wal"] {
            let bytes = std::fs::read(case.scene.wissel.path(file)).unwrap_or_default();
            for secret in wissel_tests::scene::secrets() {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{file} holds a secret");
            }
        }
    }
}
