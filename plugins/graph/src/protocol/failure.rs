//! Refusals: what the host is to make of a status and a code. The code decides where it is known, the status else; the
//! text of the service decides nothing.

use wissel_connector::serde_json::Value;
use wissel_connector::{Error, ErrorKind};

/// The code of a message or folder that is not there.
pub(crate) const ITEM_NOT_FOUND: &str = "ErrorItemNotFound";
/// The code of a folder that is there already.
pub(crate) const FOLDER_EXISTS: &str = "ErrorFolderExists";

/// The longest text of the service in an error, in characters.
const LONGEST: usize = 200;

/// What the service says of a refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The innermost code.
    pub(crate) code: Option<String>,
    /// Its text, on one line.
    text: String,
}

impl Refusal {
    /// Reads the body of an answer (OData 4.01, section 9.5). A body of another kind, as gateways send it, tells nothing.
    pub(crate) fn read(body: &Value) -> Self {
        let Some(error) = body.get("error") else { return Self::default() };
        let text = error.get("message").and_then(Value::as_str).map(line).unwrap_or_default();
        let (mut code, mut inner) = (None, Some(error));
        while let Some(error) = inner {
            if let Some(found) = error.get("code").and_then(Value::as_str).filter(|c| !c.is_empty()) {
                code = Some(line(found));
            }
            inner = error.get("innerError").or_else(|| error.get("innererror"));
        }
        Self { code, text }
    }

    /// The error for what was to be done, such as `list the folders`. `mailbox` is whose mailbox it was to be done in, when it
    /// is not the signed-in user's own.
    pub(crate) fn error(
        self,
        status: u16,
        retry_after_ms: Option<u32>,
        doing: &str,
        mailbox: Option<&str>,
    ) -> Error {
        let code = self.code.as_deref().unwrap_or_default();
        let kind = by_code(code).unwrap_or_else(|| by_status(status, retry_after_ms));
        let missing = match (kind, mailbox) {
            (ErrorKind::PermissionMissing, Some(mailbox)) => format!(
                "; missing is the right Full Access to the mailbox {mailbox}, or the permission Mail.ReadWrite.Shared \
                 of the app registration"
            ),
            (ErrorKind::PermissionMissing, None) => {
                "; missing is the permission Mail.ReadWrite.Shared of the app registration".to_owned()
            }
            _ => String::new(),
        };
        let said = if self.text.is_empty() { String::new() } else { format!(": {}", self.text) };
        let message = format!("cannot {doing}: Microsoft Graph answers {status} {code}{said}{missing}");
        let mut error = Error { code: self.code, ..Error::new(kind, message) };
        if kind == ErrorKind::Throttled {
            error.retry_after_ms = retry_after_ms;
        }
        if kind == ErrorKind::InvalidSetting {
            error.setting = Some("mailbox".to_owned());
        }
        error
    }
}

/// What codes mean that say more than the status they come with.
fn by_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "ErrorInvalidIdMalformed" | "ErrorInvalidId" | "ErrorInvalidIdEmpty" | "ErrorInvalidFolderId" => {
            ErrorKind::NotFound
        }
        // Also with 404: what is missing is the mailbox, and no message of it is gone.
        "MailboxNotEnabledForRESTAPI"
        | "MailboxNotSupportedForRESTAPI"
        | "ErrorNonExistentMailbox"
        | "ErrorInvalidUser"
        | "Request_ResourceNotFound" => ErrorKind::InvalidSetting,
        "ErrorMailboxMoveInProgress" | "ErrorMailboxStoreUnavailable" | "ErrorConnectionFailed" => {
            ErrorKind::Temporary
        }
        "ErrorServerBusy" | "ApplicationThrottled" | "TooManyRequests" => ErrorKind::Throttled,
        "ErrorMimeContentConversionFailed"
        | "ErrorContentConversionFailed"
        | "ErrorMimeContentInvalid"
        | "ErrorCorruptData"
        | "ErrorItemCorrupt" => ErrorKind::BadMessage,
        "ErrorMessageSizeExceeded" => ErrorKind::TooLarge,
        _ => return None,
    })
}

