//! The rules of the mailbox: numbers ascend, a move keeps the identity, a copy makes a new one.
//!
//! Single-threaded; [`super::Mailbox`] puts the lock around it.

use std::collections::{BTreeMap, HashMap};

use super::{
    Content, Departed, FlagChange, Flags, Folder, FolderId, FolderInfo, MailboxError, Message, MessageId,
    NewMessage, Role,
};

/// First UIDVALIDITY given out; the next folder gets the next one.
const FIRST_UID_VALIDITY: u32 = 1_700_000_001;

/// Where a message came to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its number in the folder it was copied or moved from; 0 for a new message.
    pub source: u32,
    /// Its number in the target folder.
    pub uid: u32,
    /// Its identity.
    pub id: MessageId,
}

#[derive(Debug, Default)]
pub(super) struct State {
    folders: BTreeMap<FolderId, Folder>,
    /// Each folder by the one that it lies in and its name.
    names: BTreeMap<(Option<FolderId>, String), FolderId>,
    folders_made: u64,
    uid_validities_given: u32,
    messages_made: u64,
    /// Where each message lies, for faces that know messages by their identity.
    places: HashMap<MessageId, (FolderId, u32)>,
    pub(super) generation: u64,
}

impl State {
    pub(super) fn insert_folder(
        &mut self,
        parent: Option<FolderId>,
        name: String,
        role: Option<Role>,
    ) -> FolderId {
        self.folders_made += 1;
        let id = FolderId(self.folders_made);
        let uid_validity = self.next_uid_validity();
        self.names.insert((parent, name.clone()), id);
        let folder = Folder {
            parent,
            name,
            role,
            hidden: false,
            other_items: 0,
            uid_validity,
            uid_next: 1,
            messages: BTreeMap::new(),
            unread: 0,
            departed: Vec::new(),
        };
        self.folders.insert(id, folder);
        id
    }

    fn next_uid_validity(&mut self) -> u32 {
        self.uid_validities_given += 1;
        FIRST_UID_VALIDITY + self.uid_validities_given
    }

    pub(super) fn folder(&self, id: FolderId) -> Result<&Folder, MailboxError> {
        self.folders.get(&id).ok_or_else(|| MailboxError::NoSuchFolder(id.0.to_string()))
    }

    fn folder_mut(&mut self, id: FolderId) -> Result<&mut Folder, MailboxError> {
        self.folders.get_mut(&id).ok_or_else(|| MailboxError::NoSuchFolder(id.0.to_string()))
    }

    /// The folder with these names joined by `/`, below `parent`. A name may hold a slash itself.
    pub(super) fn by_path(&self, parent: Option<FolderId>, path: &str) -> Option<FolderId> {
        let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.find_map(|end| {
            let (name, rest) = path.split_at_checked(end)?;
            let id = *self.names.get(&(parent, name.to_owned()))?;
            rest.strip_prefix('/').map_or(Some(id), |rest| self.by_path(Some(id), rest))
        })
    }

    pub(super) fn tree(&self) -> Vec<FolderInfo> {
        let mut children: BTreeMap<Option<FolderId>, Vec<FolderId>> = BTreeMap::new();
        for (id, folder) in &self.folders {
            children.entry(folder.parent).or_default().push(*id);
        }
        let mut found = Vec::with_capacity(self.folders.len());
        let mut open: Vec<FolderId> = children.get(&None).into_iter().flatten().rev().copied().collect();
        while let Some(id) = open.pop() {
            found.extend(self.info(id));
            open.extend(children.get(&Some(id)).into_iter().flatten().rev());
        }
        found
    }

    pub(super) fn info(&self, id: FolderId) -> Result<FolderInfo, MailboxError> {
        let folder = self.folder(id)?;
        let mut path = vec![folder.name.clone()];
        let mut above = folder.parent;
        while let Some(parent) = above.and_then(|id| self.folders.get(&id)) {
            path.push(parent.name.clone());
            above = parent.parent;
        }
        path.reverse();
        Ok(FolderInfo {
            id,
            parent: folder.parent,
            path,
            role: folder.role,
            hidden: folder.hidden,
            other_items: folder.other_items,
            uid_validity: folder.uid_validity,
            uid_next: folder.uid_next,
            total: folder.messages.len(),
            unread: folder.unread,
            has_children: self.has_children(id),
        })
    }

    fn has_children(&self, id: FolderId) -> bool {
        let first = self.names.range((Some(id), String::new())..).next();
        first.is_some_and(|((parent, _), _)| *parent == Some(id))
    }

    fn refuse_taken(&self, parent: Option<FolderId>, name: &str) -> Result<(), MailboxError> {
        if let Some(parent) = parent {
            self.folder(parent)?;
        }
        if self.names.contains_key(&(parent, name.to_owned())) {
            return Err(MailboxError::FolderExists(name.to_owned()));
        }
        Ok(())
    }

