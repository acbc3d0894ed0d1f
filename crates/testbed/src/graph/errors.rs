//! Refusals in the form of Microsoft Graph ("Microsoft Graph error responses and resource types").

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug)]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Header fields beside those of every answer.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 400 for what makes no sense.
    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 400 for a query that makes no sense.
    pub(super) fn bad_query(message: impl Into<String>) -> Self {
        Self::bad_request("BadRequest", message)
    }

    /// 403 for a right or permission that is missing.
    pub(super) fn access_denied() -> Self {
        let message = "Access is denied. Check credentials and try again.";
        Self::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", message)
    }

    /// 404 for a message, folder or attachment.
    pub(super) fn item_not_found() -> Self {
        let message = "The specified object was not found in the store.";
        Self::new(StatusCode::NOT_FOUND, "ErrorItemNotFound", message)
    }

    /// 400 for an id that was never given out.
    pub(super) fn malformed_id() -> Self {
        Self::bad_request("ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// 404 for a user that the directory does not know.
    pub(super) fn unknown_user(user: &str) -> Self {
        let message = format!("The requested user '{user}' is invalid.");
        Self::new(StatusCode::NOT_FOUND, "ErrorInvalidUser", message)
    }

    /// 404 for a user without a mailbox.
    pub(super) fn no_mailbox() -> Self {
        let message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
        Self::new(StatusCode::NOT_FOUND, "MailboxNotEnabledForRESTAPI", message)
    }

    /// 413 for a request of more than 4 MB.
    pub(super) fn too_large() -> Self {
        let message = "Maximum request length exceeded.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    /// 429; `retry_after` as the service says it, or does not.
    pub(super) fn throttled(limit: &str, retry_after: Option<Duration>) -> Self {
        let message = format!("Application is over its {limit} limit.");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "ApplicationThrottled", message);
        match retry_after {
            Some(time) => error.header("retry-after", time.as_secs_f64().ceil().to_string()),
            None => error,
        }
    }

    /// The body, in which the service repeats the request's ids.
    pub(super) fn body(&self, request_id: &str, client_request_id: &str, now: jiff::Timestamp) -> Value {
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }})
    }
}
