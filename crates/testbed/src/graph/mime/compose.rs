//! Messages made from what a client says in JSON: drafts, and their attachments.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    attachment::Extract,
    fields::Block,
    rewrite::encoded_words,
    summary::{AttachmentKind, Summarize, Summary},
    transfer::Base64Lines,
    walk,
};
use crate::mailbox::Content;

/// The boundary of every draft; the mailbox's content is written anew before a client sees it.
const BOUNDARY: &str = "=_concept_";

/// A file to attach.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) content_id: Option<String>,
    /// Its bytes in lines of base64.
    pub(crate) lines: Vec<Bytes>,
}

/// A message out of its JSON, without attachments.
pub(crate) fn message(json: &Value, from: &str, id: u64, at: Timestamp) -> Content {
    let mut head = String::new();
    let mut field = |name: &str, value: String| {
        // A line end in a value would begin another field.
        let value: String = value.chars().filter(|character| !character.is_control()).collect();
        if !value.is_empty() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    };
    let written_from = json.get("from").map(recipient).filter(|from| !from.is_empty());
    field("From", written_from.unwrap_or_else(|| from.to_owned()));
    for (name, key) in RECIPIENTS {
        field(name, recipients(json.get(key)));
    }
    field("Reply-To", recipients(json.get("replyTo")));
    field("Subject", words(json.get("subject").and_then(Value::as_str).unwrap_or_default()));
    field("Date", rfc5322(at));
    field("Message-ID", format!("<{id:016x}.{:x}@eurprd05.prod.outlook.com>", at.as_microsecond()));
    for header in json.get("internetMessageHeaders").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name: String =
            text("name").chars().filter(char::is_ascii_graphic).filter(|c| *c != ':').collect();
        field(&name, words(&text("value")));
    }
    let body = json.get("body");
    let text = body.and_then(|body| body.get("content")).and_then(Value::as_str).unwrap_or_default();
    let html = body.and_then(|body| body.get("contentType")).and_then(Value::as_str);
    let kind = if html.is_some_and(|kind| kind.eq_ignore_ascii_case("html")) { "html" } else { "plain" };
    head.push_str(&format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n--{BOUNDARY}\r\n\
         Content-Type: text/{kind}; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ));
    Content::Pieces([head.into(), base64(text.as_bytes()), end(BOUNDARY.as_bytes())].into())
}

/// The header fields of recipients, and their names in JSON.
pub(crate) const RECIPIENTS: [(&str, &str); 3] =
    [("To", "toRecipients"), ("Cc", "ccRecipients"), ("Bcc", "bccRecipients")];

/// Bytes as lines of base64.
pub(crate) fn base64(bytes: &[u8]) -> Bytes {
    let mut lines = Base64Lines::default();
    let mut out = lines.push(bytes);
    out.extend(lines.finish());
    out.into()
}

/// The message with a file more. Nothing that was there is copied.
pub(crate) fn attach(content: &Content, file: File) -> Content {
    let mut header = Block::default();
    content.header().split(|byte| *byte == b'\n').for_each(|line| {
        header.add(line.strip_suffix(b"\r").unwrap_or(line));
    });
    let mixed = header.content_type().as_deref() == Some("multipart/mixed");
    let boundary = header.boundary().filter(|_| mixed);
    let (mut pieces, boundary) = match boundary {
        Some(boundary) => (without_end(content, &boundary), boundary),
        None => (wrapped(content, &header), BOUNDARY.as_bytes().to_vec()),
    };
    let name = words(&file.name).replace('"', "'");
    let id = file.content_id.map(|id| format!("Content-ID: <{id}>\r\n"));
    let disposition = if id.is_some() { "inline" } else { "attachment" };
    let mut part = [b"--", boundary.as_slice(), b"\r\n"].concat();
    part.extend_from_slice(
        format!(
            "Content-Type: {}; name=\"{name}\"\r\nContent-Disposition: {disposition}; filename=\"{name}\"\r\n{}\
             Content-Transfer-Encoding: base64\r\n\r\n",
            file.content_type,
            id.unwrap_or_default()
        )
        .as_bytes(),
    );
    pieces.push(part.into());
    pieces.extend(file.lines);
    pieces.push(end(&boundary));
    Content::Pieces(pieces.into())
}

