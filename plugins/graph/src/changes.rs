//! What changed in a folder since a cursor, by the service's delta query: a hint where to look, for messages of the day
//! before the first call and later. The listing is the truth, and the description does not call cursors exact: with
//! immutable ids a message that is moved into the folder may not show here, and one that is moved out and back is told
//! as removed only. So nothing is reported as removed either.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta};
use wissel_connector::types::ChangeSet;
use wissel_connector::{Error, ErrorKind, Result};

use crate::folders::shown_id;
use crate::protocol::address;
use crate::protocol::documents::{CHANGED_FIELDS, ChangedItem, Page};
use crate::service::endless;
use crate::session::GraphSession;

/// More than this is no hint any more: the rest comes with the next call.
const MOST: usize = 5_000;

/// Pages of one call.
const PAGES: usize = 100;

/// What the queries of the service's links are called, and what stands for them at the start of a cursor.
const TOKENS: [(&str, &str); 2] = [("$deltatoken", "d."), ("$skiptoken", "s.")];

impl GraphSession {
    pub(crate) fn changes_since(&mut self, folder: &str, since: Option<&str>) -> Result<ChangeSet> {
        let doing = format!("tell the changes of folder {}", shown_id(folder));
        let url = self.service.url(&format!("/mailFolders/{}/messages/delta", address::id(folder)?));
        if let Some(query) = since.and_then(query) {
            match self.collect(&format!("{url}?{query}"), folder, &doing, false) {
                // Too old, or of another mailbox: the service says so in several ways.
                Err(error) if is_stale(&error) => {}
                other => return other,
            }
        }
        let query = format!("$select={CHANGED_FIELDS}&$filter={}", address::value(&self.filter_of_a_day()?));
        self.collect(&format!("{url}?{query}"), folder, &doing, true)
    }

    /// Reads pages until the changes end or are too many.
    fn collect(&self, first: &str, folder: &str, doing: &str, list_again: bool) -> Result<ChangeSet> {
        let mut url = first.to_owned();
        let mut changed = BTreeSet::new();
        for number in 1..=PAGES {
            let page: Page<ChangedItem> = self.service.get_large(&url, doing)?;
            let new = page.value.into_iter().filter(|item| item.removed.is_none());
            if !list_again {
                changed.extend(new.map(|item| item.listed_in(folder)));
            }
            let (link, more) = match (page.next, page.delta) {
                (Some(next), _) => (next, true),
                (None, Some(delta)) => (delta, false),
                (None, None) => {
                    return Err(Error::protocol(format!("cannot {doing}: the answer has no link")));
                }
            };
            if !more || changed.len() >= MOST || number == PAGES {
                let next = cursor(&link)
                    .ok_or_else(|| Error::protocol(format!("cannot {doing}: the link has no token")))?;
                let changed = changed.into_iter().collect();
                return Ok(ChangeSet { changed, removed: Vec::new(), next, more, list_again });
            }
            url = link;
        }
        Err(endless(doing))
    }

    /// The only filter that a delta query takes. Without one it begins with every message of the folder.
    fn filter_of_a_day(&self) -> Result<String> {
        let now = DateTime::from_timestamp_millis(self.service.host.now_ms() as i64);
        let yesterday = now.and_then(|now| now.checked_sub_signed(TimeDelta::days(1)));
        let yesterday = yesterday.ok_or_else(|| Error::protocol("the host's clock is out of range"))?;
        Ok(format!("receivedDateTime ge {}", yesterday.to_rfc3339_opts(SecondsFormat::Secs, true)))
    }
}

/// The query that a cursor stands for; none when this connector did not make it.
fn query(cursor: &str) -> Option<String> {
    TOKENS.iter().find_map(|(name, mark)| {
        let token = cursor.strip_prefix(mark).filter(|token| !token.is_empty())?;
        Some(format!("{name}={}", address::value(token)))
    })
}

/// The cursor that a link of the service stands for: its token alone, so that no stored text leads anywhere else.
fn cursor(link: &str) -> Option<String> {
    TOKENS.iter().find_map(|(name, mark)| Some(format!("{mark}{}", address::query(link, name)?)))
}

/// Whether a cursor is no good any more (410), or never was one of this folder (400).
fn is_stale(error: &Error) -> bool {
    let code = error.code.as_deref().unwrap_or_default().to_ascii_lowercase();
    error.kind == ErrorKind::Unsupported || code.contains("sync")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_hold_the_token_alone() {
        let link = "https://elsewhere.example/x?$deltatoken=AbC-1_%3D";
        assert_eq!(cursor(link).as_deref(), Some("d.AbC-1_="));
        assert_eq!(query("d.AbC-1_=").as_deref(), Some("$deltatoken=AbC-1_%3D"));
        assert_eq!(query("s.x&y").as_deref(), Some("$skiptoken=x%26y"));
        for strange in ["garbage", "", "d.", "1.1.1", "https://evil.example/?$deltatoken=1"] {
            assert_eq!(query(strange), None, "{strange}");
        }
        assert_eq!(cursor("https://graph.example/delta?x=1"), None);
    }
}
