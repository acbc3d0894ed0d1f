//! LIST, LSUB, STATUS, NAMESPACE, CREATE, DELETE, RENAME.

use std::io;

use imap_codec::imap_types::{
    core::{IString, QuotedChar},
    extensions::namespace::Namespace,
    flag::FlagNameAttribute,
    mailbox::{ListMailbox, Mailbox as WireName},
    response::Data,
    status::{StatusDataItem, StatusDataItemName},
};

use super::{
    names::{self, Listed},
    session::{Reply, Session},
    view::number,
    wire::{Stream, unsendable},
};
use crate::mailbox::{MailboxError, Role};

impl<S: Stream> Session<S> {
    pub(super) async fn namespace(&mut self) -> io::Result<Reply> {
        let prefix = IString::try_from("").map_err(unsendable)?;
        let personal = vec![Namespace::new(prefix, self.separator())];
        self.data(Data::Namespace { personal, other: Vec::new(), shared: Vec::new() }).await?;
        Ok(Reply::ok("Done"))
    }

    fn separator(&self) -> Option<QuotedChar> {
        QuotedChar::try_from(self.face.settings.separator).ok()
    }

    pub(super) async fn list(
        &mut self,
        reference: &WireName<'_>,
        pattern: &ListMailbox<'_>,
        subscribed: bool,
    ) -> io::Result<Reply> {
        let pattern = match pattern {
            ListMailbox::Token(token) => token.as_ref(),
            ListMailbox::String(string) => string.as_ref(),
        };
        let reference = names::read(reference, self.utf8);
        let pattern = names::read_bytes(pattern, self.utf8);
        let (Some(reference), Some(pattern)) = (reference, pattern) else {
            return Ok(Reply::bad("Malformed name"));
        };
        let separator = self.face.settings.separator;
        if pattern.is_empty() && !subscribed {
            // A question for the separator (RFC 3501, section 6.3.8).
            let mailbox = WireName::try_from("").map_err(unsendable)?;
            let items = vec![FlagNameAttribute::Noselect];
            self.data(Data::List { items, delimiter: self.separator(), mailbox }).await?;
            return Ok(Reply::ok("Done"));
        }
        let pattern = match pattern.get(..5) {
            Some(start) if reference.is_empty() && start.eq_ignore_ascii_case("INBOX") => {
                format!("INBOX{}", pattern.get(5..).unwrap_or_default())
            }
            _ => format!("{reference}{pattern}"),
        };
        for listed in self.face.listed() {
            if !names::matches(&pattern, &listed.name, separator) {
                continue;
            }
            let Some(mailbox) = names::write(&listed.name, self.utf8) else { continue };
            let items = attributes(&listed);
            let delimiter = self.separator();
            let data = match subscribed {
                true => Data::Lsub { items, delimiter, mailbox },
                false => Data::List { items, delimiter, mailbox },
            };
            self.data(data).await?;
        }
        Ok(Reply::ok("Done"))
    }

    pub(super) async fn folder_status(
        &mut self,
        name: &WireName<'_>,
        wanted: &[StatusDataItemName],
    ) -> io::Result<Reply> {
        let Some(folder) = names::read(name, self.utf8).and_then(|name| self.face.find(&name)) else {
            return Ok(Reply::no("No such folder").other("NONEXISTENT"));
        };
        let messages = self.face.mailbox.messages(folder.id).unwrap_or_default();
        let count = |pick: fn(&crate::mailbox::Flags) -> bool| {
            messages.iter().filter(|message| pick(&message.flags)).count() as u32
        };
        let items: Vec<StatusDataItem> = wanted
            .iter()
            .filter_map(|wanted| match wanted {
                StatusDataItemName::Messages => Some(StatusDataItem::Messages(messages.len() as u32)),
                StatusDataItemName::Recent => Some(StatusDataItem::Recent(0)),
                StatusDataItemName::UidNext => Some(StatusDataItem::UidNext(number(folder.uid_next))),
                StatusDataItemName::UidValidity => {
                    Some(StatusDataItem::UidValidity(number(folder.uid_validity)))
                }
                StatusDataItemName::Unseen => Some(StatusDataItem::Unseen(count(|flags| !flags.seen))),
                StatusDataItemName::Deleted => Some(StatusDataItem::Deleted(count(|flags| flags.deleted))),
                StatusDataItemName::DeletedStorage => None,
            })
            .collect();
        self.data(Data::Status { mailbox: name.clone(), items: items.into() }).await?;
        Ok(Reply::ok("Done"))
    }

