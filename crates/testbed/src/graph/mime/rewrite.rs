//! A message written anew, as Exchange does when it is asked for the MIME of what it stores.
//!
//! What the message says stays; how it is written does not: the order and folding of the fields, boundaries, transfer
//! encodings, the charset of plain texts. A field of transport and the service's own fields are added. What the rewriting does not
//! understand (an unknown transfer encoding, a damaged field) is passed on as it is.

use encoding_rs::{Encoding, UTF_8};
use mail_parser::MessageParser;

use super::{
    fields::{Block, Field},
    transfer::{self, Rewrap},
    walk::{Kind, Output, Visitor},
};

/// Fields in the order in which they are written; the others come after `Message-ID`.
const FIRST: [&str; 9] =
    ["received", "from", "sender", "to", "cc", "subject", "thread-topic", "date", "message-id"];
/// Fields that are written last.
const LAST: [&str; 6] = [
    "content-type",
    "content-description",
    "content-disposition",
    "content-id",
    "content-transfer-encoding",
    "mime-version",
];
/// A line of a header field is folded after so many characters.
const FOLD: usize = 76;

/// Writes a message anew while it is walked through.
pub(crate) struct Rewrite {
    out: Vec<u8>,
    /// Goes into boundaries and the field of transport, so that two messages differ.
    number: u64,
    /// The received time, as a field says it.
    received: String,
    boundaries: Vec<Option<Vec<u8>>>,
    made: usize,
    leaf: Leaf,
    /// The leaf has had content.
    begun: bool,
    /// The line that is written has begun.
    in_line: bool,
    messages: usize,
}

enum Leaf {
    AsItIs,
    Base64(Rewrap),
    Text(Option<&'static Encoding>),
}

impl Rewrite {
    /// For a message that was received then (the form of RFC 5322).
    pub(crate) fn new(number: u64, received: String) -> Self {
        Self {
            out: Vec::new(),
            number,
            received,
            boundaries: Vec::new(),
            made: 0,
            leaf: Leaf::AsItIs,
            begun: false,
            in_line: false,
            messages: 0,
        }
    }

