//! Listing folders. Folders have a name and a parent only; paths are put together here.

use std::collections::{BTreeMap, BTreeSet};

use wissel_connector::types::{Folder, FolderRole};
use wissel_connector::{Error, ErrorKind, Response, Result};

use crate::batch::{Call, ends_all};
use crate::protocol::documents::{FOLDER_FIELDS, FolderItem, Identified};
use crate::protocol::{address, names};
use crate::service::Service;
use crate::session::GraphSession;

/// How deep folders lie at most; Exchange allows 300 levels.
const DEEPEST: usize = 400;

/// Which folders are the well-known ones.
#[derive(Debug)]
pub(crate) struct Roles {
    /// The folder that holds all others.
    pub(crate) root: String,
    by_id: BTreeMap<String, FolderRole>,
}

impl Roles {
    pub(crate) fn of(&self, id: &str) -> Option<FolderRole> {
        self.by_id.get(id).copied()
    }
}

/// A folder with its path.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) item: FolderItem,
    pub(crate) path: Vec<String>,
}

impl Node {
    /// The folder of this item in that one, or at the top.
    pub(crate) fn below(above: Option<&Self>, item: FolderItem) -> Self {
        let mut path = above.map(|above| above.path.clone()).unwrap_or_default();
        path.push(names::shown(item.display_name.as_deref().unwrap_or_default()));
        Self { item, path }
    }

    /// As the contract has it.
    pub(crate) fn folder(self, roles: &Roles) -> Folder {
        let Self { item, path } = self;
        let count = |count: Option<i64>| count.and_then(|n| u32::try_from(n).ok());
        Folder {
            role: roles.of(&item.id),
            parent: item.parent_folder_id.filter(|_| path.len() > 1),
            path,
            total: count(item.total_item_count),
            unread: count(item.unread_item_count),
            holds_messages: true,
            has_children: item.child_folder_count.is_none_or(|n| n > 0),
            denied: Vec::new(),
            id: item.id,
        }
    }
}

impl Service {
    /// The address of the folders in a folder, or at the top; hidden ones, such as the clutter of clients, included.
    pub(crate) fn children_url(&self, of: Option<&str>) -> Result<String> {
        let path = match of {
            Some(id) => format!("/mailFolders/{}/childFolders", address::id(id)?),
            None => "/mailFolders".to_owned(),
        };
        // Ten come on a page unless more are asked for.
        Ok(self.url(&format!("{path}?includeHiddenFolders=true&$top=1000&$select={FOLDER_FIELDS}")))
    }

    /// The folders in a folder, or at the top.
    pub(crate) fn children(&self, of: Option<&str>, doing: &str) -> Result<Vec<FolderItem>> {
        self.children_from(self.start(&self.children_url(of)?)?.wait()?, doing)
    }

    /// The same, beginning with this answer. Search folders are left out: what they show lies elsewhere.
    fn children_from(&self, first: Box<dyn Response>, doing: &str) -> Result<Vec<FolderItem>> {
        let mut items: Vec<FolderItem> = self.all(first, doing)?;
        items.retain(|item| !item.is_search());
        Ok(items)
    }

    /// One folder, by its id or by the name that stands for it.
    pub(crate) fn folder(&self, id: &str, doing: &str) -> Result<FolderItem> {
        let url = self.url(&format!("/mailFolders/{}?$select={FOLDER_FIELDS}", address::id(id)?));
        self.get(&url, doing)
    }
}