    pub(super) fn create_folder(
        &mut self,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<FolderId, MailboxError> {
        self.refuse_taken(parent, name)?;
        Ok(self.insert_folder(parent, name.to_owned(), None))
    }

    pub(super) fn rename_folder(
        &mut self,
        id: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<(), MailboxError> {
        self.refuse_taken(parent, name)?;
        // A folder below itself would take its whole branch out of the tree.
        let mut above = parent;
        while let Some(ancestor) = above {
            if ancestor == id {
                return Err(MailboxError::FolderInUse(name.to_owned()));
            }
            above = self.folder(ancestor)?.parent;
        }
        let folder = self.folder_mut(id)?;
        if folder.role.is_some() {
            return Err(MailboxError::FolderInUse(folder.name.clone()));
        }
        let old = (folder.parent, std::mem::replace(&mut folder.name, name.to_owned()));
        folder.parent = parent;
        self.names.remove(&old);
        self.names.insert((parent, name.to_owned()), id);
        Ok(())
    }

    pub(super) fn delete_folder(&mut self, id: FolderId) -> Result<(), MailboxError> {
        let folder = self.folder(id)?;
        if folder.role.is_some() || self.has_children(id) {
            return Err(MailboxError::FolderInUse(folder.name.clone()));
        }
        if let Some(folder) = self.folders.remove(&id) {
            self.names.remove(&(folder.parent, folder.name));
            self.places.retain(|_, (lies_in, _)| *lies_in != id);
        }
        Ok(())
    }

    pub(super) fn describe_folder(
        &mut self,
        id: FolderId,
        hidden: bool,
        other_items: usize,
    ) -> Result<(), MailboxError> {
        let folder = self.folder_mut(id)?;
        (folder.hidden, folder.other_items) = (hidden, other_items);
        Ok(())
    }

    pub(super) fn find(&self, id: MessageId) -> Option<(FolderId, &Message)> {
        let (folder, uid) = self.places.get(&id)?;
        Some((*folder, self.folders.get(folder)?.messages.get(uid)?))
    }

    pub(super) fn replace_content(&mut self, id: MessageId, content: Content) -> Result<(), MailboxError> {
        let generation = self.generation;
        let place = self.places.get(&id).copied();
        let folder = place.and_then(|(folder, uid)| Some((self.folders.get_mut(&folder)?, uid)));
        let message = folder.and_then(|(folder, uid)| folder.messages.get_mut(&uid));
        let message = message.ok_or(MailboxError::NoSuchMessage(id.0))?;
        (message.content, message.changed) = (content, generation);
        Ok(())
    }

    /// Puts a message into a folder under its next number.
    fn place(&mut self, to: FolderId, message: Message) -> Result<Placed, MailboxError> {
        let generation = self.generation;
        let id = message.id;
        let placed = self.folder_mut(to)?.place(message, generation);
        self.places.insert(id, (to, placed.uid));
        Ok(placed)
    }

    pub(super) fn renumber(&mut self, id: FolderId) -> Result<u32, MailboxError> {
        let uid_validity = self.next_uid_validity();
        let generation = self.generation;
        let folder = self.folder_mut(id)?;
        folder.uid_validity = uid_validity;
        let messages = std::mem::take(&mut folder.messages);
        (folder.uid_next, folder.unread) = (1, 0);
        let placed: Vec<Placed> =
            messages.into_values().map(|message| folder.place(message, generation)).collect();
        self.places.extend(placed.iter().map(|placed| (placed.id, (id, placed.uid))));
        Ok(uid_validity)
    }

    pub(super) fn append(&mut self, id: FolderId, message: NewMessage) -> Result<Placed, MailboxError> {
        self.folder(id)?;
        let made = self.next_message_id();
        let generation = self.generation;
        let NewMessage { content, flags, received } = message;
        let message =
            Message { id: made, uid: 0, flags, received, content, changed: generation, moved_in: false };
        self.place(id, message)
    }

    fn next_message_id(&mut self) -> MessageId {
        self.messages_made += 1;
        MessageId(self.messages_made)
    }

    pub(super) fn copy(
        &mut self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Vec<Placed>, MailboxError> {
        self.folder(to)?;
        let source = self.folder(from)?;
        let found: Vec<Message> = uids.iter().filter_map(|uid| source.messages.get(uid)).cloned().collect();
        let mut placed = Vec::with_capacity(found.len());
        for message in found {
            let id = self.next_message_id();
            placed.push(self.place(to, Message { id, moved_in: false, ..message })?);
        }
        Ok(placed)
    }

    pub(super) fn move_messages(
        &mut self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Vec<Placed>, MailboxError> {
        self.folder(to)?;
        let taken = self.take(from, uids, true)?;
        taken.into_iter().map(|message| self.place(to, Message { moved_in: true, ..message })).collect()
    }

    pub(super) fn change_flags(
        &mut self,
        id: FolderId,
        uids: &[u32],
        change: FlagChange,
        flags: &Flags,
    ) -> Result<(), MailboxError> {
        let generation = self.generation;
        let folder = self.folder_mut(id)?;
        for uid in uids {
            if let Some(message) = folder.messages.get_mut(uid) {
                folder.unread -= usize::from(!message.flags.seen);
                message.flags.apply(change, flags);
                folder.unread += usize::from(!message.flags.seen);
                message.changed = generation;
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, id: FolderId, uids: &[u32]) -> Result<(), MailboxError> {
        for message in self.take(id, uids, false)? {
            self.places.remove(&message.id);
        }
        Ok(())
    }

    /// Takes messages out of a folder and notes that they left it.
    fn take(&mut self, from: FolderId, uids: &[u32], moved: bool) -> Result<Vec<Message>, MailboxError> {
        let generation = self.generation;
        let folder = self.folder_mut(from)?;
        let taken: Vec<Message> = uids.iter().filter_map(|uid| folder.messages.remove(uid)).collect();
        folder.unread -= taken.iter().filter(|message| !message.flags.seen).count();
        folder.departed.extend(taken.iter().map(|message| Departed { id: message.id, generation, moved }));
        Ok(taken)
    }
}

impl Folder {
    fn place(&mut self, message: Message, generation: u64) -> Placed {
        let uid = self.uid_next;
        self.uid_next += 1;
        let placed = Placed { source: message.uid, uid, id: message.id };
        self.unread += usize::from(!message.flags.seen);
        self.messages.insert(uid, Message { uid, changed: generation, ..message });
        placed
    }
}
