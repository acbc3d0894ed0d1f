//! Listing, finding and creating folders.

use wissel_connector::types::{Folder, FolderAddress};
use wissel_connector::{Error, ErrorKind, Result};

use crate::connection::Collect;
use crate::protocol::command::{encode_extended, encode_my_rights};
use crate::protocol::names;
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::core::AString;
use crate::protocol::types::mailbox::{ListMailbox, Mailbox};
use crate::protocol::types::response::Data;
use crate::protocol::types::status::StatusDataItemName;
use crate::roles;
use crate::session::ImapSession;
use crate::tree::{Tree, count};

/// What a right of RFC 4314 is needed for. RFC 2086 has `d` for both `t` and `e`.
const RIGHTS: [(&str, &str); 6] = [
    ("r", "fetch"),
    ("s", "mark-messages"),
    ("td", "move-messages"),
    ("td", "delete-messages"),
    ("i", "append"),
    ("kc", "create-folder"),
];

impl ImapSession {
    pub(crate) fn list_folders(&mut self, under: Option<&str>, recursive: bool) -> Result<Vec<Folder>> {
        let tree = self.load_tree(true)?;
        let parent = match under {
            Some(id) => {
                Some(tree.by_id(id).ok_or_else(|| Error::not_found(format!("there is no folder `{id}`")))?)
            }
            None => None,
        };
        let top = parent.map_or(&[] as &[String], |p| p.path.as_slice());
        let below = |f: &&Folder| {
            f.path.len() > top.len()
                && f.path.starts_with(top)
                && (recursive || f.path.len() == top.len() + 1)
        };
        Ok(tree.all().iter().filter(below).cloned().collect())
    }

    pub(crate) fn find(&mut self, at: &FolderAddress) -> Result<Folder> {
        let known = self.tree.as_ref().and_then(|tree| look_up(tree, at)).cloned();
        let mut folder = match known {
            Some(folder) => folder,
            None => {
                let tree = self.load_tree(false)?;
                look_up(tree, at).cloned().ok_or_else(|| missing(tree, at))?
            }
        };
        if folder.holds_messages {
            self.count(&mut folder).inspect_err(|_| self.tree = None)?;
            folder.denied = self.denied(&folder)?;
        }
        Ok(folder)
    }

    pub(crate) fn create(&mut self, path: &[String]) -> Result<Folder> {
        if path.is_empty() {
            return Err(Error::not_found("a folder needs a name"));
        }
        let tree = self.load_tree(false)?;
        let ids = match tree.by_path(path) {
            // A node that only holds other folders becomes a folder when it is created.
            Some(node) if !node.holds_messages => vec![node.id.clone()],
            _ => tree.ids_to_create(path)?,
        };
        for id in &ids {
            let mailbox = names::mailbox(id, self.connection.utf8)?;
            let sent = self
                .connection
                .send(CommandBody::Create { mailbox: mailbox.clone() }, "create the folder")?;
            let created = self
                .connection
                .finish_or(sent, &mut Collect::default(), ErrorKind::PermissionMissing)
                .map(|_| ());
            match created {
                // Somebody else was faster.
                Err(error) if error.code.as_deref() == Some("ALREADYEXISTS") => {}
                other => other?,
            }
            // A convenience for people who look on: no harm when the server refuses.
            match self.connection.run_quiet(CommandBody::Subscribe { mailbox }, "subscribe to the folder") {
                Err(error) if error.is_final() => return Err(error),
                _ => {}
            }
        }
        if !ids.is_empty() {
            self.tree = None;
        }
        self.find(&match ids.last() {
            Some(id) => FolderAddress::Id(id.clone()),
            None => FolderAddress::Path(path.to_vec()),
        })
    }

