//! A session of a sandboxed connector: one store, one call at a time, thrown away after the first trap.
//!
//! What the operations are is in [`operations`]; how a session comes to be in [`open`].

mod open;
mod operations;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::ResourceAny;
use wissel_model::{AccountId, ConnectorError, Description, ErrorKind, Identity};

pub(crate) use self::open::{Opening, open};
use crate::bindings::exports::wissel::connector::email_account::Guest;
use crate::bindings::wissel::connector::types;
use crate::convert::{self, Checked};
use crate::fault;
use crate::governor::Governors;
use crate::intake::left_open;
use crate::state::State;

/// A signed-in mailbox behind a component.
pub(crate) struct WasmSession {
    description: Arc<Description>,
    /// Who is told which mailbox this account is on; nobody, where it sends no requests.
    governors: Option<(Arc<Governors>, AccountId)>,
    /// Whether that was tried.
    introduced: bool,
    /// Time that one call may take.
    time: Duration,
    /// The running component, or the error of the call that lost it.
    live: Result<Live, ConnectorError>,
}

/// The component of a session.
pub(crate) struct Live {
    store: Store<State>,
    entry: Entry,
}

/// Where a session's functions are called.
#[derive(Clone)]
pub(crate) struct Entry {
    guest: Guest,
    session: ResourceAny,
}

/// What a component's function returns: its own result, or the trap that it ended in.
type Returned<T, E = types::Error> = wasmtime::Result<Result<T, E>>;

impl WasmSession {
    /// Runs one operation and checks its answer.
    async fn call<T, R>(
        &mut self,
        operation: &'static str,
        time: Duration,
        run: impl AsyncFnOnce(&mut Store<State>, &Entry) -> Returned<T>,
        check: impl FnOnce(T) -> Checked<R>,
    ) -> Result<R, ConnectorError> {
        self.introduce().await?;
        self.operate(operation, time, run, check).await
    }

    /// Asks once in a process which mailbox an account is on that requests are sent for: everybody on that mailbox
    /// keeps the limits together.
    ///
    /// # Errors
    /// Only when the session is lost; what else is wrong, the operation that is to come will say.
    async fn introduce(&mut self) -> Result<(), ConnectorError> {
        let known = |(governors, account): &(Arc<Governors>, AccountId)| governors.is_known(*account);
        let introduced = std::mem::replace(&mut self.introduced, true);
        if introduced || self.governors.as_ref().is_none_or(known) || !self.description.supports("check") {
            return Ok(());
        }
        match self.check_in().await {
            Err(error) if self.live.is_err() => Err(error),
            _ => Ok(()),
        }
    }

    /// Who the session acts as.
    async fn check_in(&mut self) -> Result<Identity, ConnectorError> {
        let run = async |store: &mut Store<State>, entry: &Entry| {
            entry.guest.session().call_check(store, entry.session).await
        };
        let identity = self.operate("check", self.time, run, convert::identity).await?;
        if let Some((governors, account)) = &self.governors {
            governors.learned(*account, &self.description.name, &identity.mailbox);
        }
        Ok(identity)
    }

    async fn operate<T, R>(
        &mut self,
        operation: &'static str,
        time: Duration,
        run: impl AsyncFnOnce(&mut Store<State>, &Entry) -> Returned<T>,
        check: impl FnOnce(T) -> Checked<R>,
    ) -> Result<R, ConnectorError> {
        let (mut live, returned) = self.run(operation, time, run).await?;
        let state = live.store.data_mut();
        let stopped = stopped(state);
        let answer = match returned {
            Ok(answer) => {
                check(answer).map_err(|breach| fault::breached(&self.description.name, operation, &breach))
            }
            Err(error) => Err(with_reason(convert::error(error), stopped)),
        };
        // After an error the delivery is dropped as it is: the receiver sees in which message the fetch broke off.
        if let Some(mut intake) = state.intake.take()
            && answer.is_ok()
        {
            intake.abandon(left_open()).await;
        }
        // A connection that broke off in the middle of something would take what is left of that for its next answer:
        // not even the component may go on with it.
        self.live = match &answer {
            Err(error) if error.kind == ErrorKind::Fault || error.session_lost => Err(error.clone()),
            _ => Ok(live),
        };
        answer
    }

    /// Runs one operation. The component is handed back only when the call returned: after a trap, or when the
    /// caller gave up waiting, it is gone.
    async fn run<T, E>(
        &mut self,
        operation: &'static str,
        time: Duration,
        run: impl AsyncFnOnce(&mut Store<State>, &Entry) -> Returned<T, E>,
    ) -> Result<(Live, Result<T, E>), ConnectorError> {
        let name = &self.description.name;
        if !self.description.supports(operation) {
            let message = format!("connector '{name}' does not have the operation {operation}");
            return Err(ConnectorError::new(ErrorKind::Unsupported, message).with_code("operation"));
        }
        let gave_up = ConnectorError::new(ErrorKind::Cancelled, "the caller gave up").with_code("abandoned");
        let mut live = match std::mem::replace(&mut self.live, Err(gave_up)) {
            Ok(live) => live,
            Err(first) => {
                let error = fault::afterwards(name, &first);
                self.live = Err(first);
                return Err(error);
            }
        };
        let Live { store, entry } = &mut live;
        match guarded(store, time, async |store: &mut Store<State>| run(store, entry).await).await {
            Ok(returned) => Ok((live, returned)),
            Err(trap) => {
                let state = live.store.data_mut();
                let error = fault::trapped(name, operation, &trap, &state.meter);
                state.intake = None;
                self.live = Err(error.clone());
                Err(error)
            }
        }
    }
}

/// Runs a function of the component within its time. The watchdog stands outside: it also ends a call whose host
/// function hangs.
async fn guarded<T>(
    store: &mut Store<State>,
    time: Duration,
    run: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    store.data_mut().call.restart(time);
    store.set_epoch_deadline(1);
    let watchdog = store.data().call.watchdog();
    tokio::select! {
        biased;
        returned = run(store) => returned,
        overrun = watchdog => Err(wasmtime::Error::new(overrun)),
    }
}

/// Why the host ended the call, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Deadline,
}

fn stopped(state: &State) -> Option<Stop> {
    if state.call.cancel.is_cancelled() {
        Some(Stop::Cancelled)
    } else if tokio::time::Instant::now() >= state.call.deadline {
        Some(Stop::Deadline)
    } else {
        None
    }
}

/// An error after the host ended the call is its `cancelled`, whatever a connector made of it; without that, a
/// `cancelled` is made up.
fn with_reason(error: ConnectorError, stopped: Option<Stop>) -> ConnectorError {
    match stopped {
        Some(Stop::Cancelled) => ConnectorError { kind: ErrorKind::Cancelled, ..error },
        Some(Stop::Deadline) => {
            // Nobody asked for a stop: it may go better with a new session.
            let message = "the connector did not finish within the time of a call".to_owned();
            ConnectorError { kind: ErrorKind::Temporary, message, ..error }.with_code("deadline").lost()
        }
        None if error.kind == ErrorKind::Cancelled => {
            ConnectorError { kind: ErrorKind::Protocol, ..error }.with_code("made-up-cancel")
        }
        None => error,
    }
}
