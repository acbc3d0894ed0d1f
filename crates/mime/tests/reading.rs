//! What a user of the crate sees: metadata, attachments, the digest through re-serialisation, and hostile mail.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use wissel_mime::{AttachmentSink, Defect, Inspection, Inspector, Options, Part, PartInfo};

const PDF: &[u8] = b"%PDF-1.4\n\x00\xff\xfe factuur 2026-117\n%%EOF\n";
const PDF_BASE64: &str = "JVBERi0xLjQKAP/+IGZhY3R1dXIgMjAyNi0xMTcKJSVFT0YK";

#[derive(Default)]
struct Files(Vec<(String, Vec<u8>)>);

impl AttachmentSink for Files {
    fn begin(&mut self, part: &PartInfo) -> bool {
        self.0.push((part.file_name.clone().unwrap(), Vec::new()));
        true
    }
    fn write(&mut self, octets: &[u8]) {
        self.0.last_mut().unwrap().1.extend_from_slice(octets);
    }
    fn end(&mut self, part: &Part) {
        let (name, octets) = self.0.last().unwrap();
        assert_eq!((Some(name), part.size), (part.info.file_name.as_ref(), octets.len() as u64));
    }
}

fn inspect(message: impl AsRef<[u8]>) -> Inspection {
    read(message.as_ref(), usize::MAX).0
}

fn read(message: &[u8], cut: usize) -> (Inspection, Vec<(String, Vec<u8>)>) {
    let mut inspector = Inspector::with_attachments(Options::default(), Files::default());
    message.chunks(cut).for_each(|piece| inspector.write(piece));
    let (inspection, files) = inspector.finish_with_attachments();
    (inspection, files.0)
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn invoice() -> String {
    crlf(&format!(
        "From: Boekhouding <Boekhouding@Leverancier.example>\nTo: a@klant.example, B <b@klant.example>\n\
         Subject: =?utf-8?Q?Factuur_2026-117_=E2=82=AC?=\nDate: Thu, 12 Nov 2026 09:30:00 +0100\n\
         Message-ID: <f117@leverancier.example>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"b1\"\n\nThis is a preamble.\n--b1\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGeachte één,\n\nBijgaand.\n\
         --b1\nContent-Type: application/pdf; name=\"Factuur 117.pdf\"\n\
         Content-Disposition: attachment; filename=\"Factuur 117.pdf\"\nContent-Transfer-Encoding: base64\n\n\
         {PDF_BASE64}\n--b1--\n"
    ))
}

#[test]
fn an_invoice_is_read() {
    let (seen, files) = read(invoice().as_bytes(), 64);
    assert_eq!(seen.message_id.as_deref(), Some("<f117@leverancier.example>"));
    assert_eq!(seen.subject.as_deref(), Some("Factuur 2026-117 €"));
    assert_eq!(seen.date.as_deref(), Some("2026-11-12T09:30:00+01:00"));
    assert_eq!(seen.from[0].name.as_deref(), Some("Boekhouding"));
    assert_eq!(seen.to[1].address.as_deref(), Some("b@klant.example"));
    assert_eq!(seen.size, invoice().len() as u64);
    assert_eq!(seen.defects, []);
    assert_eq!(seen.parts.len(), 2);
    assert_eq!(seen.parts[0].info.file_name, None);
    assert_eq!(files, [("Factuur 117.pdf".to_owned(), PDF.to_vec())]);
    let json = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<Inspection>(&json).unwrap(), seen);
}

#[test]
fn the_digest_stays_through_five_ways_of_writing_it_anew() {
    let original = inspect(invoice()).digest;
    assert!(original.starts_with("c1:") && original.len() == 67);
    let changed = |from: &str, to: &str| {
        assert!(invoice().contains(from), "{from}");
        inspect(invoice().replace(from, to)).digest
    };
    let header = "To: a@klant.example, B <b@klant.example>\r\n";
    let date = "Date: Thu, 12 Nov 2026 09:30:00 +0100\r\n";
    let text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGeachte één,\r\n\r\nBijgaand.\r\n";
    for (way, digest) in [
        ("bare line feeds", inspect(invoice().replace("\r\n", "\n")).digest),
        ("boundary", changed("b1", "=_next-part")),
        (
            "transport headers and order",
            inspect(format!(
                "Received: from x by y; Thu, 12 Nov 2026 09:30:05 +0100\r\nX-Spam: no\r\n{date}{}",
                invoice().replace(date, "").replace(header, "")
            ))
            .digest,
        ),
        ("another zone for the same instant", changed("09:30:00 +0100", "08:30:00 +0000")),
        (
            "subject folded and encoded otherwise",
            changed("=?utf-8?Q?Factuur_2026-117_=E2=82=AC?=", "Factuur\r\n 2026-117 =?utf-8?B?4oKs?="),
        ),
        (
            "text in quoted-printable and Latin 1",
            changed(
                text,
                "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; format=fixed;\r\n charset=\"ISO-8859-1\"\r\n\r\nGeachte =\r\n=E9=E9n,\r\n\r\nBijgaand.\r\n",
            ),
        ),
        (
            "text in base64",
            changed(
                text,
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR2VhY2h0ZSDDqcOpbiwKCkJpamdhYW5kLgo=\r\n",
            ),
        ),
        (
            "attachment folded and in quoted-printable",
            changed(
                &format!("Content-Transfer-Encoding: base64\r\n\r\n{PDF_BASE64}\r\n"),
                &format!(
                    "Content-Transfer-Encoding: BASE64\r\n\r\n{}\r\n{}\r\n",
                    &PDF_BASE64[..10],
                    &PDF_BASE64[10..]
                ),
            ),
        ),
        (
            "attachment name by RFC 2231",
            changed(
                "filename=\"Factuur 117.pdf\"",
                "filename*0*=utf-8''Factuur%20;\r\n filename*1=\"117.pdf\"",
            ),
        ),
        (
            "preamble, epilogue, white space at the end of text",
            inspect(
                invoice()
                    .replace("This is a preamble.\r\n", "")
                    .replace("Bijgaand.\r\n", "Bijgaand. \t\r\n\r\n\r\n")
                    + "epilogue",
            )
            .digest,
        ),
        ("no final boundary", changed("--b1--\r\n", "")),
    ] {
        assert_eq!(digest, original, "{way}");
    }
}

