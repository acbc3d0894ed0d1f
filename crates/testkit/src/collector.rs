//! A delivery that remembers what it was given, and in which order the rules of `content.delivery` were broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use wissel_model::connector::Result;
use wissel_model::{ConnectorError, Delivery, DeliveryInfo, ErrorKind, MessageId};

/// What one `fetch` delivered.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// Messages that were completed, with what was said about them.
    pub(crate) ended: BTreeMap<MessageId, (DeliveryInfo, Vec<u8>)>,
    pub(crate) failed: BTreeMap<MessageId, ConnectorError>,
    /// Rules that were broken.
    pub(crate) breaches: Vec<String>,
    open: Option<(MessageId, DeliveryInfo, Vec<u8>)>,
    wanted: BTreeSet<MessageId>,
}

/// Takes in one `fetch`; clones share what was taken.
#[derive(Debug, Default, Clone)]
pub(crate) struct Collector(Arc<Mutex<Delivered>>);

impl Collector {
    /// For a call that asks for these messages.
    pub(crate) fn of(messages: &[MessageId]) -> Self {
        let wanted = messages.iter().cloned().collect();
        Self(Arc::new(Mutex::new(Delivered { wanted, ..Delivered::default() })))
    }

    /// What was taken.
    pub(crate) fn take(&self) -> Delivered {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Delivered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivered {
    fn breach(&mut self, what: String) -> ConnectorError {
        self.breaches.push(what.clone());
        ConnectorError::new(ErrorKind::Protocol, what)
    }

    /// An id may be begun or failed when it was asked for and is not settled yet.
    fn expect_wanted(&mut self, message: &MessageId, what: &str) -> Result<()> {
        let settled = self.ended.contains_key(message) || self.failed.contains_key(message);
        if !self.wanted.contains(message) {
            return Err(self.breach(format!("'{message}' was {what} and not asked for")));
        }
        if settled {
            return Err(self.breach(format!("'{message}' was {what} after it was settled")));
        }
        Ok(())
    }

    /// The message left open by the call, which the host would ask for again.
    pub(crate) fn left_open(&self) -> Option<&MessageId> {
        self.open.as_ref().map(|(message, _, _)| message)
    }
}

#[async_trait]
impl Delivery for Collector {
    async fn begin(&mut self, message: &MessageId, info: DeliveryInfo) -> Result<()> {
        let mut delivered = self.lock();
        delivered.expect_wanted(message, "begun")?;
        if let Some((left, _, _)) = delivered.open.take() {
            delivered.breach(format!("'{left}' was left open when '{message}' was begun"));
        }
        delivered.open = Some((message.clone(), info, Vec::new()));
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut delivered = self.lock();
        match &mut delivered.open {
            Some((_, _, taken)) => {
                taken.extend_from_slice(bytes);
                Ok(())
            }
            None => Err(delivered.breach("`write` without an open message".to_owned())),
        }
    }

    async fn end(&mut self) -> Result<()> {
        let mut delivered = self.lock();
        match delivered.open.take() {
            Some((message, info, bytes)) => {
                delivered.ended.insert(message, (info, bytes));
                Ok(())
            }
            None => Err(delivered.breach("`end` without an open message".to_owned())),
        }
    }

    async fn fail(&mut self, message: &MessageId, reason: ConnectorError) {
        let mut delivered = self.lock();
        if delivered.expect_wanted(message, "failed").is_err() {
            return;
        }
        if delivered.left_open() == Some(message) {
            delivered.open = None;
        }
        delivered.failed.insert(message.clone(), reason);
    }
}
