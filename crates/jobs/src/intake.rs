//! Takes in the messages of one `fetch` and writes them beside their place in the sink.
//!
//! Nothing is durable yet when a message ends here: the batch is synced and renamed as a group afterwards. What a
//! connector leaves open, when it fails or traps, is remembered, since that message may be the cause.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use wissel_model::{ConnectorError, Delivery, DeliveryInfo, ErrorKind, MessageId, MessageKey};
use wissel_sink::{Context, DirectorySink, Incoming, SinkError, Staged};

/// A message that could not be fetched, with as many of its bytes as came.
pub(crate) struct FailedMessage {
    pub(crate) message: MessageId,
    pub(crate) reason: ConnectorError,
    pub(crate) partial: Option<Incoming>,
}

/// What one `fetch` brought.
#[derive(Default)]
pub(crate) struct Intaken {
    /// Messages whose bytes are all there, with the read flag the service told of.
    pub(crate) staged: Vec<Staged>,
    /// Messages that the connector gave up.
    pub(crate) failed: Vec<FailedMessage>,
    /// The message that was open when the fetch ended without ending it.
    pub(crate) open: Option<FailedMessage>,
    /// The sink refused bytes; the fetch was ended for that.
    pub(crate) sink_error: Option<SinkError>,
}

/// The receiving end of one fetch.
pub(crate) struct Intake {
    sink: DirectorySink,
    wanted: HashMap<MessageId, (MessageKey, Context)>,
    open: Option<(MessageId, Incoming)>,
    /// Octets of the messages, as the listing told.
    listed: HashMap<MessageId, u32>,
    stop: CancellationToken,
    result: Arc<Mutex<Intaken>>,
}

impl Intake {
    /// An intake for these messages, and the place where the result appears once it is dropped.
    pub(crate) fn new(
        sink: DirectorySink,
        wanted: HashMap<MessageId, (MessageKey, Context)>,
        listed: HashMap<MessageId, u32>,
        stop: CancellationToken,
    ) -> (Box<Self>, Arc<Mutex<Intaken>>) {
        let result = Arc::new(Mutex::new(Intaken::default()));
        (Box::new(Self { sink, wanted, listed, open: None, stop, result: Arc::clone(&result) }), result)
    }

    fn record(&self, change: impl FnOnce(&mut Intaken)) {
        change(&mut self.result.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn refuse(&self, error: SinkError) -> ConnectorError {
        self.record(|result| result.sink_error = Some(error));
        ConnectorError::new(ErrorKind::Cancelled, "the sink cannot take more messages")
    }
}

/// Takes the result out once the fetch is over.
pub(crate) fn taken(result: &Mutex<Intaken>) -> Intaken {
    std::mem::take(&mut *result.lock().unwrap_or_else(PoisonError::into_inner))
}

#[async_trait]
impl Delivery for Intake {
    async fn begin(&mut self, message: &MessageId, info: DeliveryInfo) -> Result<(), ConnectorError> {
        if self.stop.is_cancelled() {
            return Err(ConnectorError::new(ErrorKind::Cancelled, "a stop was asked for"));
        }
        let Some((key, mut context)) = self.wanted.remove(message) else {
            return Err(ConnectorError::new(ErrorKind::Fault, "a message was begun that is not awaited"));
        };
        context.received = info.received.or(context.received);
        context.read = info.read.or(context.read);
        let incoming = self.sink.begin(key, context).map_err(|error| self.refuse(error))?;
        self.open = Some((message.clone(), incoming));
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        let Some((_, incoming)) = &mut self.open else {
            return Err(ConnectorError::new(ErrorKind::Fault, "bytes came while no message was open"));
        };
        incoming.write(bytes).map_err(|error| self.refuse(error))
    }

    async fn end(&mut self) -> Result<(), ConnectorError> {
        let Some((message, incoming)) = self.open.take() else {
            return Err(ConnectorError::new(ErrorKind::Fault, "a message ended while none was open"));
        };
        let staged = incoming.finish().map_err(|error| self.refuse(error))?;
        let listed = self.listed.get(&message).copied().unwrap_or(0);
        if staged.inspection.size == 0 && listed > 0 {
            // Services count sizes differently, but something is never nothing: the original must stay.
            let reason = format!("the service sent nothing of a message that it lists with {listed} octets");
            let reason = ConnectorError::new(ErrorKind::Temporary, reason).with_code("empty");
            self.record(|result| result.failed.push(FailedMessage { message, reason, partial: None }));
            return Ok(());
        }
        self.record(|result| result.staged.push(staged));
        Ok(())
    }

    async fn fail(&mut self, message: &MessageId, reason: ConnectorError) {
        let partial = match self.open.take() {
            Some((open, incoming)) if open == *message => Some(incoming),
            other => {
                self.open = other;
                None
            }
        };
        self.wanted.remove(message);
        self.record(|result| result.failed.push(FailedMessage { message: message.clone(), reason, partial }));
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if let Some((message, incoming)) = self.open.take() {
            let reason = ConnectorError::new(ErrorKind::Temporary, "the transfer broke off in this message");
            self.record(|result| {
                result.open = Some(FailedMessage { message, reason, partial: Some(incoming) });
            });
        }
    }
}
