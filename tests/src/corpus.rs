//! Realistic messages, the same ones for the same seed: median about 13 KB, mean about 42 KB, at most 1.9 MB.
//!
//! Text in 8bit UTF-8, headers after RFC 2047, attachments, alternatives, nested messages. Nothing malformed
//! and no old charsets. Each has a token in its body that no other message has, always readable as it stands.

use std::f64::consts::TAU;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::observer::TOKEN_PREFIX;

/// One message.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What the observer counts.
    pub token: String,
    /// The whole message, with CRLF line ends.
    pub bytes: Vec<u8>,
}

impl AsRef<[u8]> for Sample {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

const WORDS: [&str; 24] = [
    "factuur",
    "offerte",
    "levering",
    "bijlage",
    "akkoord",
    "vergadering",
    "overzicht",
    "begroting",
    "klant",
    "coördinatie",
    "geïnteresseerd",
    "één",
    "größe",
    "naïef",
    "reçu",
    "Zürich",
    "€ 1.250,00",
    "счёт",
    "請求書",
    "notă",
    "planning",
    "contract",
    "update",
    "rapport",
];

const PEOPLE: [(&str, &str); 5] = [
    ("Sales", "sales@example.test"),
    ("Boekhouding België", "boekhouding@example.test"),
    ("Größe & Söhne", "info@example.test"),
    ("営業部", "eigyo@example.test"),
    ("Inkoop, Zuid", "inkoop@example.test"),
];

const FILES: [(&str, &str); 4] = [
    ("application/pdf", "factuur 2026-11.pdf"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Übersicht.xlsx"),
    ("application/zip", "bijlagen.zip"),
    ("image/png", "請求書.png"),
];

/// The tokens of `samples`.
#[must_use]
pub fn tokens(samples: &[Sample]) -> Vec<&str> {
    samples.iter().map(|sample| sample.token.as_str()).collect()
}

/// The first `count` messages of `seed`.
#[must_use]
pub fn messages(seed: u64, count: u64) -> Vec<Sample> {
    (0..count).map(|index| message(seed, index)).collect()
}

/// The message `index` of `seed`.
#[must_use]
pub fn message(seed: u64, index: u64) -> Sample {
    let mut rng = Rng::with_seed(seed.rotate_left(32) ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let token = format!("{TOKEN_PREFIX}{:032x}", rng.u128(..));
    let size = size(&mut rng);
    // With an alternative in HTML the same text is there twice.
    let copies = if rng.u8(0..10) < 4 { 2 } else { 1 };
    let text = text(&mut rng, &token, size.min(20_000) / copies);
    let readable = if copies == 2 { alternative(&mut rng, &text) } else { part("text/plain", &text) };
    let rest = size.saturating_sub(readable.len());
    let body = if rest > 2_000 {
        with_attachment(&mut rng, readable, rest)
    } else if rng.u8(0..10) < 2 {
        with_nested(&mut rng, readable, index)
    } else {
        readable
    };
    let mut bytes = headers(&mut rng, index, &token).into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    Sample { token, bytes }
}

/// Log-normal: half of all mail is small and a few are very large.
fn size(rng: &mut Rng) -> usize {
    let normal = (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (TAU * rng.f64()).cos();
    let size = (9.47 + 1.53 * normal).exp();
    // In range, so the cast is exact enough.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let size = size.clamp(600.0, 1_850_000.0) as usize;
    size
}

fn headers(rng: &mut Rng, index: u64, token: &str) -> String {
    let (from, to) = (rng.choice(PEOPLE).unwrap(), rng.choice(PEOPLE).unwrap());
    let begin: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
    let date = begin + (7 * i64::try_from(index).unwrap()).minutes();
    let date = jiff::fmt::rfc2822::to_string(&date.to_zoned(TimeZone::UTC)).unwrap();
    let subject = sentence(rng, 4);
    let id = &token[TOKEN_PREFIX.len()..];
    format!(
        "From: {} <{}>\r\nTo: {} <{}>\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{id}@example.test>\r\n\
         MIME-Version: 1.0\r\n",
        phrase(from.0),
        from.1,
        phrase(to.0),
        to.1,
        encoded(&subject)
    )
}

fn sentence(rng: &mut Rng, words: usize) -> String {
    let words: Vec<_> = (0..words).map(|_| rng.choice(WORDS).unwrap()).collect();
    words.join(" ")
}

fn text(rng: &mut Rng, token: &str, size: usize) -> String {
    let mut text = format!("Kenmerk: {token}\r\n");
    while text.len() < size {
        text += &sentence(rng, 8);
        text += "\r\n";
    }
    text
}

/// A display name: encoded when it must be, quoted otherwise.
fn phrase(name: &str) -> String {
    if name.is_ascii() { format!("\"{name}\"") } else { encoded(name) }
}

/// RFC 2047, a word at a time, so that no encoded word is longer than it may be.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words: Vec<_> = text.split(' ').map(|word| format!("{word} ")).collect();
    if let Some(last) = words.last_mut() {
        last.pop();
    }
    let words: Vec<_> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

fn part(kind: &str, text: &str) -> String {
    format!("Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}")
}

fn multipart(rng: &mut Rng, kind: &str, parts: &[String]) -> String {
    let boundary = format!("=_{:016x}", rng.u64(..));
    let mut body = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n");
    for part in parts {
        body += &format!("--{boundary}\r\n{part}\r\n");
    }
    body + &format!("--{boundary}--\r\n")
}

fn alternative(rng: &mut Rng, text: &str) -> String {
    let html = format!("<html><body><p>{}</p></body></html>\r\n", text.replace("\r\n", "</p>\r\n<p>"));
    multipart(rng, "alternative", &[part("text/plain", text), part("text/html", &html)])
}

fn with_attachment(rng: &mut Rng, readable: String, size: usize) -> String {
    let (kind, name) = rng.choice(FILES).unwrap();
    // Base64 with line ends takes 78 bytes for 57.
    let mut content = vec![0; size / 78 * 57];
    rng.fill(&mut content);
    let mut coded = String::with_capacity(size);
    for line in content.chunks(57) {
        STANDARD.encode_string(line, &mut coded);
        coded += "\r\n";
    }
    let name: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    let file = format!(
        "Content-Type: {kind}\r\nContent-Disposition: attachment; filename*=UTF-8''{name}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{coded}"
    );
    multipart(rng, "mixed", &[readable, file])
}

fn with_nested(rng: &mut Rng, readable: String, index: u64) -> String {
    let inner = format!(
        "Content-Type: message/rfc822\r\n\r\nFrom: <doorgestuurd@example.test>\r\nSubject: {}\r\n\
         Message-ID: <nested-{index}@example.test>\r\nMIME-Version: 1.0\r\n{}",
        encoded("Doorgestuurde één"),
        part("text/plain", "Het doorgestuurde bericht.\r\n")
    );
    multipart(rng, "mixed", &[readable, inner])
}
