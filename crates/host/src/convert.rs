//! What a component returns, in the host's own types. Nothing of it is trusted: ids, sizes of lists and texts are
//! checked; a date that cannot be read counts as unknown.

use jiff::Timestamp;
use wissel_model::connector::{Certainty, Receipt, Refusal, SendError, Wake};
use wissel_model::message::ChangeSet;
use wissel_model::{
    ConnectorError, ErrorKind, Folder, FolderAddress, FolderId, FolderRole, Identity, MessageId, MessagePage,
    MessageSummary, Outcome, PageRequest,
};

use crate::bindings::exports::wissel::connector::email_account as wit;
use crate::bindings::wissel::connector::types;
use crate::refusal::Breach;
use crate::text::cleaned;

/// A value that passed, or the rule that was broken.
pub(crate) type Checked<T> = Result<T, Breach>;

/// Octets of an id or a cursor, which are stored.
const LONGEST_ID: usize = 8 << 10;
/// Octets of a page token, which lives as long as a listing: one may name every message of a moment.
const LONGEST_PAGE_TOKEN: usize = 1 << 20;
/// Characters of a text for people.
const LONGEST_TEXT: usize = 4_000;
/// Characters of an error's sentence.
const LONGEST_MESSAGE: usize = 1_000;
/// Items of one answer.
const MOST_ITEMS: usize = 1_000_000;

/// RFC 3339 with an offset; none when it cannot be read.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        tracing::debug!(date = cleaned(text, 60), "a connector's date could not be read");
    }
    parsed
}

pub(crate) fn error(error: types::Error) -> ConnectorError {
    use types::ErrorKind as Kind;
    let kind = match error.kind {
        Kind::AuthorizationNeeded => ErrorKind::AuthorizationNeeded,
        Kind::PermissionMissing => ErrorKind::PermissionMissing,
        Kind::Throttled => ErrorKind::Throttled,
        Kind::NotFound => ErrorKind::NotFound,
        Kind::InvalidSetting => ErrorKind::InvalidSetting,
        Kind::Unsupported => ErrorKind::Unsupported,
        Kind::TooLarge => ErrorKind::TooLarge,
        Kind::Temporary => ErrorKind::Temporary,
        Kind::Protocol => ErrorKind::Protocol,
        Kind::BadMessage => ErrorKind::BadMessage,
        Kind::Cancelled => ErrorKind::Cancelled,
    };
    ConnectorError {
        kind,
        message: cleaned(&error.message, LONGEST_MESSAGE),
        code: error.code.map(|code| cleaned(&code, 200)),
        retry_after_ms: error.retry_after_ms,
        setting: error.setting.map(|setting| cleaned(&setting, 100)),
        session_lost: error.session_lost,
    }
}

fn opaque(id: String, what: &str) -> Checked<String> {
    no_longer(id, LONGEST_ID, what)
}

fn no_longer(id: String, longest: usize, what: &str) -> Checked<String> {
    if id.is_empty() || id.len() > longest || id.contains('\0') {
        return Err(Breach(format!("{what} is empty, too long or holds a NUL")));
    }
    Ok(id)
}

fn message_id(id: String) -> Checked<MessageId> {
    opaque(id, "a message's id").map(MessageId::from)
}

fn text(text: Option<String>) -> Option<String> {
    text.map(|text| cleaned(&text, LONGEST_TEXT))
}

fn all<T, R>(items: Vec<T>, check: impl FnMut(T) -> Checked<R>) -> Checked<Vec<R>> {
    if items.len() > MOST_ITEMS {
        return Err(Breach(format!("an answer holds more than {MOST_ITEMS} items")));
    }
    items.into_iter().map(check).collect()
}

/// Names of operations; of more than there can be, the rest is left out.
fn operations(names: Vec<String>) -> Vec<String> {
    names.iter().take(100).map(|name| cleaned(name, 100)).collect()
}