    /// LIST of all folders; with the counts of all of them where the server gives them along (RFC 5819).
    pub(crate) fn load_tree(&mut self, counts: bool) -> Result<&Tree> {
        let wildcard = ListMailbox::try_from("*").map_err(|_| Error::protocol("the wildcard `*`"))?;
        let reference = Mailbox::try_from("").map_err(|_| Error::protocol("an empty reference"))?;
        let body = CommandBody::List { reference, mailbox_wildcard: wildcard };
        let mut answer = Collect::default();
        let extended = self.connection.offers("LIST-EXTENDED");
        let mut options = Vec::new();
        if extended && self.connection.offers("SPECIAL-USE") {
            options.push("SPECIAL-USE");
        }
        if extended && counts && self.connection.offers("LIST-STATUS") {
            options.push("STATUS (MESSAGES UNSEEN)");
        }
        if options.is_empty() {
            self.connection.run(body, "list the folders", &mut answer)?;
        } else {
            if counts {
                self.look_again(None)?;
            }
            let tag = self.connection.tag();
            let pieces = encode_extended(&tag, body, &format!("RETURN (CHILDREN {})", options.join(" ")))?;
            let sent = self.connection.send_pieces(tag, pieces, "list the folders")?;
            self.connection.finish(sent, &mut answer)?;
        }
        Ok(self.tree.insert(Tree::new(answer.data, &self.server.prefix, self.connection.utf8)))
    }

    /// Lets the server look again at the folder that is open, before it is asked for counts (of all folders, or of this
    /// one): what STATUS says of it may be as old as the last command (RFC 3501, section 6.3.10).
    fn look_again(&mut self, folder: Option<&str>) -> Result<()> {
        let open =
            self.selected.as_ref().is_some_and(|open| folder.is_none_or(|folder| open.folder == folder));
        match open {
            true => self.connection.run_quiet(CommandBody::Noop, "look at the open folder again").map(drop),
            false => Ok(()),
        }
    }

    fn count(&mut self, folder: &mut Folder) -> Result<()> {
        let mailbox = names::mailbox(&folder.id, self.connection.utf8)?;
        let items = [StatusDataItemName::Messages, StatusDataItemName::Unseen];
        let command = CommandBody::Status { mailbox, item_names: items.as_slice().into() };
        let mut answer = Collect::default();
        self.look_again(Some(&folder.id))?;
        let sent = self.connection.send(command, "count the messages")?;
        self.connection.finish_or(sent, &mut answer, ErrorKind::NotFound)?;
        for data in answer.data {
            if let Data::Status { items, .. } = data {
                count(folder, &items);
            }
        }
        Ok(())
    }

    /// The operations that the user may not do in the folder, by MYRIGHTS (RFC 4314) or as far as was seen.
    fn denied(&mut self, folder: &Folder) -> Result<Vec<String>> {
        let read_only = self.selected.as_ref().is_some_and(|s| s.folder == folder.id && s.read_only);
        if read_only {
            return Ok(["mark-messages", "move-messages", "delete-messages", "append"]
                .map(str::to_owned)
                .to_vec());
        }
        if !self.connection.offers("ACL") {
            return Ok(Vec::new());
        }
        let tag = self.connection.tag();
        let pieces = encode_my_rights(&tag, names::mailbox(&folder.id, self.connection.utf8)?)?;
        let sent = self.connection.send_pieces(tag, pieces, "tell the rights")?;
        let mut answer = Collect::default();
        match self.connection.finish(sent, &mut answer) {
            Err(error) if error.is_final() => return Err(error),
            Err(_) => return Ok(Vec::new()),
            Ok(_) => {}
        }
        // The codec reads MYRIGHTS as QUOTAROOT; see `protocol::assemble`.
        let rights = answer.data.iter().find_map(|data| match data {
            Data::QuotaRoot { roots, .. } => roots.first(),
            _ => None,
        });
        Ok(rights.map(denied_by).unwrap_or_default())
    }
}

fn denied_by(rights: &AString<'_>) -> Vec<String> {
    let has = |any: &str| rights.as_ref().iter().any(|right| any.as_bytes().contains(right));
    RIGHTS.iter().filter(|(any, _)| !has(any)).map(|(_, operation)| (*operation).to_owned()).collect()
}

fn look_up<'a>(tree: &'a Tree, at: &FolderAddress) -> Option<&'a Folder> {
    match at {
        FolderAddress::Id(id) => tree.by_id(id),
        FolderAddress::Role(role) => tree.by_role(*role),
        FolderAddress::Path(path) => tree.by_path(path),
    }
}

fn missing(tree: &Tree, at: &FolderAddress) -> Error {
    match at {
        FolderAddress::Id(id) => Error::not_found(format!("there is no folder `{id}` any more")),
        FolderAddress::Role(role) => {
            Error::not_found(format!("no folder of this mailbox is its {}", roles::english(*role)))
        }
        FolderAddress::Path(path) => tree.missing(path),
    }
}
