//! Looking for messages in the folder that they were to be copied to: after an attempt of which nobody knows how far
//! it came, or when the server does not tell what it copied.

use std::collections::{BTreeMap, BTreeSet};

use wissel_connector::Result;

use crate::headers::Headers;
use crate::id::{self, Group};
use crate::protocol::fetched::Fetched;
use crate::protocol::sets::Uid;
use crate::protocol::types::core::AString;
use crate::protocol::types::search::SearchKey;
use crate::select::Purpose;
use crate::session::ImapSession;

impl ImapSession {
    /// The copies in `target` of messages of the group's folder: same Message-ID, size and INTERNALDATE. Each copy
    /// counts for one message. Leaves the group's folder open.
    pub(crate) fn find_copies(
        &mut self,
        group: &Group,
        messages: &[Fetched],
        target: &str,
    ) -> Result<BTreeMap<Uid, String>> {
        let mut copies = BTreeMap::new();
        if messages.is_empty() {
            return Ok(copies);
        }
        let validity = self.select(target, Purpose::Read)?.validity;
        let mut taken = BTreeSet::new();
        for message in messages {
            let (Some(uid), Some(keys)) = (message.uid, keys(message)) else { continue };
            let candidates: Vec<_> =
                self.search(keys)?.into_iter().filter(|uid| !taken.contains(uid)).collect();
            let (facts, _) = self.facts(&candidates, &["MESSAGE-ID"])?;
            let copy = facts.iter().find(|f| is_copy(message, f)).and_then(|f| f.uid);
            if let Some(copy) = copy {
                taken.insert(copy);
                copies.insert(uid, id::text(validity, copy, target));
            }
        }
        self.select_valid(&group.folder, group.validity, Purpose::Write)?;
        Ok(copies)
    }
}

/// What to search for; none when too little is known of the message.
fn keys(message: &Fetched) -> Option<Vec<SearchKey<'static>>> {
    let size = message.size?;
    let mut keys = vec![SearchKey::Undeleted];
    match message_id(message).and_then(|id| AString::try_from(id).ok()) {
        Some(id) => keys.push(SearchKey::Header(AString::try_from("MESSAGE-ID").ok()?, id)),
        None => {
            keys.extend([SearchKey::Larger(size.saturating_sub(1)), SearchKey::Smaller(size.checked_add(1)?)])
        }
    }
    Some(keys)
}

fn message_id(message: &Fetched) -> Option<String> {
    message.headers.as_deref().and_then(|bytes| Headers::parse(bytes).message_id)
}

fn is_copy(message: &Fetched, candidate: &Fetched) -> bool {
    candidate.size == message.size
        && candidate.received == message.received
        && message_id(candidate) == message_id(message)
}