pub(crate) fn identity(identity: wit::Identity) -> Checked<Identity> {
    let fact = |(label, value): (String, String)| Ok((cleaned(&label, 200), cleaned(&value, LONGEST_TEXT)));
    Ok(Identity {
        mailbox: opaque(identity.mailbox, "the mailbox of an identity")?,
        signed_in_as: text(identity.signed_in_as),
        display_name: text(identity.display_name),
        denied: operations(identity.denied),
        facts: all(identity.facts, fact)?,
    })
}

pub(crate) fn folder(folder: wit::Folder) -> Checked<Folder> {
    use wit::FolderRole as Role;
    if folder.path.is_empty() || folder.path.iter().any(String::is_empty) {
        return Err(Breach("a folder has no name".to_owned()));
    }
    Ok(Folder {
        id: opaque(folder.id, "a folder's id")?.into(),
        parent: folder.parent.map(|id| opaque(id, "a folder's parent")).transpose()?.map(FolderId::from),
        path: folder.path.iter().map(|name| cleaned(name, LONGEST_TEXT)).collect(),
        role: folder.role.map(|role| match role {
            Role::Inbox => FolderRole::Inbox,
            Role::Archive => FolderRole::Archive,
            Role::Drafts => FolderRole::Drafts,
            Role::Sent => FolderRole::Sent,
            Role::Trash => FolderRole::Trash,
            Role::Junk => FolderRole::Junk,
            Role::Outbox => FolderRole::Outbox,
        }),
        total: folder.total,
        unread: folder.unread,
        holds_messages: folder.holds_messages,
        has_children: folder.has_children,
        denied: operations(folder.denied),
    })
}

pub(crate) fn folders(folders: Vec<wit::Folder>) -> Checked<Vec<Folder>> {
    all(folders, folder)
}

pub(crate) fn address(address: &FolderAddress) -> wit::FolderAddress {
    use wit::FolderRole as Role;
    match address {
        FolderAddress::Id(id) => wit::FolderAddress::Id(id.as_str().to_owned()),
        FolderAddress::Path(path) => wit::FolderAddress::Path(path.clone()),
        FolderAddress::Role(role) => wit::FolderAddress::Role(match role {
            FolderRole::Inbox => Role::Inbox,
            FolderRole::Archive => Role::Archive,
            FolderRole::Drafts => Role::Drafts,
            FolderRole::Sent => Role::Sent,
            FolderRole::Trash => Role::Trash,
            FolderRole::Junk => Role::Junk,
            FolderRole::Outbox => Role::Outbox,
        }),
    }
}

pub(crate) fn page_request(page: &PageRequest) -> wit::PageRequest {
    wit::PageRequest {
        size: page.size,
        after: page.after.clone(),
        unread_only: page.unread_only,
        received_since: page.received_since.map(|moment| moment.to_string()),
    }
}

pub(crate) fn message(message: wit::Message) -> Checked<MessageSummary> {
    Ok(MessageSummary {
        id: message_id(message.id)?,
        internet_message_id: text(message.internet_message_id),
        subject: text(message.subject),
        sender: text(message.sender),
        received: message.received.as_deref().and_then(date),
        size: message.size,
        read: message.read,
    })
}

pub(crate) fn page(page: wit::MessagePage) -> Checked<MessagePage> {
    let next = page.next.map(|token| no_longer(token, LONGEST_PAGE_TOKEN, "a page token")).transpose()?;
    Ok(MessagePage { messages: all(page.messages, message)?, next })
}

pub(crate) fn changes(changes: wit::ChangeSet) -> Checked<ChangeSet> {
    Ok(ChangeSet {
        changed: all(changes.changed, message_id)?,
        removed: all(changes.removed, message_id)?,
        next: opaque(changes.next, "a cursor")?,
        more: changes.more,
        list_again: changes.list_again,
    })
}

