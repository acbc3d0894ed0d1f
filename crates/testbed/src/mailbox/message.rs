//! A message as the mailbox keeps it, and its flags. How a protocol writes a flag is the face's business.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Content;

/// Identity of a message for as long as it exists: a move keeps it, a copy gets its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// The state that a user can give a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Read.
    pub seen: bool,
    /// Replied to.
    pub answered: bool,
    /// Marked for attention.
    pub flagged: bool,
    /// Not sent yet.
    pub draft: bool,
    /// Marked for removal, still there.
    pub deleted: bool,
    /// Free words (categories, labels).
    pub keywords: BTreeSet<String>,
}

/// How [`super::Mailbox::change_flags`] combines given flags with those of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChange {
    /// Add the given ones.
    Add,
    /// Take the given ones away.
    Remove,
    /// The given ones and no others.
    Replace,
}

impl Flags {
    pub(super) fn apply(&mut self, change: FlagChange, other: &Flags) {
        if change == FlagChange::Replace {
            *self = other.clone();
            return;
        }
        let value = change == FlagChange::Add;
        for (mine, given) in [
            (&mut self.seen, other.seen),
            (&mut self.answered, other.answered),
            (&mut self.flagged, other.flagged),
            (&mut self.draft, other.draft),
            (&mut self.deleted, other.deleted),
        ] {
            if given {
                *mine = value;
            }
        }
        for keyword in &other.keywords {
            if value {
                self.keywords.insert(keyword.clone());
            } else {
                self.keywords.remove(keyword);
            }
        }
    }
}

/// A message that is to be put into a folder.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The raw bytes.
    pub content: Content,
    /// Its flags; none for new mail.
    pub flags: Flags,
    /// When the mailbox received it.
    pub received: Timestamp,
}

impl NewMessage {
    /// New, unread mail, received now.
    pub fn new(content: impl Into<Content>) -> Self {
        Self::from_content(content.into(), Timestamp::now())
    }

    /// New, unread mail with a given time of receipt.
    pub fn from_content(content: Content, received: Timestamp) -> Self {
        Self { content, flags: Flags::default(), received }
    }
}

/// A message in a folder.
#[derive(Clone, Debug)]
pub struct Message {
    /// Immutable identity within the mailbox.
    pub id: MessageId,
    /// Number within its folder: ascending, never used again as long as the folder's UIDVALIDITY holds.
    pub uid: u32,
    /// Its flags.
    pub flags: Flags,
    /// When the mailbox received it.
    pub received: Timestamp,
    /// The raw bytes.
    pub content: Content,
    /// Generation of the mailbox in which the message last changed.
    pub changed: u64,
    /// Whether it came into its folder by a move.
    pub moved_in: bool,
}
