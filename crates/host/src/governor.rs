//! What a service allows one mailbox, kept by all of this process who work on it: requests at once, requests in a span
//! of time, and pauses that the service asks for.
//!
//! One governor stands for one mailbox of one connector. Until a check of an account has told which mailbox it is, the
//! account has a governor of its own; from then on all accounts on that mailbox share one. Sessions are served in turn,
//! and each session's requests in the order in which they were started, so that a short question is not held up by an
//! import that has a thousand requests waiting. Nothing is shared with other processes.

mod back_off;
mod line;
mod rates;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wissel_model::description::Limits;
use wissel_model::{AccountId, ConnectorError, ErrorKind};

pub(crate) use self::back_off::jittered;
use self::line::Lines;
pub(crate) use self::line::{SessionNumber, Slot, Ticket};
use self::rates::Rates;
use crate::call::Call;

/// Requests under way at once, for a connector that does not say.
const PARALLEL_REQUESTS: u32 = 4;
/// No connector needs more, whatever it says.
const MOST_PARALLEL_REQUESTS: u32 = 64;
/// The longest that a request waits for its turn to be sent. What takes longer is the job's to wait for: meanwhile it
/// holds neither a session nor its lease.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Why a request cannot be sent.
pub(crate) const ASKED_TO_WAIT: &str = "the service asks to slow down";
const USED_UP: &str = "this mailbox has had all the requests that its service allows";
/// The longest pause that a service is believed to mean.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a description says that the service allows one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    parallel: usize,
    /// Requests in a span of time.
    rates: Vec<(u32, Duration)>,
}

impl Allowance {
    /// Keeps what a description says within reason.
    pub(crate) fn of(limits: &Limits) -> Self {
        let parallel = limits.parallel_requests.unwrap_or(PARALLEL_REQUESTS).clamp(1, MOST_PARALLEL_REQUESTS);
        let by_minute = limits.requests_per_minute.map(|most| (most, 60));
        let others = limits.request_rates.iter().map(|rate| (rate.requests, rate.seconds));
        let rates = by_minute.into_iter().chain(others);
        Self {
            parallel: parallel as usize,
            rates: rates
                .map(|(most, seconds)| (most.max(1), Duration::from_secs(seconds.max(1).into())))
                .collect(),
        }
    }
}

/// The governors of a process.
#[derive(Debug, Default)]
pub(crate) struct Governors {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By connector and mailbox.
    mailboxes: HashMap<(String, String), Arc<Governor>>,
    accounts: HashMap<AccountId, Seat>,
    sessions: SessionNumber,
}

/// Under which governor an account is.
#[derive(Debug, Clone)]
struct Seat {
    governor: Arc<Governor>,
    /// The mailbox, once a check told.
    mailbox: Option<(String, String)>,
}

impl Governors {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a session of the account, with what its connector now says that the service allows.
    pub(crate) fn admit(&self, account: AccountId, allowance: &Allowance) -> SessionNumber {
        let mut known = self.known();
        known.sessions += 1;
        let number = known.sessions;
        let seat = known
            .accounts
            .entry(account)
            .or_insert_with(|| Seat { governor: Governor::new(allowance), mailbox: None });
        let governor = Arc::clone(&seat.governor);
        drop(known);
        governor.allow(allowance);
        number
    }

    /// Queues a request of a session of the account.
    pub(crate) fn queue(&self, account: AccountId, session: SessionNumber) -> Option<Ticket> {
        // Under the lock, so that no request is queued where everybody has just moved out.
        let known = self.known();
        known.accounts.get(&account).map(|seat| seat.governor.queue(session))
    }

    /// Whether a check of the account has told its mailbox.
    pub(crate) fn is_known(&self, account: AccountId) -> bool {
        self.known().accounts.get(&account).is_some_and(|seat| seat.mailbox.is_some())
    }

    /// Notes which mailbox the account is on, and brings together who works on the same.
    pub(crate) fn learned(&self, account: AccountId, connector: &str, mailbox: &str) {
        let mailbox = mailbox.trim().to_lowercase();
        if mailbox.is_empty() {
            return;
        }
        let mailbox = (connector.to_owned(), mailbox);
        let mut known = self.known();
        let Some(seat) = known.accounts.get(&account).cloned() else { return };
        if seat.mailbox.as_ref() == Some(&mailbox) {
            return;
        }
        let shared = known.mailboxes.get(&mailbox).cloned();
        let governor = match (&seat.mailbox, shared) {
            // The account's own: it moves in with what waits there.
            (None, Some(shared)) => {
                seat.governor.move_to(&shared);
                shared
            }
            (None, None) => seat.governor,
            // The account was given another mailbox; the old one may have other users.
            (Some(_), Some(shared)) => shared,
            (Some(_), None) => seat.governor.another(),
        };
        known.mailboxes.insert(mailbox.clone(), Arc::clone(&governor));
        known.accounts.insert(account, Seat { governor, mailbox: Some(mailbox) });
    }
}

