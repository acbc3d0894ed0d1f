//! HTTP of a unit test: the requests that are expected, and what each is answered.

use std::cell::RefCell;
use std::collections::VecDeque;

use serde_json::Value;

use crate::host::{Delivery, Pending, Piece, Request, Response};
use crate::types::Encoding;
use crate::{Error, ErrorKind, Result};

/// A request that a connector sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// `GET`, `POST`, ...
    pub method: String,
    /// As it was given.
    pub url: String,
    /// As they were given.
    pub headers: Vec<(String, String)>,
    /// All pieces together.
    pub body: Vec<u8>,
    /// How many requests of the service the body holds.
    pub counts_as: u32,
    /// Whether the credential was to be attached.
    pub authenticate: bool,
    /// Whether it may be sent again.
    pub idempotent: bool,
}

impl Requested {
    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// One exchange of the script.
#[derive(Debug, Default)]
struct Exchange {
    request: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    answer: Answer,
}

#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: VecDeque<u8>,
    in_body: bool,
    cut: bool,
    failure: Option<Error>,
}

/// What is left of the script, and what was sent.
#[derive(Debug, Default)]
pub(super) struct Web {
    exchanges: RefCell<VecDeque<Exchange>>,
    requests: RefCell<Vec<Requested>>,
}

impl Web {
    /// Reads a script: see [`ScriptedHost::http`](super::ScriptedHost::http).
    pub(super) fn new(script: &str) -> Self {
        let mut exchanges: VecDeque<Exchange> = VecDeque::new();
        for line in script.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            if let Some(text) = line.strip_prefix('>') {
                expect(&mut exchanges, text.trim());
            } else {
                answer(&mut exchanges, line);
            }
        }
        Self { exchanges: RefCell::new(exchanges), requests: RefCell::default() }
    }

    pub(super) fn requests(&self) -> Vec<Requested> {
        self.requests.borrow().clone()
    }

    #[expect(clippy::panic, reason = "how a test fails")]
    pub(super) fn finish(&self) {
        if let Some(next) = self.exchanges.borrow().front() {
            panic!("the script goes on with the request\n  {}", next.request);
        }
    }

    #[expect(clippy::panic, reason = "how a test fails")]
    pub(super) fn start(&self, request: Request<'_>) -> Result<Box<dyn Pending>> {
        let sent = requested(request)?;
        let line = format!("{} {}", sent.method, sent.url);
        let Some(exchange) = self.exchanges.borrow_mut().pop_front() else {
            panic!("the script is over, but the connector sent\n  {line}");
        };
        assert_eq!(line, exchange.request, "another request than the script has");
        for (name, value) in &exchange.headers {
            assert_eq!(sent.header(name), Some(value.as_str()), "header {name} of {line}");
        }
        if let Some(expected) = &exchange.body {
            let body = String::from_utf8_lossy(&sent.body);
            match (serde_json::from_str::<Value>(expected), serde_json::from_str::<Value>(&body)) {
                (Ok(expected), Ok(body)) => assert_eq!(body, expected, "the body of {line}"),
                _ => assert_eq!(body.trim_end(), expected, "the body of {line}"),
            }
        }
        self.requests.borrow_mut().push(sent);
        Ok(Box::new(exchange.answer))
    }
}

fn requested(request: Request<'_>) -> Result<Requested> {
    let mut body = Vec::new();
    for piece in request.body {
        match piece {
            Piece::Bytes(bytes) => body.extend(bytes),
            Piece::Source { message, offset, length, .. } => {
                body.extend(message.read(offset, length.unwrap_or(u32::MAX))?);
            }
        }
    }
    let headers = request.headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Ok(Requested {
        method: request.method.to_owned(),
        url: request.url.to_owned(),
        headers,
        body,
        counts_as: request.counts_as,
        authenticate: request.authenticate,
        idempotent: request.idempotent,
    })
}

