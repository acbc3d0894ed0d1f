//! Listing the messages of a folder, oldest first, so that a message that arrives or leaves meanwhile never hides another
//! one.
//!
//! The service continues a sorted listing by counting (`$skip`): whatever leaves the folder would pull others over the edge
//! of the page, and importing makes messages leave. So each page begins anew at the time of the last message. Those of the
//! very same time come once more; the token names them, and they are passed over.

use std::collections::BTreeSet;

use wissel_connector::serde_json::{self, json};
use wissel_connector::types::{MessagePage, PageRequest};
use wissel_connector::{Error, Result};

use crate::folders::shown_id;
use crate::protocol::address;
use crate::protocol::documents::{MESSAGE_FIELDS, MessageItem, Page};
use crate::service::endless;
use crate::session::GraphSession;

/// The most messages on a page of the service.
const MOST: usize = 1_000;

/// Pages of the service that are looked through for one message that was not given out yet.
const PAGES: usize = 1_000;

/// A time before all mail: a filter must name the time where the listing is sorted by it.
const BEFORE_ALL: &str = "1900-01-01T00:00:00Z";

/// Where a listing goes on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place {
    /// The time of the last message; none before the first, and where messages have no time.
    time: Option<String>,
    /// The messages of that time that were given out.
    given: BTreeSet<String>,
}

impl Place {
    fn read(token: &str) -> Result<Self> {
        let parts: (Option<String>, BTreeSet<String>) = serde_json::from_str(token)
            .map_err(|_| Error::not_found("a page token that is not from this listing"))?;
        Ok(Self { time: parts.0, given: parts.1 })
    }

    fn token(&self) -> String {
        json!([self.time, self.given]).to_string()
    }

    fn pass(&mut self, message: &MessageItem) {
        if message.received_date_time != self.time {
            self.time.clone_from(&message.received_date_time);
            self.given.clear();
        }
        self.given.insert(message.id.clone());
    }
}

impl GraphSession {
    pub(crate) fn list(&mut self, folder: &str, request: &PageRequest) -> Result<MessagePage> {
        let doing = format!("list the messages of folder {}", shown_id(folder));
        let mut place = request.after.as_deref().map(Place::read).transpose()?.unwrap_or_default();
        let size = (request.size as usize).clamp(1, MOST);
        let top = size.saturating_add(place.given.len()).min(MOST);
        let query = query(&place, request, top);
        let mut url = self.service.url(&format!("/mailFolders/{}/messages?{query}", address::id(folder)?));
        let mut messages = Vec::new();
        for _ in 0..PAGES {
            let page: Page<MessageItem> = self.service.get(&url, &doing)?;
            for message in page.value {
                // Of an earlier time than the last one: the service rounds.
                if !place.given.contains(&message.id) {
                    place.pass(&message);
                    messages.push(message.listed_in(folder));
                }
            }
            match page.next {
                None => return Ok(MessagePage { messages, next: None }),
                Some(_) if !messages.is_empty() => {
                    return Ok(MessagePage { messages, next: Some(place.token()) });
                }
                // A thousand messages of one moment were given out, or the filter left nothing of this page.
                Some(next) => url = next,
            }
        }
        Err(endless(&doing))
    }
}

fn query(place: &Place, request: &PageRequest, top: usize) -> String {
    let since = place.time.as_deref().or(request.received_since.as_deref());
    let mut filter = Vec::new();
    if since.is_some() || request.unread_only {
        filter.push(format!("receivedDateTime ge {}", since.unwrap_or(BEFORE_ALL)));
    }
    if request.unread_only {
        filter.push("isRead eq false".to_owned());
    }
    let mut query = format!("$select={MESSAGE_FIELDS}&$orderby=receivedDateTime&$top={top}");
    if !filter.is_empty() {
        query.push_str("&$filter=");
        query.push_str(&address::value(&filter.join(" and ")));
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_those_of_the_last_moment_alone() {
        let message = |id: &str, time: &str| MessageItem {
            id: id.to_owned(),
            parent_folder_id: None,
            internet_message_id: None,
            received_date_time: Some(time.to_owned()),
            subject: None,
            from: None,
            is_read: None,
        };
        let mut place = Place::default();
        for (id, time) in [("a", "1"), ("b", "2"), ("c", "2")] {
            place.pass(&message(id, time));
        }
        assert_eq!(place.token(), r#"["2",["b","c"]]"#);
        assert_eq!(Place::read(&place.token()).unwrap(), place);
        assert!(Place::read("7.12").is_err());
    }
}
