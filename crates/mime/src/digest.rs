//! The canonical digest: a fingerprint of what a message says, whatever form it was stored in.
//!
//! Servers write messages anew: they fold headers otherwise, choose other boundaries and transfer encodings, turn
//! text into UTF-8, add transport headers. The digest stays the same through that, so that one message can be
//! recognised in another mailbox or through another protocol. It is compared for years: the recipe below belongs to
//! the prefix `c1:` and never changes; a better one gets the prefix `c2:`.
//!
//! # Recipe `c1`
//!
//! `c1:` + the SHA-256, in lower-case hex, of these records in this order. A record is one tag octet, the length of
//! its value as eight octets (big endian), and the value.
//!
//! | tag | value | when |
//! |---|---|---|
//! | `F` | address in lower case, or the display name where there is no address | each address of From, in order |
//! | `S` | Subject, RFC 2047 decoded, white space runs folded to one space and trimmed; empty when absent | once |
//! | `D` | Date as Unix seconds in decimal, or its text folded like Subject when unreadable; empty when absent | once |
//! | `N` | attachment name, decoded (RFC 2231, RFC 2047) and folded like Subject | each leaf that has one |
//! | `P` | SHA-256 (32 octets) of the leaf's canonical content | each leaf |
//! | `M` | empty; F, S, D and the leaves of the nested message follow | each `message/rfc822` or `message/global` |
//! | `E` | empty | end of that nested message |
//!
//! F, S and D come first, then the leaves in the order of the message, `N` before `P` (or before `M`).
//! The canonical content of a leaf, its transfer encoding undone:
//!
//! - `text/*`, and a leaf without a usable Content-Type: characters as UTF-8 when the charset is known to the
//!   Encoding Standard, otherwise (also for UTF-8, US-ASCII and no charset) octets as they are; lines end in LF;
//!   trailing spaces, tabs and CRs of each line and all line ends at the end are dropped. Of a longer run of such white space
//!   each full 1,024 octets count as content.
//! - other types as `7bit`, `8bit`, `quoted-printable` or without encoding: octets, with every bare LF as CRLF.
//! - other types as `base64` or `binary`: octets.
//!
//! The line end before a boundary belongs to the boundary. Preamble, epilogue, the tree of multiparts, content types,
//! dispositions and all other headers do not count. Two things bound the reading and so belong to the recipe:
//! of each header block the first 256 KiB of the fields that are read count, and a multipart or message more than
//! 20 levels deep is a leaf. A nested message in base64 or quoted-printable (which RFC 2046 forbids) is a leaf, too.

use encoding_rs::{CoderResult, Decoder as Charset, Encoding as CharsetEncoding};
use memchr::{memchr, memchr_iter};
use sha2::{Digest as _, Sha256};

/// The version of the recipe, as the digest's prefix.
const VERSION: &str = "c1:";

/// A run of white space is held back up to this many octets.
const MAX_RUN: usize = 1024;

/// Collects the records of one message.
#[derive(Debug, Default)]
pub(crate) struct CanonicalDigest(Sha256);

/// The tags of the recipe.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Tag {
    From = b'F',
    Subject = b'S',
    Date = b'D',
    Name = b'N',
    Part = b'P',
    MessageBegin = b'M',
    MessageEnd = b'E',
}

impl CanonicalDigest {
    pub(crate) fn record(&mut self, tag: Tag, value: &[u8]) {
        self.0.update([tag as u8]);
        self.0.update((value.len() as u64).to_be_bytes());
        self.0.update(value);
    }

    pub(crate) fn finish(self) -> String {
        format!("{VERSION}{}", hex::encode(self.0.finalize()))
    }
}

/// White space runs to one space, none at the ends.
pub(crate) fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Hashes the canonical content of one leaf as its decoded octets pass.
#[derive(Debug)]
pub(crate) enum Content {
    Text(Box<Text>),
    Lines(Lines),
    /// The same octets as the decoded part, which is hashed anyway.
    Octets,
}

impl Content {
    pub(crate) fn text(charset: Option<&str>) -> (Self, bool) {
        let encoding = charset.map(|label| CharsetEncoding::for_label(label.trim().as_bytes()));
        let unknown = encoding == Some(None) || encoding.flatten() == Some(encoding_rs::REPLACEMENT);
        let is_ascii = charset.is_some_and(|label| label.trim().eq_ignore_ascii_case("us-ascii"));
        let charset = encoding
            .flatten()
            .filter(|found| *found != encoding_rs::UTF_8 && *found != encoding_rs::REPLACEMENT && !is_ascii)
            .map(CharsetEncoding::new_decoder);
        (Self::Text(Box::new(Text { charset, lines: TextLines::default() })), unknown)
    }

    pub(crate) fn lines() -> Self {
        Self::Lines(Lines::default())
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Text(text) => text.update(octets, false),
            Self::Lines(lines) => lines.update(octets),
            Self::Octets => {}
        }
    }

    /// The hash; `decoded` is the one of the decoded octets.
    pub(crate) fn finish(self, decoded: [u8; 32]) -> [u8; 32] {
        match self {
            Self::Text(mut text) => {
                text.update(&[], true);
                text.lines.hash.finalize().into()
            }
            Self::Lines(lines) => lines.hash.finalize().into(),
            Self::Octets => decoded,
        }
    }
}