    pub(super) fn create_folder(&mut self, name: &WireName<'_>) -> Reply {
        let Some(name) = names::read(name, self.utf8) else { return Reply::bad("Malformed name") };
        // A separator at the end only announces sub folders (RFC 3501, section 6.3.3).
        let name = name.trim_end_matches(self.face.settings.separator);
        if let Some(refused) = self.refuse_change() {
            return refused;
        }
        if name.is_empty() || self.face.find(name).is_some() {
            return Reply::no("The folder exists already").other("ALREADYEXISTS");
        }
        match self.face.create(name) {
            Some(_) => Reply::ok("Created"),
            None => Reply::no("Cannot make this folder").other("CANNOT"),
        }
    }

    pub(super) fn delete_folder(&mut self, name: &WireName<'_>) -> Reply {
        let folder = names::read(name, self.utf8).and_then(|name| self.face.find(&name));
        let Some(folder) = folder else { return Reply::no("No such folder").other("NONEXISTENT") };
        self.refuse_change().unwrap_or_else(|| folder_reply(self.face.mailbox.delete_folder(folder.id)))
    }

    pub(super) fn rename_folder(&mut self, from: &WireName<'_>, to: &WireName<'_>) -> Reply {
        let folder = names::read(from, self.utf8).and_then(|name| self.face.find(&name));
        let Some(folder) = folder else { return Reply::no("No such folder").other("NONEXISTENT") };
        if let Some(refused) = self.refuse_change() {
            return refused;
        }
        let place = names::read(to, self.utf8).and_then(|name| self.face.place(&name));
        match place {
            Some((parent, own)) => folder_reply(self.face.mailbox.rename_folder(folder.id, parent, &own)),
            None => Reply::no("Cannot make this folder").other("CANNOT"),
        }
    }

    /// The refusal of any change, when the mailbox is switched to read-only.
    pub(super) fn refuse_change(&self) -> Option<Reply> {
        let read_only = self.face.faults.switches().read_only;
        read_only.then(|| Reply::no("The mailbox is read-only").other("NOPERM"))
    }
}

fn folder_reply(result: Result<(), MailboxError>) -> Reply {
    match result {
        Ok(()) => Reply::ok("Done"),
        Err(error @ MailboxError::FolderExists(_)) => Reply::no(ascii(&error)).other("ALREADYEXISTS"),
        Err(error @ (MailboxError::NoSuchFolder(_) | MailboxError::NoSuchMessage(_))) => {
            Reply::no(ascii(&error)).other("NONEXISTENT")
        }
        Err(error @ MailboxError::FolderInUse(_)) => Reply::no(ascii(&error)).other("CANNOT"),
    }
}

/// The text of an answer is ASCII without line ends; a folder's name need not be.
fn ascii(error: &MailboxError) -> String {
    error
        .to_string()
        .chars()
        .map(|character| if matches!(character, ' '..='~') { character } else { '?' })
        .collect()
}

fn attributes(listed: &Listed) -> Vec<FlagNameAttribute<'static>> {
    let (role, has_children) = match &listed.folder {
        Some(folder) => (folder.role, folder.has_children),
        None => (None, true),
    };
    let use_of_folder = match role {
        Some(Role::Sent) => Some("Sent"),
        Some(Role::Drafts) => Some("Drafts"),
        Some(Role::Trash) => Some("Trash"),
        Some(Role::Junk) => Some("Junk"),
        Some(Role::Archive) => Some("Archive"),
        Some(Role::Inbox | Role::Outbox) | None => None,
    };
    let children = if has_children { "HasChildren" } else { "HasNoChildren" };
    let named = [Some(children), use_of_folder].into_iter().flatten();
    let named = named.filter_map(|name| imap_codec::imap_types::core::Atom::try_from(name).ok());
    let noselect = listed.folder.is_none().then_some(FlagNameAttribute::Noselect);
    noselect.into_iter().chain(named.map(FlagNameAttribute::from)).collect()
}
