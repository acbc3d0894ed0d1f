//! A mailbox with one folder and a few messages, whose connector is hostile: for tests of the whole program.
//!
//! The setting `behaviour` says where and what, as `WHERE:WHAT`. `WHERE` is an operation (`open`, `check`,
//! `find-folder`, `list`, `fetch`), where anything of [`misdeeds`] can happen, or `message`, which is in the middle of
//! the third message; see [`delivery`]. Odd ids, names and texts (`message-id:upwards`) are in [`listing`].
#![allow(unsafe_code, missing_docs, unreachable_pub, reason = "generated, in `bindings` and by `export!`")]

mod delivery;
mod describe;
mod listing;
mod memory;
mod misdeeds;
mod requests;

#[allow(clippy::all, clippy::unwrap_used, clippy::expect_used, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "connector" });
}

use bindings::exports::wissel::connector::email_account::*;
use bindings::wissel::connector::content::{Delivery, Source};
use bindings::wissel::connector::{credentials, types};
use types::{Error, ErrorKind};

struct Rogue;

/// What the settings say.
pub(crate) struct RogueSession {
    place: String,
    misdeed: String,
    count: u32,
    /// Where the setting says that a web server is.
    web: String,
    port: String,
}

pub(crate) fn error(kind: ErrorKind, message: &str) -> Error {
    Error {
        kind,
        message: message.to_owned(),
        code: None,
        retry_after_ms: None,
        setting: None,
        session_lost: false,
    }
}

fn unsupported<T>() -> Result<T, Error> {
    Err(error(ErrorKind::Unsupported, "this mailbox cannot do that"))
}

impl RogueSession {
    /// Misbehaves when this is the place for it.
    fn at(&self, place: &str) -> Result<(), Error> {
        match self.misdeed.strip_prefix("web-") {
            _ if self.place != place => Ok(()),
            Some(misdeed) => requests::commit(misdeed, &self.web, &self.port),
            None => misdeeds::commit(&self.misdeed),
        }
    }
}

impl Guest for Rogue {
    type Session = RogueSession;

    fn describe() -> String {
        describe::describe()
    }
}

impl GuestSession for RogueSession {
    fn open(settings: Vec<(String, String)>) -> Result<Session, Error> {
        let get =
            |key: &str| settings.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str()).unwrap_or_default();
        let (place, misdeed) = get("behaviour").split_once(':').unwrap_or_default();
        let count = get("count").parse().unwrap_or_default();
        let (web, port) = (get("web").to_owned(), get("port").to_owned());
        let session = RogueSession { place: place.to_owned(), misdeed: misdeed.to_owned(), count, web, port };
        session.at("open")?;
        Ok(Session::new(session))
    }

    fn close(&self) {
        let _ = self.at("close");
    }

    fn check(&self) -> Result<Identity, Error> {
        self.at("check")?;
        let version = ("version".to_owned(), describe::version().to_owned());
        Ok(Identity {
            mailbox: credentials::user(),
            signed_in_as: None,
            display_name: None,
            denied: Vec::new(),
            facts: vec![version],
        })
    }

    fn folders(&self, _under: Option<String>, _recursive: bool) -> Result<Vec<Folder>, Error> {
        Ok(vec![self.folder()])
    }

    fn find_folder(&self, _at: FolderAddress) -> Result<Folder, Error> {
        self.at("find-folder")?;
        Ok(self.folder())
    }

    fn create_folder(&self, _path: Vec<String>) -> Result<Folder, Error> {
        unsupported()
    }

    fn list_messages(&self, _folder: String, page: PageRequest) -> Result<MessagePage, Error> {
        self.at("list")?;
        Ok(self.page(&page))
    }

    fn changes(&self, _folder: String, _since: Option<String>) -> Result<ChangeSet, Error> {
        unsupported()
    }

    fn fetch(&self, messages: Vec<String>, into: &Delivery) -> Result<(), Error> {
        self.at("fetch")?;
        self.deliver(&messages, into)
    }

    fn move_messages(&self, _ids: Vec<String>, _target: String, _again: bool) -> Result<Vec<Outcome>, Error> {
        unsupported()
    }

    fn mark_messages(&self, _ids: Vec<String>, _read: bool) -> Result<Vec<Outcome>, Error> {
        unsupported()
    }

    fn delete_messages(&self, _ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        unsupported()
    }

    fn append(
        &self,
        _folder: String,
        _content: &Source,
        _info: DeliveryInfo,
    ) -> Result<Option<String>, Error> {
        unsupported()
    }

    fn send(&self, _envelope: Envelope, _content: &Source) -> Result<Receipt, SendError> {
        let reason = error(ErrorKind::Unsupported, "this mailbox cannot send");
        Err(SendError { certainty: Certainty::NotSent, reason, refused: Vec::new() })
    }

    fn find_sent(&self, _internet_message_id: String) -> Result<Option<Message>, Error> {
        unsupported()
    }

    fn translate(&self, _ids: Vec<String>, _from: String, _to: String) -> Result<Vec<Option<String>>, Error> {
        unsupported()
    }

    fn wait(&self, _folder: String, _timeout_ms: u32) -> Result<Wake, Error> {
        unsupported()
    }
}

bindings::export!(Rogue with_types_in bindings);
