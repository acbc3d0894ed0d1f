//! What is said when a request or its answer broke off. URLs stay out of it: they hold ids, and some are a credential
//! themselves.

use std::error::Error;
use std::time::Duration;

use wissel_model::{ConnectorError, ErrorKind};

/// The code for a connection that could not be made, or was lost.
pub(super) const CONNECTION_LOST: &str = "connection-lost";

/// Nothing came for so long.
pub(crate) fn silent(host: &str, idle: Duration) -> ConnectorError {
    let message = format!("{host} was silent for {} seconds", idle.as_secs());
    ConnectorError::new(ErrorKind::Temporary, message).with_code("timeout")
}

/// What kept a request from getting through the proxy, in the words of the HTTP library, which has no types for it.
pub(super) fn on_the_way(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.starts_with("tunnel error: ") || text.starts_with("SOCKS error: ") {
            return Some(text);
        }
        cause = error.source();
    }
    None
}

/// The innermost cause says what went wrong. `error` must have no URL in it any more.
pub(crate) fn of(host: &str, error: &(dyn Error + 'static)) -> ConnectorError {
    let mut cause = error;
    loop {
        if let Some(own) = cause.downcast_ref::<ConnectorError>() {
            return own.clone();
        }
        if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref::<rustls::Error>() {
            let message = format!(
                "{host}: its certificate is not accepted ({problem}); correct the host name, give the account a CA \
                 file, or allow untrusted certificates"
            );
            return ConnectorError::new(ErrorKind::InvalidSetting, message).with_code("certificate");
        }
        let io = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        match io.map(|inner| inner as &dyn Error).or_else(|| cause.source()) {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    ConnectorError::new(ErrorKind::Temporary, format!("{host}: {cause}")).with_code(CONNECTION_LOST)
}
