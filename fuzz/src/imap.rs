//! The IMAP connector against a server that sends anything: it ends, keeps the contract towards the host, and sends no
//! more than it was given reason to.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wissel_connector::testing::ScriptedHost;
use wissel_connector::types::{
    DeliveryInfo, Encoding, FolderAddress, FolderRole, Level, PageRequest, Readiness, SealedForm, Security,
};
use wissel_connector::{Connector, Delivery, Error, Exchange, Host, HostApi, Result, Sealed, Session, Source, Stream};
use wissel_imap::Imap;

/// In the server's bytes: stands for the tag of the command that was sent last.
const TAG: u8 = 0xfe;

/// Octets that the connector may send for one input: more would be a loop.
const MOST_SENT: usize = 1 << 20;

/// The first four bytes say which operations follow, the rest is what the server sends until it closes.
pub fn imap(data: &[u8]) {
    let Some((plan, sent)) = data.split_first_chunk::<4>() else { return };
    let host: Host = Rc::new(Server { base: ScriptedHost::new("").api(), sent: RefCell::new(Some(sent.to_vec())) });
    let Ok(mut session) = Imap::open(host, <[(&str, &str); 0]>::default().into_iter().collect()) else { return };
    let mut ids = vec!["7.1.INBOX".to_owned(), "7.2.INBOX".to_owned()];
    for step in plan.iter().flat_map(|byte| [byte & 15, byte >> 4]) {
        let folder = "INBOX";
        let lost = match step {
            0 => session.check().is_err_and(|e| e.session_lost),
            1 => session.folders(None, true).is_err_and(|e| e.session_lost),
            2 => session.find_folder(&FolderAddress::Role(FolderRole::Inbox)).is_err_and(|e| e.session_lost),
            3 => session.find_folder(&FolderAddress::Path(vec!["Fact\u{fc}ren".into()])).is_err_and(|e| e.session_lost),
            4 | 5 => {
                let mut request = PageRequest { size: 3, after: None, unread_only: false, received_since: None };
                let listed = session.list_messages(folder, &request);
                let next = listed.as_ref().ok().and_then(|page| page.next.clone());
                if let Ok(page) = listed {
                    ids = page.messages.into_iter().map(|message| message.id).collect();
                }
                request.after = next;
                request.after.is_some() && session.list_messages(folder, &request).is_err_and(|e| e.session_lost)
            }
            6 => session.changes(folder, Some("7.1.1")).is_err_and(|e| e.session_lost),
            7..=9 => session.fetch(&ids, &Strict::new(&ids)).is_err_and(|e| e.session_lost),
            10 => session.move_messages(&ids, "Verwerkt", true).is_err_and(|e| e.session_lost),
            11 => session.move_messages(&ids, "Verwerkt", false).is_err_and(|e| e.session_lost),
            12 => session.mark_messages(&ids, true).is_err_and(|e| e.session_lost),
            13 => session.delete_messages(&ids).is_err_and(|e| e.session_lost),
            14 => session.wait(folder, 1_000).is_err_and(|e| e.session_lost),
            _ => session.create_folder(&["Nieuw".into()]).is_err_and(|e| e.session_lost),
        };
        // As the host does: a lost session is not used again.
        if lost {
            return;
        }
    }
    session.close();
}

/// A host with one connection.
struct Server {
    base: Host,
    sent: RefCell<Option<Vec<u8>>>,
}

impl HostApi for Server {
    fn connect(&self, _endpoint: &str) -> Result<Box<dyn Stream>> {
        let sent = self.sent.borrow_mut().take().ok_or_else(|| Error::temporary("one connection is enough"))?;
        Ok(Box::new(Wire { sent, at: 0, tag: Vec::new(), written: 0 }))
    }
    fn mechanisms(&self) -> Vec<String> {
        self.base.mechanisms()
    }
    fn begin(&self, endpoint: &str, mechanism: &str, identity: Option<&str>) -> Result<Box<dyn Exchange>> {
        self.base.begin(endpoint, mechanism, identity)
    }
    fn user(&self) -> String {
        self.base.user()
    }
    fn password(&self, endpoint: &str, form: SealedForm) -> Result<Sealed> {
        self.base.password(endpoint, form)
    }
    fn now_ms(&self) -> f64 {
        self.base.now_ms()
    }
    fn monotonic_ms(&self) -> f64 {
        self.base.monotonic_ms()
    }
    fn remaining_ms(&self) -> u32 {
        self.base.remaining_ms()
    }
    fn sleep(&self, ms: u32) -> Result<()> {
        self.base.sleep(ms)
    }
    fn random(&self, count: u32) -> Vec<u8> {
        self.base.random(count)
    }
    fn log_enabled(&self, _level: Level) -> bool {
        true
    }
    fn log(&self, _level: Level, _message: &str, _fields: &[(&str, &str)]) {}
}

