//! Message bytes of a unit test: a delivery that keeps what it got, and a source over bytes in memory.

use std::any::Any;
use std::cell::{Cell, RefCell};

use crate::host::{Delivery, Source};
use crate::types::{DeliveryInfo, Encoding};
use crate::{Error, Result};

/// One message that a [`RecordingDelivery`] took in.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Its id.
    pub id: String,
    /// What was said about it.
    pub info: DeliveryInfo,
    /// Its bytes, as they were written: nothing is decoded.
    pub bytes: Vec<u8>,
    /// Whether it was completed.
    pub ended: bool,
}

/// A delivery that keeps everything, and fails the test when it is used out of order.
#[derive(Debug, Default)]
pub struct RecordingDelivery {
    messages: RefCell<Vec<Delivered>>,
    failures: RefCell<Vec<(String, Error)>>,
    refusals: RefCell<Vec<(String, Error)>>,
}

impl RecordingDelivery {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the `begin` of this message with this error.
    pub fn refuse(&self, message: &str, reason: Error) {
        self.refusals.borrow_mut().push((message.to_owned(), reason));
    }

    /// The messages that were begun, in their order.
    #[must_use]
    pub fn messages(&self) -> Vec<Delivered> {
        self.messages.borrow().clone()
    }

    /// Ids and bytes, as text, of the messages that were completed.
    #[must_use]
    pub fn ended(&self) -> Vec<(String, String)> {
        let messages = self.messages.borrow();
        let ended = messages.iter().filter(|m| m.ended);
        ended.map(|m| (m.id.clone(), String::from_utf8_lossy(&m.bytes).into_owned())).collect()
    }

    /// The messages that were failed, with the reason.
    #[must_use]
    pub fn failures(&self) -> Vec<(String, Error)> {
        self.failures.borrow().clone()
    }

    fn with_open<T>(&self, what: &str, use_it: impl FnOnce(&mut Delivered) -> T) -> Result<T> {
        match self.messages.borrow_mut().last_mut().filter(|m| !m.ended) {
            Some(open) => Ok(use_it(open)),
            None => Err(Error::protocol(format!("`{what}` without an open message"))),
        }
    }
}

impl Delivery for RecordingDelivery {
    fn begin(&self, message: &str, info: &DeliveryInfo) -> Result<()> {
        if let Some((_, reason)) = self.refusals.borrow().iter().find(|(id, _)| id == message) {
            return Err(reason.clone());
        }
        if self.messages.borrow().iter().any(|m| m.id == message && m.ended) {
            return Err(Error::protocol(format!("{message} was begun again")));
        }
        self.messages.borrow_mut().push(Delivered {
            id: message.into(),
            info: info.clone(),
            bytes: Vec::new(),
            ended: false,
        });
        Ok(())
    }
    fn write(&self, data: &[u8], _encoding: Encoding) -> Result<()> {
        self.with_open("write", |open| open.bytes.extend_from_slice(data))
    }
    fn end(&self) -> Result<u32> {
        self.with_open("end", |open| {
            open.ended = true;
            u32::try_from(open.bytes.len()).unwrap_or(u32::MAX)
        })
    }
    fn fail(&self, message: &str, reason: Error) {
        self.failures.borrow_mut().push((message.into(), reason));
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An outgoing message over bytes in memory; writes it unencoded.
#[derive(Debug)]
pub struct BytesSource {
    bytes: Vec<u8>,
    past_return: Cell<bool>,
}

impl BytesSource {
    /// A message of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), past_return: Cell::new(false) }
    }

    /// Whether [`Source::point_of_no_return`] was called.
    #[must_use]
    pub fn is_past_return(&self) -> bool {
        self.past_return.get()
    }
}

impl Source for BytesSource {
    fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
    fn encoded_size(&self, encoding: Encoding) -> u32 {
        match encoding {
            Encoding::Base64 | Encoding::Base64url => self.size().div_ceil(3).saturating_mul(4),
            Encoding::Identity | Encoding::DotStuffed => self.size(),
        }
    }
    fn read(&self, offset: u32, max: u32) -> Result<Vec<u8>> {
        Ok(self.bytes.iter().skip(offset as usize).take(max as usize).copied().collect())
    }
    fn point_of_no_return(&self) {
        self.past_return.set(true);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
