//! The connector as a component: its host is the contract's imports, and its session is what the contract exports.
//! [`export!`](crate::export) uses this; a connector does not.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::bindings::exports::wissel::connector::email_account as exported;
use crate::bindings::wissel::connector::{clock, content, credentials, http, log, random, streams};
use crate::host::{
    Delivery, Exchange, HostApi, Pending, Piece, Request, Response, Sealed, Source, Stream, foreign_handle,
};
use crate::types::{DeliveryInfo, Encoding, Level, Readiness, SealedForm, Security};
use crate::{Connector, Error, Result, Session, Settings};

/// The host on the other side of the contract.
struct ComponentHost;

impl HostApi for ComponentHost {
    fn connect(&self, endpoint: &str) -> Result<Box<dyn Stream>> {
        Ok(Box::new(streams::connect(endpoint)?))
    }
    fn start(&self, request: Request<'_>) -> Result<Box<dyn Pending>> {
        let body =
            if request.body.is_empty() { None } else { Some(payload(request.body, request.counts_as)?) };
        let headers = request.headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Ok(Box::new(http::start(http::Request {
            method: request.method.to_owned(),
            url: request.url.to_owned(),
            headers,
            body,
            authenticate: request.authenticate,
            idempotent: request.idempotent,
        })))
    }
    fn mechanisms(&self) -> Vec<String> {
        credentials::mechanisms()
    }
    fn begin(&self, endpoint: &str, mechanism: &str, identity: Option<&str>) -> Result<Box<dyn Exchange>> {
        Ok(Box::new(credentials::begin(endpoint, mechanism, identity)?))
    }
    fn user(&self) -> String {
        credentials::user()
    }
    fn password(&self, endpoint: &str, form: SealedForm) -> Result<Sealed> {
        credentials::password(endpoint, form).map(Sealed::new)
    }
    fn now_ms(&self) -> f64 {
        clock::now_ms()
    }
    fn monotonic_ms(&self) -> f64 {
        clock::monotonic_ms()
    }
    fn remaining_ms(&self) -> u32 {
        clock::remaining_ms()
    }
    fn sleep(&self, ms: u32) -> Result<()> {
        clock::sleep(ms)
    }
    fn random(&self, count: u32) -> Vec<u8> {
        random::bytes(count)
    }
    fn log_enabled(&self, level: Level) -> bool {
        log::enabled(level)
    }
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let fields: Vec<_> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        log::write(level, message, &fields);
    }
}

impl Stream for streams::Connection {
    fn security(&self) -> Security {
        Self::security(self)
    }
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        Self::read(self, max)
    }
    fn read_line(&mut self, max: u32) -> Result<Vec<u8>> {
        Self::read_line(self, max)
    }
    fn read_exact(&mut self, count: u32) -> Result<Vec<u8>> {
        Self::read_exact(self, count)
    }
    fn splice(&mut self, count: u32, into: &dyn Delivery, encoding: Encoding) -> Result<()> {
        let into = into.as_any().downcast_ref().ok_or_else(|| foreign_handle("delivery"))?;
        Self::splice(self, count, into, encoding)
    }
    fn poll(&mut self, timeout_ms: u32) -> Result<Readiness> {
        Self::poll(self, timeout_ms)
    }
    fn write(&mut self, data: &[u8]) -> Result<()> {
        Self::write(self, data)
    }
    fn write_source(
        &mut self,
        message: &dyn Source,
        offset: u32,
        length: Option<u32>,
        encoding: Encoding,
    ) -> Result<()> {
        let message = message.as_any().downcast_ref().ok_or_else(|| foreign_handle("message"))?;
        Self::write_source(self, message, offset, length, encoding)
    }
    fn write_sealed(&mut self, secret: &Sealed) -> Result<()> {
        let secret = secret.inner().ok_or_else(|| foreign_handle("secret"))?;
        Self::write_sealed(self, secret)
    }
    fn flush(&mut self) -> Result<()> {
        Self::flush(self)
    }
    fn start_tls(&mut self) -> Result<()> {
        Self::start_tls(self)
    }
    fn close(&mut self) {
        Self::close(self);
    }
}

/// A request body as the contract has it.
fn payload(pieces: Vec<Piece<'_>>, counts_as: u32) -> Result<http::Payload> {
    let payload = http::Payload::new(&[]);
    payload.counts_as(counts_as);
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => payload.append(&bytes),
            Piece::Source { message, offset, length, encoding } => {
                let message = message.as_any().downcast_ref().ok_or_else(|| foreign_handle("message"))?;
                payload.append_source(message, offset, length, encoding)?;
            }
        }
    }
    Ok(payload)
}

impl Pending for http::Pending {
    fn wait(self: Box<Self>) -> Result<Box<dyn Response>> {
        Ok(Box::new(Self::wait(&self)?))
    }
}

impl Response for http::Response {
    fn status(&self) -> u16 {
        Self::status(self)
    }
    fn header(&self, name: &str) -> Option<String> {
        Self::header(self, name)
    }
    fn headers(&self) -> Vec<(String, String)> {
        Self::headers(self)
    }
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        Self::read(self, max)
    }
    fn read_all(&mut self, limit: u32) -> Result<Vec<u8>> {
        Self::read_all(self, limit)
    }
    fn read_until(&mut self, delimiter: &[u8], max: u32) -> Result<Vec<u8>> {
        Self::read_until(self, delimiter, max)
    }
    fn splice(&mut self, into: &dyn Delivery, encoding: Encoding) -> Result<u32> {
        let into = into.as_any().downcast_ref().ok_or_else(|| foreign_handle("delivery"))?;
        Self::splice(self, into, encoding)
    }
    fn splice_until(&mut self, delimiter: &[u8], into: &dyn Delivery, encoding: Encoding) -> Result<u32> {
        let into = into.as_any().downcast_ref().ok_or_else(|| foreign_handle("delivery"))?;
        Self::splice_until(self, delimiter, into, encoding)
    }
}

