//! Commands, as the pieces in which they are sent.
//!
//! imap-codec encodes them. A few that it does not know are made from one that has the same arguments.

use imap_codec::CommandCodec;
use imap_codec::encode::{Encoder, Fragment};
use imap_codec::imap_types::command::{Command, CommandBody};
use imap_codec::imap_types::core::Literal;
use imap_codec::imap_types::core::{AString, LiteralMode, Tag};
use imap_codec::imap_types::datetime::DateTime;
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::Flag;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::secret::Secret;
use wissel_connector::{Error, Result};

/// A piece of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Sent as it is.
    Line(Vec<u8>),
    /// A literal (RFC 3501, section 4.3): the line before it announced it, and the server must agree first.
    Literal(Vec<u8>),
}

/// The pieces of a command.
pub(crate) fn encode(tag: &str, body: CommandBody<'_>) -> Result<Vec<Piece>> {
    let tag = Tag::try_from(tag).map_err(|_| Error::protocol("a tag that IMAP does not allow"))?;
    let fragments = CommandCodec::default().encode(&Command { tag, body });
    Ok(fragments
        .map(|fragment| match fragment {
            Fragment::Literal { data, mode: LiteralMode::Sync | LiteralMode::NonSync } => {
                Piece::Literal(data)
            }
            Fragment::Line { data } => Piece::Line(data),
        })
        .collect())
}

/// The same, with more at its end: return options (RFC 5258) and the like.
pub(crate) fn encode_extended(tag: &str, body: CommandBody<'_>, more: &str) -> Result<Vec<Piece>> {
    let mut pieces = encode(tag, body)?;
    if let Some(Piece::Line(line)) = pieces.last_mut() {
        cut(line, b"\r\n");
        line.extend_from_slice(format!(" {more}\r\n").as_bytes());
    }
    Ok(pieces)
}

/// MYRIGHTS (RFC 4314, section 3.5): a command with one mailbox, as SUBSCRIBE is.
pub(crate) fn encode_my_rights(tag: &str, mailbox: Mailbox<'_>) -> Result<Vec<Piece>> {
    let mut pieces = encode(tag, CommandBody::Subscribe { mailbox })?;
    if let Some(Piece::Line(line)) = pieces.first_mut() {
        let rest = line.get(tag.len() + " SUBSCRIBE".len()..).unwrap_or_default();
        *line = [tag.as_bytes(), b" MYRIGHTS", rest].concat();
    }
    Ok(pieces)
}

/// LOGIN up to the password, which the host writes, as a quoted string with its quotes.
pub(crate) fn encode_login(tag: &str, user: &str) -> Result<Vec<Piece>> {
    let no_name = |_| Error::invalid_setting("user", "the user name cannot be sent to an IMAP server");
    let username = AString::try_from(user).map_err(no_name)?;
    let password = Secret::new(AString::try_from("").map_err(no_name)?);
    let mut pieces = encode(tag, CommandBody::Login { username, password })?;
    if let Some(Piece::Line(line)) = pieces.last_mut() {
        cut(line, b"\"\"\r\n");
    }
    Ok(pieces)
}

/// APPEND up to and with the announcement of a literal of `size` octets, which the host writes. `plus`: the server
/// does not want to agree first (LITERAL+, RFC 7888).
pub(crate) fn encode_append(
    tag: &str,
    mailbox: Mailbox<'_>,
    seen: bool,
    date: Option<DateTime>,
    size: u32,
    plus: bool,
) -> Result<Vec<Piece>> {
    let flags = if seen { vec![Flag::Seen] } else { Vec::new() };
    let message = Literal::try_from(b"".as_slice()).map_err(|_| Error::protocol("an empty literal"))?;
    let message = LiteralOrLiteral8::Literal(message);
    let mut pieces = encode(tag, CommandBody::Append { mailbox, flags, date, message })?;
    // The line end of the command, and the empty literal that stands for the message.
    pieces.truncate(pieces.len().saturating_sub(2));
    if let Some(Piece::Line(line)) = pieces.last_mut() {
        cut(line, b"{0}\r\n");
        line.extend_from_slice(format!("{{{size}{}}}\r\n", if plus { "+" } else { "" }).as_bytes());
    }
    Ok(pieces)
}

fn cut(line: &mut Vec<u8>, end: &[u8]) {
    if line.ends_with(end) {
        line.truncate(line.len() - end.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::names;

    fn text(pieces: Vec<Piece>) -> String {
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Line(bytes) => String::from_utf8(bytes).unwrap(),
            Piece::Literal(bytes) => format!("<{}>", String::from_utf8(bytes).unwrap()),
        });
        pieces.collect()
    }

    #[test]
    fn commands_that_the_codec_lacks_read_as_the_standards_write_them() {
        let mailbox = |id| names::mailbox(id, false).unwrap();
        assert_eq!(
            text(encode_my_rights("A1", mailbox("Postvak IN")).unwrap()),
            "A1 MYRIGHTS \"Postvak IN\"\r\n"
        );
        assert_eq!(text(encode_login("A1", "a\"b").unwrap()), "A1 LOGIN \"a\\\"b\" ");
        assert_eq!(text(encode_login("A1", "é").unwrap()), "A1 LOGIN {2}\r\n<é> ");
        assert_eq!(
            text(encode_append("A1", mailbox("Sent"), true, None, 5, false).unwrap()),
            "A1 APPEND Sent (\\Seen) {5}\r\n"
        );
        assert_eq!(
            text(encode_append("A1", mailbox("S"), false, None, 5, true).unwrap()),
            "A1 APPEND S {5+}\r\n"
        );
    }
}
