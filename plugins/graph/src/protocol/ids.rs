//! Ids of messages as the host keeps them: the service's immutable id, and the folder that the message was listed in.
//!
//! The immutable id alone would go on naming a message that somebody has moved elsewhere. With its folder, the service is
//! asked for the message in that folder, so that one that left it is gone, and stays where it was put.

use wissel_connector::{Error, Result};

use crate::protocol::address;

/// What stands between the two: the service's ids are in base64 for addresses, which does without it.
const BETWEEN: char = ':';

/// A message in the folder that it was listed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    /// The service's immutable id.
    pub(crate) message: &'a str,
    pub(crate) folder: &'a str,
}

impl<'a> Listed<'a> {
    /// Reads an id that [`Listed::write`] wrote.
    ///
    /// # Errors
    /// `not-found` for any other text, and for ids that no service gives.
    pub(crate) fn read(id: &'a str) -> Result<Self> {
        let (message, folder) = id
            .split_once(BETWEEN)
            .ok_or_else(|| Error::not_found("a message id that is not from a Microsoft Graph account"))?;
        address::id(message)?;
        address::id(folder)?;
        Ok(Self { message, folder })
    }

    /// The id for the host.
    pub(crate) fn write(message: &str, folder: &str) -> String {
        format!("{message}{BETWEEN}{folder}")
    }

    /// The address of the message, as long as it is in its folder.
    pub(crate) fn path(&self) -> String {
        let (message, folder) = (address::segment(self.message), address::segment(self.folder));
        format!("/mailFolders/{folder}/messages/{message}")
    }

    /// The address of the message, wherever it is.
    pub(crate) fn path_anywhere(&self) -> String {
        format!("/messages/{}", address::segment(self.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_to_its_folder_alone() {
        let id = Listed::write("AAk-_=", "AQM=");
        let read = Listed::read(&id).unwrap();
        assert_eq!((read.message, read.folder), ("AAk-_=", "AQM="));
        assert_eq!(read.path(), "/mailFolders/AQM%3D/messages/AAk-_%3D");
        assert_eq!(read.path_anywhere(), "/messages/AAk-_%3D");
        for strange in ["", ":", "AAk-_=", "a:", ":b", "..:b", "a:..", "delta:b", "a:b\n"] {
            assert!(Listed::read(strange).is_err(), "{strange}");
        }
        assert_eq!(Listed::read("a:b/c:d").unwrap().path(), "/mailFolders/b%2Fc%3Ad/messages/a");
    }
}
