//! No secret of a run shows anywhere but where it has to go: not in what commands print, not in logs at their finest, not in
//! the files of the home, not in the process list.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use serde_json::json;
use wissel_tests::graph::{House, USER};
use wissel_tests::issuer::{browse, link_of};
use wissel_tests::wissel::Running;

use crate::scene::{RUN, Scene};

const ACCOUNT: &str = "Met geheim";
const BY_PASSWORD: &str = "Wachtwoord";
/// A password that is no word that a text could hold.
const MAILBOX_PASSWORD: &str = "Zx9-Kenmerk-Wachtwoord-4711";

/// Everything that was said or stored, with where.
#[derive(Default)]
struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    /// Lets a command run to its end, looking at the process list meanwhile.
    fn listen(&mut self, name: &str, mut running: Running) -> Option<i32> {
        loop {
            if let Ok(line) = fs::read(format!("/proc/{}/cmdline", running.pid())) {
                self.0.push((format!("the process list, {name}"), line));
            }
            if !running.is_running() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let output = running.wait();
        self.0.push((format!("the output of {name}"), output.stdout.into_bytes()));
        self.0.push((format!("the log of {name}"), output.stderr.into_bytes()));
        output.code
    }

    fn files(&mut self, folder: &Path) {
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    self.0.push((path.display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
    }

    /// Where any form of the secret shows.
    fn shows(&self, secret: &str) -> Vec<&str> {
        let percent: String = secret
            .bytes()
            .map(|byte| match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect();
        let encoded = [STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
        let forms = [secret.to_owned(), percent, encoded[0].clone(), encoded[1].clone()];
        let shows = |bytes: &[u8]| forms.iter().any(|form| memmem::find(bytes, form.as_bytes()).is_some());
        self.0.iter().filter(|(_, bytes)| shows(bytes)).map(|(place, _)| place.as_str()).collect()
    }
}

#[test]
fn no_secret_of_a_run_shows_anywhere() {
    let mut house = House::empty(&["--password", MAILBOX_PASSWORD]);
    house.wissel.set("WISSEL_LOG", "trace,wissel=trace");
    let mut heard = Heard::default();
    let ca = house.bed.ca().display().to_string();
    let port = format!("port={}", house.bed.fact("imaps").rsplit_once(':').unwrap().1);
    let settings = [
        format!("client-id={}", house.bed.fact("client_id")),
        format!("tenant={}", house.bed.fact("tenant")),
        format!("authority={}", house.bed.fact("entra").trim_end_matches('/')),
        format!("service={}", house.bed.fact("graph").trim_end_matches('/')),
        format!("mailbox={USER}"),
    ];
    let mut add = vec!["account", "add", ACCOUNT, "--connector", "graph", "--auth", "oauth"];
    add.extend(["--ca-file", &ca, "--client-secret-stdin"]);
    for setting in &settings {
        add.extend(["--set", setting]);
    }
    let client_secret = house.bed.fact("client_secret").to_owned();
    house.wissel.run_with(&add, &client_secret).success();
    let user = format!("user={USER}");
    let imap = ["account", "add", BY_PASSWORD, "--connector", "imap", "--auth", "password", "--ca-file", &ca];
    let more = ["--password-stdin", "--set", "host=localhost", "--set", &port, "--set", &user];
    house.wissel.run_with(&[&imap[..], &more].concat(), MAILBOX_PASSWORD).success();

    let running = house.wissel.spawn(&["account", "authorize", ACCOUNT, "--no-browser", "--json"]);
    let link = link_of(&running);
    let answer = browse(&json!({
        "link": link, "user": USER, "password": MAILBOX_PASSWORD, "deliver": true, "ca": house.bed.ca()
    }));
    let code = answer.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    assert_eq!(heard.listen("authorize", running), Some(0));

    let mut scene = Scene::of(house, ACCOUNT);
    scene.deliver(3);
    let listen = |scene: &Scene, heard: &mut Heard, arguments: &[&str]| {
        heard.listen(&arguments.join(" "), scene.house.wissel.spawn(arguments))
    };
    for arguments in [
        &["account", "test", ACCOUNT, "--json"][..],
        &["account", "test", BY_PASSWORD, "--json"],
        &RUN,
        &["account", "show", ACCOUNT, "--json"],
        &["account", "list"],
        &["account", "secret", "test", ACCOUNT],
        &["export"],
        &["export", "--json"],
        &["client", "list", "--json"],
    ] {
        assert_eq!(listen(&scene, &mut heard, arguments), Some(0), "{arguments:?}");
    }
    let _ = listen(&scene, &mut heard, &["doctor", "--json"]);
    // A renewal, then refusals of every kind.
    scene.house.ahead(70);
    assert_eq!(listen(&scene, &mut heard, &["account", "test", ACCOUNT]), Some(0));
    for fault in ["403", "500", "drop"] {
        scene.house.bed.command(&format!("graph-fault {fault} 50 *"));
        assert_ne!(listen(&scene, &mut heard, &["account", "test", ACCOUNT]), Some(0), "{fault}");
        scene.house.bed.command("faults-off");
    }
    scene.house.bed.command("secret-expired");
    scene.house.ahead(200);
    assert_eq!(listen(&scene, &mut heard, &["account", "test", ACCOUNT, "--json"]), Some(4));
    assert_eq!(listen(&scene, &mut heard, &RUN), Some(4));
    let _ = listen(&scene, &mut heard, &["doctor"]);
    heard.files(scene.house.wissel.home());

    let mut secrets: Vec<String> = serde_json::from_value(scene.house.bed.command("issued")).unwrap();
    // Access and refresh tokens of the sign-in, of the test of the secret, and of the renewal.
    assert!(secrets.len() >= 4, "{} tokens were issued", secrets.len());
    secrets.extend([client_secret, MAILBOX_PASSWORD.to_owned(), code]);
    let state = link.split_once("state=").unwrap().1.split('&').next().unwrap();
    for secret in &secrets {
        assert!(secret.len() > 15, "too short to be told from chance: {secret}");
        assert_eq!(heard.shows(secret), Vec::<&str>::new(), "a secret shows: {}...", &secret[..6]);
    }
    // The search is not deaf: what has to be there is found, and the logs are the finest.
    assert!(!heard.shows(state).is_empty(), "the link was printed");
    let logged = |word: &str| heard.0.iter().any(|(_, bytes)| memmem::find(bytes, word.as_bytes()).is_some());
    assert!(logged("TRACE") && logged("answered"), "the logs are empty");
}
