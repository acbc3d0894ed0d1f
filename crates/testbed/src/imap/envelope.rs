//! The ENVELOPE item (RFC 3501, section 7.4.2): the header fields that a list of messages shows.
//!
//! Texts are passed on as they are written; addresses are read by mail-parser, because their grammar is not ours.

use imap_codec::imap_types::{
    core::{Literal, NString, Quoted},
    envelope::{Address, Envelope},
};
use mail_parser::MessageParser;

use super::fields;
use crate::sample::mime::word;

/// The envelope of a message with this header.
pub(super) fn read(header: &[u8]) -> Envelope<'static> {
    let written = fields::split(header);
    let text = |name: &[u8]| {
        let field = written.iter().find(|field| field.is(name));
        field.map_or(NString(None), |field| nstring(field.bytes()))
    };
    let parsed = MessageParser::new().parse_headers(header).unwrap_or_default();
    let list = |found: Option<&mail_parser::Address<'_>>| -> Vec<Address<'static>> {
        found.into_iter().flat_map(|addresses| addresses.iter()).map(address).collect()
    };
    // A Sender or Reply-To that is missing is answered with From: the RFC demands it.
    let from = list(parsed.from());
    let or_from = |found: Option<&mail_parser::Address<'_>>| {
        if found.is_some() { list(found) } else { from.clone() }
    };
    Envelope {
        date: text(b"Date"),
        subject: text(b"Subject"),
        sender: or_from(parsed.sender()),
        reply_to: or_from(parsed.reply_to()),
        to: list(parsed.to()),
        cc: list(parsed.cc()),
        bcc: list(parsed.bcc()),
        in_reply_to: text(b"In-Reply-To"),
        message_id: text(b"Message-ID"),
        from,
    }
}

fn address(found: &mail_parser::Addr<'_>) -> Address<'static> {
    let whole = found.address().unwrap_or_default();
    let (mailbox, host) = whole.rsplit_once('@').unwrap_or((whole, ""));
    Address {
        name: found.name().map_or(NString(None), |name| nstring(word(name).into_bytes())),
        adl: NString(None),
        mailbox: nstring(mailbox.as_bytes().to_vec()),
        host: nstring(host.as_bytes().to_vec()),
    }
}

/// Quoted where that is possible, else a literal; NIL for what IMAP cannot carry (NUL).
fn nstring(bytes: Vec<u8>) -> NString<'static> {
    match Quoted::try_from(bytes.clone()) {
        Ok(quoted) => NString::from(quoted),
        Err(_) => Literal::try_from(bytes).map_or(NString(None), NString::from),
    }
}

#[cfg(test)]
mod tests {
    use imap_codec::{
        ResponseCodec,
        encode::Encoder,
        imap_types::{
            core::Vec1,
            fetch::MessageDataItem,
            response::{Data, Response},
        },
    };

    use super::*;

    #[test]
    fn texts_stay_as_written_and_addresses_are_taken_apart() {
        let header = b"From: =?utf-8?Q?Caf=C3=A9?= <a@b.example>\r\nTo: x@y.example, \"Z, z\" <z@y.example>\r\nSubject: =?x?B?YQ==?=\r\n two\r\n\r\n";
        let items = Vec1::from(MessageDataItem::Envelope(read(header)));
        let response = Response::Data(Data::Fetch { seq: std::num::NonZeroU32::MIN, items });
        let from = r#"(("=?utf-8?B?Q2Fmw6k=?=" NIL "a" "b.example"))"#;
        let to = r#"((NIL NIL "x" "y.example")("Z, z" NIL "z" "y.example"))"#;
        assert_eq!(
            String::from_utf8(ResponseCodec::default().encode(&response).dump()).unwrap(),
            format!(
                "* 1 FETCH (ENVELOPE (NIL \"=?x?B?YQ==?= two\" {from} {from} {from} {to} NIL NIL NIL NIL))\r\n"
            )
        );
    }
}
