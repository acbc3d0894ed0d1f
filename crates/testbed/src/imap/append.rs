//! APPEND.

use bytes::Bytes;
use imap_codec::imap_types::{
    datetime::DateTime, extensions::binary::LiteralOrLiteral8, flag::Flag, mailbox::Mailbox as WireName,
    response::Code,
};
use jiff::Timestamp;

use super::{
    flags, names,
    session::{Reply, Session},
    view::number,
    wire::Stream,
};
use crate::mailbox::NewMessage;

impl<S: Stream> Session<S> {
    pub(super) fn append(
        &mut self,
        name: &WireName<'_>,
        flags: &[Flag<'_>],
        date: Option<DateTime>,
        message: LiteralOrLiteral8<'static>,
    ) -> Reply {
        let Some(folder) = names::read(name, self.utf8).and_then(|name| self.face.find(&name)) else {
            return Reply::no("No such folder").code(Code::TryCreate);
        };
        if let Some(refused) = self.refuse_change() {
            return refused;
        }
        let switches = self.face.faults.switches();
        if switches.over_quota {
            return Reply::no("The quota is used up").code(Code::OverQuota);
        }
        let bytes = match message {
            LiteralOrLiteral8::Literal(literal) => literal.into_inner(),
            LiteralOrLiteral8::Literal8(literal) => literal.data,
        };
        let received = date
            .and_then(|date| Timestamp::from_second(date.as_ref().timestamp()).ok())
            .unwrap_or_else(Timestamp::now);
        let content = Bytes::from(bytes.into_owned()).into();
        let message = NewMessage { content, flags: flags::read(flags), received };
        match self.face.mailbox.append(folder.id, message) {
            Ok(_) if switches.without_uidplus => Reply::ok("Appended"),
            Ok(placed) => Reply::ok("Appended")
                .code(Code::AppendUid { uid_validity: number(folder.uid_validity), uid: number(placed.uid) }),
            Err(_) => Reply::no("No such folder").code(Code::TryCreate),
        }
    }
}
