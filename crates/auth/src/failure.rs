//! A refusal that is remembered, so that a service does not ask a provider again and again for what it refuses.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AuthError, Refusal};

/// The first pause after a refusal, in seconds; each further one doubles it.
const FIRST_PAUSE: i64 = 60;
/// The longest, in seconds: an administrator who lets somebody in again need not come back to tell Wissel.
const LONGEST_PAUSE: i64 = 6 * 60 * 60;

/// What a provider refused, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The provider's own code, else OAuth's.
    pub code: String,
    /// OAuth's code.
    pub error: String,
    /// What the provider says about it.
    pub description: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was last so.
    pub last: Timestamp,
    /// How often it was asked.
    pub attempts: u32,
    /// What it was asked with, as a digest: another secret or setting is worth asking at once.
    pub(crate) with: String,
}

impl Failure {
    /// The refusal, after those before it.
    pub(crate) fn after(before: Option<&Self>, refusal: &Refusal, with: String, now: Timestamp) -> Self {
        let before = before.filter(|before| before.with == with);
        Self {
            code: refusal.code.clone(),
            error: refusal.error.clone(),
            description: refusal.description.clone(),
            since: before.map_or(now, |before| before.since),
            last: now,
            attempts: before.map_or(1, |before| before.attempts.saturating_add(1)),
            with,
        }
    }

    /// From when on it is asked again by itself.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        let doublings = self.attempts.saturating_sub(1).min(20);
        let pause = FIRST_PAUSE.saturating_mul(1_i64 << doublings).min(LONGEST_PAUSE);
        self.last.saturating_add(SignedDuration::from_secs(pause)).unwrap_or(Timestamp::MAX)
    }

    /// Whether asking now, with this, would be to hammer the provider.
    pub(crate) fn holds(&self, with: &str, now: Timestamp) -> bool {
        // A clock that was set back must not make it hold for ever.
        self.with == with && now < self.until() && now >= self.last
    }

    /// The refusal, once more.
    #[must_use]
    pub fn error(&self) -> AuthError {
        AuthError::Refused(Refusal {
            code: self.code.clone(),
            error: self.error.clone(),
            description: self.description.clone(),
        })
    }
}
