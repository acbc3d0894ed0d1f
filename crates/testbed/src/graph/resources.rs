//! A message as the service shows it in JSON (resource type `message`).

use std::cell::OnceCell;

use jiff::Timestamp;
use mail_parser::{Address, MessageParser};
use serde_json::{Map, Value, json};

use super::{
    filter::Properties,
    ids::{Id, scramble},
    target::Target,
};
use crate::mailbox::{FolderId, Message};

/// What is shown when nothing is selected, in the service's order.
const USUAL: [&str; 28] = [
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
];

/// A message with the selected properties, or the usual ones.
pub(super) fn message(
    target: &Target<'_>,
    folder: FolderId,
    message: &Message,
    selected: Option<&[String]>,
) -> Value {
    let reading = Reading::new(target, folder, message);
    let mut object = Map::new();
    object.insert("@odata.etag".to_owned(), format!("W/\"{}\"", reading.change_key()).into());
    object.insert("id".to_owned(), target.message_id(folder, message).into());
    let usual: Vec<String>;
    let names = match selected {
        Some(selected) => selected,
        None => {
            usual = USUAL.map(str::to_owned).to_vec();
            &usual
        }
    };
    for name in names.iter().filter(|name| *name != "id") {
        if let Some((name, value)) = reading.property(name) {
            object.insert(name.to_owned(), value);
        }
    }
    if let Some(extended) = reading.extended() {
        object.insert("singleValueExtendedProperties".to_owned(), extended);
    }
    Value::Object(object)
}

/// A message being read, as far as its properties need it.
pub(super) struct Reading<'a> {
    target: &'a Target<'a>,
    folder: FolderId,
    message: &'a Message,
    /// The header, once a property was asked for that stands in it.
    parsed: OnceCell<mail_parser::Message<'static>>,
}