/// What the server sends, with the tag filled in where it stands for one.
struct Wire {
    sent: Vec<u8>,
    at: usize,
    tag: Vec<u8>,
    written: usize,
}

impl Wire {
    fn fill_in(&mut self) {
        if self.sent.get(self.at) == Some(&TAG) {
            self.sent.splice(self.at..=self.at, self.tag.clone());
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let end = (self.at + count).min(self.sent.len());
        let taken = self.sent[self.at..end].to_vec();
        self.at = end;
        taken
    }
}

fn closed() -> Error {
    Error::temporary("the service closed the connection").lost()
}

impl Stream for Wire {
    fn security(&self) -> Security {
        Security::Tls
    }
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        self.fill_in();
        Ok(self.take(max as usize))
    }
    fn read_line(&mut self, max: u32) -> Result<Vec<u8>> {
        self.fill_in();
        let left = &self.sent[self.at..];
        let length = left.iter().position(|byte| *byte == b'\n').map_or(left.len(), |at| at + 1);
        if length > max as usize {
            return Err(Error::too_large("the line is too long"));
        }
        Ok(self.take(length))
    }
    fn read_exact(&mut self, count: u32) -> Result<Vec<u8>> {
        if self.sent.len() - self.at < count as usize {
            return Err(closed());
        }
        Ok(self.take(count as usize))
    }
    fn splice(&mut self, count: u32, into: &dyn Delivery, encoding: Encoding) -> Result<()> {
        let bytes = self.take(count as usize);
        into.write(&bytes, encoding)?;
        if bytes.len() < count as usize { Err(closed()) } else { Ok(()) }
    }
    fn poll(&mut self, _timeout_ms: u32) -> Result<Readiness> {
        Ok(if self.at < self.sent.len() { Readiness::Ready } else { Readiness::TimedOut })
    }
    fn write(&mut self, data: &[u8]) -> Result<()> {
        self.written += data.len();
        assert!(self.written < MOST_SENT, "the connector sends for ever");
        let word = data.split(|byte| *byte == b' ').next().unwrap_or_default();
        if word.starts_with(b"A") && word.len() > 1 && word[1..].iter().all(u8::is_ascii_digit) {
            self.tag = word.to_vec();
        }
        Ok(())
    }
    fn write_source(&mut self, _: &dyn Source, _: u32, _: Option<u32>, _: Encoding) -> Result<()> {
        Ok(())
    }
    fn write_sealed(&mut self, _secret: &Sealed) -> Result<()> {
        Ok(())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
    fn start_tls(&mut self) -> Result<()> {
        Ok(())
    }
    fn close(&mut self) {
        self.at = self.sent.len();
    }
}

/// The host's side of a delivery: what the contract calls a fault of the connector, is a finding.
struct Strict {
    wanted: RefCell<Vec<String>>,
    open: RefCell<Option<String>>,
    octets: Cell<u32>,
}

impl Strict {
    fn new(ids: &[String]) -> Self {
        Self { wanted: RefCell::new(ids.to_vec()), open: RefCell::default(), octets: Cell::default() }
    }

    fn settle(&self, message: &str) {
        let mut wanted = self.wanted.borrow_mut();
        let at = wanted.iter().position(|id| id == message);
        drop(wanted.remove(at.unwrap_or_else(|| panic!("{message:?} was not asked for, or is settled"))));
    }
}

impl Delivery for Strict {
    fn begin(&self, message: &str, _info: &DeliveryInfo) -> Result<()> {
        assert!(self.wanted.borrow().iter().any(|id| id == message), "{message:?} is begun unasked or again");
        if let Some(left) = self.open.replace(Some(message.to_owned())) {
            self.settle(&left);
        }
        self.octets.set(0);
        Ok(())
    }
    fn write(&self, data: &[u8], _encoding: Encoding) -> Result<()> {
        assert!(self.open.borrow().is_some(), "`write` without an open message");
        self.octets.set(self.octets.get() + u32::try_from(data.len()).unwrap_or(u32::MAX));
        Ok(())
    }
    fn end(&self) -> Result<u32> {
        let open = self.open.take();
        self.settle(&open.unwrap_or_else(|| panic!("`end` without an open message")));
        Ok(self.octets.get())
    }
    fn fail(&self, message: &str, _reason: Error) {
        if self.open.borrow().as_deref() == Some(message) {
            self.open.take();
        }
        self.settle(message);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
