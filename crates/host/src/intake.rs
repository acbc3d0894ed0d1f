//! The messages of one `fetch` on their way in: keeps the contract's order, decodes, and passes the bytes on.
//!
//! A connector that breaks the order has a fault and is trapped; what the receiver refuses (no room, too large) is an
//! error that the connector may answer by failing that message.

use std::collections::HashMap;

use wissel_model::{ConnectorError, Delivery, DeliveryInfo, ErrorKind, MessageId};

use crate::bindings::wissel::connector::types::Encoding;
use crate::call::Call;
use crate::coding::Decoder;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Refusal>;

/// What has become of a message that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Wanted,
    Settled,
}

/// The message that is being written.
#[derive(Debug)]
struct Open {
    id: MessageId,
    size: u64,
    decoder: Option<(Encoding, Decoder)>,
    /// Why it can no longer be completed.
    broken: Option<ConnectorError>,
}

/// Takes in the messages of one call.
pub(crate) struct Intake {
    into: Box<dyn Delivery>,
    progress: HashMap<MessageId, Progress>,
    open: Option<Open>,
}

impl Intake {
    pub(crate) fn new(into: Box<dyn Delivery>, messages: &[MessageId]) -> Self {
        let progress = messages.iter().map(|id| (id.clone(), Progress::Wanted)).collect();
        Self { into, progress, open: None }
    }

    /// Starts a message; one that was left open is failed.
    pub(crate) async fn begin(&mut self, call: &Call, id: MessageId, info: DeliveryInfo) -> Result<()> {
        self.expect_wanted(&id, "begun")?;
        if self.open.as_ref().is_some_and(|open| open.id == id) {
            return Err(Refusal::breach("a message was begun twice"));
        }
        self.abandon(left_open()).await;
        call.wait(self.into.begin(&id, info)).await??;
        self.open = Some(Open { id, size: 0, decoder: None, broken: None });
        Ok(())
    }

    /// Adds bytes in the given encoding to the open message.
    pub(crate) async fn write(&mut self, call: &Call, bytes: &[u8], encoding: Encoding) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(|| not_open("write"))?;
        let (first, decoder) = open.decoder.get_or_insert_with(|| (encoding, Decoder::new(encoding)));
        if *first != encoding {
            return Err(Refusal::breach("the encoding changed within a message"));
        }
        if let Some(error) = &open.broken {
            return Err(error.clone().into());
        }
        let written = match decoder.decode(bytes) {
            Ok(plain) => pass_on(&mut *self.into, call, plain, &mut open.size).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &written {
            open.broken = Some(error.clone());
        }
        Ok(written?)
    }

    /// Completes the open message and returns its size.
    pub(crate) async fn end(&mut self, call: &Call) -> Result<u32> {
        let open = self.open.as_mut().ok_or_else(|| not_open("end"))?;
        if let Some(error) = &open.broken {
            return Err(error.clone().into());
        }
        if let Some((_, decoder)) = &mut open.decoder {
            pass_on(&mut *self.into, call, decoder.finish()?, &mut open.size).await?;
        }
        call.wait(self.into.end()).await??;
        let size = u32::try_from(open.size).unwrap_or(u32::MAX);
        self.progress.insert(open.id.clone(), Progress::Settled);
        self.open = None;
        Ok(size)
    }

    /// Records that a message could not be fetched.
    pub(crate) async fn fail(&mut self, id: MessageId, reason: ConnectorError) -> Result<()> {
        self.expect_wanted(&id, "failed")?;
        if self.open.as_ref().is_some_and(|open| open.id == id) {
            self.open = None;
        }
        self.into.fail(&id, reason).await;
        self.progress.insert(id, Progress::Settled);
        Ok(())
    }

    /// Fails the message that the call left open, if it did.
    pub(crate) async fn abandon(&mut self, reason: ConnectorError) {
        if let Some(open) = self.open.take() {
            self.into.fail(&open.id, reason).await;
            self.progress.insert(open.id, Progress::Settled);
        }
    }

    fn expect_wanted(&self, id: &MessageId, what: &str) -> Result<()> {
        match self.progress.get(id) {
            Some(Progress::Wanted) => Ok(()),
            Some(Progress::Settled) => Err(Refusal::breach(format!("a message was {what} twice"))),
            None => Err(Refusal::breach(format!("a message was {what} that was not asked for"))),
        }
    }
}

/// What a message is failed with that was begun and neither ended nor failed.
pub(crate) fn left_open() -> ConnectorError {
    ConnectorError::new(ErrorKind::Temporary, "the connector left the message unfinished")
}

fn not_open(operation: &str) -> Refusal {
    Refusal::breach(format!("`{operation}` without an open message"))
}

async fn pass_on(
    into: &mut dyn Delivery,
    call: &Call,
    plain: &[u8],
    size: &mut u64,
) -> std::result::Result<(), ConnectorError> {
    if plain.is_empty() {
        return Ok(());
    }
    *size += plain.len() as u64;
    if *size > u64::from(u32::MAX) {
        return Err(ConnectorError::new(ErrorKind::TooLarge, "the message has 4 GiB or more"));
    }
    call.wait(into.write(plain)).await?
}
