//! The folder that the connection has open, and what the server said when it was opened.

use wissel_connector::types::Level;
use wissel_connector::{Error, ErrorKind, Result};

use crate::connection::{Collect, Connection};
use crate::id::UIDVALIDITY;
use crate::protocol::names;
use crate::protocol::types::command::{CommandBody, SelectParameter};
use crate::protocol::types::response::{Code, Data};

/// An open folder.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) folder: String,
    /// 0 when the server has none.
    pub(crate) validity: u32,
    pub(crate) uid_next: Option<u32>,
    /// HIGHESTMODSEQ (RFC 7162); none without CONDSTORE.
    pub(crate) modseq: Option<u64>,
    /// How many messages there were; none when the server did not say.
    pub(crate) exists: Option<u32>,
    /// Nothing was listed since it was opened: what the server said then is what a listing would find.
    pub(crate) fresh: bool,
    /// Opened with SELECT, not with EXAMINE.
    pub(crate) for_writing: bool,
    /// The server does not let it be changed.
    pub(crate) read_only: bool,
}

/// What the folder is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// EXAMINE will do: nothing changes, not even `\Recent`.
    Read,
    /// Flags change, or messages leave.
    Write,
}

/// Opens the folder anew, also when it is open.
pub(crate) fn select(connection: &mut Connection, folder: &str, purpose: Purpose) -> Result<Selected> {
    let mailbox = names::mailbox(folder, connection.utf8)?;
    let parameters = match connection.offers("CONDSTORE") {
        true => vec![SelectParameter::CondStore],
        false => Vec::new(),
    };
    let body = match purpose {
        Purpose::Read => CommandBody::Examine { mailbox, parameters },
        Purpose::Write => CommandBody::Select { mailbox, parameters },
    };
    let mut answer = Collect::default();
    let sent = connection.send(body, "open the folder")?;
    let done = connection
        // Whether a folder exists is told by LIST; a NO without a code may pass.
        .finish_or(sent, &mut answer, ErrorKind::Temporary)
        .map_err(|error| Error { message: format!("folder `{folder}`: {}", error.message), ..error })?;
    let mut selected = Selected {
        folder: folder.to_owned(),
        validity: 0,
        uid_next: None,
        modseq: None,
        exists: None,
        fresh: true,
        for_writing: purpose == Purpose::Write,
        read_only: purpose == Purpose::Write && done.code == Some(Code::ReadOnly),
    };
    for code in answer.codes {
        match code {
            Code::UidValidity(validity) => selected.validity = validity.get(),
            Code::UidNext(next) => selected.uid_next = Some(next.get()),
            Code::HighestModSeq(modseq) => selected.modseq = Some(modseq.get()),
            Code::UidNotSticky => {
                connection.log(Level::Warn, "the server does not keep UIDs", &[("folder", folder)]);
            }
            _ => {}
        }
    }
    for data in answer.data {
        if let Data::Exists(exists) = data {
            selected.exists = Some(exists);
        }
    }
    if selected.validity == 0 {
        connection.log(Level::Warn, "the server gives the folder no UIDVALIDITY", &[("folder", folder)]);
    }
    Ok(selected)
}

/// The error for messages whose folder was made anew since they were listed.
pub(crate) fn validity_changed(folder: &str) -> Error {
    Error::not_found(format!("folder `{folder}` has a new UIDVALIDITY: its messages must be listed again"))
        .code(UIDVALIDITY)
}

/// The error for a folder that cannot be changed.
pub(crate) fn read_only(folder: &str) -> Error {
    Error::permission_missing(format!("folder `{folder}` is read-only for this user")).code("READ-ONLY")
}