impl GraphSession {
    pub(crate) fn list_folders(&mut self, under: Option<&str>, recursive: bool) -> Result<Vec<Folder>> {
        let doing = "list the folders";
        self.load_roles()?;
        let top = under.map(|id| self.node(id)).transpose()?;
        let below = |above: Option<&Node>, items: Vec<FolderItem>| -> Vec<Node> {
            items.into_iter().map(|item| Node::below(above, item)).collect()
        };
        let first = self.service.children(top.as_ref().map(|node| node.item.id.as_str()), doing)?;
        let mut level = below(top.as_ref(), first);
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for _ in 0..DEEPEST {
            level.retain(|node| seen.insert(node.item.id.clone()));
            let parents: Vec<Node> = match recursive {
                true => level.iter().filter(|n| n.item.child_folder_count != Some(0)).cloned().collect(),
                false => Vec::new(),
            };
            found.append(&mut level);
            if parents.is_empty() {
                break;
            }
            let service = &self.service;
            let mut addressed = Vec::with_capacity(parents.len());
            for parent in parents {
                addressed.push((service.children_url(Some(&parent.item.id))?, parent));
            }
            service.each(
                addressed,
                |(url, _)| url.clone(),
                |(_, parent), answer| match answer.and_then(|first| service.children_from(first, doing)) {
                    Ok(items) => {
                        level.extend(below(Some(&parent), items));
                        Ok(())
                    }
                    // Somebody removed it meanwhile, or did not share it.
                    Err(error)
                        if matches!(error.kind, ErrorKind::NotFound | ErrorKind::PermissionMissing) =>
                    {
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            )?;
        }
        let roles = self.load_roles()?;
        Ok(found.into_iter().map(|node| node.folder(roles)).collect())
    }

    /// A folder by its id, with the path that leads to it.
    pub(crate) fn node(&mut self, id: &str) -> Result<Node> {
        let item = self.service.folder(id, &format!("find the folder with the id {}", shown_id(id)))?;
        self.climb(item)
    }

    /// The path that leads to a folder: from its parents, up to the one that holds all.
    pub(crate) fn climb(&mut self, item: FolderItem) -> Result<Node> {
        let root = self.load_roles()?.root.clone();
        let mut path = vec![names::shown(item.display_name.as_deref().unwrap_or_default())];
        let mut above = item.parent_folder_id.clone();
        while let Some(id) = above.filter(|id| *id != root && item.id != root) {
            if path.len() > DEEPEST {
                return Err(Error::protocol("a folder lies in itself"));
            }
            match self.service.folder(&id, "find the folder above a folder") {
                Ok(parent) => {
                    path.push(names::shown(parent.display_name.as_deref().unwrap_or_default()));
                    above = parent.parent_folder_id;
                }
                // Only this folder was shared, so for this user it is at the top.
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::PermissionMissing) => {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        path.reverse();
        Ok(Node { item, path })
    }

    /// Asks which folders are the well-known ones: once in a session, all at once.
    pub(crate) fn load_roles(&mut self) -> Result<&Roles> {
        if self.roles.is_none() {
            let doing = "find the well-known folders";
            let wanted: Vec<(Option<FolderRole>, &str)> = [(None, names::ROOT)]
                .into_iter()
                .chain(names::well_known().map(|(role, address)| (Some(role), address)))
                .collect();
            let calls: Vec<Call> = wanted
                .iter()
                .map(|(_, address)| Call {
                    method: "GET",
                    path: format!("/mailFolders/{address}?$select=id"),
                    body: None,
                    idempotent: true,
                })
                .collect();
            let (mut root, mut by_id, mut failed) = (None, BTreeMap::new(), None);
            self.service.batch(calls, doing, |place, answer| {
                let role = wanted.get(place).and_then(|(role, _)| *role);
                let found = answer.and_then(|body| {
                    let Identified { id } = wissel_connector::serde_json::from_value(body)?;
                    Ok(id)
                });
                match (found, role) {
                    (Ok(id), Some(role)) => {
                        by_id.insert(id, role);
                    }
                    (Ok(id), None) => root = Some(id),
                    // Not every mailbox has an archive, and not everybody may see all.
                    (Err(error), Some(_)) if !ends_all(&error) && error.kind != ErrorKind::Temporary => {}
                    (Err(error), _) => failed = Some(error),
                }
                None
            })?;
            let root = match (root, failed) {
                (_, Some(error)) => return Err(error),
                (Some(root), None) => root,
                (None, None) => {
                    return Err(Error::protocol("the mailbox has no folder that holds all others"));
                }
            };
            self.roles = Some(Roles { root, by_id });
        }
        self.roles.as_ref().ok_or_else(|| Error::protocol("the well-known folders are not known"))
    }
}

/// An id, fit to be shown.
pub(crate) fn shown_id(id: &str) -> String {
    let clean: String = id.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    format!("`{clean}`")
}
