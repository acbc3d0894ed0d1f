//! Header blocks: which lines are kept while a block passes, and what `mail-parser` reads in them.
//!
//! Only the fields that an [`Inspection`](crate::Inspection) or the walking needs are kept, so that long transport
//! headers cost no memory. No header is written here.

use crate::digest::fold;
use crate::inspection::{Address, Defect, Disposition};
use crate::transfer::Encoding;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders};

/// Octets kept of one header block.
pub(crate) const MAX_BLOCK: usize = 256 * 1024;
/// Addresses kept of one field.
const MAX_ADDRESSES: usize = 1000;
/// Octets kept of one value.
const MAX_VALUE: usize = 8 * 1024;
/// RFC 2046 allows 70.
const MAX_BOUNDARY: usize = 512;

const KEPT: [&str; 11] = [
    "from",
    "sender",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
];

/// Collects the fields of one block.
#[derive(Debug, Default)]
pub(crate) struct HeaderBlock {
    kept: Vec<u8>,
    /// Whether the field that is being read is kept.
    keeping: bool,
    truncated: bool,
}

impl HeaderBlock {
    /// Adds a line with its line end, or, when `continues`, more of a line whose beginning came before.
    pub(crate) fn add(&mut self, line: &[u8], continues: bool) {
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if !continues && !folded {
            self.keeping =
                field_name(line).is_some_and(|name| KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)));
        }
        if self.keeping {
            let room = MAX_BLOCK.saturating_sub(self.kept.len());
            let taken = line.get(..room).unwrap_or(line);
            self.truncated |= taken.len() < line.len();
            self.kept.extend_from_slice(taken);
        }
    }

    /// Reads the block.
    pub(crate) fn parse(mut self) -> Fields {
        let mut defects = Vec::new();
        if self.truncated {
            defects.push(Defect::HeadersTruncated);
        }
        self.kept.extend_from_slice(b"\r\n\r\n");
        let parsed = MessageParser::default().parse_headers(&self.kept);
        Fields {
            part: parsed.as_ref().map(|m| part(m, &mut defects)).unwrap_or_default(),
            message: parsed.as_ref().map(|m| message(m, &mut defects)).unwrap_or_default(),
            defects,
        }
    }
}

/// The name of a header field, when the line begins with one (RFC 5322, 2.2; white space before the colon is
/// obsolete but seen).
pub(crate) fn field_name(line: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

/// What a block says.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) message: MessageFields,
    pub(crate) part: PartFields,
    pub(crate) defects: Vec<Defect>,
}

/// The fields of a message (RFC 5322).
#[derive(Debug, Default)]
pub(crate) struct MessageFields {
    pub(crate) message_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) from: Vec<Address>,
    pub(crate) sender: Vec<Address>,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) date: Option<Date>,
}

/// A date as RFC 3339 (or as received) and what counts of it.
#[derive(Debug)]
pub(crate) struct Date {
    pub(crate) shown: String,
    pub(crate) canonical: String,
}

/// The fields of a part (RFC 2045, RFC 2183).
#[derive(Debug)]
pub(crate) struct PartFields {
    /// Type and subtype in lower case; absent when there is none to read.
    pub(crate) content_type: Option<(String, String)>,
    pub(crate) boundary: Option<Vec<u8>>,
    pub(crate) charset: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) content_id: Option<String>,
    pub(crate) encoding: Encoding,
}

impl Default for PartFields {
    fn default() -> Self {
        Self {
            content_type: None,
            boundary: None,
            charset: None,
            name: None,
            disposition: None,
            content_id: None,
            encoding: Encoding::Lines,
        }
    }
}

fn message(parsed: &Message<'_>, defects: &mut Vec<Defect>) -> MessageFields {
    let mut addresses = |field: Option<&mail_parser::Address<'_>>| {
        let mut list: Vec<Address> =
            field.into_iter().flat_map(|field| field.iter()).take(MAX_ADDRESSES + 1).map(address).collect();
        if list.len() > MAX_ADDRESSES {
            list.truncate(MAX_ADDRESSES);
            defects.push(Defect::AddressesTruncated);
        }
        list
    };
    MessageFields {
        from: addresses(parsed.from()),
        sender: addresses(parsed.sender()),
        to: addresses(parsed.to()),
        cc: addresses(parsed.cc()),
        message_id: parsed.message_id().map(|id| format!("<{}>", clip(id.trim()))),
        subject: parsed.subject().map(|subject| clip(&fold(subject))),
        date: date(parsed, defects),
    }
}

