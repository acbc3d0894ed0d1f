//! Putting a message into a folder: APPEND, with the bytes sent by the host.

use chrono::DateTime;
use wissel_connector::types::{DeliveryInfo, Encoding};
use wissel_connector::{Error, ErrorKind, Result, Source};

use crate::connection::Collect;
use crate::id;
use crate::protocol::command::encode_append;
use crate::protocol::names;
use crate::protocol::types;
use crate::protocol::types::response::Code;
use crate::session::ImapSession;

impl ImapSession {
    pub(crate) fn append_message(
        &mut self,
        folder: &str,
        content: &dyn Source,
        info: &DeliveryInfo,
    ) -> Result<Option<String>> {
        let mailbox = names::mailbox(folder, self.connection.utf8)?;
        let date = info.received.as_deref().map(internal_date).transpose()?;
        let plus = self.connection.offers("LITERAL+");
        let tag = self.connection.tag();
        let seen = info.read == Some(true);
        let pieces = encode_append(&tag, mailbox, seen, date, content.size(), plus)?;
        let mut sent = self.connection.send_pieces(tag, pieces, "store the message")?;
        if plus || self.connection.challenge(&mut sent)?.is_some() {
            self.connection.stream.write_source(content, 0, None, Encoding::Identity).map_err(Error::lost)?;
            self.connection.stream.write(b"\r\n")?;
        }
        let done = self.connection.finish_or(sent, &mut Collect::default(), ErrorKind::Temporary);
        let done = done.map_err(|e| Error { message: format!("folder `{folder}`: {}", e.message), ..e })?;
        Ok(match done.code {
            Some(Code::AppendUid { uid_validity, uid }) => Some(id::text(uid_validity.get(), uid, folder)),
            _ => None,
        })
    }
}

fn internal_date(moment: &str) -> Result<types::datetime::DateTime> {
    let wrong = || Error::protocol(format!("`{moment}` is not a moment as RFC 3339 writes it"));
    // IMAP knows whole seconds.
    let date = DateTime::parse_from_rfc3339(moment).map_err(|_| wrong())?;
    let whole = DateTime::from_timestamp(date.timestamp(), 0).ok_or_else(wrong)?.with_timezone(date.offset());
    types::datetime::DateTime::try_from(whole).map_err(|_| wrong())
}
