//! Listing the messages of a folder, page by page and by UID, so that a message that arrives or leaves meanwhile never
//! hides another one.
//!
//! One UID SEARCH finds the messages; its result is kept while the pages are taken. The page token holds the last UID,
//! so a listing also goes on when another one came in between.

use chrono::{DateTime, Days};
use wissel_connector::types::{Message, MessagePage, PageRequest};
use wissel_connector::{Error, Result};

use crate::connection::Collect;
use crate::headers::Headers;
use crate::id;
use crate::protocol::fetched::Fetched;
use crate::protocol::sets::{Uid, chunks, from};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::core::{AString, Vec1};
use crate::protocol::types::datetime::NaiveDate;
use crate::protocol::types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName, Section};
use crate::protocol::types::response::Data;
use crate::protocol::types::search::SearchKey;
use crate::select::{Purpose, validity_changed};
use crate::session::ImapSession;

/// The most messages on a page.
const MOST: usize = 1_000;

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing {
    folder: String,
    validity: u32,
    filter: (bool, Option<String>),
    /// What was found and not yet given out, newest first.
    left: Vec<Uid>,
}

impl ImapSession {
    pub(crate) fn list(&mut self, folder: &str, page: &PageRequest) -> Result<MessagePage> {
        let selected = self.select(folder, Purpose::Read)?;
        let (validity, empty) = (selected.validity, selected.fresh && selected.exists == Some(0));
        selected.fresh = false;
        if empty && page.after.is_none() {
            return Ok(MessagePage { messages: Vec::new(), next: None });
        }
        let after = page.after.as_deref().map(|token| token_uid(token, validity, folder)).transpose()?;
        let mut left = self.found(folder, validity, page, after)?;
        let size = (page.size as usize).clamp(1, MOST);
        let mut uids = Vec::with_capacity(size.min(left.len()));
        while uids.len() < size
            && let Some(uid) = left.pop()
        {
            uids.push(uid);
        }
        let messages = self.summaries(folder, validity, &uids)?;
        let next = uids.last().filter(|_| !left.is_empty()).map(|uid| format!("{validity}.{uid}"));
        let filter = (page.unread_only, page.received_since.clone());
        self.listing = next.is_some().then(|| Listing { folder: folder.to_owned(), validity, filter, left });
        Ok(MessagePage { messages, next })
    }

    /// The messages after `after`, newest first: what is left of the last search, or a new one.
    fn found(
        &mut self,
        folder: &str,
        validity: u32,
        page: &PageRequest,
        after: Option<Uid>,
    ) -> Result<Vec<Uid>> {
        let kept = self.listing.take().filter(|l| {
            l.folder == folder
                && l.validity == validity
                && l.filter.0 == page.unread_only
                && l.filter.1 == page.received_since
        });
        if let (Some(mut listing), Some(after)) = (kept, after) {
            // Newest first, so that what was given out is at the end.
            while listing.left.last().is_some_and(|uid| *uid <= after) {
                listing.left.pop();
            }
            return Ok(listing.left);
        }
        let mut keys = Vec::new();
        if let Some(next) = after.and_then(|uid| uid.checked_add(1)) {
            keys.push(SearchKey::Uid(from(next)));
        }
        keys.push(SearchKey::Undeleted);
        if page.unread_only {
            keys.push(SearchKey::Unseen);
        }
        if let Some(since) = &page.received_since {
            keys.push(SearchKey::Since(day_before(since)?));
        }
        let mut uids = self.search(keys)?;
        uids.retain(|uid| after.is_none_or(|after| *uid > after));
        uids.sort_unstable_by(|a, b| b.cmp(a));
        uids.dedup();
        Ok(uids)
    }

    /// UID SEARCH in the open folder.
    pub(crate) fn search(&mut self, keys: Vec<SearchKey<'_>>) -> Result<Vec<Uid>> {
        let criteria = Vec1::try_from(keys).map_err(|_| Error::protocol("a search without criteria"))?;
        let command = CommandBody::Search { charset: None, criteria, uid: true };
        let mut answer = Collect::default();
        self.connection.run(command, "search the folder", &mut answer)?;
        let found = answer.data.into_iter().filter_map(|data| match data {
            Data::Search(uids, _) => Some(uids),
            _ => None,
        });
        Ok(found.flatten().collect())
    }

