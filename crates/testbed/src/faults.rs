//! What a test makes go wrong, switched on and off while the faces run.
//!
//! Armed faults strike once (or as often as asked) where they fit; switches hold until they are set back.
//! Only the decision is here: each face does the damage in its own protocol.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A mishap that is waiting for its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Strikes at a command: its name in capitals without arguments (`FETCH`, also for `UID FETCH`), or `*` for any.
    Command {
        /// Which command.
        name: String,
        /// What happens.
        action: CommandFault,
    },
    /// Strikes inside the next message that is sent, after so many of its bytes. A message that is shorter passes.
    Message {
        /// Bytes of the message that are still sent.
        after: u64,
        /// What happens then.
        action: MessageFault,
    },
    /// The connection is closed in the middle of the server's first line.
    TruncatedGreeting,
    /// Clear text that is sent in one segment with the answer to the command that begins TLS.
    ClearTextBeforeTls(String),
}

/// What a [`Fault::Command`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandFault {
    /// The connection is closed; the command is not carried out.
    Drop,
    /// The command is carried out, and the connection closed before the client hears of it.
    DropAfter,
    /// The command is carried out after this time.
    Stall(Duration),
    /// The command is refused as unavailable, with a back-off time.
    Throttle(Duration),
    /// The command is refused with this text.
    Refuse(String),
    /// The command is answered as if it had been malformed.
    Malformed(String),
    /// The command is answered with this HTTP status, and a Retry-After where a time is given; other protocols refuse it.
    Status(u16, Option<Duration>),
    /// The answer never ends; protocols whose answers have an end close the connection.
    Endless,
    /// This line (without line end) is sent, unasked, before the command is carried out.
    Unasked(String),
}

/// What a [`Fault::Message`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// The connection is closed.
    Drop,
    /// Nothing is sent for this time.
    Stall(Duration),
}

/// What holds until it is set back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// The face does not offer to move messages in one step.
    pub without_move: bool,
    /// The face does not tell where a message came to lie and cannot remove single messages.
    pub without_uidplus: bool,
    /// Nothing may be changed.
    pub read_only: bool,
    /// Nothing may be added: the quota is used up.
    pub over_quota: bool,
}

#[derive(Debug, Default)]
struct State {
    armed: Vec<(Fault, usize)>,
    switches: Switches,
}

/// The faults of a test bed; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
}

impl Faults {
    /// Lets a fault strike once.
    pub fn arm(&self, fault: Fault) {
        self.arm_times(1, fault);
    }

    /// Lets a fault strike `times` times.
    pub fn arm_times(&self, times: usize, fault: Fault) {
        self.lock().armed.push((fault, times));
    }

    /// Lets `action` strike once at the command `name`.
    pub fn arm_command(&self, name: impl Into<String>, action: CommandFault) {
        self.arm(Fault::Command { name: name.into(), action });
    }

    /// Sets switches: `faults.switch(|s| s.without_move = true)`.
    pub fn switch(&self, set: impl FnOnce(&mut Switches)) {
        set(&mut self.lock().switches);
    }

    /// The switches as they are.
    pub fn switches(&self) -> Switches {
        self.lock().switches
    }

    /// Disarms everything and sets every switch back.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    /// How many strikes are still to come, so that a test can see that its fault was met.
    pub fn pending(&self) -> usize {
        self.lock().armed.iter().map(|(_, times)| times).sum()
    }

    pub(crate) fn at_command(&self, command: &str) -> Option<CommandFault> {
        self.take(|fault| match fault {
            Fault::Command { name, action } if name == "*" || name == command => Some(action.clone()),
            _ => None,
        })
    }

    pub(crate) fn in_message(&self, size: u64) -> Option<(u64, MessageFault)> {
        self.take(|fault| match fault {
            Fault::Message { after, action } if *after < size => Some((*after, *action)),
            _ => None,
        })
    }

    pub(crate) fn at_greeting(&self) -> bool {
        self.take(|fault| (*fault == Fault::TruncatedGreeting).then_some(())).is_some()
    }

    pub(crate) fn before_tls(&self) -> Option<String> {
        self.take(|fault| match fault {
            Fault::ClearTextBeforeTls(text) => Some(text.clone()),
            _ => None,
        })
    }

    fn take<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        let picked = state.armed.iter_mut().find_map(|(fault, times)| {
            let picked = pick(fault)?;
            *times = times.saturating_sub(1);
            Some(picked)
        });
        state.armed.retain(|(_, times)| *times > 0);
        picked
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_where_it_fits_and_as_often_as_armed() {
        let faults = Faults::default();
        let action = CommandFault::Drop;
        faults.arm_times(2, Fault::Command { name: "MOVE".into(), action: action.clone() });
        assert_eq!(faults.at_command("FETCH"), None);
        assert_eq!(faults.at_command("MOVE"), Some(action.clone()));
        assert_eq!(faults.pending(), 1);
        assert_eq!(faults.at_command("MOVE"), Some(action));
        assert_eq!(faults.at_command("MOVE"), None);
        faults.arm(Fault::Message { after: 100, action: MessageFault::Drop });
        assert_eq!(faults.in_message(100), None);
        assert_eq!(faults.in_message(101), Some((100, MessageFault::Drop)));
    }
}
