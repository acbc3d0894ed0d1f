//! `$batch`: up to 20 requests in one ("Combine multiple HTTP requests using JSON batching"). Each is counted, limited
//! and answered on its own.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    call::{self, Call, Reply},
    errors::GraphError,
    odata::Query,
    route,
    server::{self, Face},
};
use crate::faults::CommandFault;

/// The most requests in a batch.
const MOST: usize = 20;

/// `POST $batch`
pub(super) fn answer(face: &Arc<Face>, call: &Call) -> Result<Reply, GraphError> {
    let json = call.json()?;
    let Some(requests) = json.get("requests").and_then(Value::as_array) else {
        return Err(invalid("Invalid batch payload format."));
    };
    if requests.len() > MOST {
        return Err(invalid(&format!("Number of batch request steps exceeds the maximum value of {MOST}.")));
    }
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut responses = Vec::with_capacity(requests.len());
    for request in requests {
        let Some(id) = request.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(invalid("A request of the batch has no id."));
        };
        if statuses.contains_key(&id) {
            return Err(invalid(&format!("The id '{id}' is used twice in the batch.")));
        }
        let wanted = request.get("dependsOn").and_then(Value::as_array).into_iter().flatten();
        let wanted: Vec<Option<u16>> =
            wanted.map(|wanted| statuses.get(wanted.as_str().unwrap_or_default()).copied()).collect();
        if wanted.contains(&None) {
            return Err(invalid("dependsOn names a request that does not come before."));
        }
        let failed = wanted.iter().flatten().any(|status| *status >= 400);
        let result = if failed { Err(failed_dependency()) } else { one(face, call, request) };
        let (status, mut response) = written(result);
        response.insert("id".to_owned(), id.clone().into());
        statuses.insert(id, status);
        responses.push(Value::Object(response));
    }
    // The service answers in any order.
    responses.reverse();
    Ok(Reply::ok(json!({ "responses": responses })))
}

fn invalid(message: &str) -> GraphError {
    GraphError::bad_request("BadRequest", message)
}

fn failed_dependency() -> GraphError {
    let message = "Failed because of a failed dependency.";
    GraphError::new(StatusCode::FAILED_DEPENDENCY, "FailedDependency", message)
}

/// Carries out one request of the batch with the batch's token.
fn one(face: &Arc<Face>, outer: &Call, request: &Value) -> Result<Reply, GraphError> {
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default();
    let method = Method::from_bytes(text("method").as_bytes()).map_err(|_| invalid("Invalid method."))?;
    let url = text("url");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = call::segments(path);
    if path.first().is_some_and(|first| first == "$batch") {
        return Err(invalid("A batch within a batch is not supported."));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in request.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().and_then(|value| HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            headers.append(name, value);
        }
    }
    let body = match request.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        // What is no JSON comes as it is: a message is in base64 anyway.
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(json) => Bytes::from(json.to_string()),
    };
    let name = call::operation(&method, &path);
    match face.meet(&name) {
        Some(CommandFault::Throttle(time)) => {
            return Err(GraphError::throttled("MailboxConcurrency", Some(time)));
        }
        Some(CommandFault::Status(status, retry_after)) => {
            return Err(server::unavailable(status, retry_after));
        }
        _ => {}
    }
    let call = Call { method, path, query: Query::read(query), headers, body, token: outer.token.clone() };
    route::answer(face, &call)
}

fn written(result: Result<Reply, GraphError>) -> (u16, Map<String, Value>) {
    let mut fields = Map::new();
    let (status, body) = match result {
        Ok(Reply::Json(status, value)) => {
            fields.insert("Content-Type".to_owned(), "application/json".into());
            (status, value)
        }
        Ok(Reply::Empty(status, headers)) => {
            fields.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
            (status, Value::Null)
        }
        Ok(Reply::Stream(kind, body)) => {
            fields.insert("Content-Type".to_owned(), kind.into());
            (StatusCode::OK, STANDARD.encode(whole(body)).into())
        }
        Err(error) => {
            fields.insert("Content-Type".to_owned(), "application/json".into());
            fields
                .extend(error.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())));
            let id = uuid::Uuid::new_v4().to_string();
            (error.status, error.body(&id, &id, Timestamp::now()))
        }
    };
    let mut response = Map::new();
    response.insert("status".to_owned(), status.as_u16().into());
    response.insert("headers".to_owned(), Value::Object(fields));
    if !body.is_null() {
        response.insert("body".to_owned(), body);
    }
    (status.as_u16(), response)
}

/// The bytes of a stream that never waits, because it is made from memory.
fn whole(body: Body) -> Vec<u8> {
    let pieces = body.into_data_stream().try_fold(Vec::new(), async |mut whole, piece| {
        whole.extend_from_slice(&piece);
        Ok(whole)
    });
    pieces.now_or_never().and_then(Result::ok).unwrap_or_default()
}