/// A line of what is expected. The first after an answer begins another exchange.
#[expect(clippy::panic, reason = "a mistake in a test's script")]
fn expect(exchanges: &mut VecDeque<Exchange>, text: &str) {
    let open = exchanges.back_mut().filter(|e| e.answer.status == 0 && e.answer.failure.is_none());
    match (open, text.split_once(": ")) {
        (None, _) => exchanges.push_back(Exchange { request: text.to_owned(), ..Exchange::default() }),
        (Some(open), Some((name, value))) if !text.starts_with(['{', '[']) => {
            open.headers.push((name.to_owned(), value.to_owned()));
        }
        (Some(open), _) if open.body.is_none() => open.body = Some(text.to_owned()),
        (Some(_), _) => panic!("a request has one body: `{text}`"),
    }
}

#[expect(clippy::panic, reason = "a mistake in a test's script")]
fn answer(exchanges: &mut VecDeque<Exchange>, line: &str) {
    let (Some(text), Some(exchange)) = (line.strip_prefix('<'), exchanges.back_mut()) else {
        panic!("a script has no line `{line}`");
    };
    let answer = &mut exchange.answer;
    let text = text.strip_prefix(' ').unwrap_or(text);
    if answer.status == 0 {
        match text.strip_prefix("FAIL ") {
            Some(kind) => answer.failure = Some(Error::new(kind_of(kind), "the host failed")),
            None => answer.status = text.trim().parse().unwrap_or_else(|_| panic!("no status: `{text}`")),
        }
        return;
    }
    if text == "CUT" {
        answer.cut = true;
    } else if text.is_empty() && !answer.in_body {
        answer.in_body = true;
    } else if answer.in_body || text.starts_with(['{', '[']) {
        answer.in_body = true;
        answer.body.extend(text.bytes().chain(*b"\r\n"));
    } else {
        let Some((name, value)) = text.split_once(": ") else { panic!("no header: `{text}`") };
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
}

#[expect(clippy::panic, reason = "a mistake in a test's script")]
fn kind_of(text: &str) -> ErrorKind {
    match text.trim() {
        "temporary" => ErrorKind::Temporary,
        "cancelled" => ErrorKind::Cancelled,
        "authorization-needed" => ErrorKind::AuthorizationNeeded,
        "permission-missing" => ErrorKind::PermissionMissing,
        other => panic!("a script has no failure `{other}`"),
    }
}

impl Pending for Answer {
    fn wait(self: Box<Self>) -> Result<Box<dyn Response>> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

impl Answer {
    fn ended(&self) -> Result<()> {
        if self.cut {
            Err(Error::temporary("the connection was lost in the middle of the answer"))
        } else {
            Ok(())
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.body.len());
        self.body.drain(..count).collect()
    }

    fn find(&self, delimiter: &[u8]) -> Option<usize> {
        let body: Vec<u8> = self.body.iter().copied().collect();
        body.windows(delimiter.len().max(1)).position(|window| window == delimiter)
    }
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone())
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.headers.clone()
    }
    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        if self.body.is_empty() {
            self.ended()?;
        }
        Ok(self.take(max as usize))
    }
    fn read_all(&mut self, limit: u32) -> Result<Vec<u8>> {
        if self.body.len() > limit as usize {
            return Err(Error::too_large("the answer is too large"));
        }
        self.ended()?;
        Ok(self.take(usize::MAX))
    }
    fn read_until(&mut self, delimiter: &[u8], max: u32) -> Result<Vec<u8>> {
        let end = self.find(delimiter).map(|at| at + delimiter.len());
        match end {
            Some(end) if end <= max as usize => Ok(self.take(end)),
            None if self.body.len() <= max as usize => self.read_all(max),
            _ => Err(Error::too_large("the delimiter does not come")),
        }
    }
    fn splice(&mut self, into: &dyn Delivery, encoding: Encoding) -> Result<u32> {
        let bytes = self.take(usize::MAX);
        into.write(&bytes, encoding)?;
        self.ended()?;
        Ok(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }
    fn splice_until(&mut self, delimiter: &[u8], into: &dyn Delivery, encoding: Encoding) -> Result<u32> {
        let Some(at) = self.find(delimiter) else {
            return Err(Error::protocol("the body ends before the delimiter"));
        };
        let bytes = self.take(at);
        self.take(delimiter.len());
        into.write(&bytes, encoding)?;
        Ok(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }
}
