//! A header block: its fields as they were written, and the few that say what a part is.

use std::borrow::Cow;

use mail_parser::{MessageParser, MimeHeaders};

/// A header block. Lines that are no fields are dropped, as Exchange drops them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    fields: Vec<Field>,
    /// The line before was no field, and so its continuation is none either.
    dropping: bool,
}

/// A field with its continuation lines.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// What comes after the colon; line ends are taken out, the white space after them stays.
    pub(crate) value: Vec<u8>,
}

impl Block {
    /// Adds a line without its line end.
    pub(crate) fn add(&mut self, line: &[u8]) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if !self.dropping
                && let Some(last) = self.fields.last_mut()
            {
                last.value.extend_from_slice(line);
            }
            return;
        }
        let colon = memchr::memchr(b':', line).and_then(|at| line.split_at_checked(at));
        let named = colon.and_then(|(name, value)| {
            let name = std::str::from_utf8(name.trim_ascii_end()).ok()?;
            let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            fits.then(|| Field { name: name.to_owned(), value: value.get(1..).unwrap_or_default().to_vec() })
        });
        self.dropping = named.is_none();
        self.fields.extend(named);
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The last field of that name: readers of mail take the last of several.
    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().rev().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// A field's value as text, white space trimmed.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(|field| String::from_utf8_lossy(field.value.trim_ascii()))
    }

    /// The block as it would stand in a message, with the empty line.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in &self.fields {
            bytes.extend_from_slice(field.name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(&field.value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// `type/subtype` in lower case.
    pub(crate) fn content_type(&self) -> Option<String> {
        let bytes = self.bytes();
        let parsed = MessageParser::new().parse_headers(&bytes)?;
        let declared = parsed.root_part().content_type()?;
        let kind = format!("{}/{}", declared.ctype().trim(), declared.subtype()?.trim());
        Some(kind.to_ascii_lowercase())
    }

    /// A parameter of Content-Type, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let bytes = self.bytes();
        let parsed = MessageParser::new().parse_headers(&bytes)?;
        Some(parsed.root_part().content_type()?.attribute(name)?.to_owned())
    }

    pub(crate) fn boundary(&self) -> Option<Vec<u8>> {
        let boundary = self.parameter("boundary")?;
        let boundary = boundary.trim_end();
        (1..=512).contains(&boundary.len()).then(|| boundary.as_bytes().to_vec())
    }

    /// Content-Transfer-Encoding in lower case.
    pub(crate) fn encoding(&self) -> String {
        self.text("Content-Transfer-Encoding").unwrap_or_default().to_ascii_lowercase()
    }

    /// Whether the content is in base64 or quoted-printable.
    pub(crate) fn is_encoded(&self) -> bool {
        !matches!(self.encoding().as_str(), "" | "7bit" | "8bit" | "binary")
    }
}
