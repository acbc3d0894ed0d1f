//! SEARCH: by flags, numbers, days, size, and text in the header or anywhere.
//!
//! Header text is compared as it is written (not decoded) without regard to ASCII case; BODY and TEXT with regard to it.

use std::io;

use chrono::NaiveDate;
use imap_codec::imap_types::{core::Vec1, response::Data, search::SearchKey};

use super::{
    fetch::internal_date,
    fields,
    session::{Reply, Session},
    view::{Target, View, number},
    wire::Stream,
};
use crate::mailbox::Message;

impl<S: Stream> Session<S> {
    pub(super) async fn search(
        &mut self,
        view: &View,
        criteria: Vec1<SearchKey<'static>>,
        uid: bool,
    ) -> io::Result<Reply> {
        let key = SearchKey::And(criteria);
        let mut found = Vec::new();
        for target in view.all() {
            // A message that another client removed is found by nobody.
            let Some(message) = self.face.mailbox.message(view.folder, target.uid) else { continue };
            match matches(&key, view, target, &message) {
                Some(true) => found.push(number(if uid { target.uid } else { target.sequence })),
                Some(false) => {}
                None => return Ok(Reply::bad("This search key is not known here")),
            }
        }
        self.data(Data::Search(found)).await?;
        Ok(Reply::ok("Searched"))
    }
}

/// Whether a message meets a key; `None` for a key that this face does not know.
fn matches(key: &SearchKey<'_>, view: &View, target: Target, message: &Message) -> Option<bool> {
    let flags = &message.flags;
    let among = |targets: Vec<Target>| targets.binary_search_by_key(&target.uid, |target| target.uid).is_ok();
    let day = || internal_date(message.received).date_naive();
    let sent = || sent_day(message);
    let header = |name: &[u8], text: &[u8]| has_field(message, name, text);
    Some(match key {
        SearchKey::And(keys) => {
            for key in keys.as_ref() {
                if !matches(key, view, target, message)? {
                    return Some(false);
                }
            }
            true
        }
        SearchKey::Or(one, other) => {
            matches(one, view, target, message)? || matches(other, view, target, message)?
        }
        SearchKey::Not(key) => !matches(key, view, target, message)?,
        SearchKey::All => true,
        SearchKey::SequenceSet(set) => among(view.targets(set, false)),
        SearchKey::Uid(set) => among(view.targets(set, true)),
        SearchKey::Answered => flags.answered,
        SearchKey::Unanswered => !flags.answered,
        SearchKey::Deleted => flags.deleted,
        SearchKey::Undeleted => !flags.deleted,
        SearchKey::Draft => flags.draft,
        SearchKey::Undraft => !flags.draft,
        SearchKey::Flagged => flags.flagged,
        SearchKey::Unflagged => !flags.flagged,
        SearchKey::Seen => flags.seen,
        SearchKey::Unseen => !flags.seen,
        SearchKey::Keyword(word) => flags.keywords.contains(word.inner()),
        SearchKey::Unkeyword(word) => !flags.keywords.contains(word.inner()),
        // No message is ever recent here.
        SearchKey::New | SearchKey::Recent => false,
        SearchKey::Old => true,
        SearchKey::Before(date) => day() < *date.as_ref(),
        SearchKey::On(date) => day() == *date.as_ref(),
        SearchKey::Since(date) => day() >= *date.as_ref(),
        SearchKey::SentBefore(date) => sent().is_some_and(|day| day < *date.as_ref()),
        SearchKey::SentOn(date) => sent() == Some(*date.as_ref()),
        SearchKey::SentSince(date) => sent().is_some_and(|day| day >= *date.as_ref()),
        SearchKey::Larger(size) => message.content.size() > u64::from(*size),
        SearchKey::Smaller(size) => message.content.size() < u64::from(*size),
        SearchKey::Header(name, text) => header(name.as_ref(), text.as_ref()),
        SearchKey::From(text) => header(b"From", text.as_ref()),
        SearchKey::To(text) => header(b"To", text.as_ref()),
        SearchKey::Cc(text) => header(b"Cc", text.as_ref()),
        SearchKey::Bcc(text) => header(b"Bcc", text.as_ref()),
        SearchKey::Subject(text) => header(b"Subject", text.as_ref()),
        SearchKey::Body(text) | SearchKey::Text(text) => message.content.contains(text.as_ref()),
    })
}

fn has_field(message: &Message, name: &[u8], text: &[u8]) -> bool {
    let wanted = String::from_utf8_lossy(text).to_ascii_lowercase();
    let header = message.content.header();
    let mut fields = fields::split(&header).into_iter().filter(|field| field.is(name));
    fields.any(|field| field.value().to_ascii_lowercase().contains(&wanted))
}

fn sent_day(message: &Message) -> Option<NaiveDate> {
    let header = message.content.header();
    let date = fields::split(&header).into_iter().find(|field| field.is(b"Date"))?.value();
    chrono::DateTime::parse_from_rfc2822(&date).ok().map(|date| date.date_naive())
}
