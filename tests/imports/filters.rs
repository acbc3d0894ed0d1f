//! Filters by sender, subject and attachment: what they take, what they leave, and what a changed one looks at again.

use wissel_tests::dovecot::{ALICE, Options};
use wissel_tests::scene::{ACCOUNT, Entry, Scene};

fn message(from: &str, subject: &str, file: Option<&str>) -> String {
    let head = format!(
        "From: {from}\r\nSubject: {subject}\r\nMessage-ID: <{}@example.test>\r\nMIME-Version: 1.0\r\n",
        subject.len() * 1000 + from.len() + file.map_or(0, |file| 100 * file.len())
    );
    let Some(file) = file else { return format!("{head}\r\nplain text\r\n") };
    format!(
        "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: \
         application/octet-stream\r\nContent-Disposition: attachment; filename=\"{file}\"\r\n\r\nx\r\n--b--\r\n"
    )
}

/// The subjects in the ledger that are in this state, sorted.
fn subjects(scene: &Scene, state: &str) -> Vec<String> {
    let ledger = scene.ledger();
    let rows = ledger["messages"].as_array().unwrap().iter().filter(|row| row["state"] == state);
    let mut subjects: Vec<String> = rows.map(|row| row["subject"].as_str().unwrap().to_owned()).collect();
    subjects.sort();
    subjects
}

fn left(scene: &Scene) -> usize {
    scene.server.imap(ALICE).flags("INBOX").len()
}

#[test]
fn sender_and_subject_are_read_decoded_and_what_does_not_fit_is_never_fetched() {
    let scene = Scene::start(&Options::default());
    let messages = [
        message(
            "=?utf-8?q?Jos=C3=A9_Facturen?= <jose@leverancier.example>",
            "=?utf-8?q?Factuur_=E2=82=AC_1?=",
            None,
        ),
        message("Jan <jan@leverancier.example>", "Offerte 2", None),
        message("Piet <piet@ander.example>", "Factuur 3", None),
    ];
    scene.server.deliver(ALICE, "INBOX", &messages);
    let base = ["--folder", "@inbox", "--action", "delete"];
    scene.job("J", &[&base[..], &["--from", "JOSÉ", "--from", "jan@*", "--subject", "factuur €*"]].concat());
    let tested = scene.job_test("J");
    assert_eq!(tested["accounts"][0]["matching"], 1, "{tested}");
    let left_out = "2 messages are left out by the filter";
    let dry = scene.run(&["job", "run", "J", "--dry-run"]).success();
    assert!(dry.stdout.contains("1 message would") && dry.stdout.contains(left_out), "{}", dry.stdout);
    let run = scene.run(&["job", "run", "J", "--json"]).success().json();
    assert_eq!((&run["imported"], &run["filtered"]), (&1.into(), &2.into()), "{run}");
    let again = scene.run(&["job", "run", "J", "--dry-run"]).success();
    assert!(again.stdout.contains(left_out), "{}", again.stdout);
    assert_eq!((left(&scene), subjects(&scene, "done")), (2, vec!["Factuur € 1".to_owned()]));
    assert_eq!(scene.ledger()["messages"].as_array().unwrap().len(), 1, "the others were not touched");
    scene.run(&["job", "edit", "J", "--clear-filter", "--from", "*@ander.example>"]).success();
    assert_eq!((scene.import("J"), left(&scene)), (1, 1));
    scene.run(&["job", "edit", "J", "--clear-filter"]).success();
    assert_eq!((scene.import("J"), left(&scene)), (1, 0));
}

#[test]
fn attachments_are_seen_once_and_again_only_by_another_filter() {
    let scene = Scene::start(&Options::default());
    let messages = [
        message("a@x.example", "pdf", Some("Factuur.PDF")),
        message("a@x.example", "exe", Some("factuur.pdf.exe")),
        message("a@x.example", "none", None),
    ];
    scene.server.deliver(ALICE, "INBOX", &messages);
    scene.job("J", &["--folder", "@inbox", "--action", "delete", "--attachment-name", "*.pdf"]);
    let run = scene.run(&["job", "run", "J", "--json"]).success().json();
    assert_eq!((&run["imported"], &run["filtered"]), (&1.into(), &2.into()), "{run}");
    assert_eq!((left(&scene), subjects(&scene, "filtered")), (2, vec!["exe".to_owned(), "none".to_owned()]));
    let unread = scene.server.imap(ALICE).flags("INBOX");
    assert!(unread.iter().all(|flags| !flags.contains("Seen")), "{unread:?}");
    assert!(scene.sink("J").join(".incoming").read_dir().unwrap().next().is_none(), "nothing is left behind");
    let again = scene.run(&["job", "run", "J", "--json"]).success().json();
    assert_eq!(
        (&again["imported"], &again["filtered"]),
        (&0.into(), &0.into()),
        "not fetched again: {again}"
    );

    // Another account of the same mailbox takes over what is known, also what was passed over.
    scene.add(&Entry { name: "Nieuw".to_owned(), ..Entry::of(&scene.server) }).success();
    let switched = scene.run(&["job", "switch", "J", "--from", ACCOUNT, "--to", "Nieuw", "--json"]).success();
    let report = &switched.json()["report"];
    let numbers = ["new_total", "recognised", "to_import", "left_out", "doubtful"].map(|name| &report[name]);
    assert_eq!(numbers, [2, 0, 0, 2, 0], "{}", switched.stdout);
    let again = scene.run(&["job", "run", "J", "--json"]).success().json();
    assert_eq!((&again["imported"], &again["filtered"]), (&0.into(), &0.into()), "{again}");

    scene.run(&["job", "edit", "J", "--clear-filter", "--with-attachment"]).success();
    let run = scene.run(&["job", "run", "J", "--json"]).success().json();
    assert_eq!((&run["imported"], &run["filtered"]), (&1.into(), &1.into()), "{run}");
    scene.run(&["job", "edit", "J", "--with-attachment=false"]).success();
    assert_eq!((scene.import("J"), left(&scene)), (1, 0));
    assert_eq!(subjects(&scene, "done"), ["exe", "none", "pdf"]);
}
