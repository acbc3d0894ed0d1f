//! Redirect URIs: which are accepted, and how an answer is put into one.

use axum::{
    http::{StatusCode, header::LOCATION},
    response::{Html, IntoResponse, Response},
};
use url::Url;

use super::pages;

/// Whether `asked` is the registered URI: exactly, save that http on a loopback name may have any port.
/// The path's case counts, and `[::1]` is not supported (Microsoft: "Redirect URI best practices and limitations").
pub(super) fn fits(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return !asked.contains("[::1]");
    }
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let loopback =
        |uri: &Url| uri.scheme() == "http" && matches!(uri.host_str(), Some("localhost" | "127.0.0.1"));
    let without_port = loopback(&registered)
        && loopback(&asked)
        && registered.set_port(None).is_ok()
        && asked.set_port(None).is_ok();
    without_port && registered == asked
}

/// How the client wants its answer (OAuth 2.0 Multiple Response Type Encoding Practices, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

/// Sends the browser back to the client.
pub(super) fn answer(uri: &str, mode: Mode, parameters: &[(&str, String)]) -> Response {
    let Ok(mut target) = Url::parse(uri) else { return StatusCode::BAD_REQUEST.into_response() };
    match mode {
        Mode::FormPost => return Html(pages::form_post(uri, parameters)).into_response(),
        Mode::Query => {
            target.query_pairs_mut().extend_pairs(parameters);
        }
        Mode::Fragment => {
            let encoded =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
            target.set_fragment(Some(&encoded));
        }
    }
    (StatusCode::FOUND, [(LOCATION, String::from(target))]).into_response()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn only_the_port_of_a_loopback_address_is_free() {
        assert!(fits("http://localhost", "http://localhost:49152/"));
        assert!(fits("http://localhost/Callback", "http://localhost:49152/Callback"));
        assert!(fits("https://relay.example/a", "https://relay.example/a"));
        for (registered, asked) in [
            ("http://localhost/Callback", "http://localhost:49152/callback"),
            ("http://localhost", "http://localhost:49152/other"),
            ("http://localhost", "http://127.0.0.1:49152/"),
            ("http://localhost", "https://localhost:49152/"),
            ("http://localhost", "http://localhost.example/"),
            ("https://relay.example/a", "https://relay.example:444/a"),
            ("https://relay.example/a", "https://relay.example/a/"),
            ("https://relay.example/a", "https://relay.example/a?b"),
            ("http://[::1]", "http://[::1]"),
        ] {
            assert!(!fits(registered, asked), "{asked} against {registered}");
        }
    }
}