/// Outcomes of a batch; one for a message that was not in it is no answer to the question.
pub(crate) fn outcomes(outcomes: Vec<wit::Outcome>, asked: &[MessageId]) -> Checked<Vec<Outcome>> {
    let asked: std::collections::HashSet<&MessageId> = asked.iter().collect();
    all(outcomes, |outcome| {
        let message = message_id(outcome.message)?;
        if !asked.contains(&message) {
            return Err(Breach("an outcome is about a message that was not asked for".to_owned()));
        }
        let new_id = outcome.new_id.map(message_id).transpose()?;
        Ok(Outcome { message, new_id, failure: outcome.failure.map(error) })
    })
}

pub(crate) fn optional_id(id: Option<String>) -> Checked<Option<MessageId>> {
    id.map(message_id).transpose()
}

pub(crate) fn translated(ids: Vec<Option<String>>, asked: usize) -> Checked<Vec<Option<MessageId>>> {
    if ids.len() != asked {
        return Err(Breach("a translation has another length than its question".to_owned()));
    }
    all(ids, optional_id)
}

fn refusals(refused: Vec<wit::Refusal>) -> Vec<Refusal> {
    let refusal =
        |r: wit::Refusal| Refusal { recipient: cleaned(&r.recipient, 400), reason: error(r.reason) };
    refused.into_iter().map(refusal).collect()
}

pub(crate) fn receipt(receipt: wit::Receipt) -> Checked<Receipt> {
    Ok(Receipt {
        message: optional_id(receipt.message)?,
        answer: cleaned(&receipt.answer, LONGEST_MESSAGE),
        refused: refusals(receipt.refused),
        internet_message_id: cleaned(&receipt.internet_message_id, LONGEST_MESSAGE),
    })
}

pub(crate) fn send_error(failure: wit::SendError) -> SendError {
    let certainty = match failure.certainty {
        wit::Certainty::NotSent => Certainty::NotSent,
        wit::Certainty::Unknown => Certainty::Unknown,
    };
    SendError { certainty, reason: error(failure.reason), refused: refusals(failure.refused) }
}

pub(crate) fn wake(wake: wit::Wake) -> Wake {
    match wake {
        wit::Wake::Changed => Wake::Changed,
        wit::Wake::TimedOut => Wake::TimedOut,
        wit::Wake::Interrupted => Wake::Interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, received: &str) -> wit::Message {
        wit::Message {
            id: id.to_owned(),
            internet_message_id: None,
            subject: Some("Factuur\r\n 12".to_owned()),
            sender: None,
            received: Some(received.to_owned()),
            size: None,
            read: None,
        }
    }

    #[test]
    fn a_date_that_cannot_be_read_does_not_cost_the_message() {
        let good = message(listed("1", "2026-11-22T17:05:09.250+01:00")).unwrap();
        assert_eq!(good.received.unwrap().to_string(), "2026-11-22T16:05:09.25Z");
        let bad = message(listed("1", "yesterday")).unwrap();
        assert_eq!(bad.received, None);
        assert_eq!(bad.subject.as_deref(), Some("Factuur   12"));
    }

    #[test]
    fn ids_that_could_not_be_given_back_are_refused() {
        let too_long = "x".repeat(LONGEST_ID + 1);
        for id in ["", "a\0b", too_long.as_str()] {
            assert!(message(listed(id, "")).is_err());
        }
    }

    #[test]
    fn a_page_token_may_name_every_message_of_a_moment() {
        let next = |length: usize| {
            page(wit::MessagePage { messages: Vec::new(), next: Some("x".repeat(length)) })
                .map(|page| page.next)
        };
        assert_eq!(next(LONGEST_PAGE_TOKEN).unwrap().map(|token| token.len()), Some(LONGEST_PAGE_TOKEN));
        assert!(next(LONGEST_PAGE_TOKEN + 1).is_err() && next(0).is_err());
    }

    #[test]
    fn outcomes_are_about_what_was_asked() {
        let outcome = |id: &str| wit::Outcome { message: id.to_owned(), new_id: None, failure: None };
        let asked = [MessageId::from("a")];
        assert_eq!(outcomes(vec![outcome("a")], &asked).unwrap().len(), 1);
        assert!(outcomes(vec![outcome("b")], &asked).is_err());
        assert!(translated(vec![None], 2).is_err());
    }
}
