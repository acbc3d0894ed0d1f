//! Talking to Microsoft Graph: requests with what every one of them carries, answers as documents, refusals as errors.
//! Pacing, repeating and tokens are the host's: what arrives here is final.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;
use wissel_connector::serde_json::{self, Value};
use wissel_connector::types::Level;
use wissel_connector::{Error, Host, Pending, Piece, Request, Response, Result, Settings};

use crate::protocol::address;
use crate::protocol::documents::Page;
use crate::protocol::failure::{Refusal, retry_after};

/// With this, ids survive a move to another folder. Without it a single request would give other ids, so every request
/// has it.
pub(crate) const PREFER: (&str, &str) = ("Prefer", "IdType=\"ImmutableId\"");

/// The same, where pages are to be as large as they may be: what a delta query has instead of `$top`.
pub(crate) const PREFER_LARGE: (&str, &str) = ("Prefer", "IdType=\"ImmutableId\", odata.maxpagesize=1000");

/// Octets of a document: a thousand messages of a listing have about one million.
const LARGEST_DOCUMENT: u32 = 32 << 20;

/// Octets of a refusal that are read.
const LARGEST_REFUSAL: u32 = 1 << 20;

/// Requests that are started before the first of them is waited for: four are under way at a time, and as many are queued,
/// so that the next one never waits for the connector.
pub(crate) const AHEAD: usize = 8;

/// Pages of one collection. One that has more does not end.
const PAGES: usize = 10_000;

/// The service, and the mailbox in it.
pub(crate) struct Service {
    pub(crate) host: Host,
    /// `https://graph.microsoft.com/v1.0`, without a slash at its end.
    root: String,
    /// `/me`, or `/users/...`.
    user: String,
    /// The mailbox of the setting; none for the signed-in user's own.
    pub(crate) mailbox: Option<String>,
}

impl Service {
    pub(crate) fn new(host: Host, settings: &Settings) -> Result<Self> {
        let root = format!("{}/v1.0", settings.required("service")?.trim_end_matches('/'));
        let mailbox = settings.get("mailbox").map(str::to_owned);
        let user = mailbox
            .as_deref()
            .map_or_else(|| "/me".to_owned(), |m| format!("/users/{}", address::segment(m)));
        Ok(Self { host, root, user, mailbox })
    }

