//! Content-Transfer-Encoding, undone as the octets pass (RFC 2045, section 6).
//!
//! Decoders keep a few octets between calls, so the input may be cut anywhere. What is broken is decoded as far as
//! it goes and noted; nothing fails. Uuencode is not decoded.

use base64_turbo::STANDARD;
use memchr::{memchr, memchr_iter};

/// Callers pass at most this many octets at once, which bounds the scratch buffers.
pub(crate) const MAX_PIECE: usize = 16 * 1024;

/// A longer line of quoted-printable is decoded in pieces, each as if it were followed by a soft break.
const MAX_LINE: usize = 4096;

/// The encodings that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `7bit` and `8bit`, also when the header is missing or unknown: lines of text.
    Lines,
    /// `binary`: octets.
    Binary,
    Base64,
    QuotedPrintable,
}

/// One part's decoder.
#[derive(Debug)]
pub(crate) enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    pub(crate) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Lines | Encoding::Binary => Self::Identity,
            Encoding::Base64 => Self::Base64(Base64::default()),
            Encoding::QuotedPrintable => Self::QuotedPrintable(QuotedPrintable::default()),
        }
    }

    /// Decodes a piece of at most [`MAX_PIECE`] octets and returns what came out of it.
    pub(crate) fn decode<'a>(&'a mut self, piece: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Identity => piece,
            Self::Base64(decoder) => decoder.decode(piece),
            Self::QuotedPrintable(decoder) => decoder.decode(piece),
        }
    }

    /// The rest, when the part ends.
    pub(crate) fn finish(&mut self) -> &[u8] {
        match self {
            Self::Identity => &[],
            Self::Base64(decoder) => decoder.finish(),
            Self::QuotedPrintable(decoder) => decoder.finish(),
        }
    }

    /// Whether something was met that the encoding does not allow.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::Identity => false,
            Self::Base64(decoder) => decoder.broken,
            Self::QuotedPrintable(decoder) => decoder.broken,
        }
    }
}

/// Base64. Characters outside the alphabet are skipped; padding ends a group of four and more may follow, as in
/// encodings that were joined.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    /// Characters without white space that are not yet decoded; begins with a whole group.
    text: Vec<u8>,
    out: Vec<u8>,
    broken: bool,
}

impl Base64 {
    fn decode(&mut self, piece: &[u8]) -> &[u8] {
        let mut rest = piece;
        while let Some((line, after)) = memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at)) {
            self.text.extend_from_slice(line.trim_ascii());
            rest = after.get(1..).unwrap_or_default();
        }
        self.text.extend_from_slice(rest.trim_ascii());

        self.out.clear();
        let whole = self.text.len() & !3;
        self.out.resize(whole / 4 * 3, 0);
        match STANDARD.decode_slice(self.text.get(..whole).unwrap_or_default(), &mut self.out) {
            Ok(length) => {
                self.out.truncate(length);
                self.text.drain(..whole);
            }
            Err(_) => self.decode_one_by_one(),
        }
        &self.out
    }

    /// For text that holds what strict decoding refuses.
    fn decode_one_by_one(&mut self) {
        self.out.clear();
        let mut group = Vec::with_capacity(4);
        for &octet in &std::mem::take(&mut self.text) {
            match octet {
                b'=' => self.flush(&mut group),
                _ if sextet(octet).is_some() => group.push(octet),
                _ => self.broken |= !octet.is_ascii_whitespace(),
            }
            if group.len() == 4 {
                self.flush(&mut group);
            }
        }
        self.text = group;
    }

    /// Decodes a group of one to four characters; one alone holds no octet, and bits that fill no octet do not count.
    fn flush(&mut self, group: &mut Vec<u8>) {
        let bits = |at: usize| group.get(at).copied().and_then(sextet).unwrap_or_default() << (26 - 6 * at);
        let octets = (bits(0) | bits(1) | bits(2) | bits(3)).to_be_bytes();
        self.out.extend(octets.iter().take(group.len().saturating_sub(1)));
        group.clear();
    }

    fn finish(&mut self) -> &[u8] {
        self.decode_one_by_one();
        let mut group = std::mem::take(&mut self.text);
        self.broken |= !group.is_empty();
        self.flush(&mut group);
        &self.out
    }
}

/// Quoted-printable. Line ends are passed on as they come; white space before them is dropped, as RFC 2045 demands.
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    /// The beginning of a line whose end has not been seen.
    line: Vec<u8>,
    out: Vec<u8>,
    broken: bool,
}

impl QuotedPrintable {
    fn decode(&mut self, piece: &[u8]) -> &[u8] {
        self.out.clear();
        let mut begin = 0;
        for end in memchr_iter(b'\n', piece) {
            let line = piece.get(begin..=end).unwrap_or_default();
            begin = end + 1;
            if self.line.is_empty() && line.len() < MAX_LINE {
                self.decode_line(line);
            } else {
                self.add(line);
            }
        }
        self.add(piece.get(begin..).unwrap_or_default());
        &self.out
    }

