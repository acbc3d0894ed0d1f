//! A renewal whose command is stopped while the provider works on it. The provider takes each refresh token once, so what
//! it answers then is all that the account has.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use wissel_tests::wissel::Wissel;

use crate::office::{ACCOUNT, ALICE};

/// A provider that answers the first renewal when it is told to.
struct Slow {
    address: String,
    asked: Receiver<()>,
    answer: Sender<()>,
    /// What it was asked to renew.
    renewed: Arc<Mutex<Vec<String>>>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let ((tell, asked), (answer, told)) = (channel(), channel());
        let renewed = Arc::new(Mutex::new(Vec::new()));
        let (told, seen) = (Arc::new(Mutex::new(told)), renewed.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tell, told, seen) = (tell.clone(), told.clone(), seen.clone());
                std::thread::spawn(move || serve(&stream, &tell, &told, &seen));
            }
        });
        Self { address, asked, answer, renewed }
    }
}

fn serve(stream: &TcpStream, tell: &Sender<()>, told: &Mutex<Receiver<()>>, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    while let Some((path, form)) = request(&mut reader) {
        let token = |refresh: &str, seconds| json!({ "access_token": "A", "refresh_token": refresh, "expires_in": seconds, "token_type": "Bearer" });
        let answer = match (path.rsplit('/').next(), form.get("refresh_token")) {
            (Some("devicecode"), _) => json!({
                "device_code": "d", "user_code": "U", "verification_uri": "https://d.example/", "expires_in": 60
            }),
            (Some("token"), None) => token("R1", 0),
            (Some("token"), Some(refresh)) => {
                seen.lock().unwrap().push(refresh.clone());
                let _ = tell.send(());
                let _ = told.lock().unwrap().recv();
                token("R2", 3600)
            }
            _ => json!({}),
        };
        respond(stream, &answer);
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, HashMap<String, String>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let form = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Some((first.split_whitespace().nth(1)?.to_owned(), form))
}

fn respond(mut stream: &TcpStream, body: &Value) {
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn what_the_provider_gives_is_kept_although_the_command_was_stopped() {
    let (slow, wissel) = (Slow::start(), Wissel::new());
    let mut add = vec!["account", "add", ACCOUNT, "--connector", "graph", "--auth", "oauth"];
    for method in ["oauth", "device", "graph"] {
        add.extend(["--allow-clear-text", method]);
    }
    let client = "client-id=aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff";
    let (authority, service) = (format!("authority={}", slow.address), format!("service={}", slow.address));
    let mailbox = format!("mailbox={ALICE}");
    for setting in [client, "tenant=kantoor.example", &authority, &service, &mailbox] {
        add.extend(["--set", setting]);
    }
    wissel.run(&add).success();
    let _ = wissel.run(&["account", "authorize", ACCOUNT, "--device"]);
    let stopped = wissel.spawn(&["account", "test", ACCOUNT]);
    slow.asked.recv_timeout(Duration::from_secs(120)).expect("the token is renewed");
    stopped.terminate();
    // Time in which a process that waits for nothing is gone.
    std::thread::sleep(Duration::from_secs(1));
    slow.answer.send(()).unwrap();
    let _ = stopped.wait();
    let _ = wissel.run(&["account", "test", ACCOUNT]);
    assert_eq!(*slow.renewed.lock().unwrap(), ["R1"], "the token that it gave is there");
    let shown = wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(shown["authorization"]["code"], Value::Null, "{shown}");
}
