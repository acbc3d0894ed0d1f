//! The connection that follows a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::host::{Clock, SealedText};
use super::script::Step;
use crate::host::{Delivery, Sealed, Source, Stream, foreign_handle};
use crate::types::{Encoding, Readiness, Security};
use crate::{Error, Result};

/// What is left of a dialogue, shared with the host so that a test can ask whether all of it took place.
#[derive(Debug)]
pub(super) struct Dialogue {
    pub(super) steps: VecDeque<Step>,
    /// What the connector wrote and no step has claimed yet.
    pub(super) written: Vec<u8>,
    /// What the service sent and the connector has not read yet.
    received: VecDeque<u8>,
    security: Security,
    closed: bool,
}

impl Dialogue {
    pub(super) fn new(steps: VecDeque<Step>, security: Security) -> Self {
        Self { steps, written: Vec::new(), received: VecDeque::new(), security, closed: false }
    }

    /// Lets the steps of the client claim what was written.
    #[expect(clippy::panic, reason = "how a test fails")]
    pub(super) fn claim(&mut self) {
        while let Some(Step::Client(expected)) = self.steps.front() {
            let Some(rest) = self.written.strip_prefix(expected.as_slice()) else {
                panic!(
                    "the script expects\n  C: {}\nbut the connector sent\n  C: {}",
                    expected.escape_ascii(),
                    self.written.escape_ascii()
                );
            };
            self.written = rest.to_vec();
            self.steps.pop_front();
        }
    }

    /// Receives the next thing from the service; false when it has closed.
    #[expect(clippy::panic, reason = "how a test fails")]
    fn receive(&mut self) -> bool {
        self.claim();
        match self.steps.pop_front() {
            Some(Step::Server(bytes)) => {
                self.received.extend(bytes);
                true
            }
            Some(Step::Eof) => {
                self.steps.push_front(Step::Eof);
                false
            }
            None => panic!(
                "the connector waits for the service, but the script is over; unclaimed: {}",
                self.written.escape_ascii()
            ),
            Some(step) => panic!("the connector waits for the service, but the script expects {step:?}"),
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.received.len());
        self.received.drain(..count).collect()
    }
}

/// A connection over a [`Dialogue`].
pub(super) struct ScriptedStream {
    pub(super) dialogue: Rc<RefCell<Dialogue>>,
    pub(super) clock: Rc<Clock>,
}

fn closed() -> Error {
    Error::temporary("the service closed the connection").lost()
}

impl Stream for ScriptedStream {
    fn security(&self) -> Security {
        self.dialogue.borrow().security
    }

    fn read(&mut self, max: u32) -> Result<Vec<u8>> {
        let mut dialogue = self.dialogue.borrow_mut();
        if dialogue.received.is_empty() {
            dialogue.receive();
        }
        Ok(dialogue.take(max as usize))
    }

    fn read_line(&mut self, max: u32) -> Result<Vec<u8>> {
        let mut dialogue = self.dialogue.borrow_mut();
        loop {
            if let Some(at) = dialogue.received.iter().position(|b| *b == b'\n') {
                if at >= max as usize {
                    return Err(Error::too_large("the line is too long"));
                }
                return Ok(dialogue.take(at + 1));
            }
            if dialogue.received.len() >= max as usize {
                return Err(Error::too_large("the line is too long"));
            }
            if !dialogue.receive() {
                return Ok(dialogue.take(usize::MAX));
            }
        }
    }

    fn read_exact(&mut self, count: u32) -> Result<Vec<u8>> {
        let mut dialogue = self.dialogue.borrow_mut();
        while dialogue.received.len() < count as usize {
            if !dialogue.receive() {
                return Err(closed());
            }
        }
        Ok(dialogue.take(count as usize))
    }

    fn splice(&mut self, count: u32, into: &dyn Delivery, encoding: Encoding) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let bytes = self.read(left)?;
            if bytes.is_empty() {
                return Err(closed());
            }
            left = left.saturating_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            into.write(&bytes, encoding)?;
        }
        Ok(())
    }

    fn poll(&mut self, timeout_ms: u32) -> Result<Readiness> {
        let mut dialogue = self.dialogue.borrow_mut();
        if !dialogue.received.is_empty() {
            return Ok(Readiness::Ready);
        }
        dialogue.claim();
        let Some(Step::Poll(readiness)) = dialogue.steps.front().cloned() else {
            return Ok(Readiness::Ready);
        };
        dialogue.steps.pop_front();
        if readiness == Readiness::TimedOut {
            self.clock.advance(timeout_ms);
        }
        Ok(readiness)
    }

    fn write(&mut self, data: &[u8]) -> Result<()> {
        let mut dialogue = self.dialogue.borrow_mut();
        if dialogue.closed {
            return Err(closed());
        }
        dialogue.written.extend_from_slice(data);
        Ok(())
    }

    fn write_source(
        &mut self,
        message: &dyn Source,
        offset: u32,
        length: Option<u32>,
        _encoding: Encoding,
    ) -> Result<()> {
        let bytes = message.read(offset, length.unwrap_or(u32::MAX))?;
        self.write(&bytes)
    }

    fn write_sealed(&mut self, secret: &Sealed) -> Result<()> {
        if self.security() != Security::Tls {
            return Err(Error::permission_missing("a secret must not be sent in the clear"));
        }
        let text = secret.inner::<SealedText>().ok_or_else(|| foreign_handle("secret"))?;
        self.write(text.0.as_bytes())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    #[expect(clippy::panic, reason = "how a test fails")]
    fn start_tls(&mut self) -> Result<()> {
        let mut dialogue = self.dialogue.borrow_mut();
        dialogue.claim();
        if !dialogue.received.is_empty() {
            return Err(Error::protocol("bytes of the clear text are unread before TLS").lost());
        }
        match dialogue.steps.pop_front() {
            Some(Step::Tls) => dialogue.security = Security::Tls,
            other => panic!("the connector begins TLS, but the script expects {other:?}"),
        }
        Ok(())
    }

    fn close(&mut self) {
        self.dialogue.borrow_mut().closed = true;
    }
}
