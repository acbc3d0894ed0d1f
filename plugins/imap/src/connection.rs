//! A connection to the server: sends commands, reads responses, and gives untagged data to whoever runs the command.
//!
//! Untagged data may come at any time (RFC 3501, section 7): a [`Consumer`] takes what it looks for and lets the rest
//! pass. What the server says about itself, its capabilities, is kept here whenever it comes.

use std::collections::HashSet;

use wissel_connector::types::Level;
use wissel_connector::{Error, ErrorKind, Host, Result, Stream};

use crate::protocol::assemble::{Assembler, MOST_RESPONSE, Next};
use crate::protocol::command::{Piece, encode};
use crate::protocol::failure;
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::response::{
    Bye, Capability, Code, CommandContinuationRequest, Data, Response, Status, StatusBody, StatusKind, Tagged,
};

/// Octets of a literal that is not a message, such as a mailbox name or some header fields.
const MOST_LITERAL: u32 = 256 * 1024;
/// Octets that are read at a time when they are thrown away.
const DRAIN: u32 = 64 * 1024;

/// What a command that went well said at its end.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<Code<'static>>,
}

/// Takes the untagged responses of one command.
pub(crate) trait Consumer {
    /// Data, such as a LIST line.
    fn data(&mut self, data: Data<'static>) -> Result<()>;

    /// The code of an untagged OK, such as UIDVALIDITY.
    fn code(&mut self, _code: Code<'static>) {}

    /// A response that cannot be read was passed over.
    fn unknown(&mut self) {}

    /// A literal of `length` octets comes next: reads it all from the stream and returns what shall stand in the
    /// response instead; none when the response is of no more interest. By itself keeps it; in a FETCH response too
    /// large a one is thrown away.
    fn literal(
        &mut self,
        stream: &mut dyn Stream,
        length: u32,
        response: &mut Assembler,
    ) -> Result<Option<Vec<u8>>> {
        if length <= MOST_LITERAL {
            return stream.read_exact(length).map(Some);
        }
        if response.fetched().is_none() {
            return Err(Error::protocol("the server sent a literal that is too large").lost());
        }
        drain(stream, length)?;
        Ok(Some(Vec::new()))
    }
}

/// Reads octets and throws them away.
pub(crate) fn drain(stream: &mut dyn Stream, mut length: u32) -> Result<()> {
    while length > 0 {
        let part = length.min(DRAIN);
        stream.read_exact(part)?;
        length -= part;
    }
    Ok(())
}

/// Keeps all untagged data.
#[derive(Debug, Default)]
pub(crate) struct Collect {
    pub(crate) data: Vec<Data<'static>>,
    pub(crate) codes: Vec<Code<'static>>,
    pub(crate) unknown: bool,
}

impl Consumer for Collect {
    fn data(&mut self, data: Data<'static>) -> Result<()> {
        self.data.push(data);
        Ok(())
    }
    fn code(&mut self, code: Code<'static>) {
        self.codes.push(code);
    }
    fn unknown(&mut self) {
        self.unknown = true;
    }
}

/// A command that was sent and not yet answered.
#[derive(Debug)]
#[must_use]
pub(crate) struct Sent {
    tag: String,
    what: &'static str,
    /// Its answer, when that came while a challenge was waited for.
    answer: Option<Tagged<'static>>,
}

impl Sent {
    /// Keeps the answer, which came while something else was waited for.
    pub(crate) fn answered(&mut self, answer: Tagged<'static>) {
        self.answer = Some(answer);
    }
}

/// A response that is neither data nor passed over.
pub(crate) enum Event {
    /// A tagged response.
    Tagged(Tagged<'static>),
    /// `+`: the server agrees, or asks. The challenge, decoded; empty when it is a text.
    Continue(Vec<u8>),
    /// Untagged data or a status: was given to the consumer.
    Untagged,
}

/// A connection.
pub(crate) struct Connection {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) host: Host,
    /// Whether mailbox names are UTF-8 (RFC 6855).
    pub(crate) utf8: bool,
    assembler: Assembler,
    capabilities: HashSet<String>,
    commands: u32,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, host: Host) -> Self {
        Self {
            stream,
            host,
            utf8: false,
            assembler: Assembler::default(),
            capabilities: HashSet::new(),
            commands: 0,
        }
    }

    /// Whether the server offers this capability.
    pub(crate) fn offers(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// All capabilities; none when the server has not told them yet.
    pub(crate) fn capabilities(&self) -> &HashSet<String> {
        &self.capabilities
    }

    /// Forgets the capabilities: those before STARTTLS or sign-in do not count afterwards (RFC 3501, section 6.2.1).
    pub(crate) fn forget_capabilities(&mut self) {
        self.capabilities.clear();
    }

    /// Takes over the capabilities that the server told.
    pub(crate) fn learn<'a>(&mut self, capabilities: impl IntoIterator<Item = &'a Capability<'a>>) {
        self.capabilities = capabilities.into_iter().map(|c| c.to_string().to_ascii_uppercase()).collect();
    }

    /// A tag that was not used yet.
    pub(crate) fn tag(&mut self) -> String {
        self.commands += 1;
        format!("A{}", self.commands)
    }

    /// Runs a command. `what` completes "the server refused to ...".
    pub(crate) fn run(
        &mut self,
        body: CommandBody<'_>,
        what: &'static str,
        consumer: &mut dyn Consumer,
    ) -> Result<Done> {
        let sent = self.send(body, what)?;
        self.finish(sent, consumer)
    }

    /// Runs a command whose untagged data does not matter.
    pub(crate) fn run_quiet(&mut self, body: CommandBody<'_>, what: &'static str) -> Result<Done> {
        self.run(body, what, &mut Collect::default())
    }

    /// Sends a command without waiting for its answer: for several in one round trip.
    pub(crate) fn send(&mut self, body: CommandBody<'_>, what: &'static str) -> Result<Sent> {
        let tag = self.tag();
        self.log(Level::Debug, "command", &[("tag", &tag), ("to", what), ("imap", body.name())]);
        let pieces = encode(&tag, body)?;
        self.send_pieces(tag, pieces, what)
    }

    /// Sends the pieces of a command, waiting where the server must agree to a literal.
    pub(crate) fn send_pieces(
        &mut self,
        tag: String,
        pieces: Vec<Piece>,
        what: &'static str,
    ) -> Result<Sent> {
        let sent = Sent { tag, what, answer: None };
        for piece in pieces {
            match piece {
                Piece::Line(bytes) => self.stream.write(&bytes)?,
                Piece::Literal(bytes) => {
                    self.expect_continue(&sent)?;
                    self.stream.write(&bytes)?;
                }
            }
        }
        Ok(sent)
    }

    /// Waits until the server agrees to what was announced. Returns its challenge.
    pub(crate) fn expect_continue(&mut self, sent: &Sent) -> Result<Vec<u8>> {
        loop {
            match self.next(&mut Collect::default())? {
                Event::Continue(challenge) => return Ok(challenge),
                Event::Tagged(tagged) => {
                    self.outcome(sent, tagged, ErrorKind::Temporary)?;
                    return Err(Error::protocol("the server did not wait for the rest of the command").lost());
                }
                Event::Untagged => {}
            }
        }
    }

    /// The next challenge of the server; none when it has answered the command instead.
    pub(crate) fn challenge(&mut self, sent: &mut Sent) -> Result<Option<Vec<u8>>> {
        self.challenge_noticing(sent, &mut Collect::default())
    }

    /// The same, for a command during which untagged data matters.
    pub(crate) fn challenge_noticing(
        &mut self,
        sent: &mut Sent,
        consumer: &mut dyn Consumer,
    ) -> Result<Option<Vec<u8>>> {
        loop {
            match self.next(consumer)? {
                Event::Continue(challenge) => return Ok(Some(challenge)),
                Event::Tagged(tagged) => {
                    sent.answered(tagged);
                    return Ok(None);
                }
                Event::Untagged => {}
            }
        }
    }

    /// Reads until the answer to the command.
    pub(crate) fn finish(&mut self, sent: Sent, consumer: &mut dyn Consumer) -> Result<Done> {
        self.finish_or(sent, consumer, ErrorKind::Temporary)
    }

    /// The same; a NO without a telling code is of the kind `otherwise`.
    pub(crate) fn finish_or(
        &mut self,
        mut sent: Sent,
        consumer: &mut dyn Consumer,
        otherwise: ErrorKind,
    ) -> Result<Done> {
        if let Some(tagged) = sent.answer.take() {
            return self.outcome(&sent, tagged, otherwise);
        }
        loop {
            match self.next(consumer)? {
                Event::Tagged(tagged) => return self.outcome(&sent, tagged, otherwise),
                Event::Continue(_) => {
                    return Err(
                        Error::protocol("the server asks for more of a command that is complete").lost()
                    );
                }
                Event::Untagged => {}
            }
        }
    }

    fn outcome(&mut self, sent: &Sent, tagged: Tagged<'static>, otherwise: ErrorKind) -> Result<Done> {
        if tagged.tag.inner() != sent.tag {
            return Err(Error::protocol("the server answered a command that was not the next one").lost());
        }
        let StatusBody { kind, code, .. } = &tagged.body;
        if *kind != StatusKind::Ok {
            return Err(failure::refusal(&tagged.body, sent.what, otherwise));
        }
        if let Some(Code::Capability(capabilities)) = code {
            self.learn(capabilities.as_ref());
        }
        Ok(Done { code: tagged.body.code })
    }

    /// Reads one response.
    pub(crate) fn next(&mut self, consumer: &mut dyn Consumer) -> Result<Event> {
        let response = loop {
            let line = self.line()?;
            match self.assembler.line(&line)? {
                Next::Response(response) => break *response,
                Next::Taken => return Ok(Event::Untagged),
                Next::Unknown => {
                    self.log(Level::Debug, "a response that cannot be read was passed over", &[]);
                    consumer.unknown();
                    return Ok(Event::Untagged);
                }
                Next::Literal { length } => {
                    let read = consumer.literal(self.stream.as_mut(), length, &mut self.assembler);
                    // In the middle of a literal the connection is of no further use.
                    let kept = read.map_err(Error::lost)?;
                    self.assembler.literal(kept.as_deref());
                }
            }
        };
        match response {
            Response::Data(data) => {
                if let Data::Capability(capabilities) = &data {
                    self.learn(capabilities.as_ref());
                }
                consumer.data(data)?;
            }
            Response::Status(Status::Untagged(status)) => self.untagged(status, consumer),
            Response::Status(Status::Tagged(tagged)) => return Ok(Event::Tagged(tagged)),
            Response::Status(Status::Bye(bye)) => return self.goodbye(bye),
            Response::CommandContinuationRequest(request) => {
                return Ok(Event::Continue(match request {
                    CommandContinuationRequest::Base64(challenge) => challenge.into_owned(),
                    CommandContinuationRequest::Basic(_) => Vec::new(),
                }));
            }
        }
        Ok(Event::Untagged)
    }

    fn untagged(&mut self, status: StatusBody<'static>, consumer: &mut dyn Consumer) {
        let Some(code) = status.code else { return };
        match &code {
            Code::Capability(capabilities) => self.learn(capabilities.as_ref()),
            // RFC 3501, section 7.1: it must be shown to the user.
            Code::Alert => {
                self.log(Level::Warn, "the server alerts", &[("text", &failure::shown(status.text.inner()))])
            }
            _ => {}
        }
        consumer.code(code);
    }

    /// BYE. After LOGOUT it is expected, and the caller does not look at this error.
    fn goodbye(&mut self, bye: Bye<'static>) -> Result<Event> {
        let status = StatusBody { kind: StatusKind::No, code: bye.code, text: bye.text };
        let mut error = failure::refusal(&status, "go on", ErrorKind::Temporary);
        if !matches!(error.kind, ErrorKind::Throttled | ErrorKind::AuthorizationNeeded) {
            error.kind = ErrorKind::Temporary;
        }
        Err(error.lost())
    }

    /// One line with its line end.
    pub(crate) fn line(&mut self) -> Result<Vec<u8>> {
        let line = self.stream.read_line(MOST_RESPONSE).map_err(|error| match error.kind {
            ErrorKind::TooLarge => Error::protocol("the server sent a line that does not end").lost(),
            _ => error,
        })?;
        match line.ends_with(b"\n") {
            true => Ok(line),
            false => Err(Error::temporary("the server closed the connection").lost()),
        }
    }

    pub(crate) fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        self.host.log(level, message, fields);
    }
}
