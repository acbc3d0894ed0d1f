//! A folder as the mailbox keeps it, and the view of it that is handed out.

use std::collections::BTreeMap;

use super::Message;

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
}

impl Role {
    /// Every role with the display name of its folder in a Dutch mailbox.
    pub const DUTCH: [(Role, &'static str); 6] = [
        (Role::Inbox, "Postvak IN"),
        (Role::Sent, "Verzonden items"),
        (Role::Drafts, "Concepten"),
        (Role::Trash, "Verwijderde items"),
        (Role::Junk, "Ongewenste e-mail"),
        (Role::Archive, "Archief"),
    ];
}

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) parent: Option<FolderId>,
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) messages: BTreeMap<u32, Message>,
}

/// A folder at one moment.
#[derive(Clone, Debug)]
pub struct FolderInfo {
    /// Its identity.
    pub id: FolderId,
    /// Display names from the top down to its own; a name may hold any character.
    pub path: Vec<String>,
    /// What it is for.
    pub role: Option<Role>,
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
