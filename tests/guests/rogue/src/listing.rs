//! The folder and its messages, with ids and names as nobody should make them.

use crate::RogueSession;
use crate::bindings::exports::wissel::connector::email_account::{
    Folder, FolderRole, Message, MessagePage, PageRequest,
};
use crate::memory;
use crate::misdeeds::TERMINAL;

/// Twenty levels up: an id that is used as a path leaves every directory of a test.
const UPWARDS: &str = "../../../../../../../../../../../../../../../../../../../../tmp/wissel-rogue";

impl RogueSession {
    fn odd(&self, place: &str) -> Option<String> {
        if self.place != place {
            return None;
        }
        Some(match self.misdeed.as_str() {
            "control" => format!("\u{1}\r\n\t{TERMINAL}"),
            "upwards" => UPWARDS.to_owned(),
            "huge" => "x".repeat((1 << 20) + 1),
            "hundred-megabytes" => "x".repeat(100_000_000),
            "long" => UPWARDS.repeat(8_000 / UPWARDS.len()),
            "empty" => String::new(),
            "not-utf8" => memory::not_utf8(),
            _ => return None,
        })
    }

    pub(crate) fn folder(&self) -> Folder {
        let odd_id = self.odd("folder-id");
        let odd_name = self.odd("folder-name");
        Folder {
            id: odd_id.unwrap_or_else(|| "inbox".to_owned()),
            parent: None,
            path: vec![odd_name.unwrap_or_else(|| "INBOX".to_owned())],
            role: Some(FolderRole::Inbox),
            total: Some(self.count),
            unread: None,
            holds_messages: true,
            has_children: false,
            denied: Vec::new(),
        }
    }

    /// Every message, on one page; with `list-again` on pages without end.
    pub(crate) fn page(&self, request: &PageRequest) -> MessagePage {
        let after = request.after.as_deref();
        if self.place == "answer" {
            return MessagePage { messages: self.gigabyte(), next: None };
        }
        if self.place == "list-again" {
            let page = after.and_then(|token| token.parse().ok()).unwrap_or(0_u32);
            let next = Some((page + 1).to_string());
            let ids = |from: u32| {
                (from + 1..=from + self.count).map(|number| self.message(number.to_string())).collect()
            };
            match self.misdeed.as_str() {
                // A new token each time, with nothing, with the same messages, or with ever new ones.
                "empty-pages" if page > 0 => return MessagePage { messages: Vec::new(), next },
                "empty-pages" | "same-page" => return MessagePage { messages: ids(0), next },
                "new-ids" => return MessagePage { messages: ids(page * self.count), next },
                _ => {}
            }
        }
        let endless = self.place == "list-again" && self.misdeed == "endless";
        let first = after.is_none();
        let ids = (1..=self.count).filter(|_| first).map(|number| number.to_string());
        let mut messages: Vec<Message> = ids.map(|id| self.message(id)).collect();
        let odd = self.odd("message-id").or_else(|| self.odd("broken-id"));
        if let (Some(odd), Some(third)) = (odd, messages.get_mut(2)) {
            third.id = odd;
        }
        if self.place == "message-id" && self.misdeed == "same" {
            messages = messages.iter().cloned().chain(messages.iter().cloned()).collect();
        }
        let next = self.odd("page-token").or_else(|| endless.then(|| "again".to_owned()));
        MessagePage { messages, next }
    }

    /// A thousand messages whose subjects are the same megabyte of memory: a gigabyte for whoever copies them.
    fn gigabyte(&self) -> Vec<Message> {
        let subjects = memory::shared(1 << 20, 1 << 10).into_iter().enumerate();
        subjects
            .map(|(number, text)| Message { subject: Some(text), ..self.message(number.to_string()) })
            .collect()
    }

    fn message(&self, id: String) -> Message {
        let odd = self.odd("text");
        Message {
            id,
            internet_message_id: odd.clone(),
            subject: odd.clone().or_else(|| Some("listed".to_owned())),
            sender: odd,
            received: Some("2026-11-22T17:05:09+01:00".to_owned()),
            size: None,
            read: None,
        }
    }
}
