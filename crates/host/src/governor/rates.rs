//! How many requests were sent in the last span of time, so that no span ever sees more than it may.
//!
//! Bookings are made in the order of their times, the next never before the last: who came first goes first, and a
//! request that counts as many is not overtaken for ever by those that count as one.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Bookings within this part of a span are kept as one, at the time of the last: so a span is kept in few entries, and
/// is a hundredth longer than it says at most.
const PARTS: u32 = 100;

/// Every rate that a mailbox is to keep.
#[derive(Debug)]
pub(super) struct Rates(Vec<Window>);

#[derive(Debug)]
struct Window {
    most: u32,
    span: Duration,
    booked: VecDeque<Booked>,
}

#[derive(Debug)]
struct Booked {
    since: Instant,
    until: Instant,
    requests: u32,
}

impl Rates {
    pub(super) fn new(rates: &[(u32, Duration)]) -> Self {
        let window =
            |(most, span): &(u32, Duration)| Window { most: *most, span: *span, booked: VecDeque::new() };
        Self(rates.iter().map(window).collect())
    }

    /// When, from `from` on, a request that counts as `weight` may be sent.
    pub(super) fn earliest(&self, from: Instant, weight: u32) -> Instant {
        let mut at = from;
        // What one rate puts off may be too late for none of the others, as they only ever get emptier.
        for window in &self.0 {
            at = window.earliest(at, weight);
        }
        at
    }

    /// Counts a request at the time that [`Self::earliest`] gave.
    pub(super) fn book(&mut self, at: Instant, weight: u32) {
        for window in &mut self.0 {
            window.book(at, weight);
        }
    }
}

impl Window {
    fn earliest(&self, from: Instant, weight: u32) -> Instant {
        let mut at = self.booked.back().map_or(from, |last| last.until.max(from));
        let mut room = u64::from(self.most);
        // From the newest to the oldest: the first that does not fit beside the request has to have passed.
        let weight = u64::from(weight.min(self.most));
        for booked in self.booked.iter().rev() {
            let passed = booked.until + self.span;
            if passed <= at {
                break;
            }
            let requests = u64::from(booked.requests);
            if requests + weight > room {
                at = passed;
                break;
            }
            room -= requests;
        }
        at
    }

    fn book(&mut self, at: Instant, weight: u32) {
        while self.booked.front().is_some_and(|oldest| oldest.until + self.span <= at) {
            self.booked.pop_front();
        }
        let requests = weight.min(self.most);
        let part = self.span / PARTS;
        // Not more than a part of what is allowed, or waiting for one entry to pass would be waiting for too much.
        let few = (self.most / PARTS).max(1);
        if let Some(last) = self.booked.back_mut()
            && at < last.since + part
            && last.requests < few
        {
            last.until = at;
            last.requests = last.requests.saturating_add(requests);
            return;
        }
        self.booked.push_back(Booked { since: at, until: at, requests });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` requests of this weight as soon as each may be, and says after how many seconds each was sent.
    fn sent(rates: &[(u32, u64)], count: usize, weight: u32) -> Vec<f64> {
        let rates: Vec<(u32, Duration)> =
            rates.iter().map(|(most, seconds)| (*most, Duration::from_secs(*seconds))).collect();
        let (mut rates, start) = (Rates::new(&rates), Instant::now());
        let mut at = start;
        let mut times = Vec::new();
        for _ in 0..count {
            at = rates.earliest(at, weight);
            rates.book(at, weight);
            times.push((at - start).as_secs_f64());
        }
        times
    }

    #[test]
    fn no_span_sees_more_than_it_may() {
        let times = sent(&[(1000, 60)], 3500, 1);
        for pair in times.windows(1001) {
            assert!(pair[1000] - pair[0] >= 60.0, "{} requests within {}", pair.len(), pair[1000] - pair[0]);
        }
        assert!(times[999] < 0.001 && times[3499] < 190.0, "{}", times[3499]);
    }

    #[test]
    fn requests_of_a_batch_count_one_by_one() {
        let times = sent(&[(100, 60)], 11, 20);
        assert!(times[4] < 0.001 && (60.0..61.0).contains(&times[5]), "{times:?}");
        assert!((60.0..61.5).contains(&times[9]) && times[10] >= 120.0, "{times:?}");
        // More than a span allows at all is let through alone.
        assert!(sent(&[(10, 60)], 2, 20)[1] >= 60.0);
    }

    #[test]
    fn every_rate_is_kept() {
        let times = sent(&[(10, 1), (15, 60)], 16, 1);
        assert!(times[9] < 0.001 && times[10] >= 1.0 && times[14] < 2.1 && times[15] >= 60.0, "{times:?}");
    }

    #[test]
    fn without_rates_nothing_waits() {
        assert!(sent(&[], 1000, 20)[999] < 0.001);
    }
}
