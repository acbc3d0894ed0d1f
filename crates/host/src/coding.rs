//! The encodings of the contract as streams: decoding what comes in, encoding what goes out. State is kept between
//! pieces, so that a piece may be cut anywhere.
//!
//! MIME is not read here; this is about how a service wraps a whole message.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr;
use wissel_model::{ConnectorError, ErrorKind};

use crate::bindings::wissel::connector::types::Encoding;

const UNPADDED: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(true);
static STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, UNPADDED);
static URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, UNPADDED);
static STANDARD_PADDED: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, UNPADDED.with_encode_padding(true));

/// Decodes one message's bytes, piece by piece.
#[derive(Debug)]
pub(crate) enum Decoder {
    Identity,
    Base64(Base64),
    DotStuffed { at_line_start: bool, plain: Vec<u8> },
}

impl Decoder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Base64 => Self::Base64(Base64::new(&STANDARD)),
            Encoding::Base64url => Self::Base64(Base64::new(&URL)),
            Encoding::DotStuffed => Self::DotStuffed { at_line_start: true, plain: Vec::new() },
        }
    }

    /// The bytes that `piece` stands for; valid until the next call.
    pub(crate) fn decode<'a>(&'a mut self, piece: &'a [u8]) -> Result<&'a [u8], ConnectorError> {
        match self {
            Self::Identity => Ok(piece),
            Self::Base64(base64) => base64.decode(piece),
            Self::DotStuffed { at_line_start, plain } => {
                plain.clear();
                for line in piece.split_inclusive(|byte| *byte == b'\n') {
                    let stuffed = *at_line_start && line.first() == Some(&b'.');
                    plain.extend(line.get(usize::from(stuffed)..).unwrap_or_default());
                    *at_line_start = line.last() == Some(&b'\n');
                }
                Ok(plain)
            }
        }
    }

    /// The bytes that only the end makes certain.
    pub(crate) fn finish(&mut self) -> Result<&[u8], ConnectorError> {
        match self {
            Self::Base64(base64) => base64.finish(),
            Self::Identity | Self::DotStuffed { .. } => Ok(&[]),
        }
    }
}

/// base64 without padding and white space: the `base64` crate decodes whole buffers, this keeps what is left of four.
#[derive(Debug)]
pub(crate) struct Base64 {
    engine: &'static GeneralPurpose,
    /// Text not yet decoded, white space and padding taken out.
    text: Vec<u8>,
    plain: Vec<u8>,
    padded: bool,
}

impl Base64 {
    fn new(engine: &'static GeneralPurpose) -> Self {
        Self { engine, text: Vec::new(), plain: Vec::new(), padded: false }
    }

    fn decode(&mut self, piece: &[u8]) -> Result<&[u8], ConnectorError> {
        let (data, padding) = match memchr(b'=', piece) {
            Some(at) => piece.split_at(at),
            None if self.padded => (&[] as &[u8], piece),
            None => (piece, &[] as &[u8]),
        };
        let data_after_padding = padding.iter().any(|byte| *byte != b'=' && !byte.is_ascii_whitespace());
        if data_after_padding || (self.padded && !data.trim_ascii().is_empty()) {
            return Err(malformed("data after the padding"));
        }
        self.padded |= !padding.is_empty();
        for run in data.split(u8::is_ascii_whitespace) {
            self.text.extend_from_slice(run);
        }
        let whole = self.text.len() - self.text.len() % 4;
        self.decode_first(whole)
    }

    fn finish(&mut self) -> Result<&[u8], ConnectorError> {
        self.decode_first(self.text.len())
    }

    fn decode_first(&mut self, count: usize) -> Result<&[u8], ConnectorError> {
        self.plain.clear();
        let text = self.text.get(..count).unwrap_or_default();
        self.engine.decode_vec(text, &mut self.plain).map_err(|error| malformed(&error.to_string()))?;
        self.text.drain(..count);
        Ok(&self.plain)
    }
}

fn malformed(problem: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::BadMessage, format!("the message is not valid base64: {problem}"))
}

/// Takes JSON's escapes out of base64 text: `\/` is a slash, `\n`, `\r` and `\t` are white space.
#[derive(Debug, Default)]
pub(crate) struct Unescape {
    after_backslash: bool,
    text: Vec<u8>,
}

impl Unescape {
    /// The text that `piece` stands for; valid until the next call.
    pub(crate) fn unescape<'a>(&'a mut self, piece: &'a [u8]) -> Result<&'a [u8], ConnectorError> {
        if !self.after_backslash && memchr(b'\\', piece).is_none() {
            return Ok(piece);
        }
        self.text.clear();
        for byte in piece {
            match byte {
                _ if !std::mem::take(&mut self.after_backslash) => {
                    self.after_backslash = *byte == b'\\';
                    self.text.extend((*byte != b'\\').then_some(*byte));
                }
                b'/' => self.text.push(b'/'),
                b'n' | b'r' | b't' => {}
                _ => return Err(malformed("an escape other than \\/, \\n, \\r and \\t")),
            }
        }
        Ok(&self.text)
    }
}

