//! Just enough MIME to write the sample's messages (RFC 2045 to 2047).

use base64::{Engine, engine::general_purpose::STANDARD};

/// A message that grows: header fields, then parts.
pub(super) struct Mime {
    bytes: Vec<u8>,
    boundary: String,
    parts: usize,
}

impl Mime {
    pub(super) fn new(boundary: u64) -> Self {
        Self { bytes: Vec::new(), boundary: format!("=_{boundary:016x}"), parts: 0 }
    }

    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.raw(format!("{name}: {value}\r\n").as_bytes());
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins a part; the first one ends the message's header.
    pub(super) fn part(&mut self, header: &str) {
        if self.parts == 0 {
            let boundary = &self.boundary;
            let kind = format!(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n"
            );
            self.raw(kind.as_bytes());
        }
        self.parts += 1;
        self.raw(format!("--{}\r\n{header}\r\n", self.boundary).as_bytes());
    }

    /// A part of UTF-8 text.
    pub(super) fn text(&mut self, text: &str) {
        self.part("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n");
        self.raw(text.as_bytes());
    }

    /// A part in base64 with a file name.
    pub(super) fn attachment(&mut self, kind: &str, name: &str, bytes: &[u8]) {
        self.attachment_header(kind, name);
        self.raw(&base64_lines(bytes));
    }

    pub(super) fn attachment_header(&mut self, kind: &str, name: &str) {
        self.part(&format!(
            "Content-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n"
        ));
    }

    /// The line that ends the last part.
    pub(super) fn end(&self) -> Vec<u8> {
        format!("--{}--\r\n", self.boundary).into_bytes()
    }

    /// The message with every part closed.
    pub(super) fn whole(mut self) -> Vec<u8> {
        let end = self.end();
        self.raw(&end);
        self.bytes
    }

    /// The message as far as it was written.
    pub(super) fn unfinished(self) -> Vec<u8> {
        self.bytes
    }
}

/// Base64 in lines of 76.
pub(super) fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes);
    let lines = encoded.as_bytes().chunks(76);
    lines.flat_map(|line| line.iter().chain(b"\r\n")).copied().collect()
}

/// Text of a header field: an encoded word when it is not ASCII.
pub(crate) fn word(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => encoded_word("utf-8", text.as_bytes()),
    }
}

/// An encoded word (RFC 2047) of bytes in `charset`.
pub(super) fn encoded_word(charset: &str, bytes: &[u8]) -> String {
    format!("=?{charset}?B?{}?=", STANDARD.encode(bytes))
}
