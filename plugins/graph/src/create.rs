//! Creating folders, level by level.

use wissel_connector::serde_json::json;
use wissel_connector::types::Folder;
use wissel_connector::{Error, Result};

use crate::folders::Node;
use crate::protocol::documents::FolderItem;
use crate::protocol::failure::FOLDER_EXISTS;
use crate::protocol::{address, names};
use crate::session::GraphSession;

impl GraphSession {
    pub(crate) fn create(&mut self, path: &[String]) -> Result<Folder> {
        if path.is_empty() || path.iter().any(|name| name.trim().is_empty()) {
            return Err(Error::unsupported("a folder needs a name"));
        }
        let walk = self.walk(path)?;
        let mut reached = walk.reached;
        for (depth, name) in path.iter().enumerate().skip(walk.depth) {
            let name = names::shown(name);
            let doing = format!("create the folder `{}`", name.replace(char::is_control, " "));
            let place = match &reached {
                Some(node) => format!("/mailFolders/{}/childFolders", address::id(&node.item.id)?),
                None => "/mailFolders".to_owned(),
            };
            let url = self.service.url(&place);
            // Sent a second time it is refused, because the folder is there.
            let made: Result<FolderItem> =
                self.service.call("POST", &url, Some(&json!({ "displayName": name })), true, &doing);
            reached = Some(match made {
                Ok(item) => Node::below(reached.as_ref(), item),
                // Somebody else was faster, or a lost answer was repeated.
                Err(error) if error.code.as_deref() == Some(FOLDER_EXISTS) => {
                    let so_far = path.get(..=depth).unwrap_or(path);
                    let walk = self.walk(so_far)?;
                    match walk.reached {
                        Some(node) if walk.depth == so_far.len() => node,
                        _ => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            });
        }
        let node = reached.ok_or_else(|| Error::unsupported("a folder needs a name"))?;
        Ok(node.folder(self.load_roles()?))
    }
}
