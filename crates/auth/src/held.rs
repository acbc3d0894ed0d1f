//! What this process holds of grants, and what must not be broken off: from the moment that a provider is asked for a new
//! token until it is stored, since what it replaces may be good for nothing by then.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument as _;
use wissel_model::AccountId;

use crate::{AuthError, Authority, Grant, lock};

/// How long the end of a process waits for answers that are under way, and for what is not stored yet.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before what could not be stored is tried again at the end of a process.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of one grant; and the turn among the tasks of this process.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Held>>;

/// What is known of one grant.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// As it is stored, and when that was read.
    pub(crate) known: Option<(Instant, Grant)>,
    /// What a provider gave and could not be stored. Nobody gets it until it is.
    pub(crate) unsaved: Option<Unsaved>,
}

/// A grant that could not be stored.
#[derive(Debug)]
pub(crate) struct Unsaved {
    pub(crate) grant: Grant,
    /// What renewed the grant that it came from.
    pub(crate) replaces: SecretString,
}

impl Held {
    /// Stored: as this one.
    pub(crate) fn is_stored(&mut self, grant: Grant) {
        *self = Self { known: Some((Instant::now(), grant)), unsaved: None };
    }
}

impl Unsaved {
    /// Whether what is stored is still what it came from; else somebody authorised anew, or the grant was forgotten.
    fn follows(&self, stored: Option<&Grant>) -> bool {
        let stored = stored.and_then(|grant| grant.refresh_token.as_ref());
        stored.is_some_and(|stored| stored.expose_secret() == self.replaces.expose_secret())
    }
}

impl Authority {
    /// Does it in a task of its own, which goes on when whoever waits for it does not any more.
    pub(crate) async fn apart<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
    ) -> Result<T, AuthError> {
        let task = self.under_way.spawn(work.in_current_span());
        task.await.map_err(|error| AuthError::unavailable(format!("the renewal broke off: {error}")))?
    }

    /// What is stored under this field, after what could not be stored before. To be called with the turn.
    pub(crate) async fn caught_up(
        &self,
        account: AccountId,
        field: &str,
        held: &mut Held,
    ) -> Result<Option<Grant>, AuthError> {
        let stored = self.stored(account, field).await?;
        match held.unsaved.take() {
            Some(unsaved) if unsaved.follows(stored.as_ref()) => {
                if let Err(error) = self.save(account, field, &unsaved.grant).await {
                    held.unsaved = Some(unsaved);
                    return Err(error);
                }
                Ok(Some(unsaved.grant))
            }
            _ => Ok(stored),
        }
    }

    /// Waits for renewals that are under way, and stores what could not be stored: at the end of a process, at most a
    /// minute.
    pub async fn settle(&self) {
        self.under_way.close();
        let settled = async {
            self.under_way.wait().await;
            let slots: Vec<_> = {
                let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
                slots.iter().map(|((account, field), slot)| (*account, field.clone(), slot.clone())).collect()
            };
            for (account, field, slot) in slots {
                while let Err(error) = self.settle_one(account, &field, &slot).await {
                    tracing::warn!(%error, "a renewed token is not stored yet; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, settled).await.is_err() {
            tracing::error!(
                "a renewed token could not be stored; authorise its account again if it is refused"
            );
        }
    }

    async fn settle_one(&self, account: AccountId, field: &str, slot: &Slot) -> Result<(), AuthError> {
        let mut held = slot.lock().await;
        if held.unsaved.is_none() {
            return Ok(());
        }
        let _turn = lock::take(&self.locks, account, field).await?;
        self.caught_up(account, field, &mut held).await.map(drop)
    }
}