#[test]
fn the_digest_changes_with_the_content() {
    let original = inspect(invoice()).digest;
    for (from, to) in [
        ("JVBERi0xLjQK", "JVBERi0xLjUK"),
        ("2026-117_", "2026-118_"),
        ("filename=\"Factuur 117.pdf\"", "filename=\"Factuur 118.pdf\""),
        ("Bijgaand.", "bijgaand."),
        ("09:30:00", "09:30:01"),
        ("Boekhouding@", "Crediteuren@"),
    ] {
        assert!(invoice().contains(from), "{from}");
        assert_ne!(inspect(invoice().replace(from, to)).digest, original, "{from}");
    }
}

fn nested() -> String {
    let inner = "Subject: Offerte 3/4\nContent-Type: multipart/mixed; boundary=out2\n\n--out2\n\nhallo\n\
                 --out2\nContent-Type: application/pdf; name=diep.pdf\n\nx\n--out2--\nna\n";
    crlf(&format!(
        "Subject: FW\nContent-Type: multipart/mixed; boundary=out\n\n--out\n\nzie bijlage\n--out\n\
         Content-Type: message/rfc822\n\n{inner}--out\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
         U3ViamVjdDogeAoKeQo=\n--out--\n"
    ))
}

#[test]
fn a_nested_message_is_one_file() {
    for cut in [1, 3, 7, 1000] {
        let (seen, files) = read(nested().as_bytes(), cut);
        let begin = nested().find("Subject: Offerte").unwrap();
        let end = nested().find("\r\n--out\r\nContent-Type: message/rfc822\r\nContent-Transfer").unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].0, "Offerte 3_4.eml");
        assert_eq!(files[0].1, nested().as_bytes()[begin..end], "cut at {cut}");
        assert_eq!(files[1], ("part-3.eml".to_owned(), b"Subject: x\n\ny\n".to_vec()));
        assert_eq!(seen.parts.len(), 3);
        assert_eq!(seen.defects, []);
    }
    // What lies within counts in the digest.
    assert_ne!(inspect(nested()).digest, inspect(nested().replace("hallo", "Hallo")).digest);
    assert_ne!(inspect(nested()).digest, inspect(nested().replace("diep", "hoog")).digest);
}

#[test]
fn attachments_of_one_name_get_numbers() {
    let part =
        "--b\nContent-Type: image/png; name=\"../Scan.png\"\nContent-Transfer-Encoding: base64\n\nQQ==\n";
    let (_, files) =
        read(format!("Content-Type: multipart/mixed; boundary=b\n\n{part}{part}--b--").as_bytes(), 5);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Scan.png", "Scan (2).png"]);
    assert!(files.iter().all(|(_, octets)| octets == b"A"));
}

#[test]
fn broken_structure_is_read_as_far_as_it_goes() {
    let part = "Content-Type: application/x-a; name=a\n\n";
    for (message, attachments, defects) in [
        (String::new(), 0, vec![]),
        ("Subject: x".to_owned(), 0, vec![Defect::HeadersUnterminated]),
        ("no header at all\nmore".to_owned(), 0, vec![Defect::HeadersMissing]),
        ("Content-Type: multipart/mixed\n\ntext".to_owned(), 0, vec![Defect::BoundaryUnusable]),
        (
            format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{part}A\n--bc\n--b2--\n--b"),
            1,
            vec![Defect::BoundaryUnclosed],
        ),
        // The inner boundary begins with the outer one.
        (
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b-i\n\n--b-i\n{part}A\n--b-i\n{part}B\n--b-i--\n--b\n{part}C\n--b--\n"
            ),
            3,
            vec![],
        ),
        // The outer delimiter ends an inner multipart.
        (
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=i\n\n--i\n{part}A\n--b\n{part}C\n--b--\n"
            ),
            2,
            vec![Defect::BoundaryUnclosed],
        ),
        (
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: eerste\n\nx\n--b\n\nSubject: tweede\n\ny\n--b--\n".to_owned(),
            2,
            vec![],
        ),
        ("Content-Transfer-Encoding: x-uuencode\n\nbegin".to_owned(), 0, vec![Defect::EncodingUnknown]),
        (
            "Date: gisteren\nContent-Type: text/plain; charset=x-y\n\nx".to_owned(),
            0,
            vec![Defect::DateUnreadable, Defect::CharsetUnknown],
        ),
    ] {
        let seen = inspect(&message);
        assert_eq!(seen.attachments().count(), attachments, "{message}");
        assert_eq!(seen.defects, defects, "{message}");
        assert_eq!(inspect(crlf(&message)).digest, seen.digest, "{message}");
    }
}