/// What one mailbox is allowed, and what of it is in use.
#[derive(Debug)]
pub(crate) struct Governor {
    state: Mutex<Usage>,
}

#[derive(Debug)]
struct Usage {
    allowance: Allowance,
    lines: Lines,
    rates: Rates,
    paused_until: Instant,
    /// Refusals in a row that named no time.
    strikes: u32,
    /// When the last of them was counted.
    struck: Instant,
}

impl Governor {
    fn new(allowance: &Allowance) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            state: Mutex::new(Usage {
                lines: Lines::default(),
                rates: Rates::new(&allowance.rates),
                allowance: allowance.clone(),
                paused_until: now,
                strikes: 0,
                struck: now,
            }),
        })
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh one with the same allowance.
    fn another(&self) -> Arc<Self> {
        Self::new(&self.usage().allowance)
    }

    /// Another version of the connector may know better what is allowed.
    fn allow(self: &Arc<Self>, allowance: &Allowance) {
        let mut usage = self.usage();
        if usage.allowance != *allowance {
            usage.rates = Rates::new(&allowance.rates);
            usage.allowance = allowance.clone();
            usage.lines.serve(allowance.parallel, self);
        }
    }

    fn queue(self: &Arc<Self>, session: SessionNumber) -> Ticket {
        let mut usage = self.usage();
        let parallel = usage.allowance.parallel;
        let ticket = usage.lines.queue(session);
        usage.lines.serve(parallel, self);
        ticket
    }

    /// Gives a slot back.
    fn release(self: &Arc<Self>) {
        let mut usage = self.usage();
        let parallel = usage.allowance.parallel;
        usage.lines.under_way = usage.lines.under_way.saturating_sub(1);
        usage.lines.serve(parallel, self);
    }

    /// Hands over what waits here. What is under way stays counted here until it is done.
    fn move_to(self: &Arc<Self>, other: &Arc<Self>) {
        let (lines, paused_until) = {
            let mut usage = self.usage();
            (usage.lines.take_waiting(), usage.paused_until)
        };
        let mut usage = other.usage();
        usage.paused_until = usage.paused_until.max(paused_until);
        let parallel = usage.allowance.parallel;
        usage.lines.join(lines);
        usage.lines.serve(parallel, other);
    }

    /// Waits until a request that counts as `weight` may be sent.
    ///
    /// # Errors
    /// `throttled`, with the time to wait, when that takes longer than a request may wait or its call has time.
    async fn clearance(&self, weight: u32, call: &Call) -> Result<(), ConnectorError> {
        let mut booked = None;
        loop {
            let now = Instant::now();
            let at = {
                let mut usage = self.usage();
                match booked {
                    // A pause that came since then is for this request, too.
                    Some(at) if usage.paused_until <= at => at,
                    _ => {
                        let at = usage.rates.earliest(now.max(usage.paused_until), weight);
                        let wait = at.saturating_duration_since(now);
                        if wait > LONGEST_WAIT || (!wait.is_zero() && at >= call.deadline) {
                            let paused = usage.paused_until > now;
                            return Err(throttled(if paused { ASKED_TO_WAIT } else { USED_UP }, wait));
                        }
                        usage.rates.book(at, weight);
                        at
                    }
                }
            };
            if at <= Instant::now() {
                return Ok(());
            }
            booked = Some(at);
            call.wait(tokio::time::sleep_until(at)).await?;
        }
    }

    /// The service asked everybody on this mailbox to wait: for so long, or for as long as it seems wise when it does
    /// not say. `sent` is when the request was sent that it refused. Returns how long the pause still lasts.
    fn pause(&self, sent: Instant, asked: Option<Duration>) -> Duration {
        let mut usage = self.usage();
        let now = Instant::now();
        let wait = match asked {
            Some(asked) => asked.min(LONGEST_PAUSE),
            // What was under way when the last refusal came is refused for the same reason: it counts once.
            None if sent < usage.struck => Duration::ZERO,
            None => {
                usage.struck = now;
                usage.strikes = usage.strikes.saturating_add(1);
                jittered(usage.strikes - 1)
            }
        };
        usage.paused_until = usage.paused_until.max(now + wait);
        usage.paused_until.saturating_duration_since(now)
    }

    /// A request was taken.
    fn calm(&self, sent: Instant) {
        let mut usage = self.usage();
        if sent >= usage.struck {
            usage.strikes = 0;
        }
    }
}

/// What a request ends in that cannot be sent in time.
pub(crate) fn throttled(why: &str, wait: Duration) -> ConnectorError {
    let seconds = wait.as_millis().div_ceil(1000);
    let message = format!("{why}; it goes on in {seconds} seconds");
    let mut error = ConnectorError::new(ErrorKind::Throttled, message);
    error.retry_after_ms = Some(u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1));
    error
}

#[cfg(test)]
mod tests;