    /// Adds to the open line, and decodes it when it is complete or too long.
    fn add(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let room = MAX_LINE.saturating_sub(self.line.len()).min(octets.len());
            let (now, later) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.line.extend_from_slice(now);
            octets = later;
            let line = std::mem::take(&mut self.line);
            if line.ends_with(b"\n") {
                self.decode_line(&line);
            } else if line.len() >= MAX_LINE {
                // An escape or a line end that the limit would cut goes to the next piece.
                let tail = line.len().saturating_sub(2);
                let split = match memchr::memchr2(b'=', b'\r', line.get(tail..).unwrap_or_default()) {
                    Some(at) => tail + at,
                    None => line.len(),
                };
                let (piece, kept) = line.split_at_checked(split).unwrap_or((&line, &[]));
                self.unescape(piece);
                self.line = kept.to_vec();
            } else {
                self.line = line;
            }
        }
    }

    fn decode_line(&mut self, line: &[u8]) {
        let text = line.trim_ascii_end();
        let end = if line.ends_with(b"\r\n") {
            b"\r\n".as_slice()
        } else if line.ends_with(b"\n") {
            b"\n".as_slice()
        } else {
            b"".as_slice()
        };
        match text.strip_suffix(b"=") {
            Some(soft) => self.unescape(soft),
            None => {
                self.unescape(text);
                self.out.extend_from_slice(end);
            }
        }
    }

    /// Replaces `=XX` by its octet; a `=` that is no escape stays.
    fn unescape(&mut self, mut text: &[u8]) {
        while let Some((plain, escaped)) = memchr(b'=', text).and_then(|at| text.split_at_checked(at)) {
            self.out.extend_from_slice(plain);
            let octet = match escaped {
                [_, high, low, ..] => {
                    hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| high << 4 | low)
                }
                _ => None,
            };
            self.broken |= octet.is_none();
            self.out.push(octet.unwrap_or(b'='));
            text = escaped.get(if octet.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
        self.out.extend_from_slice(text);
    }

    fn finish(&mut self) -> &[u8] {
        self.out.clear();
        let line = std::mem::take(&mut self.line);
        self.decode_line(&line);
        &self.out
    }
}

/// The six bits that a character of base64 stands for (RFC 4648, section 4).
fn sextet(octet: u8) -> Option<u32> {
    let (first, value) = match octet {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' => (b'+', 62),
        b'/' => (b'/', 63),
        _ => return None,
    };
    Some(u32::from(octet - first) + value)
}

fn hex_digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(encoding: Encoding, input: &[u8], cut: usize) -> (Vec<u8>, bool) {
        let mut decoder = Decoder::new(encoding);
        let mut out = Vec::new();
        for piece in input.chunks(cut) {
            out.extend_from_slice(decoder.decode(piece));
        }
        out.extend_from_slice(decoder.finish());
        (out, decoder.is_broken())
    }

    #[test]
    fn base64_is_decoded_as_far_as_it_goes() {
        for (input, expect, broken) in [
            ("SGFs\r\nbG8g\r\nd2VyZWxk\r\n", "Hallo wereld", false),
            ("SGFsbG8=", "Hallo", false),
            ("SGFsbG8", "Hallo", true),
            ("SGFsbG8=SGFsbG8=\n", "HalloHallo", false),
            ("S G\tF s bG8=", "Hallo", false),
            ("SGF*sbG8=", "Hallo", true),
            ("====", "", false),
            ("S", "", true),
            ("", "", false),
        ] {
            for cut in 1..10 {
                let got = decode(Encoding::Base64, input.as_bytes(), cut);
                assert_eq!(got, (expect.as_bytes().to_vec(), broken), "{input:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn quoted_printable_is_decoded_as_far_as_it_goes() {
        for (input, expect, broken) in [
            ("caf=C3=A9 \t\r\nnext", "café\r\nnext", false),
            ("one=\r\n two =\n three", "one two  three", false),
            ("a=3d=3D=\r\n", "a==", false),
            ("a=XYb", "a=XYb", true),
            ("a=4", "a=4", true),
            ("end=", "end", false),
        ] {
            for cut in 1..10 {
                let got = decode(Encoding::QuotedPrintable, input.as_bytes(), cut);
                assert_eq!(got, (expect.as_bytes().to_vec(), broken), "{input:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_decoded_in_pieces() {
        let input = "=41".repeat(20_000);
        assert_eq!(decode(Encoding::QuotedPrintable, input.as_bytes(), 1000), (b"A".repeat(20_000), false));
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(
            input in "([A-Za-z0-9+/]{4}|[ -~]|\r\n|\n|=[0-9A-F]{2}|=\r\n|=|\t){0,60}",
            cut in 1usize..9,
            long in proptest::bool::ANY,
        ) {
            let input = if long { input.replace('\n', "").repeat(60) } else { input };
            for encoding in [Encoding::Base64, Encoding::QuotedPrintable] {
                prop_assert_eq!(
                    decode(encoding, input.as_bytes(), cut),
                    decode(encoding, input.as_bytes(), MAX_PIECE)
                );
            }
        }

        #[test]
        fn base64_comes_back(octets in proptest::collection::vec(any::<u8>(), 0..500), cut in 1usize..100) {
            let encoded = STANDARD.encode(&octets);
            let lines = encoded.as_bytes().chunks(76).collect::<Vec<_>>().join(b"\r\n".as_slice());
            prop_assert_eq!(decode(Encoding::Base64, &lines, cut), (octets, false));
        }
    }
}
