//! The present moment, for decisions: who may take a lease, what is due, what is young enough.
//!
//! In a debug build, `WISSEL_CLOCK` may name a file with a number of seconds that this clock is ahead (negative: behind). It
//! is read each time, so that a test lets the clock jump under a running program. A release build contains none of this.

use jiff::Timestamp;

/// The present moment.
#[must_use]
pub fn now() -> Timestamp {
    #[cfg(debug_assertions)]
    return shifted::now();
    #[cfg(not(debug_assertions))]
    Timestamp::now()
}

#[cfg(debug_assertions)]
mod shifted {
    use std::path::PathBuf;
    use std::sync::OnceLock;

    use jiff::{SignedDuration, Timestamp};

    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();

    pub(super) fn now() -> Timestamp {
        let now = Timestamp::now();
        let Some(file) = FILE.get_or_init(|| std::env::var_os("WISSEL_CLOCK").map(PathBuf::from)) else {
            return now;
        };
        let seconds =
            std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
    }
}
