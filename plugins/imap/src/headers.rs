//! The header fields that a listing shows.

use mail_parser::{Addr, Address, Message, MessageParser};

/// Message-ID, Subject and From of a message, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers {
    /// With its angle brackets.
    pub(crate) message_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) sender: Option<String>,
}

impl Headers {
    /// Reads header fields. What cannot be read stays none: metadata never fails a message.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let Some(message) =
            MessageParser::new().with_minimal_headers().with_message_ids().parse_headers(bytes)
        else {
            return Self::default();
        };
        Self {
            message_id: message.message_id().map(|id| format!("<{id}>")),
            subject: message.subject().map(str::to_owned),
            sender: sender(&message),
        }
    }
}

fn sender(message: &Message<'_>) -> Option<String> {
    let first = match message.from()? {
        Address::List(list) => list.first(),
        Address::Group(groups) => groups.first()?.addresses.first(),
    };
    let Addr { name, address } = first?;
    match (name, address) {
        (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
        (None, Some(one)) | (Some(one), None) => Some(one.to_string()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn fields_are_decoded() {
        let headers = Headers::parse(
            b"From: =?utf-8?q?Jos=C3=A9?= <jose@example.test>\r\nSubject: =?iso-8859-1?q?caf=E9?=\r\n factuur\r\n\
              Message-ID: <a.b@example.test>\r\n\r\n",
        );
        assert_eq!(headers.message_id.as_deref(), Some("<a.b@example.test>"));
        assert_eq!(headers.subject.as_deref(), Some("café factuur"));
        assert_eq!(headers.sender.as_deref(), Some("José <jose@example.test>"));
        assert_eq!(Headers::parse(b"\r\n"), Headers::default());
    }
}