/// Text: charset to UTF-8, then [`TextLines`].
pub(crate) struct Text {
    charset: Option<Charset>,
    lines: TextLines,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Text {
    fn update(&mut self, mut octets: &[u8], last: bool) {
        let Some(charset) = &mut self.charset else {
            return self.lines.update(octets);
        };
        let mut utf8 = [0; 4096];
        loop {
            let (result, read, written, _) = charset.decode_to_utf8(octets, &mut utf8, last);
            self.lines.update(utf8.get(..written).unwrap_or_default());
            octets = octets.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
}

/// Lines without trailing white space, text without trailing lines.
#[derive(Debug, Default)]
struct TextLines {
    hash: Sha256,
    /// Line ends that count once something follows them.
    line_ends: u64,
    /// White space that counts once something other than a line end follows it.
    run: Vec<u8>,
}

impl TextLines {
    fn update(&mut self, octets: &[u8]) {
        let mut begin = 0;
        for end in memchr_iter(b'\n', octets) {
            self.within_line(octets.get(begin..end).unwrap_or_default());
            self.run.clear();
            self.line_ends += 1;
            begin = end + 1;
        }
        self.within_line(octets.get(begin..).unwrap_or_default());
    }

    fn within_line(&mut self, octets: &[u8]) {
        let length =
            octets.iter().rposition(|octet| !matches!(octet, b' ' | b'\t' | b'\r')).map_or(0, |at| at + 1);
        let (text, white) = octets.split_at_checked(length).unwrap_or((octets, &[]));
        // The run may also go on at the beginning of `text`: then it is content, and where it is cut does not show.
        if !text.is_empty() {
            self.flush();
            self.hash.update(text);
        }
        for piece in white.chunks(MAX_RUN) {
            let room = MAX_RUN.saturating_sub(self.run.len()).min(piece.len());
            let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
            self.run.extend_from_slice(now);
            if self.run.len() == MAX_RUN {
                self.flush();
            }
            self.run.extend_from_slice(later);
        }
    }

    fn flush(&mut self) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.hash.update(b"\n");
        }
        self.hash.update(&self.run);
        self.run.clear();
    }
}

/// Octets with every bare LF as CRLF.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    hash: Sha256,
    last_is_cr: bool,
}

impl Lines {
    fn update(&mut self, mut octets: &[u8]) {
        while let Some((line, rest)) = memchr(b'\n', octets).and_then(|at| octets.split_at_checked(at)) {
            self.hash.update(line);
            let has_cr = if line.is_empty() { self.last_is_cr } else { line.ends_with(b"\r") };
            self.hash.update(if has_cr { b"\n".as_slice() } else { b"\r\n" });
            self.last_is_cr = false;
            octets = rest.get(1..).unwrap_or_default();
        }
        self.hash.update(octets);
        if !octets.is_empty() {
            self.last_is_cr = octets.ends_with(b"\r");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(charset: Option<&str>, octets: &[u8], cut: usize) -> [u8; 32] {
        let (mut content, _) = Content::text(charset);
        octets.chunks(cut).for_each(|piece| content.update(piece));
        content.finish([0; 32])
    }

    #[test]
    fn text_counts_by_its_characters_and_lines() {
        let plain: [u8; 32] = Sha256::digest("één\n\n twee").into();
        for (charset, octets) in [
            (Some("utf-8"), "één\n\n twee".as_bytes().to_vec()),
            (None, "één  \r\n\t\r\n twee\r\n\r\n \r\n".as_bytes().to_vec()),
            (Some("iso-8859-1"), b"\xe9\xe9n\r\n\r\n twee".to_vec()),
            (Some("UTF-16"), "\u{feff}één\r\n\n twee \n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ] {
            for cut in [1, 2, 3, 1000] {
                assert_eq!(text(charset, &octets, cut), plain, "{charset:?} cut at {cut}");
            }
        }
        assert_ne!(text(None, b"a  b", 9), text(None, b"a b", 9));
        assert_ne!(text(None, b"a\n\nb", 9), text(None, b"a\nb", 9));
    }

    #[test]
    fn long_white_space_is_bounded_and_cut_invariant() {
        let octets = [b"a".as_slice(), &b" ".repeat(5000), b"b", &b"\t ".repeat(5000), b"\n"].concat();
        let whole = text(None, &octets, usize::MAX);
        for cut in [1, 7, 1023, 1024, 1025] {
            assert_eq!(text(None, &octets, cut), whole, "cut at {cut}");
        }
    }

    #[test]
    fn bare_line_feeds_of_other_types_count_as_crlf() {
        let expect: [u8; 32] = Sha256::digest("a\r\n\r\nb\r\r\n").into();
        for octets in ["a\n\nb\r\r\n", "a\r\n\r\nb\r\r\n"] {
            for cut in 1..9 {
                let mut content = Content::lines();
                octets.as_bytes().chunks(cut).for_each(|piece| content.update(piece));
                assert_eq!(content.finish([0; 32]), expect, "{octets:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn charsets_that_cannot_be_read_are_reported() {
        assert!(Content::text(Some("x-klingon")).1);
        assert!(Content::text(Some("iso-2022-kr")).1);
        assert!(!Content::text(Some(" ISO-8859-15 ")).1);
        assert!(!Content::text(None).1);
    }
}