fn address(address: &mail_parser::Addr<'_>) -> Address {
    Address {
        name: address.name().map(|name| clip(&fold(name))).filter(|name| !name.is_empty()),
        address: address.address().map(|address| clip(address.trim())).filter(|address| !address.is_empty()),
    }
}

fn date(parsed: &Message<'_>, defects: &mut Vec<Defect>) -> Option<Date> {
    let raw = || fold(parsed.header_raw(HeaderName::Date).unwrap_or_default());
    let Some((instant, offset)) = parsed.date().and_then(instant) else {
        let text = clip(&raw());
        if text.is_empty() {
            return None;
        }
        defects.push(Defect::DateUnreadable);
        return Some(Date { shown: text.clone(), canonical: text });
    };
    Some(Date {
        shown: instant.display_with_offset(offset).to_string(),
        canonical: instant.as_second().to_string(),
    })
}

fn instant(date: &mail_parser::DateTime) -> Option<(Timestamp, Offset)> {
    let small = |value: u8| i8::try_from(value).ok();
    // A leap second has no place on the clock of Unix.
    let second = small(date.second)?.min(59);
    let civil = DateTime::new(
        i16::try_from(date.year).ok()?,
        small(date.month)?,
        small(date.day)?,
        small(date.hour)?,
        small(date.minute)?,
        second,
        0,
    )
    .ok()?;
    let seconds = i32::from(date.tz_hour) * 3600 + i32::from(date.tz_minute) * 60;
    let offset = Offset::from_seconds(if date.tz_before_gmt { -seconds } else { seconds }).ok()?;
    let instant = civil.to_zoned(TimeZone::fixed(offset)).ok()?.timestamp();
    Some((instant, offset))
}

fn part(parsed: &Message<'_>, defects: &mut Vec<Defect>) -> PartFields {
    let root = parsed.root_part();
    let declared = root.content_type();
    let attribute = |name| declared.and_then(|declared| declared.attribute(name));
    let boundary = attribute("boundary").map(|boundary| boundary.trim_end().as_bytes().to_vec());
    if boundary.as_ref().is_some_and(|boundary| boundary.is_empty() || boundary.len() > MAX_BOUNDARY) {
        defects.push(Defect::BoundaryUnusable);
    }
    PartFields {
        content_type: declared.and_then(|declared| {
            let token = |text: &str| clip(&text.trim().to_ascii_lowercase());
            Some((token(declared.ctype()), token(declared.subtype()?)))
        }),
        boundary: boundary.filter(|boundary| (1..=MAX_BOUNDARY).contains(&boundary.len())),
        charset: attribute("charset").map(clip),
        name: root.attachment_name().map(|name| clip(&fold(name))).filter(|name| !name.is_empty()),
        disposition: root.content_disposition().map(|disposition| {
            // RFC 2183, 2.8: what is not known counts as attachment.
            if disposition.is_inline() { Disposition::Inline } else { Disposition::Attachment }
        }),
        content_id: root.content_id().map(|id| clip(id.trim())),
        encoding: match root
            .content_transfer_encoding()
            .map(|text| text.trim().to_ascii_lowercase())
            .as_deref()
        {
            Some("base64") => Encoding::Base64,
            Some("quoted-printable") => Encoding::QuotedPrintable,
            Some("binary") => Encoding::Binary,
            None | Some("" | "7bit" | "8bit") => Encoding::Lines,
            Some(_) => {
                defects.push(Defect::EncodingUnknown);
                Encoding::Lines
            }
        },
    }
}

/// At most [`MAX_VALUE`] octets of a value.
fn clip(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_VALUE)).unwrap_or_default().to_owned()
}
