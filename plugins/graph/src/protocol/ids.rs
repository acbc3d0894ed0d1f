//! Ids of messages as the host keeps them: the service's immutable id, and the folder that the message was listed in, as the
//! message itself told it (`parentFolderId`), so that like is compared with like.
//!
//! The immutable id goes on naming a message that somebody has moved elsewhere. With the folder beside it, what would take
//! the message out of a folder can look whether it is still that one. The addresses of the service have no folder: with one,
//! it refuses `$value` (405, against its documentation), and nowhere promises that the folder counts.

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

    /// The address of the message, wherever it is.
    pub(crate) fn path(&self) -> String {
        format!("/messages/{}", address::segment(self.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_the_message_and_its_folder() {
        let id = Listed::write("AAk-_=", "AQM=");
        let read = Listed::read(&id).unwrap();
        assert_eq!((read.message, read.folder), ("AAk-_=", "AQM="));
        assert_eq!(read.path(), "/messages/AAk-_%3D");
        for strange in ["", ":", "AAk-_=", "a:", ":b", "..:b", "a:..", "delta:b", "a:b\n"] {
            assert!(Listed::read(strange).is_err(), "{strange}");
        }
        assert_eq!(Listed::read("a/1:b:c").unwrap(), Listed { message: "a/1", folder: "b:c" });
    }
}
