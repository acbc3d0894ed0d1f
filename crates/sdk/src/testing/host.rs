//! The host of a unit test.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::http::{Requested, Web};
use super::script::{self, Step};
use super::stream::{Dialogue, ScriptedStream};
use crate::host::{Exchange, Host, HostApi, Pending, Request, Sealed, Stream};
use crate::types::{Level, SealedForm, Security};
use crate::{Error, Result};

/// A host whose connections follow written dialogues and whose clock stands still unless somebody waits.
///
/// A sealed answer appears in the dialogue as text: `<PLAIN initial>`, `<XOAUTH2 answer>`, `<password>`; it is refused
/// on a connection without TLS, as the real host does.
#[derive(Clone)]
pub struct ScriptedHost(Rc<Inner>);

struct Inner {
    waiting: RefCell<VecDeque<Rc<RefCell<Dialogue>>>>,
    all: RefCell<Vec<Rc<RefCell<Dialogue>>>>,
    web: Web,
    mechanisms: RefCell<Vec<String>>,
    has_password: Cell<bool>,
    lines: RefCell<Vec<String>>,
    clock: Rc<Clock>,
}

/// Milliseconds since the epoch.
#[derive(Debug)]
pub(super) struct Clock(Cell<f64>);

impl Clock {
    pub(super) fn advance(&self, ms: u32) {
        self.0.set(self.0.get() + f64::from(ms));
    }
}

/// What the host seals, in the open.
pub(super) struct SealedText(pub(super) String);

impl ScriptedHost {
    /// A host with one connection under TLS that follows this script. Each line is a step:
    ///
    /// - `S: text` the service sends the line, `S- text` the same without a line end (write `\r\n` where one is wanted);
    /// - `C: text` the connector must have sent the line, `C- text` the same without a line end;
    /// - `TLS` the connector begins TLS; `EOF` the service closes;
    /// - `POLL timed-out` or `POLL interrupted` is what the next `poll` returns.
    ///
    /// White space before a step, empty lines and lines that begin with `#` do not count.
    #[must_use]
    pub fn new(script: &str) -> Self {
        Self::with_security(script, Security::Tls)
    }

    /// The same, with a connection that begins in another way.
    #[must_use]
    pub fn with_security(script: &str, security: Security) -> Self {
        let host = Self::with_web(Web::default());
        let dialogue = Rc::new(RefCell::new(Dialogue::new(script::parse(script), security)));
        host.0.waiting.borrow_mut().push_back(Rc::clone(&dialogue));
        host.0.all.borrow_mut().push(dialogue);
        host
    }

    /// A host without connections, whose HTTP requests must be those of the script, in its order, and are answered as it
    /// says. Each line is part of an exchange:
    ///
    /// - `> GET https://host/path` the connector must send this request next;
    /// - `> Name: value` with this header among others;
    /// - `> {...}` and with this body, compared as JSON where it is JSON;
    /// - `< 200` it is answered with this status, `< Name: value` with this header, and `< {...}` or, after a bare `<`,
    ///   any lines with this body (each ends in CRLF);
    /// - `< CUT` the connection is lost here, before the body is complete;
    /// - `< FAIL temporary` there is no answer, but this error of the host.
    ///
    /// White space before a line, empty lines and lines that begin with `#` do not count.
    #[must_use]
    pub fn http(script: &str) -> Self {
        Self::with_web(Web::new(script))
    }

    fn with_web(web: Web) -> Self {
        Self(Rc::new(Inner {
            waiting: RefCell::default(),
            all: RefCell::default(),
            web,
            mechanisms: RefCell::new(vec!["PLAIN".into()]),
            has_password: Cell::new(true),
            lines: RefCell::default(),
            clock: Rc::new(Clock(Cell::new(1_795_363_200_000.0))),
        }))
    }

    /// With a credential that serves these mechanisms and has no password when none of them needs one.
    #[must_use]
    pub fn mechanisms(self, mechanisms: &[&str]) -> Self {
        *self.0.mechanisms.borrow_mut() = mechanisms.iter().map(|m| (*m).to_owned()).collect();
        self.0.has_password.set(mechanisms.iter().any(|m| matches!(*m, "PLAIN" | "LOGIN")));
        self
    }

