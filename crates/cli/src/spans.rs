//! Spans and dates as people type them: `5m`, `30d`, `2026-01-01`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wissel_model::job::NewerThan;

const UNITS: [(&str, u32); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Reads a span such as `90s`, `5m`, `1h`, `2d` as seconds, at least one.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let wrong = || format!("'{text}' is not a span such as 30s, 5m, 1h or 1d");
    let (_, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(wrong)?;
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if number.len() + 1 != text.len() {
        return Err(wrong());
    }
    let number: u32 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(*factor).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

/// Writes what [`seconds`] reads.
pub(crate) fn span(seconds: u32) -> String {
    let whole = UNITS.iter().find(|(_, factor)| seconds.is_multiple_of(*factor) && *factor < 604_800);
    whole.map_or_else(|| format!("{seconds}s"), |(unit, factor)| format!("{}{unit}", seconds / factor))
}

/// Reads the lower end of a filter by age: `30d`, `2w`, a date (its beginning here), or an RFC 3339 moment.
pub(crate) fn newer_than(text: &str) -> Result<NewerThan, String> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(NewerThan::Moment(moment));
    }
    if let Ok(date) = text.parse::<Date>() {
        let zoned = date.to_zoned(TimeZone::system()).map_err(|error| error.to_string())?;
        return Ok(NewerThan::Moment(zoned.timestamp()));
    }
    match seconds(text) {
        Ok(seconds) if seconds % 86_400 == 0 => Ok(NewerThan::Days(seconds / 86_400)),
        _ => Err(format!("'{text}' is neither a number of days such as 30d nor a date such as 2026-01-01")),
    }
}

/// Writes what [`newer_than`] reads.
pub(crate) fn newer_than_text(limit: NewerThan) -> String {
    match limit {
        NewerThan::Days(days) => format!("{days}d"),
        NewerThan::Moment(moment) => moment.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, value) in [("45s", 45), ("5m", 300), ("1h", 3600), ("2d", 172_800), ("90m", 5400)] {
            assert_eq!(seconds(text), Ok(value));
            assert_eq!(span(value), text);
        }
        for wrong in ["", "5", "m", "-5m", "0s", "5 m", "5min", "99999999w", "1h30m", "5µs", "五m"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_and_dates_are_read_and_survive_a_round() {
        assert_eq!(newer_than("30d"), Ok(NewerThan::Days(30)));
        assert_eq!(newer_than("2w"), Ok(NewerThan::Days(14)));
        let NewerThan::Moment(moment) = newer_than("2026-01-01").unwrap() else { panic!("a moment") };
        assert_eq!(newer_than(&newer_than_text(NewerThan::Moment(moment))), Ok(NewerThan::Moment(moment)));
        assert!(newer_than("5h").is_err());
        assert!(newer_than("2026-13-01").is_err());
    }
}
