//! Message ids: `UIDVALIDITY.UID.folder`, which together name a message for good (RFC 3501, section 2.3.1.1).

use wissel_connector::types::Outcome;
use wissel_connector::{Error, Result};

use crate::protocol::sets::Uid;

/// The code of the errors about a changed UIDVALIDITY.
pub(crate) const UIDVALIDITY: &str = "UIDVALIDITY";

/// A message as the host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageId {
    /// 0 when the server has none.
    pub(crate) validity: u32,
    pub(crate) uid: Uid,
    pub(crate) folder: String,
}

impl MessageId {
    /// Reads an id.
    ///
    /// # Errors
    /// `not-found` for what this connector did not make.
    pub(crate) fn parse(id: &str) -> Result<Self> {
        let mut parts = id.splitn(3, '.');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let numbers = number().zip(number().and_then(Uid::new));
        match numbers.zip(parts.next()) {
            Some(((validity, uid), folder)) => Ok(Self { validity, uid, folder: folder.to_owned() }),
            None => Err(Error::not_found("a message id that is not from an IMAP account")),
        }
    }
}

/// The id of a message.
pub(crate) fn text(validity: u32, uid: Uid, folder: &str) -> String {
    format!("{validity}.{uid}.{folder}")
}

/// The messages of one folder among those that an operation was called with.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) folder: String,
    pub(crate) validity: u32,
    pub(crate) uids: Vec<Uid>,
}

impl Group {
    /// The id of a member.
    pub(crate) fn id(&self, uid: Uid) -> String {
        text(self.validity, uid, &self.folder)
    }

    /// One failure for all members.
    pub(crate) fn failed(&self, error: &Error) -> impl Iterator<Item = Outcome> {
        self.uids.iter().map(|uid| Outcome::failed(self.id(*uid), error.clone()))
    }
}

/// Sorts messages by folder, as a server works on one folder at a time. Ids that cannot be read are returned apart.
pub(crate) fn groups(ids: &[String]) -> (Vec<Group>, Vec<(String, Error)>) {
    let (mut groups, mut bad) = (Vec::<Group>::new(), Vec::new());
    for id in ids {
        let MessageId { validity, uid, folder } = match MessageId::parse(id) {
            Ok(id) => id,
            Err(error) => {
                bad.push((id.clone(), error));
                continue;
            }
        };
        match groups.iter_mut().find(|g| g.folder == folder && g.validity == validity) {
            Some(group) => group.uids.push(uid),
            None => groups.push(Group { folder, validity, uids: vec![uid] }),
        }
    }
    (groups, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_there_and_back() {
        let uid = Uid::new(7).unwrap();
        let id = MessageId::parse(&text(3, uid, "INBOX.Jan.2026")).unwrap();
        assert_eq!(id, MessageId { validity: 3, uid, folder: "INBOX.Jan.2026".into() });
        for bad in ["", "1.2", "a.2.INBOX", "1.0.INBOX", "1.-2.INBOX"] {
            assert!(MessageId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn messages_are_grouped_by_folder_and_validity() {
        let ids = ["1.5.A", "1.6.B", "1.7.A", "2.8.A", "x"].map(String::from);
        let (groups, bad) = groups(&ids);
        let groups: Vec<_> = groups.iter().map(|g| (g.folder.as_str(), g.validity, g.uids.len())).collect();
        assert_eq!(groups, [("A", 1, 2), ("B", 1, 1), ("A", 2, 1)]);
        assert_eq!(bad.len(), 1);
    }
}
