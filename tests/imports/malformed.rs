//! Messages that are broken in every way we know: none is refused, each is imported byte for byte.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wissel_tests::dovecot::{ALICE, Dovecot, Options};
use wissel_tests::identical::assert_same;
use wissel_tests::scene::Scene;

/// Broken messages, by what is broken.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let multipart = "Content-Type: multipart/mixed; boundary=grens\r\n\r\n";
    let nested = |depth: usize| {
        let parts: String = (0..depth)
            .map(|level| {
                let boundary = format!("b{level}");
                format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n")
            })
            .collect();
        parts.into_bytes()
    };
    vec![
        ("no headers", text("\r\nAlleen een tekst.\r\n")),
        ("no headers and no empty line", text("Alleen een tekst, zonder kop.\r\n")),
        ("no body", text("Subject: niets\r\n\r\n")),
        ("headers only, unended", text("Subject: niets")),
        (
            "8-bit headers",
            b"Subject: caf\xe9 \xff\xfe\r\nFrom: Andr\xe9 <a@example.test>\r\n\r\nX\r\n".to_vec(),
        ),
        ("long line", [b"Subject: lang\r\n\r\n".to_vec(), vec![b'x'; 100_000], b"\r\n".to_vec()].concat()),
        ("long header", [b"Subject: ".to_vec(), vec![b'x'; 100_000], b"\r\n\r\nX\r\n".to_vec()].concat()),
        ("no final newline", text("Subject: a\r\n\r\nGeen einde")),
        ("bare LF", text("Subject: a\nFrom: b@example.test\n\nEen\nTwee\n")),
        ("bare CR", text("Subject: a\rFrom: b@example.test\r\n\r\nEen\rTwee\r\n")),
        ("mixed line ends", text("Subject: a\r\nX: b\n\r\nEen\r\nTwee\nDrie\r\r\n")),
        ("only a newline", text("\r\n")),
        ("one octet", text("x")),
        ("boundary never there", text(&format!("{multipart}Geen grens.\r\n"))),
        ("boundary never ended", text(&format!("{multipart}--grens\r\n\r\nEen deel zonder einde"))),
        (
            "boundary empty",
            text("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nX\r\n----\r\n"),
        ),
        ("boundary missing", text("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nX\r\n--x--\r\n")),
        ("nested 500 deep", nested(500)),
        ("3,000 headers", text(&format!("{}\r\nX\r\n", "X-Kop: waarde\r\n".repeat(3000)))),
        (
            "3,000 recipients",
            text(&format!("To: {}b@example.test\r\n\r\nX\r\n", "a@example.test,\r\n ".repeat(3000))),
        ),
        ("header without colon", text("Subject: a\r\nDit is geen kop\r\nFrom: b@example.test\r\n\r\nX\r\n")),
        ("header without a name", text(": waarde\r\nSubject: a\r\n\r\nX\r\n")),
        ("folding first", text(" gevouwen\r\nSubject: a\r\n\r\nX\r\n")),
        ("two Message-IDs", text("Message-ID: <a@x>\r\nMessage-ID: <b@x>\r\n\r\nX\r\n")),
        ("no date that is one", text("Date: gisteren om tien uur\r\nMessage-ID: <geen id\r\n\r\nX\r\n")),
        ("encoded words unended", text("Subject: =?utf-8?B?w6k=?= =?utf-8?Q?=E9 =?x\r\n\r\nX\r\n")),
        (
            "unknown charset",
            text("Content-Type: text/plain; charset=klingon\r\nSubject: =?klingon?Q?x?=\r\n\r\nX\r\n"),
        ),
        (
            "unknown encoding",
            text(
                "Content-Transfer-Encoding: rot13\r\nContent-Type: application/octet-stream; name=a\r\n\r\nX\r\n",
            ),
        ),
        (
            "broken base64",
            text("Content-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\n=A=!é\r\n"),
        ),
        (
            "a name that leads elsewhere",
            text("Content-Disposition: attachment; filename=\"../../../etc/CON\"\r\n\r\nX\r\n"),
        ),
        (
            "quotes and brackets",
            text("From: \"unended <a@example.test\r\nTo: (((\r\nSubject: \"\\\r\n\r\n)\r\n"),
        ),
        ("looks like IMAP", text("Subject: {5}\r\n\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nA1 OK done\r\n)\r\n")),
        ("octets of every value", (1..=255).cycle().take(10_000).collect()),
    ]
}

/// Puts a file into a Maildir, as a delivery agent that checks nothing does.
fn drop_into_maildir(server: &Dovecot, name: &str, message: &[u8]) {
    let inbox = server.mail_folder(ALICE);
    let (beside, place) = (inbox.join("tmp").join(name), inbox.join("new").join(name));
    fs::write(&beside, message).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(beside, place).unwrap();
}

#[test]
fn what_a_server_takes_is_imported_byte_for_byte() {
    let scene = Scene::start(&Options::default());
    let broken = broken();
    scene.server.create_folder(ALICE, "Gebroken");
    for (what, message) in &broken {
        println!("{what}");
        scene.server.imap(ALICE).append("Gebroken", &[message]);
    }
    scene.job("J", &["--folder", "Gebroken", "--processed", "Klaar", "--create-processed", "--attachments"]);
    assert_eq!(scene.import("J"), broken.len() as u64);
    assert_eq!(assert_same(&scene.server, "Klaar", &scene.sink("J")), broken.len());
    assert_eq!(scene.import("J"), 0);
}

#[test]
fn what_lies_in_a_maildir_is_imported_byte_for_byte() {
    let scene = Scene::start(&Options::default());
    scene.server.deliver(ALICE, "INBOX", &["Subject: de eerste\r\n\r\nX\r\n"]);
    let mut broken = broken();
    broken.push(("octets of zero", b"Subject: nul\0 \0\r\n\r\n\0\0X\0\r\n".to_vec()));
    broken.push(("nothing at all", Vec::new()));
    for (index, (_, message)) in broken.iter().enumerate() {
        drop_into_maildir(&scene.server, &format!("{}.M{index}.test", 1_700_000_000 + index), message);
    }
    scene.job("J", &["--folder", "INBOX", "--action", "leave", "--attachments"]);
    let count = broken.len() + 1;
    assert_eq!(scene.import("J"), count as u64);
    assert_eq!(assert_same(&scene.server, "INBOX", &scene.sink("J")), count);
    assert_eq!(scene.import("J"), 0);
}
