//! Addresses of resources. Whatever comes from outside is percent-encoded (RFC 3986), so that a name or an id never
//! becomes a part of the path or a query of its own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use wissel_connector::{Error, Result};

/// What is encoded in a segment of a path: all but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is encoded in the value of a query: the same, with those left that separate nothing there.
const VALUE: &AsciiSet = &SEGMENT.remove(b',').remove(b':');

/// Segments that name something else than the item they stand for: RFC 3986 resolves the dots, and the others are
/// resources beside the items.
const RESERVED: [&str; 5] = ["", ".", "..", "delta", "$count"];

/// Text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Text as the value of a query.
pub(crate) fn value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// The id of an item as one segment of a path.
///
/// # Errors
/// `not-found` for a text that no service gives as an id.
pub(crate) fn id(text: &str) -> Result<String> {
    if RESERVED.contains(&text) || text.contains(char::is_control) {
        return Err(Error::not_found("an id that Microsoft Graph does not give"));
    }
    Ok(segment(text))
}

/// The decoded value of the query `key` in an absolute address.
pub(crate) fn query(url: &str, key: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let decoded = |text: &str| {
        // A form, too, is understood: Microsoft writes both.
        percent_decode_str(&text.replace('+', "%20")).decode_utf8().ok().map(|t| t.into_owned())
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(k, _)| decoded(k).as_deref() == Some(key)).find_map(|(_, v)| decoded(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_a_part_of_the_address() {
        assert_eq!(segment("jan_gmail.com#EXT#@tenant.example"), "jan_gmail.com%23EXT%23%40tenant.example");
        assert_eq!(id("a/b?c=d&e#f%2e").unwrap(), "a%2Fb%3Fc%3Dd%26e%23f%252e");
        for reserved in ["", ".", "..", "delta", "a\r\nb"] {
            assert!(id(reserved).is_err(), "{reserved}");
        }
        assert_eq!(value("2026-11-22T17:05:09+01:00"), "2026-11-22T17:05:09%2B01:00");
    }

    #[test]
    fn a_token_is_taken_out_of_a_link() {
        let link =
            "https://graph.example/v1.0/me/mailFolders('A')/messages/delta?%24deltatoken=a%2Fb-c_%3D&x=1";
        assert_eq!(query(link, "$deltatoken").as_deref(), Some("a/b-c_="));
        assert_eq!(query(link, "$skiptoken"), None);
    }
}
