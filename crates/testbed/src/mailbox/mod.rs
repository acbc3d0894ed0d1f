//! One mailbox in memory, shared by every face: folders, messages, numbers, notice of changes.
//!
//! It is protocol-neutral. A face translates names, flags and identities, and keeps what is only its own (sequence
//! numbers, change keys) to itself; only the UID bookkeeping lives here, because it must outlast a connection.
//! It deliberately has no users (see [`crate::users`]), no limits and no faults (see [`crate::faults`]).

mod content;
mod folder;
mod message;
mod state;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

pub use self::{
    content::Content,
    folder::{Departed, FolderId, FolderInfo, Role},
    message::{FlagChange, Flags, Message, MessageId, NewMessage},
    state::Placed,
};
use self::{folder::Folder, state::State};

/// Why the mailbox refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MailboxError {
    /// No folder has this path or identity.
    #[error("the mailbox has no folder '{0}'")]
    NoSuchFolder(String),
    /// The parent has a folder of that name already.
    #[error("the folder '{0}' exists already")]
    FolderExists(String),
    /// A folder with a role, or with sub folders, is not removed or renamed.
    #[error("the folder '{0}' cannot be removed or renamed: it has a role or sub folders")]
    FolderInUse(String),
    /// No message has this identity (any more).
    #[error("the mailbox has no message {0}")]
    NoSuchMessage(u64),
}

/// A mailbox; clones share it.
#[derive(Clone, Debug)]
pub struct Mailbox {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Mailbox {
    /// An empty mailbox with the folders of [`Role::DUTCH`].
    pub fn new() -> Self {
        let mut state = State::default();
        for (role, name) in Role::DUTCH {
            state.insert_folder(None, name.to_owned(), Some(role));
        }
        Self { state: Arc::new(Mutex::new(state)), changed: watch::Sender::new(0) }
    }

    /// All folders, a parent before its children, siblings in the order of their making.
    pub fn folders(&self) -> Vec<FolderInfo> {
        self.lock().tree()
    }

    /// The folder with these display names joined by `/`.
    pub fn folder(&self, path: &str) -> Result<FolderInfo, MailboxError> {
        let state = self.lock();
        let id = state.by_path(None, path).ok_or_else(|| MailboxError::NoSuchFolder(path.to_owned()))?;
        state.info(id)
    }

    /// The folder with this identity.
    pub fn folder_by_id(&self, id: FolderId) -> Result<FolderInfo, MailboxError> {
        self.lock().info(id)
    }

    /// Makes a folder; `name` may hold any character, `/` too.
    pub fn create_folder(&self, parent: Option<FolderId>, name: &str) -> Result<FolderId, MailboxError> {
        self.change(|state| state.create_folder(parent, name))
    }

    /// The folder with these display names joined by `/`, made with its parents where it is missing.
    pub fn ensure_folder(&self, path: &str) -> Result<FolderId, MailboxError> {
        if let Ok(folder) = self.folder(path) {
            return Ok(folder.id);
        }
        match path.rsplit_once('/') {
            Some((parent, name)) => {
                let parent = self.ensure_folder(parent)?;
                self.create_folder(Some(parent), name)
            }
            None => self.create_folder(None, path),
        }
    }

