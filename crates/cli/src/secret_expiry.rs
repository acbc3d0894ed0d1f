//! When a client's secret ends, as people type it and read it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wissel_model::expiry::NEVER;
use wissel_model::{ClientSecret, SecretKind, Stage};

use crate::spans;
use crate::text::{Language, quoted};

/// Reads `2028-11-22` (the end of that day here), `730d` (from now), an RFC 3339 moment, or `never`.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("never") {
        return Ok(NEVER);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let out_of_range = |_| format!("'{text}' is too far away");
    if let Ok(date) = text.parse::<Date>() {
        let next = date.tomorrow().and_then(|day| day.to_zoned(TimeZone::system())).map_err(out_of_range)?;
        return Ok(next.timestamp());
    }
    match spans::seconds(text) {
        Ok(seconds) if seconds % 86_400 == 0 => {
            let span = jiff::SignedDuration::from_secs(seconds.into());
            Timestamp::now().checked_add(span).map_err(out_of_range)
        }
        _ => Err(format!(
            "'{text}' is neither a number of days such as 730d, nor a date such as 2028-11-22, nor 'never'"
        )),
    }
}

/// The end with the days that are left until it.
pub(crate) fn shown(expires: Option<Timestamp>, now: Timestamp, language: Language) -> String {
    let Some(expires) = expires else { return language.pick("unknown", "onbekend").to_owned() };
    if expires == NEVER {
        return language.pick("never", "nooit").to_owned();
    }
    let date = last_day(expires);
    // Counted as a calendar does, from today to the last day on which it works.
    let today = now.to_zoned(TimeZone::system()).date();
    let days = today.until(last_day(expires)).map_or(i64::MAX, |span| span.get_days().into());
    match days {
        _ if expires <= now => language.pick(format!("{date}, expired"), format!("{date}, verlopen")),
        0 => language.pick(format!("{date} (today)"), format!("{date} (vandaag)")),
        1 => language.pick(format!("{date} (tomorrow)"), format!("{date} (morgen)")),
        _ => language.pick(format!("{date} (in {days} days)"), format!("{date} (over {days} dagen)")),
    }
}

/// The last day on which it works, here.
pub(crate) fn last_day(expires: Timestamp) -> Date {
    let last = expires.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(expires);
    last.to_zoned(TimeZone::system()).date()
}

/// What a secret of this kind is called, with its article.
pub(crate) fn named(kind: SecretKind, language: Language) -> &'static str {
    match kind {
        SecretKind::Secret => language.pick("the secret", "het geheim"),
        SecretKind::Certificate => language.pick("the certificate", "het certificaat"),
    }
}

/// What a person is told of a secret that is in use, and what to do; nothing while its end is far.
pub(crate) fn warning(
    client: &str,
    secret: &ClientSecret,
    now: Timestamp,
    language: Language,
) -> Option<(String, String)> {
    let label = &secret.label;
    let name = quoted(client);
    let what = named(secret.kind, language);
    let replace = || {
        let next = language.pick(
            format!("Make a new one at the provider, then `wissel client secret add {name}`, `test` and `use`"),
            format!("Maak een nieuw exemplaar bij de provider, daarna `wissel client secret add {name}`, `test` en `use`"),
        );
        // Until it has expired, nothing stands still while it is replaced.
        match Stage::of(secret.expires, now) {
            Stage::Expired => next + ".",
            _ => next + language.pick("; the old one works meanwhile.", "; het oude werkt intussen door."),
        }
    };
    let ends = || shown(secret.expires, now, language);
    match Stage::of(secret.expires, now) {
        Stage::Far => None,
        Stage::Unknown => Some((
            language.pick(
                format!(
                    "{what} '{label}' of OAuth client '{client}' expires on a day that Wissel does not know"
                ),
                format!(
                    "{what} '{label}' van OAuth-client '{client}' verloopt op een dag die Wissel niet kent"
                ),
            ),
            language.pick(
                format!(
                    "Say when: `wissel client secret edit {name} {} --expires DATE` (or `never`).",
                    quoted(label)
                ),
                format!(
                    "Geef op wanneer: `wissel client secret edit {name} {} --expires DATUM` (of `never`).",
                    quoted(label)
                ),
            ),
        )),
        Stage::Within(_) => Some((
            language.pick(
                format!("{what} '{label}' of OAuth client '{client}' expires: {}", ends()),
                format!("{what} '{label}' van OAuth-client '{client}' verloopt: {}", ends()),
            ),
            replace(),
        )),
        Stage::Expired => Some((
            language.pick(
                format!("{what} '{label}' of OAuth client '{client}' has expired: {}", ends()),
                format!("{what} '{label}' van OAuth-client '{client}' is verlopen: {}", ends()),
            ),
            replace(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use wissel_model::expiry::days_left;

    use super::*;

    #[test]
    fn ends_are_read_as_people_write_them() {
        assert_eq!(parse("never"), Ok(NEVER));
        let date = parse("2028-11-22").unwrap();
        assert_eq!(last_day(date).to_string(), "2028-11-22", "the day itself still works");
        assert_eq!(parse(&date.to_string()), Ok(date));
        let today = Timestamp::now().to_zoned(TimeZone::system()).date();
        let tomorrow = parse(&today.tomorrow().unwrap().to_string()).unwrap();
        assert!(shown(Some(tomorrow), Timestamp::now(), Language::En).ends_with("(tomorrow)"));
        let days = days_left(parse("730d").unwrap(), Timestamp::now());
        assert!((729..=730).contains(&days), "{days}");
        for wrong in ["", "730", "12h", "2028-13-01", "soon", "99999999w"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