/// Encodes one message's bytes, piece by piece.
#[derive(Debug)]
pub(crate) enum Encoder {
    Identity,
    /// `kept` is what is left of three octets.
    Base64 {
        engine: &'static GeneralPurpose,
        kept: Vec<u8>,
    },
    /// `last` are the last two octets so far.
    DotStuffed {
        last: [u8; 2],
    },
}

impl Encoder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Base64 => Self::Base64 { engine: &STANDARD_PADDED, kept: Vec::new() },
            Encoding::Base64url => Self::Base64 { engine: &URL, kept: Vec::new() },
            Encoding::DotStuffed => Self::DotStuffed { last: *b"\r\n" },
        }
    }

    /// Encodes `piece`; the last one completes the text.
    pub(crate) fn encode(&mut self, piece: Vec<u8>, is_last: bool) -> Vec<u8> {
        match self {
            Self::Identity => piece,
            Self::Base64 { engine, kept } => {
                kept.extend_from_slice(&piece);
                let whole = if is_last { kept.len() } else { kept.len() - kept.len() % 3 };
                let text = engine.encode(kept.get(..whole).unwrap_or_default());
                kept.drain(..whole);
                text.into_bytes()
            }
            Self::DotStuffed { last } => {
                let mut text = Vec::with_capacity(piece.len() + piece.len() / 64 + 2);
                for line in piece.split_inclusive(|byte| *byte == b'\n') {
                    if last.ends_with(b"\n") && line.starts_with(b".") {
                        text.push(b'.');
                    }
                    text.extend_from_slice(line);
                    for byte in line.iter().skip(line.len().saturating_sub(2)) {
                        *last = [last[1], *byte];
                    }
                }
                if is_last && last != b"\r\n" {
                    text.extend_from_slice(b"\r\n");
                }
                text
            }
        }
    }

    /// Octets that `size` octets become; none where that depends on the octets.
    pub(crate) fn encoded_size(encoding: Encoding, size: u32) -> Option<u64> {
        let size = u64::from(size);
        match encoding {
            Encoding::Identity => Some(size),
            Encoding::Base64 => Some(size.div_ceil(3) * 4),
            Encoding::Base64url => Some((size * 4).div_ceil(3)),
            Encoding::DotStuffed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, text: &[u8], cut: usize) -> Result<Vec<u8>, ConnectorError> {
        let mut decoder = Decoder::new(encoding);
        let mut plain = Vec::new();
        for piece in text.chunks(cut) {
            plain.extend_from_slice(decoder.decode(piece)?);
        }
        plain.extend_from_slice(decoder.finish()?);
        Ok(plain)
    }

    #[test]
    fn base64_may_be_cut_anywhere_and_needs_no_padding() {
        let plain: Vec<u8> = (0..=255).collect();
        for (encoding, text) in [
            (Encoding::Base64, STANDARD_PADDED.encode(&plain)),
            (Encoding::Base64, STANDARD.encode(&plain)),
            (Encoding::Base64url, URL.encode(&plain)),
            (Encoding::Base64url, URL.encode(&plain) + "=="),
        ] {
            let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
            let text = lines.join(&b"\r\n"[..]);
            for cut in [1, 2, 3, 4, 5, 77, 1000] {
                assert_eq!(decoded(encoding, &text, cut).unwrap(), plain, "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["QUJD*", "QUI=QUI=", "Q", "QQ==x", "QQ=\n=Q"] {
            for cut in [1, 100] {
                let error = decoded(Encoding::Base64, text.as_bytes(), cut).unwrap_err();
                assert_eq!(error.kind, ErrorKind::BadMessage, "{text}");
            }
        }
    }

    #[test]
    fn escapes_of_json_are_taken_out_across_pieces() {
        let mut unescape = Unescape::default();
        let mut text = Vec::new();
        for piece in [&b"QU\\"[..], b"/J\\r\\nD", b"", b"\\", b"tX"] {
            text.extend_from_slice(unescape.unescape(piece).unwrap());
        }
        assert_eq!(text, b"QU/JDX");
        assert!(Unescape::default().unescape(b"\\u002b").is_err());
    }

    #[test]
    fn dot_stuffing_there_and_back() {
        let message = b".one\r\n..two\r\nthree.\r\n.\r\nend";
        for cut in 1..message.len() {
            let mut encoder = Encoder::new(Encoding::DotStuffed);
            let mut pieces = message.chunks(cut).peekable();
            let mut wire = Vec::new();
            while let Some(piece) = pieces.next() {
                wire.extend(encoder.encode(piece.to_vec(), pieces.peek().is_none()));
            }
            assert_eq!(wire, b"..one\r\n...two\r\nthree.\r\n..\r\nend\r\n", "cut at {cut}");
            let back = decoded(Encoding::DotStuffed, &wire, cut).unwrap();
            assert_eq!(back, b".one\r\n..two\r\nthree.\r\n.\r\nend\r\n");
        }
    }

    #[test]
    fn encoded_sizes_are_foretold() {
        for size in 0..20_u32 {
            for encoding in [Encoding::Identity, Encoding::Base64, Encoding::Base64url] {
                let bytes = vec![7; size as usize];
                let text = Encoder::new(encoding).encode(bytes, true);
                assert_eq!(Encoder::encoded_size(encoding, size), Some(text.len() as u64));
            }
        }
    }
}
