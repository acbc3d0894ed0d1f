//! The IMAP connector against Dovecot and against the testbed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::paths;
use wissel_tests::scene::{ACCOUNT, Entry, Scene};
use wissel_tests::wissel::Wissel;

use crate::report::{NOT_FOR_IMAP, assert_conforms, check};

fn imap() -> String {
    paths::connectors().join("imap.wasm").display().to_string()
}

/// An installation with the account [`ACCOUNT`] and one whose password is refused.
fn scene(options: &Options) -> Scene {
    let scene = Scene::start(options);
    let entry = Entry::of(&scene.server);
    let refused = Entry { name: "Verlopen".to_owned(), secret: "not the password".to_owned(), ..entry };
    scene.add(&refused).success();
    scene
}

#[test]
fn imap_conforms_on_dovecot() {
    let scene = scene(&Options::default());
    scene.server.deliver(ALICE, "INBOX", &["Subject: not the kit's\r\n\r\nA message of somebody's.\r\n"]);
    let before = scene.server.imap(ALICE).flags("INBOX");
    let junit = scene.wissel.path("report.xml").display().to_string();
    let arguments = ["--account", ACCOUNT, "--refused", "Verlopen", "--junit", &junit];
    let report = assert_conforms(check(&scene.wissel, &imap(), &arguments), &NOT_FOR_IMAP);
    // The rest of the mailbox is as it was, and the kit's own messages are gone.
    assert_eq!(scene.server.imap(ALICE).flags("INBOX"), before);
    let all = scene.server.folders(ALICE);
    let own: Vec<&String> = all.iter().filter(|name| name.starts_with("Wissel conformance")).collect();
    assert!(own.len() > 20, "{own:?}");
    let left = scene.server.doveadm(&["search", "-u", ALICE, "mailbox", "Wissel conformance/*"]);
    assert_eq!(left.trim(), "", "messages stayed behind");
    assert!(report["left"][0].as_str().unwrap().contains("Wissel conformance/"), "{}", report["left"]);
    // The XML has the same cases.
    let xml = std::fs::read_to_string(&junit).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(xml.matches("<testcase ").count(), cases.len(), "{xml}");
    for case in cases {
        assert!(xml.contains(&format!("name=\"{}\"", case["name"].as_str().unwrap())), "{case}");
    }
}

#[test]
fn imap_conforms_without_extensions_and_with_another_separator() {
    let options = Options {
        capability: Some("IMAP4rev1 LITERAL+ UIDPLUS".to_owned()),
        separator: '.',
        ..Options::default()
    };
    let scene = scene(&options);
    let arguments = ["--account", ACCOUNT, "--refused", "Verlopen"];
    assert_conforms(check(&scene.wissel, &imap(), &arguments), &NOT_FOR_IMAP);
}

/// The testbed's program, until it is dropped.
struct Bed(Child);

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn imap_conforms_on_the_testbed() {
    let mut wissel = Wissel::new();
    wissel.set("WISSEL_LANG", "en");
    let ca = wissel.path("ca.pem").display().to_string();
    for inbox in ["nested", "localized"] {
        let mut command = Command::new(paths::testbed());
        command.args(["--ca-file", &ca, "--inbox", inbox]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut bed = Bed(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(bed.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let facts: Value = serde_json::from_str(&line).unwrap();
        let port = facts["imaps"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
        let user = facts["users"][0]["user"].as_str().unwrap();
        let password = facts["users"][0]["password"].as_str().unwrap();
        let refused = format!("refused {inbox}");
        for (name, secret) in [(inbox, password), (&refused, "not the password")] {
            let (user, port) = (format!("user={user}"), format!("port={port}"));
            let account =
                ["account", "add", name, "--connector", "imap", "--password-stdin", "--ca-file", &ca];
            let settings = ["--set", "host=localhost", "--set", &port, "--set", &user];
            wissel.run_with(&[&account[..], &settings].concat(), secret).success();
        }
        let arguments = ["--account", inbox, "--refused", &refused];
        let report = assert_conforms(check(&wissel, &imap(), &arguments), &NOT_FOR_IMAP);
        let names: BTreeSet<&str> =
            report["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), report["cases"].as_array().unwrap().len(), "two cases of one name");
    }
}
