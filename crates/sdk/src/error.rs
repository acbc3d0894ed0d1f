//! Making errors of the contract. What a kind makes the host do is said at [`ErrorKind`]; text and code must not hold
//! a secret or message content.

pub use crate::bindings::wissel::connector::types::{Error, ErrorKind};

/// What every operation and every host function returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of this kind. `message` is one sentence for the operator, in English.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            retry_after_ms: None,
            setting: None,
            session_lost: false,
        }
    }

    /// The credential is missing, expired, revoked or refused.
    pub fn authorization_needed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::AuthorizationNeeded, message)
    }

    /// Signed in, but without the right to do this.
    pub fn permission_missing(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::PermissionMissing, message)
    }

    /// The service asks to slow down; `retry_after_ms` when it says for how long.
    pub fn throttled(message: impl Into<String>, retry_after_ms: Option<u32>) -> Self {
        Self { retry_after_ms, ..Self::new(ErrorKind::Throttled, message) }
    }

    /// The folder, message or mailbox does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// The setting of this key is wrong.
    pub fn invalid_setting(setting: impl Into<String>, message: impl Into<String>) -> Self {
        Self { setting: Some(setting.into()), ..Self::new(ErrorKind::InvalidSetting, message) }
    }

    /// This connector or this service cannot do it.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Too large for the service.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::TooLarge, message)
    }

    /// A failure that may pass.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Temporary, message)
    }

    /// The service answered something that cannot be understood.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    /// The message itself is bad.
    pub fn bad_message(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadMessage, message)
    }

    /// With the innermost code of the service, verbatim.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The session can no longer be used; the host opens a new one.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.session_lost = true;
        self
    }

    /// Whether nothing more can be done in this call: the session is lost or the host ended the operation. A failure
    /// of one message is not final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.session_lost || self.kind == ErrorKind::Cancelled
    }
}

/// What was to be text is not: the service broke its protocol.
impl From<std::str::Utf8Error> for Error {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::protocol(format!("the service sent text that is not UTF-8: {error}"))
    }
}

/// What was to be text is not: the service broke its protocol.
impl From<std::string::FromUtf8Error> for Error {
    fn from(error: std::string::FromUtf8Error) -> Self {
        error.utf8_error().into()
    }
}

/// What was to be a number is not: the service broke its protocol.
impl From<std::num::ParseIntError> for Error {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::protocol(format!("the service sent something that is not a number: {error}"))
    }
}

/// What was to be JSON is not, or lacks a member: the service broke its protocol.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        // The text of serde_json may quote the input; its place does not.
        Self::protocol(format!(
            "the service sent JSON that cannot be read at line {} column {}",
            error.line(),
            error.column()
        ))
    }
}
