//! A folder as the mailbox keeps it, and the view of it that is handed out.

use std::collections::BTreeMap;

use super::{Message, MessageId};

/// Identity of a folder: it stays when the folder is renamed or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderId(pub u64);

/// What a folder is for, whatever its name and language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// New mail arrives here.
    Inbox,
    /// Copies of sent mail.
    Sent,
    /// Mail that is being written.
    Drafts,
    /// Removed mail.
    Trash,
    /// Unwanted mail.
    Junk,
    /// Mail kept for later.
    Archive,
    /// Mail on its way out.
    Outbox,
}

impl Role {
    /// Every role with the display name of its folder in a Dutch mailbox.
    pub const DUTCH: [(Role, &'static str); 7] = [
        (Role::Inbox, "Postvak IN"),
        (Role::Sent, "Verzonden items"),
        (Role::Drafts, "Concepten"),
        (Role::Trash, "Verwijderde items"),
        (Role::Junk, "Ongewenste e-mail"),
        (Role::Archive, "Archief"),
        (Role::Outbox, "Postvak UIT"),
    ];
}

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) parent: Option<FolderId>,
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) hidden: bool,
    pub(super) other_items: usize,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) messages: BTreeMap<u32, Message>,
    /// How many of the messages were not read: counting them would cost each look at the folder.
    pub(super) unread: usize,
    pub(super) departed: Vec<Departed>,
}

/// A message that left a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {
    /// Its identity.
    pub id: MessageId,
    /// The mailbox's generation when it left.
    pub generation: u64,
    /// Whether it was moved; otherwise it was removed.
    pub moved: bool,
}

/// A folder at one moment.
#[derive(Clone, Debug)]
pub struct FolderInfo {
    /// Its identity.
    pub id: FolderId,
    /// The folder it lies in; none for the uppermost ones.
    pub parent: Option<FolderId>,
    /// Display names from the top down to its own; a name may hold any character.
    pub path: Vec<String>,
    /// What it is for.
    pub role: Option<Role>,
    /// Whether clients show it only when asked to.
    pub hidden: bool,
    /// Things in it that are no mail (appointments, notes): some services count them.
    pub other_items: usize,
    /// Changes when the numbers of all its messages lose their meaning.
    pub uid_validity: u32,
    /// The number that the next message gets.
    pub uid_next: u32,
    /// Messages in it.
    pub total: usize,
    /// Those of them that were not read.
    pub unread: usize,
    /// Whether it has sub folders.
    pub has_children: bool,
}

impl FolderInfo {
    /// The display names joined with `/`.
    pub fn joined(&self) -> String {
        self.path.join("/")
    }
}