    /// Gives a folder another parent and name; its identity, messages and numbers stay.
    pub fn rename_folder(
        &self,
        id: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<(), MailboxError> {
        self.change(|state| state.rename_folder(id, parent, name))
    }

    /// Removes a folder and its messages.
    pub fn delete_folder(&self, id: FolderId) -> Result<(), MailboxError> {
        self.change(|state| state.delete_folder(id))
    }

    /// Gives the folder a new UIDVALIDITY and its messages new numbers, as a restored backup does.
    pub fn renumber(&self, path: &str) -> Result<u32, MailboxError> {
        let id = self.folder(path)?.id;
        self.change(|state| state.renumber(id))
    }

    /// Puts a message into the folder with this path, as the post does.
    pub fn deliver(&self, path: &str, message: NewMessage) -> Result<Placed, MailboxError> {
        let id = self.folder(path)?.id;
        self.append(id, message)
    }

    /// Puts a message into a folder.
    pub fn append(&self, folder: FolderId, message: NewMessage) -> Result<Placed, MailboxError> {
        self.change(|state| state.append(folder, message))
    }

    /// The messages of a folder by ascending number; the contents are shared, not copied.
    pub fn messages(&self, folder: FolderId) -> Result<Vec<Message>, MailboxError> {
        Ok(self.lock().folder(folder)?.messages.values().cloned().collect())
    }

    /// One message of a folder.
    pub fn message(&self, folder: FolderId, uid: u32) -> Option<Message> {
        self.lock().folder(folder).ok()?.messages.get(&uid).cloned()
    }

    /// Copies messages; numbers that are not there are passed over. The answer is in the order given.
    pub fn copy(&self, from: FolderId, uids: &[u32], to: FolderId) -> Result<Vec<Placed>, MailboxError> {
        self.change(|state| state.copy(from, uids, to))
    }

    /// Moves messages in one step; numbers that are not there are passed over. The answer is in the order given.
    pub fn move_messages(
        &self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Vec<Placed>, MailboxError> {
        self.change(|state| state.move_messages(from, uids, to))
    }

    /// Changes flags; numbers that are not there are passed over.
    pub fn change_flags(
        &self,
        folder: FolderId,
        uids: &[u32],
        change: FlagChange,
        flags: &Flags,
    ) -> Result<(), MailboxError> {
        self.change(|state| state.change_flags(folder, uids, change, flags))
    }

    /// Removes messages for good; numbers that are not there are passed over.
    pub fn remove(&self, folder: FolderId, uids: &[u32]) -> Result<(), MailboxError> {
        self.change(|state| state.remove(folder, uids))
    }

    /// Where a message lies, and the message.
    pub fn find(&self, id: MessageId) -> Option<(FolderId, Message)> {
        self.lock().find(id).map(|(folder, message)| (folder, message.clone()))
    }

    /// Gives a message other bytes, as a client does with a draft.
    pub fn replace_content(&self, id: MessageId, content: Content) -> Result<(), MailboxError> {
        self.change(|state| state.replace_content(id, content))
    }

    /// Hides a folder from clients that do not ask for hidden ones, and says how many things in it are no mail.
    pub fn describe_folder(
        &self,
        id: FolderId,
        hidden: bool,
        other_items: usize,
    ) -> Result<(), MailboxError> {
        self.change(|state| state.describe_folder(id, hidden, other_items))
    }

    /// What left a folder after a generation of the mailbox, in that order.
    pub fn departed(&self, folder: FolderId, after: u64) -> Result<Vec<Departed>, MailboxError> {
        let state = self.lock();
        let departed = state.folder(folder)?.departed.iter();
        Ok(departed.filter(|departed| departed.generation > after).copied().collect())
    }

    /// The mailbox's generation: every change gets the next one.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Notice of every change: the value is the mailbox's generation.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// For an observer: how many messages of each folder hold `token`, folders without any left out.
    pub fn count_token(&self, token: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for folder in self.folders() {
            let messages = self.messages(folder.id).unwrap_or_default();
            let count = messages.iter().filter(|message| message.content.contains(token.as_bytes())).count();
            if count > 0 {
                counts.insert(folder.joined(), count);
            }
        }
        counts
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> Result<T, MailboxError>) -> Result<T, MailboxError> {
        let mut state = self.lock();
        state.generation += 1;
        let done = act(&mut state)?;
        // Under the lock, so that nobody sees an older generation after a newer one.
        self.changed.send_replace(state.generation);
        Ok(done)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of one test's thread must not hide what another test wants to see.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