    /// The address of something in the mailbox, such as `/mailFolders`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.root, self.user)
    }

    /// The same without the origin, as `$batch` wants it.
    pub(crate) fn relative(&self, path: &str) -> String {
        format!("{}{path}", self.user)
    }

    /// The address of something beside the mailbox.
    pub(crate) fn url_outside(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Begins a GET.
    pub(crate) fn start(&self, url: &str) -> Result<Box<dyn Pending>> {
        self.start_preferring(PREFER, url)
    }

    fn start_preferring(&self, prefer: (&str, &str), url: &str) -> Result<Box<dyn Pending>> {
        self.host.start(Request {
            method: "GET",
            url,
            headers: &[prefer],
            body: Vec::new(),
            counts_as: 1,
            authenticate: true,
            idempotent: true,
        })
    }

    /// Sends a GET for each item, several at a time, and hands over the answers in the order of the items. An error of
    /// `take` ends it, and cancels what is under way.
    pub(crate) fn each<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        url: impl Fn(&T) -> String,
        mut take: impl FnMut(T, Result<Box<dyn Response>>) -> Result<()>,
    ) -> Result<()> {
        let mut items = items.into_iter();
        let mut started = VecDeque::with_capacity(AHEAD);
        loop {
            while started.len() < AHEAD
                && let Some(item) = items.next()
            {
                let pending = self.start(&url(&item))?;
                started.push_back((item, pending));
            }
            let Some((item, pending)) = started.pop_front() else { return Ok(()) };
            take(item, pending.wait())?;
        }
    }

    /// GET.
    pub(crate) fn get<T: DeserializeOwned>(&self, url: &str, doing: &str) -> Result<T> {
        self.document(self.start(url)?.wait()?, doing)
    }

    /// GET of a page that is as large as it may be.
    pub(crate) fn get_large<T: DeserializeOwned>(&self, url: &str, doing: &str) -> Result<T> {
        self.document(self.start_preferring(PREFER_LARGE, url)?.wait()?, doing)
    }

    /// All pages of a collection, beginning with this answer.
    pub(crate) fn all<T: DeserializeOwned>(&self, first: Box<dyn Response>, doing: &str) -> Result<Vec<T>> {
        let mut page: Page<T> = self.document(first, doing)?;
        let mut items = page.value;
        for _ in 0..PAGES {
            let Some(next) = page.next else { return Ok(items) };
            page = self.get(&next, doing)?;
            items.append(&mut page.value);
        }
        Err(endless(doing))
    }

    /// A request with a document, or with none.
    pub(crate) fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        url: &str,
        body: Option<&Value>,
        idempotent: bool,
        doing: &str,
    ) -> Result<T> {
        let headers = [PREFER, ("Content-Type", "application/json")];
        let (headers, body) = match body {
            Some(body) => (headers.as_slice(), vec![Piece::Bytes(body.to_string().into_bytes())]),
            None => (headers.get(..1).unwrap_or_default(), Vec::new()),
        };
        let request = Request { method, url, headers, body, counts_as: 1, authenticate: true, idempotent };
        self.document(self.host.send(request)?, doing)
    }

    /// Begins a POST of a document beside the mailbox, which counts as so many requests.
    pub(crate) fn start_document(
        &self,
        path: &str,
        body: &Value,
        counts_as: u32,
        idempotent: bool,
    ) -> Result<Box<dyn Pending>> {
        self.host.start(Request {
            method: "POST",
            url: &self.url_outside(path),
            headers: &[PREFER, ("Content-Type", "application/json")],
            body: vec![Piece::Bytes(body.to_string().into_bytes())],
            counts_as,
            authenticate: true,
            idempotent,
        })
    }

    /// The document of an answer.
    pub(crate) fn document<T: DeserializeOwned>(
        &self,
        mut answer: Box<dyn Response>,
        doing: &str,
    ) -> Result<T> {
        if !(200..=299).contains(&answer.status()) {
            return Err(self.refusal(&mut *answer, doing));
        }
        let bytes = answer.read_all(LARGEST_DOCUMENT)?;
        // 204 has no content.
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes).map_err(|error| {
            let error = Error::from(error);
            Error { message: format!("cannot {doing}: {}", error.message), ..error }
        })
    }

    /// The error of an answer that is none of success.
    pub(crate) fn refusal(&self, answer: &mut dyn Response, doing: &str) -> Error {
        let wait = answer.header("Retry-After").and_then(|value| retry_after(&value));
        let status = answer.status();
        let request = answer.header("request-id").unwrap_or_default();
        // A page of a gateway, or a body that does not end, tells nothing.
        let body = answer.read_all(LARGEST_REFUSAL).ok();
        let body = body.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
        self.refused(status, wait, &body, doing, &request)
    }

    /// The error of a status and a body, which came alone or in a `$batch`.
    pub(crate) fn refused(
        &self,
        status: u16,
        retry_after_ms: Option<u32>,
        body: &Value,
        doing: &str,
        request: &str,
    ) -> Error {
        let error = Refusal::read(body).error(status, retry_after_ms, doing, self.mailbox.as_deref());
        if self.host.log_enabled(Level::Debug) {
            let code = error.code.as_deref().unwrap_or_default();
            // The vendor's support asks for the id of the request.
            let fields = [("status", &*status.to_string()), ("code", code), ("request-id", request)];
            self.host.log(Level::Debug, "a request was refused", &fields);
        }
        error
    }
}

/// The error for a collection that does not end.
pub(crate) fn endless(doing: &str) -> Error {
    Error::protocol(format!("cannot {doing}: the pages do not come to an end"))
}
