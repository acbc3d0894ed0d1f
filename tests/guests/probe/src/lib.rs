//! A connector for the host's tests. The setting `behaviour` chooses what it does; see the modules.
//!
//! Written against the bindings alone, without the SDK: the host is tested, not the SDK. It also serves as the
//! smallest view of what the bindings look like.
#![allow(unsafe_code, missing_docs, unreachable_pub, reason = "generated, in `bindings` and by `export!`")]

mod describe;
mod fetch;
mod hostile;
mod line;
mod web;

#[allow(clippy::all, clippy::unwrap_used, clippy::expect_used, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "connector" });
}

use bindings::exports::wissel::connector::email_account::*;
use bindings::wissel::connector::content::{Delivery, Source};
use bindings::wissel::connector::{credentials, types};
use types::{Error, ErrorKind};

struct Probe;

/// What the settings say.
pub(crate) struct ProbeSession {
    behaviour: String,
    url: String,
    port: String,
    connection: std::cell::RefCell<Option<bindings::wissel::connector::streams::Connection>>,
}

impl Guest for Probe {
    type Session = ProbeSession;

    fn describe() -> String {
        describe::describe()
    }
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

fn identity(facts: Vec<(String, String)>) -> Identity {
    Identity {
        mailbox: credentials::user(),
        signed_in_as: None,
        display_name: None,
        denied: Vec::new(),
        facts,
    }
}

fn message(id: &str, received: &str) -> Message {
    Message {
        id: id.to_owned(),
        internet_message_id: None,
        subject: Some("probe".to_owned()),
        sender: None,
        received: Some(received.to_owned()),
        size: None,
        read: None,
    }
}

impl GuestSession for ProbeSession {
    fn open(settings: Vec<(String, String)>) -> Result<Session, Error> {
        let get =
            |key: &str| settings.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap_or_default();
        let session = ProbeSession {
            behaviour: get("behaviour"),
            url: get("url"),
            port: get("port"),
            connection: Default::default(),
        };
        if session.behaviour == "refuse-open" {
            return Err(error(ErrorKind::AuthorizationNeeded, "the\u{7} password\r\nis wrong"));
        }
        Ok(Session::new(session))
    }

    fn close(&self) {}

    fn check(&self) -> Result<Identity, Error> {
        let facts = match self.behaviour.as_str() {
            "ok" | "http-four" | "http-four-auth" => {
                vec![("version".to_owned(), describe::version().to_owned())]
            }
            "hello" | "start-tls" | "sealed" | "password" | "sealed-elsewhere" | "unsent" | "silent" => {
                self.talk()?
            }
            behaviour if behaviour.starts_with("http-") => self.browse()?,
            other => hostile::act(other)?,
        };
        Ok(identity(facts))
    }

    fn folders(&self, _under: Option<String>, _recursive: bool) -> Result<Vec<Folder>, Error> {
        Ok(Vec::new())
    }

    fn find_folder(&self, _at: FolderAddress) -> Result<Folder, Error> {
        Err(error(ErrorKind::NotFound, "there are no folders"))
    }

    fn create_folder(&self, _path: Vec<String>) -> Result<Folder, Error> {
        Err(error(ErrorKind::Unsupported, "no"))
    }

    fn list_messages(&self, _folder: String, _page: PageRequest) -> Result<MessagePage, Error> {
        let messages = match self.behaviour.as_str() {
            "odd-date" => vec![message("1", "yesterday"), message("2", "2026-11-22T17:05:09+01:00")],
            "empty-id" => vec![message("", "2026-11-22T17:05:09+01:00")],
            _ => Vec::new(),
        };
        Ok(MessagePage { messages, next: None })
    }

    fn changes(&self, _folder: String, _since: Option<String>) -> Result<ChangeSet, Error> {
        Err(error(ErrorKind::Unsupported, "no"))
    }

    fn fetch(&self, messages: Vec<String>, into: &Delivery) -> Result<(), Error> {
        self.deliver(&messages, into)
    }

    fn move_messages(&self, _ids: Vec<String>, _target: String, _again: bool) -> Result<Vec<Outcome>, Error> {
        Err(error(ErrorKind::Unsupported, "no"))
    }

    fn mark_messages(&self, ids: Vec<String>, _read: bool) -> Result<Vec<Outcome>, Error> {
        Ok(ids.into_iter().map(|message| Outcome { message, new_id: None, failure: None }).collect())
    }

    fn delete_messages(&self, _ids: Vec<String>) -> Result<Vec<Outcome>, Error> {
        // About a message that nobody asked for.
        Ok(vec![Outcome { message: "other".to_owned(), new_id: None, failure: None }])
    }

    fn append(
        &self,
        _folder: String,
        _content: &Source,
        _info: DeliveryInfo,
    ) -> Result<Option<String>, Error> {
        Err(error(ErrorKind::Unsupported, "no"))
    }

    fn send(&self, envelope: Envelope, content: &Source) -> Result<Receipt, SendError> {
        self.post(&envelope, content)
    }

    fn find_sent(&self, _internet_message_id: String) -> Result<Option<Message>, Error> {
        Ok(None)
    }

    fn translate(&self, ids: Vec<String>, _from: String, _to: String) -> Result<Vec<Option<String>>, Error> {
        Ok(ids.into_iter().map(Some).collect())
    }

    fn wait(&self, _folder: String, timeout_ms: u32) -> Result<Wake, Error> {
        self.idle(timeout_ms)
    }
}

bindings::export!(Probe with_types_in bindings);