fn by_status(status: u16, retry_after_ms: Option<u32>) -> ErrorKind {
    match status {
        401 => ErrorKind::AuthorizationNeeded,
        403 => ErrorKind::PermissionMissing,
        404 => ErrorKind::NotFound,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::Throttled,
        503 if retry_after_ms.is_some() => ErrorKind::Throttled,
        408 | 409 | 412 | 423 | 425 | 500..=599 => ErrorKind::Temporary,
        400..=499 => ErrorKind::Unsupported,
        _ => ErrorKind::Protocol,
    }
}

/// `Retry-After` in milliseconds (RFC 9110, section 10.2.3); the form with a date is not used by this service.
pub(crate) fn retry_after(value: &str) -> Option<u32> {
    value.trim().parse::<u32>().ok().map(|seconds| seconds.saturating_mul(1_000))
}

/// Whether a message or folder is certainly not there any more.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound && error.code.as_deref() == Some(ITEM_NOT_FOUND)
}

/// Text of the service, fit to be shown: one line of readable length.
fn line(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(LONGEST).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wissel_connector::serde_json::json;

    fn error(status: u16, code: &str) -> Error {
        let body = json!({ "error": { "code": code, "message": "No." } });
        Refusal::read(&body).error(status, Some(7_000), "list the folders", None)
    }

    #[test]
    fn the_innermost_code_counts_and_the_text_is_one_line() {
        let body = json!({ "error": { "code": "UnknownError", "message": "a\r\nb\u{1b}[31m", "innerError": {
            "code": "", "innererror": { "code": "ErrorItemNotFound" } } } });
        let error = Refusal::read(&body).error(404, None, "read the message", None);
        assert_eq!(error.code.as_deref(), Some("ErrorItemNotFound"));
        assert!(is_gone(&error) && !error.message.contains(char::is_control), "{}", error.message);
        let long = json!({ "error": { "code": "x", "message": "m".repeat(5_000) } });
        assert!(Refusal::read(&long).error(400, None, "x", None).message.len() < 400);
    }

    #[test]
    fn status_and_code_become_the_kind_that_the_host_acts_on() {
        for (status, code, kind) in [
            (401, "InvalidAuthenticationToken", ErrorKind::AuthorizationNeeded),
            (403, "ErrorAccessDenied", ErrorKind::PermissionMissing),
            (404, "ErrorItemNotFound", ErrorKind::NotFound),
            (400, "ErrorInvalidIdMalformed", ErrorKind::NotFound),
            (404, "MailboxNotEnabledForRESTAPI", ErrorKind::InvalidSetting),
            (404, "ErrorInvalidUser", ErrorKind::InvalidSetting),
            (413, "ErrorMessageSizeExceeded", ErrorKind::TooLarge),
            (429, "TooManyRequests", ErrorKind::Throttled),
            (503, "ServiceUnavailable", ErrorKind::Throttled),
            (504, "UnknownError", ErrorKind::Temporary),
            (412, "ErrorIrresolvableConflict", ErrorKind::Temporary),
            (500, "ErrorMimeContentConversionFailed", ErrorKind::BadMessage),
            (400, "BadRequest", ErrorKind::Unsupported),
            (302, "", ErrorKind::Protocol),
        ] {
            assert_eq!(error(status, code).kind, kind, "{status} {code}");
        }
        assert_eq!(error(429, "").retry_after_ms, Some(7_000));
        assert_eq!(error(404, "ErrorInvalidUser").setting.as_deref(), Some("mailbox"));
        assert!(error(403, "ErrorAccessDenied").message.contains("Mail.ReadWrite.Shared"));
    }

    #[test]
    fn a_gateways_page_is_no_refusal_of_the_service() {
        let error = Refusal::read(&Value::Null).error(502, None, "list the folders", None);
        assert_eq!((error.kind, error.code), (ErrorKind::Temporary, None));
    }
}