    /// For a message within another: it was received by nobody here.
    pub(crate) fn nested() -> Self {
        Self { messages: 1, ..Self::new(0, String::new()) }
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        let mut column = name.len() + 1;
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        let mut rest = value.trim_ascii();
        let mut gap: &[u8] = b" ";
        while !rest.is_empty() {
            let word = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(word).unwrap_or((rest, &[]));
            if column + gap.len() + word.len() > FOLD && column > name.len() + 1 {
                self.out.extend_from_slice(b"\r\n");
                column = 0;
            }
            self.out.extend_from_slice(gap);
            self.out.extend_from_slice(word);
            column += gap.len() + word.len();
            let space = after.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(after.len());
            (gap, rest) = after.split_at_checked(space).unwrap_or((after, &[]));
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn block(&mut self, fields: Vec<Field>, outermost: bool) {
        let rank = |field: &Field| {
            let place = |list: &[&str]| list.iter().position(|name| field.name.eq_ignore_ascii_case(name));
            place(&FIRST).unwrap_or_else(|| place(&LAST).map_or(50, |place| 100 + place))
        };
        let mut fields = fields;
        fields.sort_by_key(rank);
        if outermost {
            let (number, received) = (self.number, self.received.clone());
            let host = "VI1PR0501MB0042.eurprd05.prod.outlook.com";
            self.field(
                "Received",
                format!(
                    "from {host} (2603:10a6:800:{:x}::15) by {host} with HTTPS; {received}",
                    number & 0xffff
                )
                .as_bytes(),
            );
        }
        let last = fields.iter().position(|field| rank(field) >= 100).unwrap_or(fields.len());
        let tail = fields.split_off(last);
        fields.iter().for_each(|field| self.field(&field.name, &field.value));
        if outermost {
            self.field("Content-Language", b"nl-NL");
            self.field("X-MS-Has-Attach", if self.made > 0 { b"yes" } else { b"" });
            self.field("X-MS-TNEF-Correlator", b"");
            let id = format!("{:08x}-0000-4000-8000-{:012x}", self.number, self.number);
            self.field("X-MS-Exchange-Organization-Network-Message-Id", id.as_bytes());
            self.field("X-MS-Exchange-Organization-AuthSource", b"VI1PR0501MB0042.eurprd05.prod.outlook.com");
        }
        tail.iter().for_each(|field| self.field(&field.name, &field.value));
        self.out.extend_from_slice(b"\r\n");
    }

    /// How a leaf's content is written, and what its fields say about it then.
    fn leaf(&self, block: &Block, of_message: bool, fields: &mut Vec<Field>) -> Leaf {
        let encoding = block.encoding();
        if encoding == "base64" {
            return Leaf::Base64(Rewrap::default());
        }
        let kind = block.content_type();
        let plain = matches!(encoding.as_str(), "" | "7bit" | "8bit");
        let declared = block.get("Content-Type").is_some();
        let text = match &kind {
            Some(kind) => kind.starts_with("text/"),
            None => of_message && !declared,
        };
        if !plain || !text {
            return Leaf::AsItIs;
        }
        let label = block.parameter("charset");
        let charset = label.as_deref().and_then(|label| Encoding::for_label(label.trim().as_bytes()));
        let ascii = label.as_deref().is_some_and(|label| label.trim().eq_ignore_ascii_case("us-ascii"));
        // Only where each byte is a character can a line be converted on its own.
        let from = charset.filter(|charset| !ascii && charset.is_single_byte());
        if let (Some(_), Some(field)) = (from, last(fields, "Content-Type"))
            && !replace_parameter(&mut field.value, "charset", b"utf-8")
        {
            return Leaf::AsItIs;
        }
        if !declared {
            fields.push(field("Content-Type", b"text/plain; charset=\"us-ascii\""));
        }
        fields.retain(|field| !field.name.eq_ignore_ascii_case("Content-Transfer-Encoding"));
        fields.push(field("Content-Transfer-Encoding", b"quoted-printable"));
        if of_message && block.get("MIME-Version").is_none() {
            fields.push(field("MIME-Version", b"1.0"));
        }
        Leaf::Text(from)
    }
}

impl Visitor for Rewrite {
    fn headers(&mut self, block: &Block, kind: &Kind) {
        let mut fields = block.fields().to_vec();
        if let Some(subject) = last(&mut fields, "Subject")
            && let Some(written) = subject_anew(&subject.value)
        {
            subject.value = written;
        }
        let of_message = match kind {
            Kind::Multipart { of_message, depth } => {
                self.made += 1;
                let boundary = format!("_{:03}_{:016X}VI1PR0501MB0042eurp_", self.made, self.number);
                let replaced = last(&mut fields, "Content-Type").is_some_and(|field| {
                    replace_parameter(&mut field.value, "boundary", boundary.as_bytes())
                });
                self.boundaries.resize(*depth, None);
                self.boundaries.push(if replaced { Some(boundary.into_bytes()) } else { block.boundary() });
                *of_message
            }
            Kind::Message { of_message } => *of_message,
            Kind::Leaf { of_message } => {
                self.leaf = self.leaf(block, *of_message, &mut fields);
                (self.begun, self.in_line) = (false, false);
                *of_message
            }
        };
        let outermost = of_message && self.messages == 0;
        self.messages += usize::from(of_message);
        self.block(fields, outermost);
    }

    fn line(&mut self, line: &[u8]) {
        self.begun = true;
        match &mut self.leaf {
            Leaf::AsItIs => self.out.extend_from_slice(line),
            Leaf::Base64(rewrap) => rewrap.push(line, &mut self.out),
            Leaf::Text(charset) => {
                if self.in_line {
                    self.out.extend_from_slice(b"=\r\n");
                }
                self.in_line = true;
                match charset.filter(|charset| *charset != UTF_8) {
                    Some(charset) => {
                        let (text, _) = charset.decode_without_bom_handling(line);
                        transfer::quote(text.as_bytes(), &mut self.out);
                    }
                    None => transfer::quote(line, &mut self.out),
                }
            }
        }
    }

    fn line_end(&mut self, written: &'static [u8]) {
        self.in_line = false;
        match self.leaf {
            Leaf::AsItIs => self.out.extend_from_slice(written),
            Leaf::Text(_) => self.out.extend_from_slice(b"\r\n"),
            Leaf::Base64(_) => {}
        }
    }

    fn leaf_end(&mut self, closed: bool) {
        if self.begun && (closed || matches!(self.leaf, Leaf::Base64(_))) {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn boundary(&mut self, depth: usize, last: bool) {
        let boundary = self.boundaries.get(depth).cloned().flatten().unwrap_or_default();
        self.out.extend_from_slice(b"--");
        self.out.extend_from_slice(&boundary);
        self.out.extend_from_slice(if last { b"--\r\n" } else { b"\r\n" });
    }

    fn message_end(&mut self) {}
}

impl Output for Rewrite {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }
}

fn field(name: &str, value: &[u8]) -> Field {
    Field { name: name.to_owned(), value: value.to_vec() }
}

fn last<'a>(fields: &'a mut [Field], name: &str) -> Option<&'a mut Field> {
    fields.iter_mut().rev().find(|field| field.name.eq_ignore_ascii_case(name))
}

/// Gives a parameter another value; false when it is not written in a plain way.
fn replace_parameter(value: &mut Vec<u8>, name: &str, new: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let sign = format!("{name}=");
    let Some(at) = memchr::memmem::find(&lower, sign.as_bytes()) else { return false };
    let before = at.checked_sub(1).and_then(|at| value.get(at));
    if !before.is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b';') {
        return false;
    }
    let from = at + sign.len();
    let Some(old) = value.get(from..) else { return false };
    let length = match old.split_first() {
        Some((b'"', rest)) => match memchr::memchr(b'"', rest) {
            Some(end) => end + 2,
            None => return false,
        },
        _ => old.iter().position(|byte| *byte == b';' || byte.is_ascii_whitespace()).unwrap_or(old.len()),
    };
    let quoted = [b"\"", new, b"\""].concat();
    value.splice(from..from + length, quoted);
    true
}

/// A subject with encoded words, in UTF-8 and otherwise cut; none when it has none, or one that cannot be read.
fn subject_anew(value: &[u8]) -> Option<Vec<u8>> {
    if !value.is_ascii() || memchr::memmem::find(value, b"=?").is_none() {
        return None;
    }
    let header = [b"Subject:", value, b"\r\n\r\n"].concat();
    let parsed = MessageParser::new().parse_headers(&header)?;
    let text = parsed.subject()?;
    if text.chars().any(|character| character.is_control() || character == char::REPLACEMENT_CHARACTER) {
        return None;
    }
    Some(encoded_words(text).into_bytes())
}

/// Text as encoded words of RFC 2047 in quoted-printable, none of them longer than the RFC allows.
pub(crate) fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        let written: String = match character {
            ' ' => "_".to_owned(),
            _ if character.is_ascii_alphanumeric() => character.to_string(),
            _ => {
                let mut bytes = [0; 4];
                character.encode_utf8(&mut bytes).bytes().map(|byte| format!("={byte:02X}")).collect()
            }
        };
        match words.last_mut() {
            Some(word) if word.len() + written.len() <= 58 => word.push_str(&written),
            _ => words.push(written),
        }
    }
    let words: Vec<String> = words.into_iter().map(|word| format!("=?utf-8?Q?{word}?=")).collect();
    words.join(" ")
}
