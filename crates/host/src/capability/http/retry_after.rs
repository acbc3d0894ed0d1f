//! What an answer says about when to come again: `Retry-After` (RFC 9110, section 10.2.3), in seconds or as a date.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long the service asks to wait; none when it does not say, or nothing that can be understood.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            // By the service's own clock, where it shows it.
            let date = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
            until.duration_since(date.unwrap_or_else(SystemTime::now)).unwrap_or_default()
        }
    };
    // "At once" is no answer to how long everybody has to stay away.
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(text: &'static str, date: Option<&'static str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_every_form_of_date_are_understood() {
        let date = Some("Sun, 06 Nov 1994 08:49:07 GMT");
        assert_eq!(asked("120", None), Some(120));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", date), Some(30));
        assert_eq!(asked("Sunday, 06-Nov-94 08:49:37 GMT", date), Some(30));
        assert_eq!(asked("Sun Nov  6 08:49:37 1994", date), Some(30));
        assert!(asked("Fri, 01 Jan 2100 00:00:00 GMT", None).is_some_and(|seconds| seconds > 1_000_000));
        for nothing in ["", "0", "-5", "soon", "1.5", "Sun, 06 Nov 1994 08:49:07 GMT"] {
            assert_eq!(asked(nothing, date), None, "{nothing}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