impl Properties for Reading<'_> {
    /// For filters and orders, by its path: `from/emailAddress/address`.
    fn at(&self, path: &str) -> Value {
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let Some((_, value)) = self.property(name) else { return Value::Null };
        if rest.is_empty() { value } else { value.pointer(&format!("/{rest}")).cloned().unwrap_or_default() }
    }

    fn time(&self, path: &str) -> Option<Timestamp> {
        // Without its fraction, as it is shown.
        let received =
            path.eq_ignore_ascii_case("receivedDateTime").then(|| self.message.received.as_second());
        received.and_then(|second| Timestamp::from_second(second).ok())
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(target: &'a Target<'a>, folder: FolderId, message: &'a Message) -> Self {
        Self { target, folder, message, parsed: OnceCell::new() }
    }

    fn change_key(&self) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let mut bytes = vec![0x09, 0, 0, 0, 0x16, 0, 0, 0];
        bytes.extend_from_slice(&scramble(self.target.number).to_be_bytes());
        bytes.extend_from_slice(&self.message.changed.to_be_bytes());
        STANDARD.encode(bytes)
    }

    /// A property with its name as the service writes it; none for a name that it does not know.
    fn property(&self, name: &str) -> Option<(&'static str, Value)> {
        let known = USUAL.iter().chain(&["internetMessageHeaders", "uniqueBody"]);
        let name = known.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
        let Self { target, message, .. } = self;
        let header = message.content.header();
        let parsed = || {
            let parse = || MessageParser::new().parse_headers(header.as_ref());
            self.parsed.get_or_init(|| parse().unwrap_or_default().into_owned())
        };
        let summary = || target.face.summary(target.number, message);
        let received = || message.received.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let value = match *name {
            "createdDateTime" | "receivedDateTime" | "lastModifiedDateTime" => received().into(),
            "sentDateTime" => {
                let sent =
                    parsed().date().and_then(|date| jiff::Timestamp::from_second(date.to_timestamp()).ok());
                sent.map_or_else(received, |sent| sent.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).into()
            }
            "changeKey" => self.change_key().into(),
            "categories" => message.flags.keywords.iter().cloned().collect(),
            "hasAttachments" => summary().has_attachments().into(),
            "internetMessageId" => parsed().message_id().map(|id| format!("<{id}>")).into(),
            "subject" => parsed().subject().into(),
            "bodyPreview" => preview(&summary()).into(),
            "importance" => importance(parsed()).into(),
            "parentFolderId" => target.write(Id::Folder(self.folder)).into(),
            "conversationId" => format!("AAQk{:016x}", scramble(message.id.0 ^ target.number)).into(),
            "conversationIndex" => format!("AQH{:016x}==", scramble(message.id.0)).into(),
            "isDeliveryReceiptRequested" => Value::Null,
            "isReadReceiptRequested" => false.into(),
            "isRead" => message.flags.seen.into(),
            "isDraft" => message.flags.draft.into(),
            "webLink" => {
                let id = target.message_id(self.folder, message);
                format!("https://outlook.office365.com/owa/?ItemID={id}&exvsurl=1&viewmodel=ReadMessageItem")
                    .into()
            }
            "inferenceClassification" => "focused".into(),
            "body" | "uniqueBody" => body(target, &summary()),
            "from" => addresses(parsed().from()).get(0).cloned().unwrap_or_default(),
            "sender" => {
                let parsed = parsed();
                addresses(parsed.sender().or(parsed.from())).get(0).cloned().unwrap_or_default()
            }
            "toRecipients" => addresses(parsed().to()),
            "ccRecipients" => addresses(parsed().cc()),
            "bccRecipients" => addresses(parsed().bcc()),
            "replyTo" => addresses(parsed().reply_to()),
            "flag" => json!({ "flagStatus": if message.flags.flagged { "flagged" } else { "notFlagged" } }),
            _ => headers(&header),
        };
        Some((name, value))
    }

    /// `$expand=singleValueExtendedProperties`: the size that the store keeps. It is not that of the MIME.
    fn extended(&self) -> Option<Value> {
        let expand = self.target.call.query.get("$expand")?;
        let at = expand.find("singleValueExtendedProperties")?;
        let asked = expand.get(at..)?.split('\'').nth(1)?;
        let number = asked.split_once(' ')?.1.trim_start_matches("0x");
        let size = u32::from_str_radix(number, 16).ok()? == 0x0e08;
        let value = self.message.content.size() / 4 * 3 + 4_096;
        size.then(|| json!([{ "id": asked, "value": value.to_string() }]))
    }
}

/// Addresses as the service shows them.
pub(super) fn addresses(list: Option<&Address<'_>>) -> Value {
    list.into_iter()
        .flat_map(|list| list.iter())
        .map(|one| {
            let address = one.address().unwrap_or_default();
            json!({ "emailAddress": { "name": one.name().unwrap_or(address), "address": address } })
        })
        .collect()
}

fn importance(parsed: &mail_parser::Message<'_>) -> &'static str {
    let given = parsed.header_raw("Importance").unwrap_or_default().trim().to_ascii_lowercase();
    match given.as_str() {
        "high" => "high",
        "low" => "low",
        _ => "normal",
    }
}

fn preview(summary: &super::mime::summary::Summary) -> String {
    let text = summary.text.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(255).collect()
}

fn body(target: &Target<'_>, summary: &super::mime::summary::Summary) -> Value {
    let as_text = target.call.prefers("outlook.body-content-type=\"text\"");
    match (&summary.html, &summary.text) {
        (Some(html), _) if !as_text => json!({ "contentType": "html", "content": html }),
        (_, Some(text)) => json!({ "contentType": "text", "content": text }),
        (html, None) => json!({ "contentType": "html", "content": html.as_deref().unwrap_or_default() }),
    }
}

fn headers(header: &[u8]) -> Value {
    let mut block = super::mime::fields::Block::default();
    header.split(|byte| *byte == b'\n').for_each(|line| block.add(line.strip_suffix(b"\r").unwrap_or(line)));
    let fields = block.fields().iter();
    fields
        .map(
            |field| json!({ "name": field.name, "value": String::from_utf8_lossy(field.value.trim_ascii()) }),
        )
        .collect()
}
