//! What is written anew says the same, by the product's own reader, and is written otherwise.

use super::{
    attachment::Extract,
    compose::{self, File},
    rewrite::Rewrite,
    summary::{AttachmentKind, Summarize},
    walk,
};
use crate::{
    mailbox::{Content, NewMessage},
    sample::Maker,
};
use wissel_mime::{Inspection, Inspector, Options};

fn inspect(pieces: impl Iterator<Item = bytes::Bytes>) -> Inspection {
    let mut inspector = Inspector::new(Options::default());
    pieces.for_each(|piece| inspector.write(&piece));
    inspector.finish()
}

fn anew(content: &Content) -> Vec<u8> {
    let rewrite = Rewrite::new(7, "Mon, 02 Nov 2026 10:00:00 +0000".into());
    walk::stream(content, rewrite).flatten().collect()
}

fn whole(content: &Content) -> Vec<u8> {
    content.chunks().flatten().collect()
}

fn same_in_other_words(name: &str, content: &Content) {
    let (old, new) = (whole(content), anew(content));
    assert!(old != new, "{name}: the bytes are the same");
    let (before, after) = (inspect(content.chunks()), inspect([new.clone().into()].into_iter()));
    let shown = || {
        format!(
            "{name}\n--- before\n{}\n--- after\n{}",
            String::from_utf8_lossy(&old),
            String::from_utf8_lossy(&new)
        )
    };
    assert_eq!(before.digest, after.digest, "{}", shown());
    assert_eq!(before.message_id, after.message_id, "{}", shown());
    assert_eq!(before.parts.len(), after.parts.len(), "{}", shown());
    let again = anew(&Content::from(new.clone()));
    assert_eq!(inspect([again.into()].into_iter()).digest, before.digest, "{}", shown());
}

#[test]
fn every_kind_of_sample_says_the_same_in_other_bytes() {
    let mut maker = Maker::new(4);
    for at in 0..36 {
        let message = maker.any(&format!("TOKEN-{at}"));
        same_in_other_words(&format!("sample {at}"), &message.content);
    }
    same_in_other_words("large", &maker.large("GROOT", 300_000).content);
}