/// The draft with some of its properties changed, as a PATCH says.
pub(crate) fn changed(content: &Content, changes: &Value, from: &str, id: u64) -> Content {
    let summary = walk::walk(content, Summarize::new()).summary();
    let header = content.header();
    let mut json = Value::Object(changes.as_object().cloned().unwrap_or_default());
    keep_unchanged(&mut json, &header, &summary);
    let mut made = message(&json, from, id, Timestamp::now());
    for (at, attachment) in summary.attachments.into_iter().enumerate() {
        let mut lines = Base64Lines::default();
        let mut pieces: Vec<Bytes> =
            walk::stream(content, Extract::new(at)).map(|piece| Bytes::from(lines.push(&piece))).collect();
        pieces.push(lines.finish().into());
        let content_type = match attachment.kind {
            // A message in base64 is no message any more.
            AttachmentKind::Item => "application/octet-stream".to_owned(),
            _ => attachment.content_type,
        };
        let (name, content_id) = (attachment.name, attachment.content_id);
        made = attach(&made, File { name, content_type, content_id, lines: pieces });
    }
    made
}

fn keep_unchanged(json: &mut Value, header: &[u8], summary: &Summary) {
    let parsed = mail_parser::MessageParser::new().parse_headers(header).unwrap_or_default();
    let Some(json) = json.as_object_mut() else { return };
    json.entry("subject").or_insert_with(|| parsed.subject().unwrap_or_default().into());
    for (list, key) in
        [(parsed.to(), "toRecipients"), (parsed.cc(), "ccRecipients"), (parsed.bcc(), "bccRecipients")]
    {
        json.entry(key).or_insert_with(|| super::super::resources::addresses(list));
    }
    if let Some(from) = super::super::resources::addresses(parsed.from()).as_array_mut().and_then(Vec::pop) {
        json.entry("from").or_insert(from);
    }
    json.entry("body").or_insert_with(|| match (&summary.html, &summary.text) {
        (Some(html), _) => serde_json::json!({ "contentType": "html", "content": html }),
        (None, text) => serde_json::json!({ "contentType": "text", "content": text }),
    });
}

/// A time as header fields say it.
pub(crate) fn rfc5322(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

fn end(boundary: &[u8]) -> Bytes {
    [b"\r\n--", boundary, b"--\r\n"].concat().into()
}

/// The pieces of a message up to the line that ends its multipart.
fn without_end(content: &Content, boundary: &[u8]) -> Vec<Bytes> {
    let mut pieces: Vec<Bytes> = content.chunks().collect();
    let line = [b"--", boundary, b"--"].concat();
    for piece in pieces.iter_mut().rev() {
        if let Some(at) = memchr::memmem::rfind(piece, &line) {
            piece.truncate(at);
            break;
        }
    }
    pieces
}

/// A message that was no multipart as the first part of one.
fn wrapped(content: &Content, header: &Block) -> Vec<Bytes> {
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    for field in header.fields() {
        let own = field.name.to_ascii_lowercase().starts_with("content-");
        let place = if own { &mut inner } else { &mut outer };
        place.extend_from_slice(field.name.as_bytes());
        place.push(b':');
        place.extend_from_slice(&field.value);
        place.extend_from_slice(b"\r\n");
    }
    if header.get("MIME-Version").is_none() {
        outer.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    outer.extend_from_slice(
        format!("Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n--{BOUNDARY}\r\n").as_bytes(),
    );
    inner.extend_from_slice(b"\r\n");
    let body = content.range(content.header().len() as u64, u64::MAX);
    let mut pieces = vec![Bytes::from(outer), Bytes::from(inner)];
    pieces.extend(body);
    pieces.push(Bytes::from_static(b"\r\n"));
    pieces
}

fn recipients(list: Option<&Value>) -> String {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let written: Vec<String> = list.map(recipient).filter(|written| !written.is_empty()).collect();
    written.join(", ")
}

fn recipient(recipient: &Value) -> String {
    let text = |key: &str| {
        let found = recipient.get("emailAddress").and_then(|address| address.get(key));
        found.and_then(Value::as_str).unwrap_or_default()
    };
    match (text("name"), text("address")) {
        (_, "") => String::new(),
        ("", address) => address.to_owned(),
        (name, address) if name.is_ascii() => format!("\"{}\" <{address}>", name.replace(['"', '\\'], "'")),
        (name, address) => format!("{} <{address}>", words(name)),
    }
}

/// Text of a field: encoded words where it is not plain.
fn words(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { encoded_words(text) }
}