    /// The host as a connector gets it.
    #[must_use]
    pub fn api(&self) -> Host {
        Rc::clone(&self.0) as Host
    }

    /// The HTTP requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Requested> {
        self.0.web.requests()
    }

    /// The log lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().clone()
    }

    /// Milliseconds since the epoch, by the host's clock.
    #[must_use]
    pub fn now_ms(&self) -> f64 {
        self.0.clock.0.get()
    }

    /// Fails the test unless every dialogue took place to its end and nothing else was sent.
    #[expect(clippy::panic, reason = "how a test fails")]
    pub fn finish(&self) {
        self.0.web.finish();
        for dialogue in self.0.all.borrow().iter() {
            let mut dialogue = dialogue.borrow_mut();
            dialogue.claim();
            let left: Vec<_> = dialogue.steps.iter().filter(|s| **s != Step::Eof).collect();
            if let Some(step) = left.first() {
                panic!("the script goes on with {step:?}");
            }
            if !dialogue.written.is_empty() {
                panic!("the connector sent more than the script has: {}", dialogue.written.escape_ascii());
            }
        }
    }
}

impl HostApi for Inner {
    fn connect(&self, endpoint: &str) -> Result<Box<dyn Stream>> {
        let dialogue = self.waiting.borrow_mut().pop_front();
        let dialogue = dialogue
            .ok_or_else(|| Error::temporary(format!("no further connection to {endpoint} is scripted")))?;
        Ok(Box::new(ScriptedStream { dialogue, clock: Rc::clone(&self.clock) }))
    }
    fn start(&self, request: Request<'_>) -> Result<Box<dyn Pending>> {
        self.web.start(request)
    }
    fn mechanisms(&self) -> Vec<String> {
        self.mechanisms.borrow().clone()
    }
    fn begin(&self, _endpoint: &str, mechanism: &str, identity: Option<&str>) -> Result<Box<dyn Exchange>> {
        let identity = identity.map(|i| format!(" as {i}")).unwrap_or_default();
        Ok(Box::new(ScriptedExchange { mechanism: mechanism.into(), identity }))
    }
    fn user(&self) -> String {
        "alice@example.test".into()
    }
    fn password(&self, _endpoint: &str, _form: SealedForm) -> Result<Sealed> {
        match self.has_password.get() {
            true => Ok(Sealed::new(SealedText("<password>".into()))),
            false => Err(Error::unsupported("the account has no password")),
        }
    }
    fn now_ms(&self) -> f64 {
        self.clock.0.get()
    }
    fn monotonic_ms(&self) -> f64 {
        self.clock.0.get()
    }
    fn remaining_ms(&self) -> u32 {
        600_000
    }
    fn sleep(&self, ms: u32) -> Result<()> {
        self.clock.advance(ms);
        Ok(())
    }
    fn random(&self, count: u32) -> Vec<u8> {
        (0..count).map(|i| (i % 251) as u8).collect()
    }
    fn log_enabled(&self, _level: Level) -> bool {
        true
    }
    fn log(&self, _level: Level, message: &str, fields: &[(&str, &str)]) {
        let fields: String = fields.iter().map(|(k, v)| format!(" {k}={v}")).collect();
        self.lines.borrow_mut().push(format!("{message}{fields}"));
    }
}

struct ScriptedExchange {
    mechanism: String,
    identity: String,
}

impl Exchange for ScriptedExchange {
    fn mechanism(&self) -> String {
        self.mechanism.clone()
    }
    fn initial(&self, _form: SealedForm) -> Result<Option<Sealed>> {
        let text = format!("<{} initial{}>", self.mechanism, self.identity);
        Ok((self.mechanism != "LOGIN").then(|| Sealed::new(SealedText(text))))
    }
    fn respond(&self, _challenge: &[u8], _form: SealedForm) -> Result<Sealed> {
        Ok(Sealed::new(SealedText(format!("<{} answer{}>", self.mechanism, self.identity))))
    }
}
