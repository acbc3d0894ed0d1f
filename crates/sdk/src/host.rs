//! What the host gives a connector, as traits: connections, HTTP, credentials, message bytes, clock and log.
//!
//! A connector reaches its host through these traits only. So the same code runs as a component
//! ([`crate::component`]), in a unit test ([`crate::testing`]), and natively behind any other implementation.

use std::any::Any;
use std::rc::Rc;

use crate::Result;
use crate::types::{DeliveryInfo, Encoding, Level, Readiness, SealedForm, Security};
use crate::{Error, ErrorKind};

/// The host of a session. Cheap to clone.
pub type Host = Rc<dyn HostApi>;

/// The host interfaces `streams`, `http`, `credentials`, `clock`, `log` and `random` of the contract.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait HostApi {
    /// Connects to the endpoint of this name of the description.
    fn connect(&self, endpoint: &str) -> Result<Box<dyn Stream>>;

    /// Sends a request without waiting. A host without HTTP refuses it as `unsupported`.
    fn start(&self, request: Request<'_>) -> Result<Box<dyn Pending>> {
        let _ = request;
        Err(Error::unsupported("this host has no HTTP"))
    }
    /// Sends a request and waits for the answer's status and headers.
    fn send(&self, request: Request<'_>) -> Result<Box<dyn Response>> {
        self.start(request)?.wait()
    }

    /// The SASL mechanisms that the account's credential can serve, best first.
    fn mechanisms(&self) -> Vec<String>;
    /// Begins an authentication exchange. `identity` is who to act as; absent: the account's own.
    fn begin(&self, endpoint: &str, mechanism: &str, identity: Option<&str>) -> Result<Box<dyn Exchange>>;
    /// The signed-in user name. Not a secret.
    fn user(&self) -> String;
    /// The password, sealed.
    fn password(&self, endpoint: &str, form: SealedForm) -> Result<Sealed>;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> f64;
    /// Milliseconds from an arbitrary start, never backwards.
    fn monotonic_ms(&self) -> f64;
    /// Milliseconds until the running call must be finished.
    fn remaining_ms(&self) -> u32;
    /// Waits. Fails with `cancelled`.
    fn sleep(&self, ms: u32) -> Result<()>;

    /// Random octets, fit for cryptography; at most 65,536 at a time.
    fn random(&self, count: u32) -> Vec<u8>;

    /// Whether lines of this level are kept.
    fn log_enabled(&self, level: Level) -> bool;
    /// Writes a log line: plain text without message content, with fields.
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]);
}

/// A connection to an endpoint of the account.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Stream {
    /// Whether the connection is under TLS.
    fn security(&self) -> Security;
    /// Up to `max` octets, as soon as some are there; empty when the peer has closed.
    fn read(&mut self, max: u32) -> Result<Vec<u8>>;
    /// One line including its LF; `too-large` beyond `max`; what is left, without LF, when the peer has closed.
    fn read_line(&mut self, max: u32) -> Result<Vec<u8>>;
    /// Exactly `count` octets; `temporary` when the peer closes first.
    fn read_exact(&mut self, count: u32) -> Result<Vec<u8>>;
    /// Moves exactly `count` octets into the open message of `into`, decoding them, without the connector seeing them.
    fn splice(&mut self, count: u32, into: &dyn Delivery, encoding: Encoding) -> Result<()>;
    /// Waits until something can be read.
    fn poll(&mut self, timeout_ms: u32) -> Result<Readiness>;
    /// Sends bytes. They may stay in a buffer until the next read, poll or flush, so pipelining is free.
    fn write(&mut self, data: &[u8]) -> Result<()>;
    /// Sends `length` octets of the message from `offset` (all that remain when absent), encoded.
    fn write_source(
        &mut self,
        message: &dyn Source,
        offset: u32,
        length: Option<u32>,
        encoding: Encoding,
    ) -> Result<()>;
    /// Sends a secret that the connector cannot read.
    fn write_sealed(&mut self, secret: &Sealed) -> Result<()>;
    /// Sends what is buffered.
    fn flush(&mut self) -> Result<()>;
    /// Begins TLS now, after the service agreed.
    fn start_tls(&mut self) -> Result<()>;
    /// Closes now.
    fn close(&mut self);
}

