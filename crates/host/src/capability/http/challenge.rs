//! What a refused token has to be replaced with: the claims challenge of `WWW-Authenticate` (RFC 9110, section 11.6.1),
//! as continuous access evaluation sends it (`error="insufficient_claims"`, `claims` in base64).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Octets of claims that are passed on at most.
const MOST_CLAIMS: usize = 16 << 10;

/// Padding is left out by some.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The claims that a new token must have, as JSON; none when the answer asks for none.
pub(super) fn claims(headers: &HeaderMap) -> Option<String> {
    headers.get_all(WWW_AUTHENTICATE).iter().find_map(|value| {
        let parameters = bearer(value.to_str().ok()?)?;
        let of =
            |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        if of("error")? != "insufficient_claims" {
            return None;
        }
        let encoded = of("claims").filter(|encoded| encoded.len() <= MOST_CLAIMS)?;
        let decoded = STANDARD.decode(encoded).or_else(|_| URL_SAFE.decode(encoded)).ok()?;
        let claims = String::from_utf8(decoded).ok()?;
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&claims).is_ok().then_some(claims)
    })
}

/// The parameters of the first Bearer challenge in a list of challenges.
fn bearer(text: &str) -> Option<Vec<(String, String)>> {
    let mut found: Option<Vec<(String, String)>> = None;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            // A word without a value begins another challenge.
            if found.is_some() {
                return found;
            }
            found = word.eq_ignore_ascii_case("bearer").then(Vec::new);
            rest = after;
            continue;
        };
        let (value, after) = value_of(value.trim_start())?;
        if let Some(parameters) = &mut found {
            parameters.push((word.to_owned(), value));
        }
        rest = after;
    }
}

/// A token, or a quoted string without its quotes; and what comes after it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Unquoted base64 may end in signs of equality.
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return Some((value.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;

    fn of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        claims(&headers)
    }

    #[test]
    fn claims_are_decoded_wherever_the_challenge_stands() {
        let encoded = STANDARD.encode(CLAIMS);
        let bare = encoded.trim_end_matches('=');
        for value in [
            format!(
                r#"Bearer realm="", authorization_uri="https://login.example/a,b", error="insufficient_claims", claims="{encoded}""#
            ),
            format!(r#"bearer claims="{bare}",error="insufficient_claims""#),
            format!(r#"Basic realm="a \"Bearer\"", Bearer error=insufficient_claims, claims={encoded}"#),
            format!(r#"Bearer error="insufficient_claims", claims="{encoded}", Negotiate"#),
        ] {
            assert_eq!(of(&[&value]).as_deref(), Some(CLAIMS), "{value}");
            assert_eq!(of(&["Negotiate", &value]).as_deref(), Some(CLAIMS), "{value}");
        }
    }

    #[test]
    fn what_is_no_challenge_asks_for_nothing() {
        let encoded = STANDARD.encode(CLAIMS);
        let no_json = STANDARD.encode("claims");
        for value in [
            format!(r#"Bearer error="invalid_token", claims="{encoded}""#),
            format!(r#"Basic error="insufficient_claims", claims="{encoded}""#),
            format!(r#"Bearer error="insufficient_claims", claims="{no_json}""#),
            r#"Bearer error="insufficient_claims", claims="*""#.to_owned(),
            r#"Bearer error="insufficient_claims", claims="unclosed"#.to_owned(),
            r#"Bearer error="insufficient_claims""#.to_owned(),
            "Bearer".to_owned(),
            "= , =".to_owned(),
        ] {
            assert_eq!(of(&[&value]), None, "{value}");
        }
    }
}