#[test]
fn odd_messages_say_the_same_in_other_bytes() {
    let odd: [(&str, &[u8]); 16] = [
        ("no body", b"Subject: x\r\n"),
        ("no header", b"\r\nbody\r\n"),
        ("bare line ends", b"Subject: x\nContent-Type: application/x-y\n\none\ntwo\n"),
        ("no last line end", b"Subject: x\r\n\r\nbody"),
        ("long line", b"Subject: x\r\n\r\n =20 a very long line of text that has to be cut somewhere, because a line of quoted-printable has at most 76 characters  \r\n-- \r\nname\r\n"),
        ("boundary-like text", b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\n--c\r\n--b-\r\n--b--\r\nepilogue\r\n"),
        ("empty parts", b"Content-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n--b b\r\n--b b\r\n\r\n--b b\r\nContent-Type: text/html\r\n\r\n\r\n--b b--"),
        ("unclosed", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\nAAA=\r\n"),
        ("binary", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: binary\r\n\r\na\nb\rc\r\nd\r\n--b--\r\n"),
        ("quoted-printable", b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 =\r\nnoir\r\n"),
        ("two-byte charset", b"Content-Type: text/plain; charset=shift_jis\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x93\xfa\x96\x7b\r\n"),
        ("unknown encoding", b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n"),
        ("digest", b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\ntext\r\n--b--\r\n"),
        ("nested twice", b"Content-Type: message/rfc822\r\n\r\nSubject: a\r\nContent-Type: message/rfc822\r\n\r\nSubject: b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n"),
        ("names", b"Content-Type: multipart/mixed; boundary=\"=_x\"; charset=x\r\n\r\n--=_x\r\nContent-Type: application/pdf;\r\n name*0*=utf-8''%c3%a9%c3%a9n;\r\n name*1=\" twee.pdf\"\r\nContent-Disposition: attachment; filename=\"=?utf-8?B?w6k=?= x.pdf\"\r\n\r\n%PDF\r\n--=_x--\r\n"),
        ("subject", b"Subject: =?iso-8859-1?Q?caf=E9_noir?= and =?utf-8?B?4oKs?=\r\n =?utf-8?B?4oKs?= 12,50 een heel lang onderwerp dat over de regel loopt en nog verder\r\nFrom: \"A, b\"\r\n <a@b.example>,\r\n\tc@d.example\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100 (CET)\r\n\r\nx"),
    ];
    for (name, bytes) in odd {
        same_in_other_words(name, &Content::from(bytes.to_vec()));
    }
}

#[test]
fn a_message_is_read_in_pieces_of_any_size() {
    let message = Maker::new(2).nested("TOKEN");
    let bytes = whole(&message.content);
    let expected = anew(&message.content);
    for size in [1, 2, 3, 7, 100] {
        let pieces = bytes.chunks(size).map(bytes::Bytes::copy_from_slice).collect::<Vec<_>>();
        assert!(anew(&Content::Pieces(pieces.into())) == expected, "{size}");
    }
}

#[test]
fn the_form_is_that_of_exchange() {
    let NewMessage { content, .. } = Maker::new(2).invoice("TOKEN");
    let text = String::from_utf8(anew(&content)).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = header.lines().filter(|line| !line.starts_with([' ', '\t'])).collect();
    assert!(names[0].starts_with("Received: ") && names[1].starts_with("From: "), "{header}");
    assert!(names.last().unwrap().starts_with("MIME-Version: "), "{header}");
    assert!(header.contains("X-MS-Has-Attach: yes") && header.contains("boundary=\"_001_"), "{header}");
    assert!(header.lines().all(|line| line.len() <= 110), "{header}");
    assert!(text.contains("Content-Transfer-Encoding: quoted-printable") && text.contains("=E2=82=AC"));
}

#[test]
fn attachments_are_found_and_taken_out() {
    let nested = Maker::new(2).nested("TOKEN").content;
    let summary = walk::walk(&nested, Summarize::new()).summary();
    let [item] = summary.attachments.as_slice() else { unreachable!("{summary:?}") };
    assert_eq!((item.kind, item.name.as_str()), (AttachmentKind::Item, "doorgestuurd.eml"));
    let inner: Vec<u8> = walk::stream(&nested, Extract::new(0)).flatten().collect();
    let inner = inspect([inner.into()].into_iter());
    assert!(inner.parts.iter().any(|part| part.info.content_type == "application/pdf"));
    let invoice = Maker::new(2).invoice("TOKEN").content;
    let pdf: Vec<u8> = walk::stream(&invoice, Extract::new(0)).flatten().collect();
    assert!(pdf.starts_with(b"%PDF") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    assert_eq!(walk::walk(&invoice, Summarize::new()).summary().attachments[0].size, pdf.len() as u64);
}

#[test]
fn a_draft_takes_files_and_other_words() {
    let json = serde_json::json!({
        "subject": "Café", "body": { "contentType": "text", "content": "Regel één\r\n" },
        "toRecipients": [{ "emailAddress": { "name": "Zoë", "address": "z@b.example" } }],
    });
    let draft = compose::message(&json, "A <a@b.example>", 5, jiff::Timestamp::UNIX_EPOCH);
    let file = |name: &str| File {
        name: name.to_owned(),
        content_type: "application/pdf".into(),
        content_id: None,
        lines: vec![compose::base64(b"%PDF-1.7")],
    };
    let two = compose::attach(&compose::attach(&draft, file("één.pdf")), file("b.pdf"));
    let changed = compose::changed(&two, &serde_json::json!({ "subject": "Anders" }), "A <a@b.example>", 5);
    let seen = inspect(changed.chunks());
    assert_eq!(seen.subject.as_deref(), Some("Anders"));
    assert_eq!(seen.to[0].address.as_deref(), Some("z@b.example"));
    let names: Vec<_> = seen.attachments().filter_map(|part| part.info.name.clone()).collect();
    assert_eq!(names, ["één.pdf", "b.pdf"]);
    let bytes: Vec<u8> = walk::stream(&changed, Extract::new(1)).flatten().collect();
    assert_eq!(bytes, b"%PDF-1.7");
    // A message that was no multipart becomes one.
    let plain = compose::attach(&Content::from("Subject: x\r\n\r\nhallo\r\n"), file("a.pdf"));
    assert_eq!(inspect(plain.chunks()).attachments().count(), 1);
    let summary = walk::walk(&plain, Summarize::new()).summary();
    assert_eq!(summary.text.as_deref().map(str::trim), Some("hallo"));
}
