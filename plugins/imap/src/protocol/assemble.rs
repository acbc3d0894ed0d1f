//! Puts a response together from the lines and literals of a stream, without doing any I/O.
//!
//! The stream gives lines; imap-codec says when a literal comes next. The caller decides what becomes of the literal:
//! its bytes can be kept in the response, or go elsewhere, such as straight into a delivery, and leave an empty
//! literal in their place. The grammar is imap-codec's alone.

use std::borrow::Cow;

use imap_codec::decode::{Decoder, ResponseDecodeError};
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};
use imap_codec::imap_types::IntoStatic;
use imap_codec::imap_types::response::Greeting;
use imap_codec::imap_types::response::Response;
use imap_codec::{GreetingCodec, ResponseCodec};
use wissel_connector::{Error, Result};

use super::fetched::Fetched;

/// Octets of one response, without what goes elsewhere. A SEARCH that finds a million messages has eight million.
pub(crate) const MOST_RESPONSE: u32 = 16 * 1024 * 1024;

/// A response that is being received.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    buffer: Vec<u8>,
    /// A literal of it was taken from the stream by somebody who wants nothing else of it.
    taken: bool,
    /// Whether it can be read as a FETCH response, should it end now.
    is_fetch: bool,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// The response is complete.
    Response(Box<Response<'static>>),
    /// The response is complete, and nobody wants more of it than the literal that was taken.
    Taken,
    /// An untagged response that imap-codec does not know, or that is malformed. It is complete and can be passed over.
    Unknown,
    /// A literal of this many octets follows; [`Assembler::fetched`] says what is known by now of its message.
    Literal { length: u32 },
}

impl Assembler {
    /// Takes in one line with its line end.
    ///
    /// # Errors
    /// `protocol` when the response is too long, or is neither a response nor something that can be passed over.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<Next> {
        match self.buffer.is_empty() {
            true => self.buffer.extend_from_slice(&single_spaced(line)),
            false => self.buffer.extend_from_slice(line),
        }
        if self.buffer.len() > MOST_RESPONSE as usize {
            return Err(Error::protocol("the server sent a response that is too long").lost());
        }
        // Most of what comes are FETCH responses with one literal. No other reading of them is possible, so the grammar
        // is asked once, when all is there or somebody wants to know whose literal it is.
        if let Some(length) = announced(line).filter(|_| begins_as_fetch(&self.buffer)) {
            return Ok(Next::Literal { length });
        }
        if self.taken && self.is_fetch && line == b")\r\n" {
            self.begin_anew();
            return Ok(Next::Taken);
        }
        match decode(&self.buffer) {
            Ok(response) => Ok(self.complete(response)),
            Err(ResponseDecodeError::LiteralFound { length }) => Ok(Next::Literal { length }),
            Err(ResponseDecodeError::Incomplete | ResponseDecodeError::Failed) => self.unknown(line),
        }
    }

    /// What the response says of the message that the literal belongs to which was announced last; none when it is
    /// no FETCH response.
    pub(crate) fn fetched(&mut self) -> Option<Fetched> {
        let fetched = Fetched::from_prefix(&self.buffer);
        self.is_fetch = fetched.is_some();
        fetched
    }

    fn begin_anew(&mut self) {
        self.buffer.clear();
        (self.taken, self.is_fetch) = (false, false);
    }

    fn complete(&mut self, response: Response<'static>) -> Next {
        let taken = self.taken;
        self.begin_anew();
        if taken { Next::Taken } else { Next::Response(Box::new(response)) }
    }

    /// Puts the bytes of the literal that was announced last into the response; none when they were taken and nothing
    /// else of the response is wanted.
    pub(crate) fn literal(&mut self, bytes: Option<&[u8]>) {
        self.taken |= bytes.is_none();
        let bytes = bytes.unwrap_or_default();
        let announced = self.buffer.iter().rposition(|b| *b == b'{').unwrap_or(self.buffer.len());
        self.buffer.truncate(announced);
        self.buffer.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
        // imap-codec refuses a literal with a NUL in it (RFC 3501, section 9, CHAR8), but servers send them.
        self.buffer.extend(bytes.iter().map(|b| if *b == 0 { b' ' } else { *b }));
    }

    fn unknown(&mut self, line: &[u8]) -> Result<Next> {
        // Text of a server in its own language: only ASCII is allowed (RFC 3501, section 9, TEXT-CHAR).
        if !line.is_ascii() {
            let ascii: Vec<u8> = self.buffer.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
            if let Ok(response) = decode(&ascii) {
                return Ok(self.complete(response));
            }
        }
        if !self.buffer.starts_with(b"* ") {
            return Err(Error::protocol("the server sent a line that is no IMAP response").lost());
        }
        let mut fragments = Fragmentizer::without_max_message_size();
        fragments.enqueue_bytes(line);
        match fragments.progress() {
            Some(FragmentInfo::Line { announcement: Some(literal), .. }) => {
                Ok(Next::Literal { length: literal.length })
            }
            _ => {
                self.begin_anew();
                Ok(Next::Unknown)
            }
        }
    }
}

