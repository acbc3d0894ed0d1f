//! Transfer encodings, written and undone while lines pass (RFC 2045, section 6).

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

/// Characters in a line of base64.
const LINE: usize = 76;
/// Bytes that make a full line of base64.
const LINE_BYTES: usize = 57;

/// Forgiving, as a server is that shows what it was sent.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes bytes as lines of base64, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Base64Lines(Vec<u8>);

impl Base64Lines {
    /// Every full line of what came so far.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(bytes);
        let whole = self.0.len() / LINE_BYTES * LINE_BYTES;
        let rest = self.0.split_off(whole);
        lines(&std::mem::replace(&mut self.0, rest))
    }

    /// The last line.
    pub(crate) fn finish(self) -> Vec<u8> {
        lines(&self.0)
    }
}

fn lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / LINE_BYTES * (LINE + 2) + LINE + 2);
    let mut line = [0; LINE];
    for chunk in bytes.chunks(LINE_BYTES) {
        // A chunk always fits into a line.
        let written = STANDARD.encode_slice(chunk, &mut line).unwrap_or_default();
        out.extend_from_slice(line.get(..written).unwrap_or_default());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Breaks what is base64 already into lines of 76, whatever its lines were.
#[derive(Debug, Default)]
pub(crate) struct Rewrap(usize);

impl Rewrap {
    pub(crate) fn push(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let mut rest = line.trim_ascii();
        while !rest.is_empty() {
            if self.0 == LINE {
                out.extend_from_slice(b"\r\n");
                self.0 = 0;
            }
            let (now, later) = rest.split_at_checked(LINE - self.0).unwrap_or((rest, &[]));
            out.extend_from_slice(now);
            self.0 += now.len();
            rest = later;
        }
    }
}

/// Writes one line of text as quoted-printable, without its line end.
pub(crate) fn quote(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, byte) in line.iter().enumerate() {
        let last = at + 1 == line.len();
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if plain { 1 } else { 3 };
        if column + width > LINE - 1 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        // A line of one dot or of dashes is safe, but no line may look like a boundary.
        let plain = plain && !(column == 0 && *byte == b'-');
        if plain {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += if plain { 1 } else { 3 };
    }
}

/// Undoes a transfer encoding line by line.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// Lines as they are.
    Lines,
    /// Characters of a group that is not complete yet.
    Base64(Vec<u8>),
    /// Whether the line before ended with a soft break.
    QuotedPrintable(bool),
}

impl Decoder {
    /// For an encoding in lower case.
    pub(crate) fn new(encoding: &str) -> Self {
        match encoding {
            "base64" => Self::Base64(Vec::new()),
            "quoted-printable" => Self::QuotedPrintable(false),
            _ => Self::Lines,
        }
    }

    /// A line, or a piece of a long one.
    pub(crate) fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Lines => out.extend_from_slice(line),
            Self::Base64(held) => {
                // Nearly every line is whole groups and nothing else.
                if held.is_empty() && line.len().is_multiple_of(4) {
                    let before = out.len();
                    if LENIENT.decode_vec(line, out).is_ok() {
                        return;
                    }
                    out.truncate(before);
                }
                held.extend(
                    line.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')),
                );
                let rest = held.split_off(held.len() & !3);
                if let Ok(decoded) = LENIENT.decode(&held) {
                    out.extend_from_slice(&decoded);
                }
                *held = rest;
            }
            Self::QuotedPrintable(soft) => {
                let line = line.trim_ascii_end();
                let text = line.strip_suffix(b"=");
                *soft = text.is_some();
                unquote(text.unwrap_or(line), out);
            }
        }
    }

    pub(crate) fn line_end(&mut self, out: &mut Vec<u8>) {
        if matches!(self, Self::Lines | Self::QuotedPrintable(false)) {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What is left when the leaf ends.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Self::Base64(held) = self
            && let Ok(decoded) = LENIENT.decode(held)
        {
            out.extend_from_slice(&decoded);
        }
    }
}

fn unquote(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'=').then(|| after.split_at_checked(2)).flatten();
        let byte = hex.and_then(|(hex, after)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, after))
        });
        match byte {
            Some((byte, after)) => {
                out.push(byte);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_whatever_the_pieces() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut lines = Base64Lines::default();
        let mut text = Vec::new();
        for piece in bytes.chunks(7) {
            text.extend(lines.push(piece));
        }
        text.extend(lines.finish());
        let (mut decoder, mut back) = (Decoder::new("base64"), Vec::new());
        for line in text.split(|byte| *byte == b'\n') {
            assert!(line.len() <= 77);
            decoder.line(line, &mut back);
        }
        decoder.finish(&mut back);
        assert!(back == bytes);
    }

    #[test]
    fn what_is_no_base64_is_passed_over() {
        let (mut decoder, mut out) = (Decoder::new("base64"), Vec::new());
        for line in [&b"AAEC"[..], b"*&^%", b"A wQ", b"FBg=="] {
            decoder.line(line, &mut out);
        }
        decoder.finish(&mut out);
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_quoted_line_never_looks_like_a_boundary_and_keeps_its_spaces() {
        for line in ["--boundary--", "caf\u{e9} = 12,50 ", &"lang ".repeat(60), ""] {
            let mut quoted = Vec::new();
            quote(line.as_bytes(), &mut quoted);
            assert!(!quoted.starts_with(b"--"));
            let (mut decoder, mut back) = (Decoder::new("quoted-printable"), Vec::new());
            for line in quoted.split(|byte| *byte == b'\n') {
                assert!(line.len() <= 77);
                decoder.line(line, &mut back);
            }
            assert_eq!(String::from_utf8_lossy(&back), line);
        }
    }
}
