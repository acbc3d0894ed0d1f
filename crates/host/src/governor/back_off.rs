//! How long to wait when nobody says: exponentially longer each time, and at random within that, so that those who were
//! refused together do not come back together.

use std::time::Duration;

/// The longest first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait of all.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest wait after so many refusals in a row before this one.
pub(crate) fn longest(refused_before: u32) -> Duration {
    FIRST.saturating_mul(1 << refused_before.min(16)).min(LONGEST)
}

/// A wait from nothing to [`longest`].
pub(crate) fn jittered(refused_before: u32) -> Duration {
    longest(refused_before).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_within_their_bound_and_differ() {
        let bounds: Vec<u128> = (0..8).map(|refused| longest(refused).as_millis()).collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(longest(u32::MAX), LONGEST);
        let waits: Vec<Duration> = (0..100).map(|_| jittered(3)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(4)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(2)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(2)));
    }
}
