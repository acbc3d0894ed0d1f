//! The running call: until when it may run, and how it is stopped.
//!
//! A call ends in three steps. When its time is up or a stop is asked for, every host function that waits answers
//! `cancelled`. A component that does not return within [`GRACE`] is trapped at its next tick. Should a host function
//! hang, the caller's watchdog drops the call a little later.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wissel_model::{ConnectorError, ErrorKind};

/// How long a component may take to return after it was told to.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// How much later than the trap the watchdog comes.
const WATCHDOG: Duration = Duration::from_millis(500);

/// Why a component was trapped by the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overrun {
    /// It did not return in time.
    #[error("it did not finish in time")]
    Deadline,
    /// It did not return after a stop was asked for.
    #[error("it did not return within {} seconds after it was cancelled", GRACE.as_secs())]
    Cancelled,
}

/// The time and the stop signals of the running call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Ends the session's calls.
    pub(crate) cancel: CancellationToken,
    /// Asks a waiting call to end early.
    pub(crate) interrupt: CancellationToken,
    /// When the call's time is up.
    pub(crate) deadline: Instant,
    cancelled_at: Option<Instant>,
}

impl Call {
    pub(crate) fn new(cancel: CancellationToken, interrupt: CancellationToken, time: Duration) -> Self {
        Self { cancel, interrupt, deadline: Instant::now() + time, cancelled_at: None }
    }

    /// Begins the next call.
    pub(crate) fn restart(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
        self.cancelled_at = None;
    }

    /// Waits for `work`, unless the call is stopped meanwhile.
    pub(crate) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, ConnectorError> {
        if self.cancel.is_cancelled() {
            return Err(cancelled());
        }
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.cancel.cancelled() => Err(cancelled()),
            () = tokio::time::sleep_until(self.deadline) => Err(cancelled()),
        }
    }

    /// As [`Self::wait`], for work that moves on within `idle` or fails as `temporary` with what `late` says.
    pub(crate) async fn wait_at_most<T>(
        &self,
        idle: Duration,
        late: impl FnOnce() -> String,
        work: impl Future<Output = T>,
    ) -> Result<T, ConnectorError> {
        match self.wait(tokio::time::timeout(idle, work)).await? {
            Ok(done) => Ok(done),
            Err(_) => Err(ConnectorError::new(ErrorKind::Temporary, late()).with_code("timeout").lost()),
        }
    }

    /// At each tick: has the component outstayed its grace?
    pub(crate) fn overrun(&mut self) -> Option<Overrun> {
        let now = Instant::now();
        if self.cancel.is_cancelled() && now >= *self.cancelled_at.get_or_insert(now) + GRACE {
            return Some(Overrun::Cancelled);
        }
        (now >= self.deadline + GRACE).then_some(Overrun::Deadline)
    }

    /// Resolves when even a trap should have ended the call.
    pub(crate) fn watchdog(&self) -> impl Future<Output = Overrun> + Send + 'static {
        let (cancel, deadline) = (self.cancel.clone(), self.deadline);
        async move {
            tokio::select! {
                () = async {
                    cancel.cancelled().await;
                    tokio::time::sleep(GRACE + WATCHDOG).await;
                } => Overrun::Cancelled,
                () = tokio::time::sleep_until(deadline + GRACE + WATCHDOG) => Overrun::Deadline,
            }
        }
    }
}

/// What a host function answers when the call is to end.
fn cancelled() -> ConnectorError {
    ConnectorError::new(ErrorKind::Cancelled, "the host ended the operation")
}
