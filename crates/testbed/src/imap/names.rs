//! What the mailbox's folders are called in IMAP, and which of them a pattern means.

use imap_codec::imap_types::{
    core::{AString, IString},
    extensions::utf8::QuotedUtf8,
    mailbox::Mailbox as WireName,
};

use super::{Face, InboxNaming, mutf7};
use crate::mailbox::{FolderId, FolderInfo, Role};

/// A name that LIST shows.
pub(super) struct Listed {
    /// The whole name, in Unicode.
    pub(super) name: String,
    /// The folder, but for the container of the inbox's sub folders.
    pub(super) folder: Option<FolderInfo>,
}

impl Face {
    /// Every name in the order of the tree.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let folders = self.mailbox.folders();
        let mut listed = Vec::with_capacity(folders.len() + 1);
        // Nobody files mail in an outbox, and hidden folders are not for mail at all.
        for mut folder in
            folders.into_iter().filter(|folder| folder.role != Some(Role::Outbox) && !folder.hidden)
        {
            let name = self.name_of(&folder);
            if folder.role == Some(Role::Inbox) {
                let container = self.joined(&folder.path);
                let beside = self.settings.inbox == InboxNaming::Localized && folder.has_children;
                folder.has_children &= !beside;
                listed.push(Listed { name, folder: Some(folder) });
                if beside {
                    listed.push(Listed { name: container, folder: None });
                }
            } else {
                listed.push(Listed { name, folder: Some(folder) });
            }
        }
        listed
    }

    fn name_of(&self, folder: &FolderInfo) -> String {
        if folder.role == Some(Role::Inbox) {
            return "INBOX".to_owned();
        }
        let (_, inbox) = Role::DUTCH.iter().find(|(role, _)| *role == Role::Inbox).copied().unzip();
        match (self.settings.inbox, folder.path.split_first()) {
            (InboxNaming::Nested, Some((top, below))) if Some(top.as_str()) == inbox => {
                format!("INBOX{}{}", self.settings.separator, self.joined(below))
            }
            _ => self.joined(&folder.path),
        }
    }

    fn joined(&self, path: &[String]) -> String {
        let separator = self.settings.separator;
        let shown: Vec<String> = path.iter().map(|name| name.replace(separator, "_")).collect();
        shown.join(&separator.to_string())
    }

    /// The folder of this name.
    pub(super) fn find(&self, name: &str) -> Option<FolderInfo> {
        self.listed().into_iter().find(|listed| listed.name == name).and_then(|listed| listed.folder)
    }

    /// The folder under which a folder `name` would lie, and its own name; folders on the way are made.
    pub(super) fn place(&self, name: &str) -> Option<(Option<FolderId>, String)> {
        let Some((above, own)) = name.rsplit_once(self.settings.separator) else {
            return Some((None, name.to_owned()));
        };
        let known = self.listed().into_iter().find(|listed| listed.name == above);
        let parent = match known {
            Some(Listed { folder: Some(folder), .. }) => folder.id,
            Some(Listed { folder: None, .. }) => self.find("INBOX")?.id,
            None => self.create(above)?,
        };
        Some((Some(parent), own.to_owned()))
    }

    /// Makes the folder of this name.
    pub(super) fn create(&self, name: &str) -> Option<FolderId> {
        // A first sub folder of the inbox: its container is not listed yet.
        let localized = self.settings.inbox == InboxNaming::Localized;
        let inbox = self.mailbox.folders().into_iter().find(|folder| folder.role == Some(Role::Inbox));
        if let Some(inbox) = inbox.filter(|inbox| localized && self.joined(&inbox.path) == name) {
            return Some(inbox.id);
        }
        let (parent, own) = self.place(name)?;
        self.mailbox.create_folder(parent, &own).ok()
    }
}

/// Reads a name that came over the wire.
pub(super) fn read(name: &WireName<'_>, utf8: bool) -> Option<String> {
    match name {
        WireName::Inbox => Some("INBOX".to_owned()),
        WireName::Other(other) => read_bytes(other.as_ref(), utf8),
    }
}

/// Reads a name or pattern that came over the wire.
pub(super) fn read_bytes(bytes: &[u8], utf8: bool) -> Option<String> {
    let written = std::str::from_utf8(bytes).ok()?;
    if utf8 { Some(written.to_owned()) } else { mutf7::decode(written) }
}

/// Writes a name for the wire; `None` for one that IMAP cannot carry. With UTF-8 nothing is escaped, a lone `&` neither
/// (RFC 6855, section 3).
pub(super) fn write(name: &str, utf8: bool) -> Option<WireName<'static>> {
    if utf8 && !name.is_ascii() {
        let quoted = QuotedUtf8::try_from(name.to_owned()).ok()?;
        return Some(WireName::from(AString::String(IString::QuotedUtf8(quoted))));
    }
    WireName::try_from(if utf8 { name.to_owned() } else { mutf7::encode(name) }).ok()
}

/// Whether `name` is meant by `pattern`: `*` is anything, `%` anything within one level (RFC 3501, section 6.3.8).
pub(super) fn matches(pattern: &str, name: &str, separator: char) -> bool {
    let Some(wanted) = pattern.chars().next() else { return name.is_empty() };
    let further = pattern.get(wanted.len_utf8()..).unwrap_or_default();
    if !matches!(wanted, '*' | '%') {
        return name.strip_prefix(wanted).is_some_and(|rest| matches(further, rest, separator));
    }
    let mut rest = name;
    loop {
        if matches(further, rest, separator) {
            return true;
        }
        let mut characters = rest.chars();
        match characters.next() {
            Some(passed) if wanted == '*' || passed != separator => rest = characters.as_str(),
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_stays_on_its_level() {
        for (pattern, name, expected) in [
            ("*", "Postvak IN/Algemeen", true),
            ("%", "Postvak IN", true),
            ("%", "Postvak IN/Algemeen", false),
            ("%/%", "Postvak IN/Algemeen", true),
            ("Postvak IN/*", "Postvak IN/Facturen/2026", true),
            ("Postvak IN/*", "Postvak IN", false),
            ("*2026", "Postvak IN/Facturen/2026", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name, '/'), expected, "{pattern} {name}");
        }
    }
}
