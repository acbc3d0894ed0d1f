//! Mailbox names: how a server writes them, and the folder ids that the host sees.
//!
//! A folder id is the mailbox name in Unicode with the server's own separator, so it stays the same whether the
//! session speaks UTF-8 (RFC 6855) or modified UTF-7. A name that is not modified UTF-7, on a server that should use
//! it, would change on the way there and back: its id is `=` and the name as it stands on the wire.

use imap_codec::imap_types::core::{AString, IString};
use imap_codec::imap_types::extensions::utf8::QuotedUtf8;
use imap_codec::imap_types::mailbox::{Mailbox, MailboxOther};
use wissel_connector::{Error, Result};

use super::mutf7;

/// What marks an id that holds the name as on the wire.
const VERBATIM: char = '=';

/// The folder id of a mailbox that the server named; none when its name is not text at all.
pub(crate) fn id_of(mailbox: &Mailbox<'_>, utf8: bool) -> Option<String> {
    let Mailbox::Other(other) = mailbox else { return Some("INBOX".into()) };
    id_of_text(std::str::from_utf8(other.as_ref()).ok()?, utf8)
}

/// The folder id of a mailbox name, or of the beginning of one, as it stands on the wire.
pub(crate) fn id_of_text(wire: &str, utf8: bool) -> Option<String> {
    let name =
        if utf8 { Some(wire.to_owned()) } else { mutf7::decode(wire).filter(|n| mutf7::encode(n) == wire) };
    Some(match name {
        Some(name) if !name.starts_with(VERBATIM) => name,
        _ => format!("{VERBATIM}{wire}"),
    })
}

/// The mailbox of a folder id, for a command.
///
/// # Errors
/// `not-found` when no mailbox can have such a name.
pub(crate) fn mailbox(id: &str, utf8: bool) -> Result<Mailbox<'static>> {
    let wire = match id.strip_prefix(VERBATIM) {
        Some(wire) => wire.to_owned(),
        None if utf8 => id.to_owned(),
        None => mutf7::encode(id),
    };
    let invalid = || Error::not_found(format!("no folder can be called `{}`", id.escape_debug()));
    if utf8 && !wire.is_ascii() {
        let quoted = QuotedUtf8::try_from(wire).map_err(|_| invalid())?;
        return Ok(Mailbox::Other(MailboxOther::unvalidated(AString::String(IString::QuotedUtf8(quoted)))));
    }
    Mailbox::try_from(wire).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_in_both_encodings() {
        for utf8 in [false, true] {
            let mailbox = mailbox("Entwürfe/A & B", utf8).unwrap();
            assert_eq!(id_of(&mailbox, utf8).as_deref(), Some("Entwürfe/A & B"));
        }
        assert_eq!(id_of(&mailbox("inbox", false).unwrap(), false).as_deref(), Some("INBOX"));
    }

    #[test]
    fn a_name_that_would_change_keeps_its_form() {
        for wire in ["A & B", "=sum"] {
            let id = id_of_text(wire, false).unwrap();
            assert_eq!(id, format!("={wire}"));
            assert_eq!(id_of(&mailbox(&id, false).unwrap(), false), Some(id));
        }
    }

    #[test]
    fn a_line_end_in_an_id_never_becomes_a_command() {
        use crate::protocol::command::{Piece, encode};
        use crate::protocol::types::command::CommandBody;
        for (id, utf8) in [("=a\r\nA2 LOGOUT", false), ("a\r\nA2 LOGOUT", false), ("a\r\nA2 LOGOUT", true)] {
            let body = CommandBody::Delete { mailbox: mailbox(id, utf8).unwrap() };
            for piece in encode("A1", body).unwrap() {
                // In a literal, octets are only octets.
                let Piece::Line(line) = piece else { continue };
                assert!(!line.windows(3).any(|w| w == b"\nA2"), "{}", line.escape_ascii());
            }
        }
        assert!(mailbox("é\r\n", true).is_err());
        assert!(mailbox("=a\0", false).is_err());
    }
}
