//! What changed in a folder since a cursor: a hint where to look. With CONDSTORE (RFC 7162) also changed flags, else
//! new messages only. Which messages left is not told: the listing shows it, and the host does not ask; so QRESYNC,
//! which tells just that, is not used.

use std::num::NonZeroU64;

use wissel_connector::types::ChangeSet;
use wissel_connector::{Error, Result};

use crate::connection::Collect;
use crate::id;
use crate::protocol::fetched::Fetched;
use crate::protocol::sets::{Uid, from};
use crate::protocol::types::command::{CommandBody, FetchModifier};
use crate::protocol::types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName};
use crate::protocol::types::search::SearchKey;
use crate::select::{Purpose, Selected};
use crate::session::ImapSession;

/// More than this is no hint any more.
const MOST: usize = 5_000;

/// `UIDVALIDITY.UIDNEXT.HIGHESTMODSEQ.EXISTS.ROUND`, each 0 when the server does not tell.
///
/// The same cursor means the same messages with the same flags (`exactCursors`). HIGHESTMODSEQ vouches for that, as it
/// rises with each message that is new or changed (RFC 7162, section 3.1.2.1), and EXISTS for those that left. A server
/// without it vouches for an empty folder only; else the round makes each cursor another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    validity: u32,
    uid_next: u32,
    modseq: u64,
    exists: u32,
    round: u32,
}

impl Cursor {
    fn now(selected: &Selected, since: Option<Self>) -> Self {
        let (modseq, exists) = (selected.modseq.unwrap_or(0), selected.exists.unwrap_or(0));
        let round = match modseq > 0 || selected.exists == Some(0) {
            true => 0,
            false => 1 + since.map_or(0, |since| since.round % 2),
        };
        let (validity, uid_next) = (selected.validity, selected.uid_next.unwrap_or(0));
        Self { validity, uid_next, modseq, exists, round }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let validity = parts.next()?.parse().ok()?;
        let uid_next = parts.next()?.parse().ok()?;
        let modseq = parts.next()?.parse().ok()?;
        // Earlier versions wrote no more than these three.
        let mut more = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Some(Self { validity, uid_next, modseq, exists: more(), round: more() })
    }

    fn text(self) -> String {
        let Self { validity, uid_next, modseq, exists, round } = self;
        format!("{validity}.{uid_next}.{modseq}.{exists}.{round}")
    }

    /// Whether ids from the time of this cursor still name the same messages. Both counters only rise (RFC 9051, section
    /// 2.3.1.1; RFC 7162, section 3.1.2.1): one that fell tells of a server that was restored from a backup and gives
    /// UIDs out a second time. A server without UIDVALIDITY or UIDNEXT vouches for nothing.
    fn stands(&self, now: &Self) -> bool {
        now.validity > 0
            && now.validity == self.validity
            && self.uid_next > 0
            && now.uid_next >= self.uid_next
            && now.modseq >= self.modseq
    }
}

impl ImapSession {
    pub(crate) fn changes_since(&mut self, folder: &str, since: Option<&str>) -> Result<ChangeSet> {
        // Only a folder that is opened anew tells where it stands.
        self.selected = None;
        let since = since.and_then(Cursor::parse);
        let selected = self.select(folder, Purpose::Read)?;
        let empty = selected.exists == Some(0);
        let now = Cursor::now(selected, since);
        let next = now.text();
        let since = since.filter(|since| since.stands(&now));
        let changed = match since {
            Some(since) if empty || since == now => Some(Vec::new()),
            Some(since) => Some(self.changed(since, now)?).filter(|changed| changed.len() <= MOST),
            None => None,
        };
        let list_again = changed.is_none();
        let ids = changed.unwrap_or_default().into_iter().map(|uid| id::text(now.validity, uid, folder));
        Ok(ChangeSet { changed: ids.collect(), removed: Vec::new(), next, more: false, list_again })
    }

    fn changed(&mut self, since: Cursor, now: Cursor) -> Result<Vec<Uid>> {
        if let (Some(modseq), true) = (NonZeroU64::new(since.modseq), now.modseq > 0) {
            let all = from(Uid::MIN);
            let items = vec![MessageDataItemName::Uid, MessageDataItemName::Flags];
            let command = CommandBody::Fetch {
                sequence_set: all,
                macro_or_item_names: MacroOrMessageDataItemNames::MessageDataItemNames(items),
                uid: true,
                modifiers: vec![FetchModifier::ChangedSince(modseq)],
            };
            let mut answer = Collect::default();
            self.connection.run(command, "tell the changes", &mut answer)?;
            let fetched = answer.data.into_iter().filter_map(Fetched::from_data);
            return Ok(fetched.filter(|f| !f.deleted).filter_map(|f| f.uid).collect());
        }
        let next = Uid::new(since.uid_next).ok_or_else(|| Error::protocol("a cursor without UIDNEXT"))?;
        let mut new = self.search(vec![SearchKey::Uid(from(next)), SearchKey::Undeleted])?;
        new.retain(|uid| *uid >= next);
        Ok(new)
    }
}
