//! The folders as one LIST shows them, and finding one of them the way a person names it. No I/O.

use wissel_connector::types::{Folder, FolderRole};
use wissel_connector::{Error, Result};

use crate::protocol::names;
use crate::protocol::types::flag::FlagNameAttribute;
use crate::protocol::types::response::Data;
use crate::protocol::types::status::StatusDataItem;
use crate::roles;

/// All folders.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    folders: Vec<Folder>,
    /// What separates the levels of a name.
    pub(crate) separator: Option<char>,
    /// What stands before the names of the user's own folders.
    prefix: String,
}

impl Tree {
    /// Reads LIST and STATUS responses. `prefix` is that of the personal namespace, as on the wire.
    pub(crate) fn new(data: Vec<Data<'static>>, prefix: &str, utf8: bool) -> Self {
        let mut tree =
            Self { prefix: names::id_of_text(prefix, utf8).unwrap_or_default(), ..Self::default() };
        let mut counts = Vec::new();
        for data in data {
            match data {
                Data::List { items, delimiter, mailbox } => {
                    let separator = delimiter.map(|d| d.inner());
                    tree.separator = tree.separator.or(separator);
                    if let Some(id) = names::id_of(&mailbox, utf8) {
                        tree.add(id, separator, &items);
                    }
                }
                Data::Status { mailbox, items } => {
                    counts.extend(names::id_of(&mailbox, utf8).map(|id| (id, items)))
                }
                _ => {}
            }
        }
        tree.folders.sort_by(|a, b| a.id.cmp(&b.id));
        tree.folders.dedup_by(|b, a| a.id == b.id);
        for (id, items) in counts {
            if let Some(folder) = tree.folders.iter_mut().find(|f| f.id == id) {
                count(folder, &items);
            }
        }
        tree.guess_roles();
        tree
    }