impl Exchange for credentials::Exchange {
    fn mechanism(&self) -> String {
        Self::mechanism(self)
    }
    fn initial(&self, form: SealedForm) -> Result<Option<Sealed>> {
        Ok(Self::initial(self, form)?.map(Sealed::new))
    }
    fn respond(&self, challenge: &[u8], form: SealedForm) -> Result<Sealed> {
        Self::respond(self, challenge, form).map(Sealed::new)
    }
}

impl Delivery for content::Delivery {
    fn begin(&self, message: &str, info: &DeliveryInfo) -> Result<()> {
        Self::begin(self, message, info)
    }
    fn write(&self, data: &[u8], encoding: Encoding) -> Result<()> {
        Self::write(self, data, encoding)
    }
    fn end(&self) -> Result<u32> {
        Self::end(self)
    }
    fn fail(&self, message: &str, reason: Error) {
        Self::fail(self, message, &reason);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Source for content::Source {
    fn size(&self) -> u32 {
        Self::size(self)
    }
    fn encoded_size(&self, encoding: Encoding) -> u32 {
        Self::encoded_size(self, encoding)
    }
    fn read(&self, offset: u32, max: u32) -> Result<Vec<u8>> {
        Self::read(self, offset, max)
    }
    fn point_of_no_return(&self) {
        Self::point_of_no_return(self);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The contract's export, for the connector `C`.
pub struct Export<C>(PhantomData<C>);

/// A session of the connector behind the contract's resource.
pub struct ExportedSession<C: Connector>(RefCell<C::Session>);

impl<C: Connector> ExportedSession<C> {
    /// One operation at a time is the contract, so the session is always free here.
    fn run<T>(&self, operation: impl FnOnce(&mut C::Session) -> Result<T>) -> Result<T> {
        match self.0.try_borrow_mut() {
            Ok(mut session) => operation(&mut session),
            Err(_) => Err(Error::protocol("an operation began before the last one had returned")),
        }
    }
}

impl<C: Connector> exported::Guest for Export<C> {
    type Session = ExportedSession<C>;

    fn describe() -> String {
        C::describe()
    }
}

impl<C: Connector> exported::GuestSession for ExportedSession<C> {
    fn open(settings: Vec<(String, String)>) -> Result<exported::Session> {
        let session = C::open(Rc::new(ComponentHost), settings.into_iter().collect::<Settings>())?;
        Ok(exported::Session::new(Self(RefCell::new(session))))
    }
    fn close(&self) {
        if let Ok(mut session) = self.0.try_borrow_mut() {
            session.close();
        }
    }
    fn check(&self) -> Result<exported::Identity> {
        self.run(Session::check)
    }
    fn folders(&self, under: Option<String>, recursive: bool) -> Result<Vec<exported::Folder>> {
        self.run(|s| s.folders(under.as_deref(), recursive))
    }
    fn find_folder(&self, at: exported::FolderAddress) -> Result<exported::Folder> {
        self.run(|s| s.find_folder(&at))
    }
    fn create_folder(&self, path: Vec<String>) -> Result<exported::Folder> {
        self.run(|s| s.create_folder(&path))
    }
    fn list_messages(&self, folder: String, page: exported::PageRequest) -> Result<exported::MessagePage> {
        self.run(|s| s.list_messages(&folder, &page))
    }
    fn changes(&self, folder: String, since: Option<String>) -> Result<exported::ChangeSet> {
        self.run(|s| s.changes(&folder, since.as_deref()))
    }
    fn fetch(&self, messages: Vec<String>, into: &content::Delivery) -> Result<()> {
        self.run(|s| s.fetch(&messages, into))
    }
    fn move_messages(
        &self,
        messages: Vec<String>,
        target: String,
        again: bool,
    ) -> Result<Vec<exported::Outcome>> {
        self.run(|s| s.move_messages(&messages, &target, again))
    }
    fn mark_messages(&self, messages: Vec<String>, read: bool) -> Result<Vec<exported::Outcome>> {
        self.run(|s| s.mark_messages(&messages, read))
    }
    fn delete_messages(&self, messages: Vec<String>) -> Result<Vec<exported::Outcome>> {
        self.run(|s| s.delete_messages(&messages))
    }
    fn append(
        &self,
        folder: String,
        content: &content::Source,
        info: DeliveryInfo,
    ) -> Result<Option<String>> {
        self.run(|s| s.append(&folder, content, &info))
    }
    fn send(
        &self,
        envelope: exported::Envelope,
        content: &content::Source,
    ) -> std::result::Result<exported::Receipt, exported::SendError> {
        // Sending answers with an error of its own, which passes through the one of `run`.
        self.run(|s| Ok(s.send(&envelope, content))).map_err(exported::SendError::not_sent)?
    }
    fn find_sent(&self, internet_message_id: String) -> Result<Option<exported::Message>> {
        self.run(|s| s.find_sent(&internet_message_id))
    }
    fn translate(
        &self,
        messages: Vec<String>,
        source_form: String,
        target_form: String,
    ) -> Result<Vec<Option<String>>> {
        self.run(|s| s.translate(&messages, &source_form, &target_form))
    }
    fn wait(&self, folder: String, timeout_ms: u32) -> Result<exported::Wake> {
        self.run(|s| s.wait(&folder, timeout_ms))
    }
}