/// An HTTP request to one of the account's endpoints.
pub struct Request<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// Absolute.
    pub url: &'a str,
    /// Names and values. Those of the connection and the credential are the host's.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, piece by piece; none when empty.
    pub body: Vec<Piece<'a>>,
    /// How many requests of the service the body holds: 1, unless it is a batch.
    pub counts_as: u32,
    /// Attach the account's credential. False for URLs that carry their own authority.
    pub authenticate: bool,
    /// May be sent again after a lost connection: it can be repeated without harm.
    pub idempotent: bool,
}

/// A piece of a request's body.
pub enum Piece<'a> {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Octets of a message, encoded by the host. They do not enter the connector.
    Source {
        /// The message.
        message: &'a dyn Source,
        /// Where they begin.
        offset: u32,
        /// How many; all that remain when absent.
        length: Option<u32>,
        /// Into what they are encoded.
        encoding: Encoding,
    },
}

/// A request under way. Dropped unwaited, it is cancelled.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Pending {
    /// Waits for the answer's status and headers.
    fn wait(self: Box<Self>) -> Result<Box<dyn Response>>;
}

/// An answer. Its body is read once, forwards; dropping it frees the account's request slot.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Response {
    /// The status code.
    fn status(&self) -> u16;
    /// The first header of that name.
    fn header(&self, name: &str) -> Option<String>;
    /// All headers.
    fn headers(&self) -> Vec<(String, String)>;
    /// Up to `max` octets of the body, as soon as some are there; empty at its end.
    fn read(&mut self, max: u32) -> Result<Vec<u8>>;
    /// All that remains; `too-large` beyond `limit` octets.
    fn read_all(&mut self, limit: u32) -> Result<Vec<u8>>;
    /// Bytes up to and including `delimiter`; `too-large` when it does not come within `max` octets.
    fn read_until(&mut self, delimiter: &[u8], max: u32) -> Result<Vec<u8>>;
    /// Moves all that remains into the open message of `into`, decoding it. Returns the octets taken from the body.
    fn splice(&mut self, into: &dyn Delivery, encoding: Encoding) -> Result<u32>;
    /// Moves the bytes before `delimiter` into the open message, and skips the delimiter.
    fn splice_until(&mut self, delimiter: &[u8], into: &dyn Delivery, encoding: Encoding) -> Result<u32>;
}

/// Takes in the messages of one `fetch`, one after the other: `begin`, then any mix of `write` and
/// [`Stream::splice`] or [`Response::splice`], then `end`; or `fail` instead of, or in the middle of, one message.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Delivery {
    /// Starts a message. May wait for room.
    fn begin(&self, message: &str, info: &DeliveryInfo) -> Result<()>;
    /// Adds bytes to the open message, decoding them first.
    fn write(&self, data: &[u8], encoding: Encoding) -> Result<()>;
    /// Completes the open message and returns its size in octets.
    fn end(&self) -> Result<u32>;
    /// Records that one message could not be fetched; the others go on.
    fn fail(&self, message: &str, reason: Error);
    /// Itself, for the stream that belongs to the same host.
    fn as_any(&self) -> &dyn Any;
}

/// The bytes of an outgoing message.
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Source {
    /// Octets in all.
    fn size(&self) -> u32;
    /// Octets after encoding.
    fn encoded_size(&self, encoding: Encoding) -> u32;
    /// At most `max` octets from `offset`; empty at the end.
    fn read(&self, offset: u32, max: u32) -> Result<Vec<u8>>;
    /// From here on a failure without an answer is *unknown*.
    fn point_of_no_return(&self);
    /// Itself, for the stream that belongs to the same host.
    fn as_any(&self) -> &dyn Any;
}

/// One authentication exchange (SASL, RFC 4422).
#[allow(clippy::missing_errors_doc, reason = "the contract says which errors there are")]
pub trait Exchange {
    /// The mechanism's name on the wire.
    fn mechanism(&self) -> String;
    /// The initial response; none when the mechanism lets the server speak first.
    fn initial(&self, form: SealedForm) -> Result<Option<Sealed>>;
    /// The answer to a challenge (decoded octets).
    fn respond(&self, challenge: &[u8], form: SealedForm) -> Result<Sealed>;
}

/// Bytes that only the host can read.
pub struct Sealed(Box<dyn Any>);

impl Sealed {
    /// Wraps what a host uses for its sealed bytes.
    pub fn new(inner: impl Any) -> Self {
        Self(Box::new(inner))
    }

    /// What the host wrapped; none when it comes from another host.
    #[must_use]
    pub fn inner<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// The error for a handle that a different host made: a mistake in the embedding program, never of a service.
#[must_use]
pub fn foreign_handle(what: &str) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("the {what} belongs to another host than the connection or answer"),
    )
}
