//! When a person is told that a client's secret ends: in stages, each once. What is told to whom is not decided here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Days before the end at which a stage begins.
const DAYS: [i64; 5] = [1, 7, 14, 30, 90];

/// How near the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nobody said when it ends.
    Unknown,
    /// More than 90 days are left, or it never ends.
    Far,
    /// So many days are left at most: 90, 30, 14, 7 or 1.
    Within(i64),
    /// It has ended.
    Expired,
}

impl Stage {
    /// The stage at this moment of what ends then.
    #[must_use]
    pub fn of(expires: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(expires) = expires else { return Self::Unknown };
        let left = expires.duration_since(now);
        if left <= SignedDuration::ZERO {
            return Self::Expired;
        }
        let within = DAYS.into_iter().find(|days| left <= SignedDuration::from_hours(days * 24));
        within.map_or(Self::Far, Self::Within)
    }

    /// Whether a person has to be told.
    #[must_use]
    pub fn is_told(self) -> bool {
        self != Self::Far
    }

    /// What programs know it by: `unknown`, `far`, `90` to `1`, `expired`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Unknown => "unknown".to_owned(),
            Self::Far => "far".to_owned(),
            Self::Within(days) => days.to_string(),
            Self::Expired => "expired".to_owned(),
        }
    }
}

/// What stands for the end of a secret that never ends: the last whole second that a moment can be, so that it is the
/// same after it was stored.
pub const NEVER: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Whole days until then, rounded up; negative when it has passed.
#[must_use]
pub fn days_left(expires: Timestamp, now: Timestamp) -> i64 {
    let hours = expires.duration_since(now).as_secs();
    hours.div_euclid(86_400) + i64::from(hours.rem_euclid(86_400) > 0)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn a_stage_begins_with_its_day_and_lasts_until_the_next() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let stage = |hours: i64| Stage::of(Some(now + hours.hours()), now);
        assert_eq!(stage(90 * 24 + 1), Stage::Far);
        assert_eq!(stage(90 * 24), Stage::Within(90));
        assert_eq!(stage(30 * 24 + 1), Stage::Within(90));
        assert_eq!(stage(30 * 24), Stage::Within(30));
        assert_eq!(stage(10 * 24), Stage::Within(14));
        assert_eq!(stage(7 * 24), Stage::Within(7));
        assert_eq!(stage(24), Stage::Within(1));
        assert_eq!(stage(1), Stage::Within(1));
        assert_eq!(stage(0), Stage::Expired);
        assert_eq!(stage(-5000), Stage::Expired);
        assert_eq!(Stage::of(None, now), Stage::Unknown);
        assert_eq!(Stage::of(Some(NEVER), now), Stage::Far);
        assert_eq!((days_left(now + 1.hour(), now), days_left(now - 30.hours(), now)), (1, -1));
    }
}