/// Whether this is the beginning of a FETCH response.
fn begins_as_fetch(response: &[u8]) -> bool {
    let Some(rest) = response.strip_prefix(b"* ") else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    rest.get(digits..digits + 8).is_some_and(|word| word.eq_ignore_ascii_case(b" FETCH ("))
}

/// The length of the literal that a line announces at its end (RFC 9051, section 4.3).
fn announced(line: &[u8]) -> Option<u32> {
    let digits = line.strip_suffix(b"}\r\n")?;
    let begin = digits.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(digits.get(begin + 1..)?).ok()?.parse().ok()
}

/// Reads a greeting.
///
/// # Errors
/// `protocol` when it is none.
pub(crate) fn greeting(line: &[u8]) -> Result<Greeting<'static>> {
    let ascii: Vec<u8> = single_spaced(line).iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
    match GreetingCodec::default().decode(&ascii) {
        Ok((_, greeting)) => Ok(greeting.into_static()),
        Err(_) => {
            Err(Error::protocol("the server does not greet as an IMAP server does; is the port right?")
                .lost())
        }
    }
}

/// The line with one space where several stand together: servers with an empty entry in their list of capabilities send
/// two. A line with quotes is left as it is.
fn single_spaced(line: &[u8]) -> Cow<'_, [u8]> {
    let double = line.windows(2).any(|pair| pair == b"  ");
    if !double || line.contains(&b'"') {
        return Cow::Borrowed(line);
    }
    let mut single = line.to_vec();
    single.dedup_by(|b, a| *a == b' ' && *b == b' ');
    Cow::Owned(single)
}

/// MYRIGHTS (RFC 4314, section 3.8) has a mailbox and rights; the codec does not know it, but knows QUOTAROOT, which has
/// a mailbox and strings.
const MY_RIGHTS: (&[u8], &[u8]) = (b"* MYRIGHTS ", b"* QUOTAROOT ");

pub(crate) fn decode(bytes: &[u8]) -> std::result::Result<Response<'static>, ResponseDecodeError> {
    if let Some(rest) = bytes.strip_prefix(MY_RIGHTS.0) {
        return decode(&[MY_RIGHTS.1, rest].concat());
    }
    read(bytes).map(IntoStatic::into_static)
}

