//! Takes in the messages of one `fetch` and writes them beside their place in the sink.
//!
//! Nothing is durable yet when a message ends here: it is handed to the [recorder](crate::recorder), and the next one
//! is begun once the recorder has room. What a connector leaves open, when it fails or traps, is remembered, since
//! that message may be the cause.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use wissel_model::{ConnectorError, Delivery, DeliveryInfo, ErrorKind, MessageId, MessageKey};
use wissel_sink::{Context, DirectorySink, Incoming, SinkError};

use crate::recorder::{Reserved, ToRecorder};

/// A message that could not be fetched, with as many of its bytes as came.
pub(crate) struct FailedMessage {
    pub(crate) message: MessageId,
    pub(crate) reason: ConnectorError,
    pub(crate) partial: Option<Incoming>,
}

/// What one `fetch` brought.
#[derive(Default)]
pub(crate) struct Intaken {
    /// Messages whose bytes are all there; the recorder has them.
    pub(crate) fetched: Vec<MessageId>,
    /// Messages that the connector gave up.
    pub(crate) failed: Vec<FailedMessage>,
    /// The message that was open when the fetch ended without ending it.
    pub(crate) open: Option<FailedMessage>,
    /// The sink refused bytes; the fetch was ended for that.
    pub(crate) sink_error: Option<SinkError>,
}

/// A message that is asked for.
pub(crate) struct Wanted {
    pub(crate) key: MessageKey,
    pub(crate) context: Context,
    /// Octets, as the listing told; 0 when it did not.
    pub(crate) listed: u32,
}

/// The message that is being written, and its place in the recorder's queue.
struct Open {
    message: MessageId,
    incoming: Incoming,
    listed: u32,
    place: Reserved,
}

/// The receiving end of one fetch.
pub(crate) struct Intake {
    sink: DirectorySink,
    wanted: HashMap<MessageId, Wanted>,
    open: Option<Open>,
    /// Where complete messages go.
    to: ToRecorder,
    stop: CancellationToken,
    result: Arc<Mutex<Intaken>>,
}

impl Intake {
    /// An intake for these messages, and the place where the result appears once it is dropped.
    pub(crate) fn new(
        sink: DirectorySink,
        wanted: HashMap<MessageId, Wanted>,
        to: ToRecorder,
        stop: CancellationToken,
    ) -> (Box<Self>, Arc<Mutex<Intaken>>) {
        let result = Arc::new(Mutex::new(Intaken::default()));
        (Box::new(Self { sink, wanted, open: None, to, stop, result: Arc::clone(&result) }), result)
    }

    fn record(&self, change: impl FnOnce(&mut Intaken)) {
        change(&mut self.result.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn refuse(&self, error: SinkError) -> ConnectorError {
        self.record(|result| result.sink_error = Some(error));
        full()
    }
}

/// What a connector is told when its messages cannot be taken.
fn full() -> ConnectorError {
    ConnectorError::new(ErrorKind::Cancelled, "the sink cannot take more messages")
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
        let Some(Wanted { key, mut context, listed }) = self.wanted.remove(message) else {
            return Err(ConnectorError::new(ErrorKind::Fault, "a message was begun that is not awaited"));
        };
        context.received = info.received.or(context.received);
        context.read = info.read.or(context.read);
        // Without a place the recorder has failed, and says why itself.
        let place = self.to.reserve().await.map_err(|_| full())?;
        let incoming = self.sink.begin(key, context).map_err(|error| self.refuse(error))?;
        self.open = Some(Open { message: message.clone(), incoming, listed, place });
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        let Some(open) = &mut self.open else {
            return Err(ConnectorError::new(ErrorKind::Fault, "bytes came while no message was open"));
        };
        open.incoming.write(bytes).map_err(|error| self.refuse(error))
    }

    async fn end(&mut self) -> Result<(), ConnectorError> {
        let Some(Open { message, incoming, listed, place }) = self.open.take() else {
            return Err(ConnectorError::new(ErrorKind::Fault, "a message ended while none was open"));
        };
        let staged = incoming.finish().map_err(|error| self.refuse(error))?;
        if staged.inspection.size == 0 && listed > 0 {
            // Services count sizes differently, but something is never nothing: the original must stay.
            let reason = format!("the service sent nothing of a message that it lists with {listed} octets");
            let reason = ConnectorError::new(ErrorKind::Temporary, reason).with_code("empty");
            self.record(|result| result.failed.push(FailedMessage { message, reason, partial: None }));
            return Ok(());
        }
        // Whoever gives up this call while it waits has a message that was not fetched.
        place.hand_over(message.clone(), staged).await;
        self.record(|result| result.fetched.push(message));
        Ok(())
    }

    async fn fail(&mut self, message: &MessageId, reason: ConnectorError) {
        let partial = match self.open.take() {
            Some(open) if open.message == *message => Some(open.incoming),
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
        if let Some(Open { message, incoming, .. }) = self.open.take() {
            let reason = ConnectorError::new(ErrorKind::Temporary, "the transfer broke off in this message");
            self.record(|result| {
                result.open = Some(FailedMessage { message, reason, partial: Some(incoming) });
            });
        }
    }
}
