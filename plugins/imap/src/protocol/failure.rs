//! What a refusal of the server means for the host: from response codes (RFC 5530 and others) and, where servers have
//! none, from their texts.

use imap_codec::ResponseCodec;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::response::{Code, Response, Status, StatusBody, StatusKind};
use wissel_connector::{Error, ErrorKind};

/// The text of servers whose mailbox cannot be reached though the sign-in went well; it is its own code.
pub(crate) const NOT_CONNECTED: &str = "User is authenticated but not connected";

/// The error of a NO, BAD or BYE. `what` is what was tried, as in "the server refused to ...". `otherwise` is the kind
/// when neither code nor text say more.
pub(crate) fn refusal(status: &StatusBody<'_>, what: &str, otherwise: ErrorKind) -> Error {
    let text = status.text.inner();
    let message = format!("the server refused to {what}: {}", shown(text));
    let code = code_name(status.code.as_ref());
    let kind = by_text(text).or_else(|| code.as_deref().and_then(by_code)).unwrap_or(match status.kind {
        StatusKind::Bad => ErrorKind::Protocol,
        _ => otherwise,
    });
    let mut error = Error::new(kind, message);
    error.retry_after_ms = back_off(text);
    error.code = match text.contains(NOT_CONNECTED) {
        true => Some(NOT_CONNECTED.into()),
        false => code,
    };
    if error.code.as_deref() == Some("PRIVACYREQUIRED") {
        error.setting = Some("security".into());
    }
    error
}

/// The name of a response code as the server wrote it, such as `AUTHENTICATIONFAILED`.
pub(crate) fn code_name(code: Option<&Code<'_>>) -> Option<String> {
    if let Code::Other(other) = code? {
        let name = other.inner().split(|b| *b == b' ').next()?;
        return Some(String::from_utf8_lossy(name).into_owned()).filter(|name| !name.is_empty());
    }
    // The codec knows how it is written: `* OK [CODE ...] x`.
    let status = Status::Untagged(StatusBody {
        kind: StatusKind::Ok,
        code: code.cloned(),
        text: "x".try_into().ok()?,
    });
    let line = String::from_utf8(ResponseCodec::default().encode(&Response::Status(status)).dump()).ok()?;
    let name = line.split_once('[')?.1.split([' ', ']']).next()?;
    Some(name.to_owned())
}

fn by_code(code: &str) -> Option<ErrorKind> {
    Some(match code.to_ascii_uppercase().as_str() {
        "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" | "WEBALERT" => {
            ErrorKind::AuthorizationNeeded
        }
        "PRIVACYREQUIRED" => ErrorKind::InvalidSetting,
        "NOPERM" | "CONTACTADMIN" | "READ-ONLY" => ErrorKind::PermissionMissing,
        "NONEXISTENT" | "TRYCREATE" => ErrorKind::NotFound,
        "LIMIT" | "THROTTLED" => ErrorKind::Throttled,
        "TOOBIG" => ErrorKind::TooLarge,
        "CANNOT" | "UNKNOWN-CTE" => ErrorKind::Unsupported,
        "CLIENTBUG" | "PARSE" => ErrorKind::Protocol,
        "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "CORRUPTION" | "EXPUNGEISSUED" | "OVERQUOTA" => {
            ErrorKind::Temporary
        }
        _ => return None,
    })
}

fn by_text(text: &str) -> Option<ErrorKind> {
    if text.contains(NOT_CONNECTED) {
        return Some(ErrorKind::PermissionMissing);
    }
    let text = text.to_ascii_lowercase();
    let slow_down = [
        "backoff time",
        "throttle",
        "too many",
        "rate limit",
        "maximum number of connections",
        "bandwidth limit",
    ];
    slow_down.iter().any(|s| text.contains(s)).then_some(ErrorKind::Throttled)
}

/// `Suggested Backoff Time: 1000 milliseconds`.
fn back_off(text: &str) -> Option<u32> {
    let at = text.to_ascii_lowercase().find("backoff time")?;
    let digits = text.get(at..)?.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

/// A text of the server for a person: one line, not too long.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::assemble::decode;

    fn of(line: &str) -> Error {
        let Ok(Response::Status(Status::Tagged(tagged))) = decode(format!("{line}\r\n").as_bytes()) else {
            panic!("{line}")
        };
        refusal(&tagged.body, "sign in", ErrorKind::NotFound)
    }

    #[test]
    fn codes_and_texts_say_what_to_do() {
        use ErrorKind as K;
        for (line, kind, code, after) in [
            ("A NO [AUTHENTICATIONFAILED] no", K::AuthorizationNeeded, Some("AUTHENTICATIONFAILED"), None),
            ("A NO [UNAVAILABLE] later", K::Temporary, Some("UNAVAILABLE"), None),
            ("A NO [OVERQUOTA] full", K::Temporary, Some("OVERQUOTA"), None),
            (
                "A NO [OVERQUOTA] Account exceeded command or bandwidth limits.",
                K::Throttled,
                Some("OVERQUOTA"),
                None,
            ),
            ("A NO [TRYCREATE] none", K::NotFound, Some("TRYCREATE"), None),
            ("A NO [READ-ONLY] no", K::PermissionMissing, Some("READ-ONLY"), None),
            ("A NO [LIMIT] no", K::Throttled, Some("LIMIT"), None),
            (
                "A BAD Request is throttled. Suggested Backoff Time: 1000 milliseconds",
                K::Throttled,
                None,
                Some(1000),
            ),
            ("A BAD what", K::Protocol, None, None),
            ("A NO whatever", K::NotFound, None, None),
            (
                "A BAD User is authenticated but not connected.",
                K::PermissionMissing,
                Some(NOT_CONNECTED),
                None,
            ),
        ] {
            let error = of(line);
            assert_eq!(
                (error.kind, error.code.as_deref(), error.retry_after_ms),
                (kind, code, after),
                "{line}"
            );
        }
        assert_eq!(of("A NO [PRIVACYREQUIRED] TLS first").setting.as_deref(), Some("security"));
    }
}
