//! What can go wrong on the way to a token, and what a person can do about it.

use std::fmt;
use std::time::Duration;

use wissel_model::secrets::code::{NO_SECRET, NOT_AUTHORIZED};
use wissel_model::{ConnectorError, ErrorKind};

use crate::{Changed, NotAnAnswer};

/// Why there is no token. No message holds a secret, a code or a token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// A setting, or the description that it fills, cannot be used.
    #[error("{message}")]
    Setting {
        /// The key of the setting, when it is one's fault.
        key: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// The client must prove that it is itself, and there is nothing to do that with.
    #[error("no secret is stored for {client}; store one with `wissel client secret add`")]
    NoClientSecret {
        /// The OAuth client, as in "the OAuth client 'X'".
        client: String,
    },
    /// Nobody has authorised the account yet.
    #[error("the account is not authorised; authorise it with `wissel account authorize`")]
    NotAuthorized,
    /// It was authorised, and that does not count for what the account uses now.
    #[error("the account has to be authorised again: {0}; authorise it with `wissel account authorize`")]
    Changed(Changed),
    /// The provider said no. Asking again changes nothing until a person acts.
    #[error("{0}")]
    Refused(Refusal),
    /// The provider could not be reached, or asks to wait.
    #[error("{source}")]
    Unavailable {
        /// What happened.
        source: ConnectorError,
    },
    /// The provider answered something else than the protocol says.
    #[error("{0}")]
    Protocol(String),
    /// The answer belongs to another sign-in than the one that was begun.
    #[error(
        "the answer belongs to another sign-in (its `state` differs); begin again, and use the newest link only"
    )]
    OtherState,
    /// The answer comes from somebody else than the provider (RFC 9207).
    #[error(
        "the answer says that it comes from {got}, which is not the provider that was asked; do not repeat it: \
         somebody may be trying to slip in a sign-in of theirs"
    )]
    OtherIssuer {
        /// Who it says it comes from.
        got: String,
    },
    /// An answer is given, and no sign-in was begun, or too long ago.
    #[error("no sign-in is under way that this answer could belong to: {why}")]
    NothingPending {
        /// Why not.
        why: &'static str,
    },
    /// What was pasted is no answer to a sign-in.
    #[error("{0}; paste the whole address of the page that came last, or the code that it shows")]
    NotAnAnswer(NotAnAnswer),
    /// Nobody answered in time.
    #[error("nobody finished signing in within {} minutes", .after.as_secs() / 60)]
    NobodyCame {
        /// How long was waited.
        after: Duration,
    },
    /// The port of the loopback address is not to be had.
    #[error("the port {port} of this machine cannot be used for the answer: {problem}")]
    PortInUse {
        /// The port.
        port: u16,
        /// What the system says.
        problem: String,
    },
    /// What is stored cannot be read, opened or written.
    #[error("{0}")]
    Storage(ConnectorError),
}

/// What a provider said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's own code, else OAuth's: what advice is found by.
    pub code: String,
    /// OAuth's code (RFC 6749, section 5.2, and others).
    pub error: String,
    /// What the provider says about it, in one line, without secrets.
    pub description: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.error.as_str() {
            "access_denied" => "the sign-in was declined",
            "expired_token" => "the code was not entered in time",
            "invalid_client" => "the provider does not accept the client or its secret",
            "invalid_grant" => "the provider does not accept the authorisation (any more)",
            "invalid_scope" => "the provider does not know a permission that is asked for",
            "unauthorized_client" => "the client may not sign in this way",
            "interaction_required" | "login_required" | "consent_required" => {
                "the provider wants a person to sign in"
            }
            _ => "the provider refuses",
        };
        write!(f, "{meaning} ({})", self.error)?;
        if self.description.is_empty() { Ok(()) } else { write!(f, ": {}", self.description) }
    }
}

impl AuthError {
    /// A setting that cannot be used.
    pub(crate) fn setting(key: Option<&str>, message: impl Into<String>) -> Self {
        Self::Setting { key: key.map(str::to_owned), message: message.into() }
    }

    /// A failure that may pass.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { source: ConnectorError::new(ErrorKind::Temporary, message) }
    }

    /// Whether nothing changes until a person acts: then the provider is not asked again and again.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// The code that advice is found by.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            Self::Unavailable { source } | Self::Storage(source) => source.code.as_deref(),
            _ => None,
        }
    }
}

impl From<AuthError> for ConnectorError {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        let of = |kind| ConnectorError::new(kind, message.clone());
        match error {
            AuthError::Setting { key, .. } => match key {
                Some(key) => of(ErrorKind::InvalidSetting).with_setting(key),
                None => of(ErrorKind::InvalidSetting),
            },
            AuthError::NoClientSecret { .. } => of(ErrorKind::AuthorizationNeeded).with_code(NO_SECRET),
            AuthError::NotAuthorized | AuthError::Changed(_) => {
                of(ErrorKind::AuthorizationNeeded).with_code(NOT_AUTHORIZED)
            }
            AuthError::Refused(refusal) => of(ErrorKind::AuthorizationNeeded).with_code(refusal.code),
            AuthError::Unavailable { source } | AuthError::Storage(source) => source,
            AuthError::Protocol(_) => of(ErrorKind::Protocol),
            AuthError::OtherState
            | AuthError::OtherIssuer { .. }
            | AuthError::NothingPending { .. }
            | AuthError::NotAnAnswer(_) => of(ErrorKind::AuthorizationNeeded),
            AuthError::NobodyCame { .. } => of(ErrorKind::AuthorizationNeeded).with_code("nobody-came"),
            AuthError::PortInUse { .. } => of(ErrorKind::InvalidSetting).with_setting("port"),
        }
    }
}