/// The same without a copy, for all but MYRIGHTS.
// Not inlined: the grammar is a large piece of code, and one of it is enough.
#[inline(never)]
pub(crate) fn read(bytes: &[u8]) -> std::result::Result<Response<'_>, ResponseDecodeError> {
    match ResponseCodec::default().decode(bytes) {
        Ok(([], response)) => Ok(response),
        Ok(_) => Err(ResponseDecodeError::Failed),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use imap_codec::imap_types::response::{Data, Status};

    use super::*;

    #[test]
    fn a_literal_that_went_elsewhere_leaves_the_response_whole() {
        let mut assembler = Assembler::default();
        for end in [" MODSEQ (9))\r\n", ")\r\n"] {
            let next = assembler.line(b"* 7 FETCH (UID 5 FLAGS (\\Seen) BODY[] {80000000}\r\n").unwrap();
            assert!(matches!(next, Next::Literal { length: 80_000_000 }), "{next:?}");
            let fetched = assembler.fetched().unwrap();
            assert_eq!(fetched.uid.map(|u| u.get()), Some(5));
            assert!(fetched.is_message);
            assembler.literal(None);
            assert!(matches!(assembler.line(end.as_bytes()).unwrap(), Next::Taken), "{end:?}");
            let next = assembler.line(b"* 7 FETCH (UID 5)\r\n").unwrap();
            assert!(matches!(next, Next::Response(r) if matches!(*r, Response::Data(Data::Fetch { .. }))));
        }
    }

    #[test]
    fn a_literal_that_is_kept_stands_in_its_response() {
        let mut assembler = Assembler::default();
        for (line, length) in [("* 7 FETCH (UID 5 BODY[HEADER] {3}\r\n", 3), (" BODY[TEXT] {4}\r\n", 4)] {
            assert!(
                matches!(assembler.line(line.as_bytes()).unwrap(), Next::Literal { length: l } if l == length)
            );
            assembler.literal(Some(b"}\r\n.".get(..length as usize).unwrap()));
        }
        let Next::Response(response) = assembler.line(b")\r\n").unwrap() else { panic!() };
        assert!(matches!(*response, Response::Data(Data::Fetch { items, .. }) if items.as_ref().len() == 3));
    }

    #[test]
    fn a_literal_of_a_response_that_cannot_be_read_belongs_to_no_message() {
        let mut assembler = Assembler::default();
        let next = assembler.line(b"* 7 FETCH (UID x BODY[] {5}\r\n").unwrap();
        assert!(matches!(next, Next::Literal { length: 5 }));
        assert_eq!(assembler.fetched(), None);
        assembler.literal(None);
        assert!(matches!(assembler.line(b")\r\n").unwrap(), Next::Unknown));
    }

    #[test]
    fn a_mailbox_name_may_be_a_literal() {
        let mut assembler = Assembler::default();
        let next = assembler.line(b"* LIST () \"/\" {8}\r\n").unwrap();
        assert!(matches!(next, Next::Literal { length: 8 }));
        assert_eq!(assembler.fetched(), None);
        assembler.literal(Some(b"Facturen"));
        assert!(matches!(assembler.line(b"\r\n").unwrap(), Next::Response(_)));
    }

    #[test]
    fn what_is_unknown_is_passed_over_also_with_a_literal() {
        let mut assembler = Assembler::default();
        assert!(matches!(assembler.line(b"* ESEARCH (TAG \"A1\") UID ALL 1:3\r\n").unwrap(), Next::Unknown));
        assert!(matches!(assembler.line(b"* XNEW {4}\r\n").unwrap(), Next::Literal { length: 4 }));
        assembler.literal(Some(b"abcd"));
        assert!(matches!(assembler.line(b" more\r\n").unwrap(), Next::Unknown));
        assert!(matches!(assembler.line(b"* 3 EXISTS\r\n").unwrap(), Next::Response(_)));
    }

    #[test]
    fn text_in_the_servers_language_is_read() {
        let next = Assembler::default().line("A1 NO [NONEXISTENT] Bestaat niet é\r\n".as_bytes()).unwrap();
        let Next::Response(response) = next else { panic!("{next:?}") };
        assert!(matches!(*response, Response::Status(Status::Tagged(_))));
    }

    #[test]
    fn an_empty_entry_in_a_list_does_no_harm() {
        let line = b"* CAPABILITY IMAP4rev1 IDLE  LITERAL+\r\n";
        let Next::Response(response) = Assembler::default().line(line).unwrap() else { panic!() };
        assert!(matches!(*response, Response::Data(Data::Capability(c)) if c.as_ref().len() == 3));
        assert!(greeting(b"* OK [CAPABILITY IMAP4rev1  MOVE] ready\r\n").unwrap().code.is_some());
    }

    #[test]
    fn something_else_than_imap_is_an_error() {
        assert!(Assembler::default().line(b"HTTP/1.1 400 Bad Request\r\n").is_err());
        assert!(greeting(b"220 mail ESMTP\r\n").is_err());
    }
}
