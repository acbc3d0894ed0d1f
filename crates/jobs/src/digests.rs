//! Downloads messages only to learn their canonical digests; nothing is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use wissel_mime::{Inspector, Options};
use wissel_model::{ConnectorError, Delivery, DeliveryInfo, MessageId, Session};

/// Messages in one `fetch`: a call's time is limited, and they may be large.
const BATCH: usize = 10;

/// The digests of the messages, as far as they could be fetched.
pub(crate) async fn digests(
    session: &mut dyn Session,
    messages: &[MessageId],
) -> Result<HashMap<MessageId, String>, ConnectorError> {
    let found = Arc::new(Mutex::new(HashMap::new()));
    for batch in messages.chunks(BATCH) {
        session.fetch(batch, Box::new(Reader { open: None, found: Arc::clone(&found) })).await?;
    }
    Ok(std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner)))
}

struct Reader {
    open: Option<(MessageId, Inspector)>,
    found: Arc<Mutex<HashMap<MessageId, String>>>,
}

#[async_trait]
impl Delivery for Reader {
    async fn begin(&mut self, message: &MessageId, _info: DeliveryInfo) -> Result<(), ConnectorError> {
        self.open = Some((message.clone(), Inspector::new(Options::default())));
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        if let Some((_, inspector)) = &mut self.open {
            inspector.write(bytes);
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), ConnectorError> {
        if let Some((message, inspector)) = self.open.take() {
            let digest = inspector.finish().digest;
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(message, digest);
        }
        Ok(())
    }

    async fn fail(&mut self, message: &MessageId, reason: ConnectorError) {
        tracing::warn!(%message, %reason, "cannot be fetched to compare it");
        self.open = None;
    }
}
