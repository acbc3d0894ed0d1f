//! The adapter through which the OAuth library asks a provider, and what its errors mean.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use oauth2::http::header::{CONTENT_TYPE, RETRY_AFTER};
use oauth2::{AsyncHttpClient, ErrorResponseType, RequestTokenError, StandardErrorResponse};
use regex::Regex;
use wissel_model::{Account, ConnectorError, Description, ErrorKind};

use crate::{AuthError, Plan, Refusal, Request, Response, Web};

/// Octets that an answer may have. Real ones have some thousand.
const MOST_ANSWER: usize = 256 << 10;
/// Characters of a provider's explanation that are shown.
const MOST_DESCRIPTION: usize = 600;
/// How long an answer may take in all.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest wait that a provider may ask for.
const MOST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks a provider on an account's behalf.
pub(crate) struct Asker<'a> {
    pub(crate) account: &'a Account,
    pub(crate) description: &'a Description,
    pub(crate) web: &'a dyn Web,
}

/// Why there is no answer that the library could read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoAnswer(pub(crate) ConnectorError);

impl From<NoAnswer> for AuthError {
    fn from(NoAnswer(source): NoAnswer) -> Self {
        if source.kind == ErrorKind::Protocol {
            Self::Protocol(source.message)
        } else {
            Self::Unavailable { source }
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Asker<'_> {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Response, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: Request) -> Self::Future {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let sent = self.web.send(self.account, self.description, request, MOST_ANSWER);
            let response = tokio::time::timeout(PATIENCE, sent).await.map_err(|_| {
                let message = format!("{host}: no answer within {} seconds", PATIENCE.as_secs());
                NoAnswer(ConnectorError::new(ErrorKind::Temporary, message).with_code("timeout"))
            })?;
            look(&host, response.map_err(NoAnswer)?)
        })
    }
}

/// Answers that mean "not now" are told from those that mean "no".
fn look(host: &str, response: Response) -> Result<Response, NoAnswer> {
    let status = response.status();
    let fail = |kind, message: String| Err(NoAnswer(ConnectorError::new(kind, message)));
    if status.as_u16() == 429 || status.is_server_error() {
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(wait);
        let mut error = ConnectorError::new(
            ErrorKind::Temporary,
            format!("{host}: the provider cannot answer now (HTTP {status})"),
        )
        .with_code(status.as_str());
        error.retry_after_ms = asked.and_then(|wait| u32::try_from(wait.min(MOST_WAIT).as_millis()).ok());
        return Err(NoAnswer(error));
    }
    if status.is_redirection() {
        return fail(
            ErrorKind::Protocol,
            format!(
                "{host}: the provider sends requests for tokens elsewhere (HTTP {status}); correct its address"
            ),
        );
    }
    let json = response.headers().get(CONTENT_TYPE).is_none_or(|kind| {
        kind.to_str().is_ok_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"))
    });
    if json && !response.body().is_empty() {
        return Ok(response);
    }
    fail(
        ErrorKind::Protocol,
        format!("{host}: the answer is not one of a provider of tokens (HTTP {status}); correct its address"),
    )
}

/// How long to wait: seconds, or a date (RFC 9110, section 10.2.3).
fn wait(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    let left = at.as_second().saturating_sub(Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// What a failed request means. `hidden`: what may not show in the provider's words.
pub(crate) fn meaning<T>(
    plan: &Plan,
    error: RequestTokenError<NoAnswer, StandardErrorResponse<T>>,
    hidden: &[&str],
) -> AuthError
where
    T: ErrorResponseType + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::Request(nothing) => nothing.into(),
        RequestTokenError::ServerResponse(answer) => {
            let description = answer.error_description().map(String::as_str);
            refused(plan, &answer.error().to_string(), description, hidden)
        }
        // Where the answer went wrong, not what stood there: that may be a token.
        RequestTokenError::Parse(error, _) => {
            AuthError::Protocol(format!("the provider's answer cannot be read at '{}'", error.path()))
        }
        RequestTokenError::Other(problem) => {
            AuthError::Protocol(format!("the provider's answer cannot be used: {problem}"))
        }
    }
}

/// A provider's "no", with the code that advice is found by.
pub(crate) fn refused(plan: &Plan, error: &str, description: Option<&str>, hidden: &[&str]) -> AuthError {
    let error = clean(error, 100, hidden);
    let description = clean(description.unwrap_or_default(), MOST_DESCRIPTION, hidden);
    // Errors that say of themselves that they pass (RFC 6749, section 4.1.2.1).
    if matches!(error.as_str(), "temporarily_unavailable" | "server_error") {
        let message = format!("the provider cannot answer now ({error}): {description}");
        let source = ConnectorError::new(ErrorKind::Temporary, message).with_code(error);
        return AuthError::Unavailable { source };
    }
    let own = plan.error_code.as_ref().and_then(|pattern| pattern.find(&description));
    let code = own.map_or_else(|| error.clone(), |found| found.as_str().to_owned());
    AuthError::Refused(Refusal { code, error, description })
}

/// One line without control characters, without what may not show, and without what looks like a token. It is shortened
/// last: the beginning of a secret would not be found any more.
fn clean(text: &str, most: usize, hidden: &[&str]) -> String {
    static TOKEN: OnceLock<Option<Regex>> = OnceLock::new();
    let token = TOKEN.get_or_init(|| Regex::new(r"eyJ[A-Za-z0-9_-]{10,}[A-Za-z0-9_.-]*").ok());
    let mut text = text.to_owned();
    for secret in hidden.iter().filter(|secret| secret.len() >= 6) {
        text = text.replace(secret, "***");
    }
    if let Some(token) = token {
        text = token.replace_all(&text, "***").into_owned();
    }
    let line: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(most).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
