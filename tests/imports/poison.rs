//! A message that cannot be read is set aside and told of, and stops no other one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::{Entry, Scene};

/// A port where the server behind `target` cannot read the message `uid`: it answers NIL, as some servers do.
/// Ends with the process.
fn unreadable(target: u16, uid: u32) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", target)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || censor(server, client, uid));
        }
    });
    port
}

fn censor(server: TcpStream, mut client: TcpStream, uid: u32) {
    let mut server = BufReader::new(server);
    let mut line = Vec::new();
    while server.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line).into_owned();
        let literal = text.trim_end().strip_suffix('}').and_then(|text| text.rsplit_once('{'));
        if let Some((before, length)) = literal
            && let Ok(length) = length.parse()
        {
            let mut bytes = Vec::new();
            server.by_ref().take(length).read_to_end(&mut bytes).unwrap();
            if before.contains("BODY[] ") && before.contains(&format!("(UID {uid} ")) {
                line = format!("{before}NIL").into_bytes();
            } else {
                line.extend(bytes);
            }
        }
        if client.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    let _ = client.shutdown(Shutdown::Both);
}

#[test]
fn a_message_that_the_server_cannot_read_is_set_aside_and_tried_again_when_released() {
    let scene = Scene::empty(&Options::default());
    let samples = corpus::messages(900, 10);
    scene.server.deliver(ALICE, "INBOX", &samples);
    let port = unreadable(scene.server.port, 4);
    scene.add(&Entry::clear(&scene.server, port)).success();
    scene.job("J", &["--folder", "INBOX", "--processed", "Verwerkt", "--create-processed"]);
    let output = scene.run(&["job", "run", "J"]);
    assert_eq!(output.code, Some(7), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("9 messages imported, 1 quarantined"), "{}", output.stdout);
    assert!(output.stderr.contains("wissel quarantine list"), "{}", output.stderr);

    let (bad, good): (Vec<_>, Vec<_>) = samples.iter().enumerate().partition(|(index, _)| *index == 3);
    let tokens = |samples: &[(usize, &corpus::Sample)]| -> Vec<String> {
        samples.iter().map(|(_, sample)| sample.token.clone()).collect()
    };
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&tokens(&good), SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&tokens(&bad), "INBOX");
    let again = scene.run(&["job", "run", "J"]);
    assert_eq!(again.code, Some(0), "what was set aside is not met again: {}{}", again.stdout, again.stderr);

    let listed = scene.wissel.json(&["quarantine", "list"]);
    let set_aside = listed["messages"].as_array().unwrap();
    assert_eq!(set_aside.len(), 1, "{listed:#}");
    assert_eq!(set_aside[0]["code"], "NIL");
    assert_eq!(set_aside[0]["job"], "J");

    // The way out: the server is mended, and the message released.
    let key = set_aside[0]["key"].as_str().unwrap();
    scene.run(&["quarantine", "release", key]).success();
    let mended = scene.server.port.to_string();
    scene.run(&["account", "edit", "Inkoop", "--set", &format!("port={mended}")]).success();
    assert_eq!(scene.import("J"), 1);
    let all = corpus::tokens(&samples);
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&all, SINK);
    Tokens::in_mailbox(&scene.server, ALICE).assert_each_once(&all, "Verwerkt");
}
