//! Folders of a mailbox and the ways a person names one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::FolderId;

/// What a folder is for, independent of its name and language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FolderRole {
    Inbox,
    Archive,
    Drafts,
    Sent,
    Trash,
    Junk,
    Outbox,
}

impl FolderRole {
    /// All roles, in the order of the contract.
    pub const ALL: [Self; 7] =
        [Self::Inbox, Self::Archive, Self::Drafts, Self::Sent, Self::Trash, Self::Junk, Self::Outbox];

    /// The name of the role as the contract spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Archive => "archive",
            Self::Drafts => "drafts",
            Self::Sent => "sent",
            Self::Trash => "trash",
            Self::Junk => "junk",
            Self::Outbox => "outbox",
        }
    }
}

/// A folder as the service has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// The connector's name for it.
    pub id: FolderId,
    /// The folder that holds it; none at the top.
    pub parent: Option<FolderId>,
    /// Display names from the top to this folder.
    pub path: Vec<String>,
    /// What it is for, where the service says so.
    pub role: Option<FolderRole>,
    /// Messages in it.
    pub total: Option<u32>,
    /// Unread messages in it.
    pub unread: Option<u32>,
    /// False for a node that only holds other folders.
    pub holds_messages: bool,
    /// Whether it may have children; true when unknown.
    pub has_children: bool,
    /// Operations that the service denies in this folder, as far as it tells.
    pub denied: Vec<String>,
}

impl Folder {
    /// The path as a person writes it, such as `Postvak IN/Algemeen`.
    #[must_use]
    pub fn display_path(&self) -> String {
        self.path.join("/")
    }

    /// True when this folder is `other` or lies below it, by path.
    #[must_use]
    pub fn is_within(&self, other: &Folder) -> bool {
        self.id == other.id || (self.path.len() > other.path.len() && self.path.starts_with(&other.path))
    }
}

/// How a person or a job names a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FolderAddress {
    /// By the connector's id.
    Id(FolderId),
    /// By what it is for. Written `@inbox`.
    Role(FolderRole),
    /// By display names from the top. Written with `/` or `\` between them.
    Path(Vec<String>),
}

impl FolderAddress {
    /// Reads what a person typed: `@inbox`, or a path with `/` or `\` between the names. Empty names are dropped, so
    /// a leading or doubled separator does no harm.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(role) = text.strip_prefix('@') {
            return FolderRole::ALL
                .into_iter()
                .find(|r| r.as_str().eq_ignore_ascii_case(role))
                .map(Self::Role);
        }
        let names: Vec<String> =
            text.split(['/', '\\']).map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        (!names.is_empty()).then_some(Self::Path(names))
    }
}

impl fmt::Display for FolderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id {id}"),
            Self::Role(role) => write!(f, "@{}", role.as_str()),
            Self::Path(names) => f.write_str(&names.join("/")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_separators_and_roles_are_read() {
        let path = FolderAddress::Path(vec!["Postvak IN".into(), "Algemeen".into()]);
        assert_eq!(FolderAddress::parse("Postvak IN/Algemeen"), Some(path.clone()));
        assert_eq!(FolderAddress::parse("Postvak IN\\Algemeen"), Some(path.clone()));
        assert_eq!(FolderAddress::parse("/Postvak IN//Algemeen/"), Some(path));
        assert_eq!(FolderAddress::parse("@Inbox"), Some(FolderAddress::Role(FolderRole::Inbox)));
        assert_eq!(FolderAddress::parse("@nothing"), None);
        assert_eq!(FolderAddress::parse(" / "), None);
    }
}