#[test]
fn a_part_holds_exactly_what_lies_between_its_delimiters() {
    let content = "\r\n--\r\n-- \r\n--bx\r\n-\r\n\n\r\r\n\r";
    let message = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\nContent-Transfer-Encoding: binary\n\n{content}\r\n--b--\r\n"
    );
    for cut in 1..20 {
        assert_eq!(read(message.as_bytes(), cut).1[0].1, content.as_bytes(), "cut at {cut}");
    }
}

#[test]
fn a_million_parts_and_deep_nesting_stay_bounded() {
    let many = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--b\n\nx\n".repeat(1_000_000);
    let seen = inspect(many);
    assert_eq!(seen.parts.len(), 1000);
    assert!(seen.defects.contains(&Defect::PartsTruncated));

    let bomb: String =
        (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    assert!(inspect(bomb).defects.contains(&Defect::NestedTooDeep));
    let messages = "Content-Type: message/rfc822\n\n".repeat(10_000);
    let seen = inspect(messages);
    assert_eq!(seen.parts.len(), 1);
    assert!(seen.defects.contains(&Defect::NestedTooDeep));
}

#[test]
fn a_header_of_100_mb_is_cut_off() {
    let mut inspector = Inspector::new(Options::default());
    inspector.write(b"Subject: lang ");
    let piece = [b'x'; 64 * 1024];
    for _ in 0..1600 {
        inspector.write(&piece);
    }
    inspector.write(b"\nMessage-ID: <laat@example.com>\n\ntekst");
    let seen = inspector.finish();
    assert!(seen.subject.unwrap().len() <= 8 * 1024);
    assert_eq!(seen.defects, [Defect::HeadersTruncated]);
}

fn same_for_every_cut(message: &[u8]) {
    let whole = read(message, usize::MAX);
    for cut in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(read(message, cut), whole, "cut at {cut}: {:?}", String::from_utf8_lossy(message));
    }
}

#[test]
fn cutting_changes_nothing() {
    same_for_every_cut(invoice().as_bytes());
    same_for_every_cut(nested().as_bytes());
    let long_lines =
        format!("Subject: {}\nX: {}\n\n--{}", "s".repeat(3000), "y".repeat(1024), "z".repeat(5000));
    same_for_every_cut(format!("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n{long_lines}\n--b--").as_bytes());
    same_for_every_cut(format!("{}\n\nx", "w".repeat(3000)).as_bytes());
}

proptest! {
    #[test]
    fn random_structure_never_panics_and_is_cut_invariant(message in
        "(--b|--b--|--c|Content-Type: multipart/mixed; boundary=b|Content-Type: multipart/digest; boundary=\"c\"|Content-Type: message/rfc822|Content-Transfer-Encoding: (base64|quoted-printable)|Content-Disposition: attachment; filename=[ab]|[ -~]{0,9}|-|\r\n|\n|\n|\n\n|\r|\t){0,40}"
    ) {
        same_for_every_cut(message.as_bytes());
        same_for_every_cut(format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{message}").as_bytes());
    }

    #[test]
    fn random_octets_never_panic(message in proptest::collection::vec(any::<u8>(), 0..600)) {
        same_for_every_cut(&message);
    }
}

#[test]
#[ignore = "measures; run with --nocapture"]
fn speed() {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    for (what, encoding, body) in [
        ("base64 attachment", "base64", line.repeat(64 * 1024 * 1024 / line.len())),
        ("text", "8bit", "Geachte heer, bijgaand vindt u de factuur van deze maand.\r\n".repeat(1024 * 1024)),
        (
            "quoted-printable",
            "quoted-printable",
            "Geachte =C3=A9=C3=A9n, bijgaand vindt u de factuur van =\r\n".repeat(1024 * 1024),
        ),
    ] {
        let kind = if what.ends_with("attachment") { "application/pdf" } else { "text/plain" };
        let message = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--b--\r\n"
        );
        let begun = std::time::Instant::now();
        let mut inspector = Inspector::new(Options::default());
        message.as_bytes().chunks(64 * 1024).for_each(|piece| inspector.write(piece));
        assert_eq!(inspector.finish().defects, []);
        println!("{what}: {:.0} MB/s", message.len() as f64 / 1e6 / begun.elapsed().as_secs_f64());
    }
}