    /// What a listing shows of these messages of the open folder, in this order. Those that are gone are left out.
    fn summaries(&mut self, folder: &str, validity: u32, uids: &[Uid]) -> Result<Vec<Message>> {
        let fields = ["MESSAGE-ID", "SUBJECT", "FROM"];
        let (mut found, unknown) = self.facts(uids, &fields)?;
        if unknown {
            // A message whose data cannot be read is a message all the same.
            let missing: Vec<_> =
                uids.iter().copied().filter(|u| found.iter().all(|f| f.uid != Some(*u))).collect();
            for (_, set) in chunks(&missing) {
                let there = self.search(vec![SearchKey::Uid(set), SearchKey::Undeleted])?;
                found.extend(there.into_iter().map(|uid| Fetched { uid: Some(uid), ..Fetched::default() }));
            }
        }
        let mut found: Vec<_> = found.into_iter().filter_map(|f| Some((f.uid?, f))).collect();
        found.sort_by_key(|(uid, _)| *uid);
        found.dedup_by_key(|(uid, _)| *uid);
        found.retain(|(uid, fetched)| !fetched.deleted && uids.binary_search(uid).is_ok());
        Ok(found
            .into_iter()
            .map(|(uid, fetched)| message(id::text(validity, uid, folder), &fetched))
            .collect())
    }

    /// Flags, date, size and header fields of messages of the open folder. The flag says that something that came
    /// could not be read.
    pub(crate) fn facts(&mut self, uids: &[Uid], fields: &[&'static str]) -> Result<(Vec<Fetched>, bool)> {
        let names: Vec<AString<'_>> = fields.iter().filter_map(|f| AString::try_from(*f).ok()).collect();
        let names = Vec1::try_from(names).map_err(|_| Error::protocol("header fields without a name"))?;
        let section = Some(Section::HeaderFields(None, names));
        let items = vec![
            MessageDataItemName::Uid,
            MessageDataItemName::Flags,
            MessageDataItemName::InternalDate,
            MessageDataItemName::Rfc822Size,
            MessageDataItemName::BodyExt { section, partial: None, peek: true },
        ];
        let (mut found, mut unknown) = (Vec::with_capacity(uids.len()), false);
        for (_, set) in chunks(uids) {
            let command = CommandBody::Fetch {
                sequence_set: set,
                macro_or_item_names: MacroOrMessageDataItemNames::MessageDataItemNames(items.clone()),
                uid: true,
                modifiers: Vec::new(),
            };
            let mut answer = Collect::default();
            self.connection.run(command, "list the messages", &mut answer)?;
            unknown |= answer.unknown;
            // An unsolicited FETCH, about flags that somebody else changed, has no size.
            found.extend(answer.data.into_iter().filter_map(Fetched::from_data).filter(|f| f.size.is_some()));
        }
        Ok((found, unknown))
    }
}

fn message(id: String, fetched: &Fetched) -> Message {
    let headers = fetched.headers.as_deref().map(Headers::parse).unwrap_or_default();
    Message {
        id,
        internet_message_id: headers.message_id,
        subject: headers.subject,
        sender: headers.sender,
        received: fetched.received.clone(),
        size: fetched.size,
        read: fetched.seen,
    }
}

fn token_uid(token: &str, validity: u32, folder: &str) -> Result<Uid> {
    let parts =
        token.split_once('.').and_then(|(v, u)| Some((v.parse::<u32>().ok()?, u.parse::<Uid>().ok()?)));
    match parts {
        Some((of, uid)) if of == validity => Ok(uid),
        Some(_) => Err(validity_changed(folder)),
        None => Err(Error::not_found("a page token that is not from this listing")),
    }
}

/// The day before: SEARCH SINCE looks at the date alone, in the server's time zone (RFC 3501, section 6.4.4).
fn day_before(moment: &str) -> Result<NaiveDate> {
    let wrong = || Error::protocol(format!("`{moment}` is not a moment as RFC 3339 writes it"));
    let date = DateTime::parse_from_rfc3339(moment).map_err(|_| wrong())?.to_utc().date_naive();
    NaiveDate::try_from(date.checked_sub_days(Days::new(1)).ok_or_else(wrong)?).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_reaches_back_far_enough_for_every_time_zone() {
        let day = |moment| format!("{:?}", day_before(moment).unwrap());
        assert_eq!(day("2026-11-22T23:30:00-12:00"), "2026-11-22");
        assert_eq!(day("2026-11-22T00:30:00+14:00"), "2026-11-20");
        assert!(day_before("yesterday").is_err());
    }
}
