//! Throttling: so many requests at once and in a time, for each app and mailbox ("Microsoft Graph service-specific
//! throttling limits", Outlook).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::errors::GraphError;

/// The limits for each pair of app and mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests at one time.
    pub concurrent: usize,
    /// Requests in [`Limits::window`].
    pub requests: usize,
    /// The time in which [`Limits::requests`] are counted.
    pub window: Duration,
    /// What Retry-After says where the window does not tell; `None` leaves the field out everywhere.
    pub retry_after: Option<Duration>,
    /// A range of an upload session is a multiple of this, but for the last one. (The documentation asks for 320 KiB; some
    /// clients send other ranges and get away with it.)
    pub upload_step: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let window = Duration::from_secs(600);
        let retry_after = Some(Duration::from_secs(1));
        Self { concurrent: 4, requests: 10_000, window, retry_after, upload_step: 320 * 1024 }
    }
}

/// Who is counted together: app and mailbox.
pub(super) type Key = (String, String);

#[derive(Debug, Default)]
struct State {
    limits: Limits,
    under_way: BTreeMap<Key, usize>,
    seen: BTreeMap<Key, VecDeque<Instant>>,
    refusing_until: Option<(Instant, bool)>,
    refused: u64,
}

/// Counts requests; clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle {
    state: Arc<Mutex<State>>,
}

impl Throttle {
    pub(super) fn set(&self, set: impl FnOnce(&mut Limits)) {
        set(&mut self.lock().limits);
    }

    pub(super) fn refuse_all(&self, time: Duration, says_how_long: bool) {
        self.lock().refusing_until = Some((Instant::now() + time, says_how_long));
    }

    pub(super) fn limits(&self) -> Limits {
        self.lock().limits
    }

    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// Begins a request that counts as under way for as long as the answer lives.
    pub(super) fn begin(&self, key: &Key) -> Result<UnderWay, GraphError> {
        let mut state = self.lock();
        let limits = state.limits;
        let now = state.under_way.entry(key.clone()).or_default();
        if *now >= limits.concurrent {
            state.refused += 1;
            return Err(GraphError::throttled("MailboxConcurrency", limits.retry_after));
        }
        *now += 1;
        Ok(UnderWay { state: self.state.clone(), key: key.clone() })
    }

    /// Counts a request, one inside a batch too.
    pub(super) fn count(&self, key: &Key) -> Result<(), GraphError> {
        let (mut state, now) = (self.lock(), Instant::now());
        if let Some((until, says)) = state.refusing_until {
            if now < until {
                state.refused += 1;
                return Err(GraphError::throttled("MailboxConcurrency", says.then(|| until - now)));
            }
            state.refusing_until = None;
        }
        let limits = state.limits;
        let seen = state.seen.entry(key.clone()).or_default();
        while seen.front().is_some_and(|at| now.duration_since(*at) >= limits.window) {
            seen.pop_front();
        }
        if seen.len() >= limits.requests {
            let left = seen.front().map(|at| limits.window.saturating_sub(now.duration_since(*at)));
            state.refused += 1;
            return Err(GraphError::throttled("RequestRate", left.filter(|_| limits.retry_after.is_some())));
        }
        seen.push_back(now);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    state: Arc<Mutex<State>>,
    key: Key,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = state.under_way.get_mut(&self.key) {
            *now = now.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_app_and_mailbox_has_limits_of_its_own() {
        let throttle = Throttle::default();
        let key = |app: &str| (app.to_owned(), "m".to_owned());
        throttle.set(|limits| (limits.concurrent, limits.requests) = (1, 2));
        let first = throttle.begin(&key("a")).unwrap();
        assert_eq!(throttle.begin(&key("a")).unwrap_err().status.as_u16(), 429);
        assert!(throttle.begin(&key("b")).is_ok());
        drop(first);
        assert!(throttle.begin(&key("a")).is_ok());
        assert!(throttle.count(&key("a")).is_ok() && throttle.count(&key("a")).is_ok());
        let refused = throttle.count(&key("a")).unwrap_err();
        assert_eq!(refused.headers, [("retry-after", "600".to_owned())]);
        throttle.set(|limits| limits.retry_after = None);
        assert_eq!(throttle.count(&key("a")).unwrap_err().headers, []);
        assert!(throttle.count(&key("b")).is_ok());
        assert_eq!(throttle.refused(), 3);
    }
}