    fn add(&mut self, id: String, separator: Option<char>, attributes: &[FlagNameAttribute<'static>]) {
        let has = |name: &str| attributes.iter().any(|a| a.to_string().eq_ignore_ascii_case(name));
        let (parent, path) = match separator {
            Some(separator) => (
                id.rsplit_once(separator).map(|(parent, _)| parent.to_owned()).filter(|p| !p.is_empty()),
                id.trim_start_matches('=')
                    .split(separator)
                    .filter(|n| !n.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            None => (None, vec![id.clone()]),
        };
        let role = match id.as_str() {
            "INBOX" => Some(FolderRole::Inbox),
            _ => attributes.iter().find_map(|a| roles::by_attribute(&a.to_string())),
        };
        self.folders.push(Folder {
            id,
            parent,
            path,
            role,
            total: None,
            unread: None,
            holds_messages: !has("\\Noselect") && !has("\\NonExistent"),
            has_children: !has("\\HasNoChildren") && !has("\\Noinferiors"),
            denied: Vec::new(),
        });
    }

    /// Gives roles to well-known names, at the top or right below the prefix, where no attribute gave that role.
    fn guess_roles(&mut self) {
        let taken: Vec<_> = self.folders.iter().filter_map(|f| f.role).collect();
        let mut guessed = Vec::new();
        let prefix = self.prefix.clone();
        for folder in &mut self.folders {
            let own = folder.id.strip_prefix(prefix.as_str()).unwrap_or(&folder.id);
            let guess = roles::by_name(own).filter(|role| !taken.contains(role) && !guessed.contains(role));
            if folder.role.is_none() && folder.holds_messages {
                folder.role = guess;
                guessed.extend(guess);
            }
        }
    }

    pub(crate) fn all(&self) -> &[Folder] {
        &self.folders
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Folder> {
        self.folders.iter().find(|f| f.id == id)
    }

    pub(crate) fn by_role(&self, role: FolderRole) -> Option<&Folder> {
        self.folders.iter().find(|f| f.role == Some(role))
    }

    /// The folder of this path. The first name may be a role in any language; case does not count.
    pub(crate) fn by_path(&self, path: &[String]) -> Option<&Folder> {
        self.candidates(path).iter().find_map(|path| self.exactly(path))
    }

    /// The paths that a person's path may mean, the likeliest first.
    fn candidates(&self, path: &[String]) -> Vec<Vec<String>> {
        let mut candidates = vec![path.to_vec()];
        if let Some((first, rest)) = path.split_first()
            && let Some(role) = roles::by_name(first).and_then(|role| self.by_role(role))
        {
            candidates.push([role.path.as_slice(), rest].concat());
        }
        let prefix = self.prefix_path();
        if !prefix.is_empty() {
            candidates.push([prefix.as_slice(), path].concat());
        }
        candidates
    }

    fn exactly(&self, path: &[String]) -> Option<&Folder> {
        let same = |a: &str, b: &str| a == b || a.to_lowercase() == b.to_lowercase();
        let fits =
            |f: &&Folder| f.path.len() == path.len() && f.path.iter().zip(path).all(|(a, b)| same(a, b));
        // Two folders may differ in case alone.
        self.folders.iter().filter(fits).find(|f| f.path == path).or_else(|| self.folders.iter().find(fits))
    }

    fn prefix_path(&self) -> Vec<String> {
        match self.separator {
            Some(separator) => {
                self.prefix.split(separator).filter(|n| !n.is_empty()).map(str::to_owned).collect()
            }
            None => Vec::new(),
        }
    }

    /// The error for a path that is not there: the part that is missing, and the nearest name in its place.
    pub(crate) fn missing(&self, path: &[String]) -> Error {
        let there = (0..path.len()).rev().find_map(|n| Some((n, self.by_path(path.get(..n)?)?)));
        let depth = there.map_or(0, |(n, _)| n);
        let name = path.get(depth).cloned().unwrap_or_default();
        let beside = self.folders.iter().filter(|f| match there {
            Some((_, parent)) => f.path.len() == parent.path.len() + 1 && f.path.starts_with(&parent.path),
            None => f.path.len() == 1 || f.path.starts_with(&self.prefix_path()),
        });
        let nearest = beside
            .filter_map(|f| f.path.last())
            .min_by_key(|n| strsim::levenshtein(&n.to_lowercase(), &name.to_lowercase()))
            .map(|n| format!("; the nearest there is `{n}`"))
            .unwrap_or_default();
        let place = match there {
            Some((_, parent)) => format!("in `{}`", parent.path.join("/")),
            None => "at the top".to_owned(),
        };
        Error::not_found(format!("there is no folder `{name}` {place}{nearest}"))
    }

    /// The id that a folder of this path would have, and those of its missing parents before it.
    pub(crate) fn ids_to_create(&self, path: &[String]) -> Result<Vec<String>> {
        let separator = match self.separator {
            Some(separator) => separator,
            None if path.len() <= 1 => '\0',
            None => return Err(Error::unsupported("this server has no folders within folders")),
        };
        if let Some(name) = path.iter().find(|name| name.contains(separator) || name.is_empty()) {
            return Err(Error::unsupported(format!(
                "no folder can be called `{name}` on this server: `{separator}` separates its folders"
            )));
        }
        let there = (1..=path.len()).rev().find_map(|n| Some((n, self.by_path(path.get(..n)?)?)));
        let (depth, mut id) = match there {
            Some((n, folder)) => (n, folder.id.clone()),
            None => (0, self.prefix.trim_end_matches(separator).to_owned()),
        };
        let mut ids = Vec::new();
        for name in path.iter().skip(depth) {
            if !id.is_empty() {
                id.push(separator);
            }
            id.push_str(name);
            ids.push(id.clone());
        }
        Ok(ids)
    }
}

/// Puts the counts of a STATUS response into the folder.
pub(crate) fn count(folder: &mut Folder, items: &[StatusDataItem]) {
    for item in items {
        match item {
            StatusDataItem::Messages(total) => folder.total = Some(*total),
            StatusDataItem::Unseen(unread) => folder.unread = Some(*unread),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::assemble::decode;
    use crate::protocol::types::response::Response;

    fn tree(lines: &[&str], prefix: &str) -> Tree {
        let data = lines.iter().map(|line| match decode(format!("* LIST {line}\r\n").as_bytes()) {
            Ok(Response::Data(data)) => data,
            other => panic!("{line}: {other:?}"),
        });
        Tree::new(data.collect(), prefix, false)
    }

    fn path(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    fn found(tree: &Tree, text: &str) -> Option<String> {
        tree.by_path(&path(text)).map(|f| f.id.clone())
    }

    #[test]
    fn a_path_may_begin_with_a_role_in_any_language() {
        let tree = tree(
            &[
                "() \"/\" INBOX",
                "() \"/\" INBOX/Algemeen",
                "(\\Sent) \"/\" Uitgaand",
                "() \"/\" Facturen/Jan",
            ],
            "",
        );
        assert_eq!(found(&tree, "Postvak IN/algemeen").as_deref(), Some("INBOX/Algemeen"));
        assert_eq!(found(&tree, "Posteingang").as_deref(), Some("INBOX"));
        assert_eq!(found(&tree, "Verzonden items").as_deref(), Some("Uitgaand"));
        assert_eq!(found(&tree, "facturen/JAN").as_deref(), Some("Facturen/Jan"));
        assert_eq!(found(&tree, "Algemeen"), None);
    }

    #[test]
    fn folders_below_the_inbox_prefix_are_found_with_and_without_it() {
        let tree = tree(&["() \".\" INBOX", "() \".\" INBOX.Algemeen", "() \".\" INBOX.Sent"], "INBOX.");
        for text in ["Postvak IN/Algemeen", "INBOX/Algemeen", "Algemeen"] {
            assert_eq!(found(&tree, text).as_deref(), Some("INBOX.Algemeen"), "{text}");
        }
        assert_eq!(tree.by_role(FolderRole::Sent).map(|f| f.id.as_str()), Some("INBOX.Sent"));
        assert_eq!(
            tree.ids_to_create(&path("Verwerkt/2026")).unwrap(),
            ["INBOX.Verwerkt", "INBOX.Verwerkt.2026"]
        );
        assert!(tree.ids_to_create(&path("A.B")).is_err());
    }

    #[test]
    fn a_missing_folder_is_named_with_its_nearest_neighbour() {
        let tree = tree(&["() \"/\" INBOX", "() \"/\" INBOX/Algemeen", "() \"/\" INBOX/Archief"], "");
        let error = tree.missing(&path("Postvak IN/Algemen/Jan"));
        assert_eq!(error.message, "there is no folder `Algemen` in `INBOX`; the nearest there is `Algemeen`");
        assert!(tree.missing(&path("INBX")).message.ends_with("at the top; the nearest there is `INBOX`"));
    }

    #[test]
    fn an_attribute_goes_before_a_name() {
        let tree = tree(&["() \"/\" Trash", "(\\Trash) \"/\" Prullenbak", "(\\Noselect) \"/\" Sent"], "");
        assert_eq!(tree.by_role(FolderRole::Trash).map(|f| f.id.as_str()), Some("Prullenbak"));
        assert_eq!(tree.by_role(FolderRole::Sent), None);
    }
}
