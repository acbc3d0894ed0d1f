//! One request, read as far as every resource needs it, and its answer.

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use super::{errors::GraphError, odata::Query};
use crate::entra::tokens::TokenInfo;

/// A request whose token was checked.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Segments after the version, decoded; an id in parentheses is a segment of its own.
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) token: TokenInfo,
}

/// What every answer is made of.
pub(super) enum Reply {
    Json(StatusCode, Value),
    Empty(StatusCode, Vec<(&'static str, String)>),
    Stream(String, Body),
}

impl Reply {
    pub(super) fn ok(value: Value) -> Self {
        Self::Json(StatusCode::OK, value)
    }

    pub(super) fn created(value: Value) -> Self {
        Self::Json(StatusCode::CREATED, value)
    }

    pub(super) fn no_content() -> Self {
        Self::Empty(StatusCode::NO_CONTENT, Vec::new())
    }

    pub(super) fn accepted() -> Self {
        Self::Empty(StatusCode::ACCEPTED, Vec::new())
    }

    /// Bytes that are made while they are sent.
    pub(super) fn pieces(
        kind: impl Into<String>,
        pieces: impl Iterator<Item = Bytes> + Send + 'static,
    ) -> Self {
        let pieces: std::pin::Pin<Box<dyn Stream<Item = Bytes> + Send>> = Box::pin(stream::iter(pieces));
        Self::Stream(kind.into(), Body::from_stream(pieces.map(Ok::<_, std::convert::Infallible>)))
    }
}

impl Call {
    /// A header field as text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// All preferences, in lower case but for quoted values.
    pub(super) fn prefers(&self, wanted: &str) -> bool {
        let fields = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        fields.flat_map(|field| field.split(',')).any(|one| one.trim().eq_ignore_ascii_case(wanted))
    }

    /// Whether ids are to stay the same when a message is moved.
    pub(super) fn immutable_ids(&self) -> bool {
        self.prefers("IdType=\"ImmutableId\"") || self.prefers("IdType=ImmutableId")
    }

    /// `Prefer: odata.maxpagesize=N`
    pub(super) fn page_size(&self) -> Option<usize> {
        let fields = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut preferences = fields.flat_map(|field| field.split(','));
        preferences
            .find_map(|one| one.trim().to_ascii_lowercase().strip_prefix("odata.maxpagesize=")?.parse().ok())
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, GraphError> {
        let unreadable = || {
            GraphError::bad_request(
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )
        };
        if !self.header("content-type").to_ascii_lowercase().starts_with("application/json") {
            return Err(unreadable());
        }
        serde_json::from_slice(&self.body).ok().filter(Value::is_object).ok_or_else(unreadable)
    }

    /// Whether the body is a message in base64.
    pub(super) fn is_mime(&self) -> bool {
        self.header("content-type").to_ascii_lowercase().starts_with("text/plain")
    }
}

/// A parameter of an action: their names are taken without regard to case, unlike those of properties.
pub(super) fn parameter<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    json.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The segments of a path after the version: `users('a')/messages/x/$value` is `users`, `a`, `messages`, `x`, `$value`.
pub(super) fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let decoded = decoded.strip_prefix("microsoft.graph.").unwrap_or(&decoded);
        // A function without arguments may have its parentheses.
        let decoded = decoded.strip_suffix("()").unwrap_or(decoded);
        let keyed = decoded.strip_suffix("')").and_then(|rest| rest.split_once("('"));
        match keyed {
            Some((name, key)) => segments.extend([name.to_owned(), key.replace("''", "'")]),
            None => segments.push(decoded.to_owned()),
        }
    }
    segments
}

/// The name of an operation, for counting and for faults: the method and the path with `{id}` for every id. Messages
/// are named alike in whatever folder they are asked for: `GET messages/{id}/$value`.
pub(super) fn operation(method: &Method, segments: &[String]) -> String {
    let rest = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["me", ..] => segments.get(1..),
        ["users", _, ..] => segments.get(2..),
        _ => Some(segments),
    };
    let mut names: Vec<&str> = Vec::new();
    let mut collection = false;
    for segment in rest.unwrap_or_default() {
        let named = matches!(
            segment.as_str(),
            "mailFolders"
                | "childFolders"
                | "messages"
                | "attachments"
                | "delta"
                | "$count"
                | "createUploadSession"
        );
        names.push(if collection && !named { "{id}" } else { segment });
        collection = matches!(segment.as_str(), "mailFolders" | "childFolders" | "messages" | "attachments");
    }
    let message = names.windows(2).position(|pair| pair == ["messages", "{id}"]).unwrap_or(0);
    let name = names.get(message..).unwrap_or_default().join("/");
    format!("{method} {}", if name.is_empty() { "user" } else { &name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_spelling_are_one() {
        let of = |path: &str| (segments(path), operation(&Method::GET, &segments(path)));
        let (path, name) = of("users('a%40b.example')/mailFolders('inbox')/messages/AAk=/$value");
        assert_eq!(path, ["users", "a@b.example", "mailFolders", "inbox", "messages", "AAk=", "$value"]);
        assert_eq!(name, "GET messages/{id}/$value");
        assert_eq!(
            of("me/mailFolders/x/messages/microsoft.graph.delta()").1,
            "GET mailFolders/{id}/messages/delta"
        );
        assert_eq!(of("me/mailFolders/x/childFolders").1, "GET mailFolders/{id}/childFolders");
        assert_eq!(of("me").1, "GET user");
        assert_eq!(of("$batch").1, "GET $batch");
    }
}
