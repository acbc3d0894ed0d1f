//! Finding a folder the way a person names it: level by level, comparing display names, and where that does not lead
//! there, from a well-known folder whatever it is called in this mailbox.

use wissel_connector::types::{Folder, FolderAddress, FolderRole};
use wissel_connector::{Error, ErrorKind, Result};

use crate::folders::Node;
use crate::protocol::documents::FolderItem;
use crate::protocol::names;
use crate::session::GraphSession;

/// How far a path leads.
pub(crate) struct Walk {
    /// The folder that the last name that was found stands for; none when not even the first one was.
    pub(crate) reached: Option<Node>,
    /// How many names were found.
    pub(crate) depth: usize,
    /// The folders beside the one that is missing.
    beside: Vec<FolderItem>,
}

impl GraphSession {
    pub(crate) fn find(&mut self, at: &FolderAddress) -> Result<Folder> {
        let node = match at {
            FolderAddress::Id(id) => self.node(id)?,
            FolderAddress::Role(role) => {
                let english = names::english(*role);
                self.well_known(*role)?
                    .ok_or_else(|| Error::not_found(format!("no folder of this mailbox is its {english}")))?
            }
            FolderAddress::Path(path) => {
                let walk = self.walk(path)?;
                match walk.reached {
                    Some(node) if walk.depth == path.len() => node,
                    _ => return Err(walk.missing(path)),
                }
            }
        };
        Ok(node.folder(self.load_roles()?))
    }

    /// Follows a path as far as it leads: by the names as they are, else from the well-known folder that the first
    /// name stands for.
    pub(crate) fn walk(&mut self, path: &[String]) -> Result<Walk> {
        let by_name = self.descend(None, path, 0)?;
        if by_name.depth == path.len() {
            return Ok(by_name);
        }
        let Some((first, _)) = path.split_first() else { return Ok(by_name) };
        let from = match names::role(first) {
            Some(role) => self.well_known(role)?,
            None => None,
        };
        // The same folder would lead no further.
        let same = |a: &Node, b: &Node| a.item.id == b.item.id;
        match from {
            Some(top) if by_name.depth == 0 || !by_name.reached.as_ref().is_some_and(|n| same(n, &top)) => {
                let by_role = self.descend(Some(top), path, 1)?;
                Ok(if by_role.depth > by_name.depth { by_role } else { by_name })
            }
            _ => Ok(by_name),
        }
    }

    /// Follows the names from `depth` on, in the folder that was reached.
    fn descend(&self, from: Option<Node>, path: &[String], depth: usize) -> Result<Walk> {
        let mut walk = Walk { reached: from, depth, beside: Vec::new() };
        for name in path.iter().skip(depth) {
            let place = walk.reached.as_ref().map(|node| node.item.id.as_str());
            let doing = format!("look for the folder {}", quoted(name));
            let children = self.service.children(place, &doing)?;
            let Some(item) = named(&children, name) else {
                walk.beside = children;
                break;
            };
            walk.reached = Some(Node::below(walk.reached.as_ref(), item.clone()));
            walk.depth += 1;
        }
        Ok(walk)
    }

    /// The folder of this role, if the mailbox has one.
    fn well_known(&mut self, role: FolderRole) -> Result<Option<Node>> {
        let doing = format!("find the {} of the mailbox", names::english(role));
        match self.service.folder(names::address(role), &doing) {
            Ok(item) => self.climb(item).map(Some),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Walk {
    /// The error for a path that does not lead to its end: the part that is missing, and the nearest name in its place.
    pub(crate) fn missing(&self, path: &[String]) -> Error {
        let Some(name) = path.get(self.depth) else {
            return Error::not_found("a folder needs a name");
        };
        let place = match &self.reached {
            Some(node) => format!("in {}", quoted(&node.path.join("/"))),
            None => "at the top".to_owned(),
        };
        let wanted = name.to_lowercase();
        let beside = self.beside.iter().filter_map(|item| item.display_name.as_deref());
        let nearest = beside
            .min_by_key(|there| strsim::levenshtein(&there.to_lowercase(), &wanted))
            .map(|there| format!("; the nearest there is {}", quoted(there)))
            .unwrap_or_default();
        Error::not_found(format!("there is no folder {} {place}{nearest}", quoted(name)))
    }
}

/// The folder of this name. Two may differ in case alone, so the name as it is goes first.
fn named<'a>(items: &'a [FolderItem], name: &str) -> Option<&'a FolderItem> {
    let is = |same: &dyn Fn(&str) -> bool| {
        items.iter().find(|item| item.display_name.as_deref().is_some_and(same))
    };
    is(&|there| there == name).or_else(|| is(&|there| names::same(there, name)))
}

/// A name in a sentence.
fn quoted(name: &str) -> String {
    let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    format!("`{clean}`")
}
