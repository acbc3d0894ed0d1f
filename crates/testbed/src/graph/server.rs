//! From HTTP to a call and back: tokens, limits, faults, header fields of every answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Shared, auth,
    call::{self, Call, Reply},
    control::Control,
    errors::GraphError,
    ids::number_of,
    limits::Key,
    mime::{
        summary::{Summarize, Summary},
        walk,
    },
    odata::Query,
    route, upload,
};
use crate::{
    counters::Counters,
    entra::{self, tokens::Tokens},
    faults::{CommandFault, Faults, MessageFault},
    mailbox::{Message, MessageId},
    mailboxes::{Mailboxes, Owner},
};

/// The most bytes of a request ("Outlook service limits").
pub(super) const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// What the Graph face works with.
pub(super) struct Face {
    pub(super) mailboxes: Mailboxes,
    pub(super) entra: Arc<entra::Face>,
    pub(super) tokens: Tokens,
    pub(super) tenant: String,
    faults: Faults,
    counters: Counters,
    pub(super) control: Control,
    /// Where clients reach the face: `https://localhost:40123`.
    pub(super) url: String,
    /// Where upload sessions are.
    pub(super) upload_url: String,
    pub(super) uploads: upload::Sessions,
    summaries: Mutex<HashMap<(u64, MessageId, u64), Arc<Summary>>>,
}

impl Face {
    pub(super) fn new(shared: Shared, control: Control, url: String, upload_url: String) -> Arc<Self> {
        let Shared { mailboxes, entra, tokens, tenant, faults, counters } = shared;
        let (uploads, summaries) = Default::default();
        Arc::new(Self {
            mailboxes,
            entra,
            tokens,
            tenant,
            faults,
            counters,
            control,
            url,
            upload_url,
            uploads,
            summaries,
        })
    }

    /// The user or shared mailbox of an address or object id; a user need not have a mailbox.
    pub(super) fn owner(&self, address_or_id: &str) -> Option<Owner> {
        let user = self.entra.user(address_or_id);
        let address = user.as_ref().map_or(address_or_id, |(_, name)| name);
        let bare = || {
            let (address, display_name) = (user.clone()?.1, user.clone()?.1);
            Some(Owner { address, display_name, mailbox: None })
        };
        self.mailboxes.find(address).or_else(bare)
    }

    /// The object id of an owner; a shared mailbox, in which nobody signs in, has one too.
    pub(super) fn object_id(&self, owner: &Owner) -> String {
        let number = number_of(&owner.address);
        let shared = || uuid::Uuid::from_u64_pair(number, number.rotate_left(9)).to_string();
        self.entra.user(&owner.address).map_or_else(shared, |(id, _)| id)
    }

    /// Counts an operation, and tells what is to go wrong with it.
    pub(super) fn meet(&self, operation: &str) -> Option<CommandFault> {
        self.counters.count_command(operation);
        self.faults.at_command(operation)
    }

    /// What a message holds; messages that did not change are taken apart once.
    pub(super) fn summary(&self, mailbox: u64, message: &Message) -> Arc<Summary> {
        let key = (mailbox, message.id, message.content.size());
        let known = || self.summaries.lock().unwrap_or_else(PoisonError::into_inner);
        if !message.flags.draft
            && let Some(summary) = known().get(&key)
        {
            return summary.clone();
        }
        let summary = Arc::new(walk::walk(&message.content, Summarize::new()).summary());
        known().insert(key, summary.clone());
        summary
    }
}

/// The face's paths.
pub(super) fn router(face: Arc<Face>) -> Router {
    Router::new().fallback(serve).with_state(face)
}

/// The paths of upload sessions.
pub(super) fn upload_router(face: Arc<Face>) -> Router {
    Router::new().fallback(upload::serve).with_state(face)
}

async fn serve(State(face): State<Arc<Face>>, request: Request) -> Response {
    let request_id = uuid::Uuid::new_v4().to_string();
    let given = request.headers().get("client-request-id").and_then(|value| value.to_str().ok());
    let client_request_id = given.unwrap_or(&request_id).to_owned();
    let prefers_immutable = request.headers().get_all("prefer").iter().any(|value| {
        value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("idtype=\"immutableid\""))
    });
    let mut response = match carry_out(&face, request).await {
        Ok(response) => response,
        Err(error) => {
            let body = error.body(&request_id, &client_request_id, Timestamp::now());
            refusal(&error, &body)
        }
    };
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("request-id", &request_id);
    set("client-request-id", &client_request_id);
    set("x-ms-ags-diagnostic", r#"{"ServerInfo":{"DataCenter":"West Europe","Slice":"E"}}"#);
    if prefers_immutable {
        set("preference-applied", "IdType=\"ImmutableId\"");
    }
    response
}

async fn carry_out(face: &Arc<Face>, request: Request) -> Result<Response, GraphError> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Some(path) = path.strip_prefix("/v1.0/").map(call::segments) else {
        return Err(GraphError::bad_request("BadRequest", "Invalid version."));
    };
    let name = call::operation(&parts.method, &path);
    let fault = face.meet(&name);
    if let Some(CommandFault::Drop) = fault {
        return Ok(cut());
    }
    let token = auth::check(face, &parts.headers)?;
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return Err(GraphError::too_large());
    };
    let query = Query::read(parts.uri.query().unwrap_or_default());
    let call = Call { method: parts.method, path, query, headers: parts.headers, body, token };
    let under_way = face.control.limits().begin(&key(face, &call))?;
    match fault {
        Some(CommandFault::Stall(time)) => tokio::time::sleep(time).await,
        Some(CommandFault::Throttle(time)) => {
            return Err(GraphError::throttled("MailboxConcurrency", Some(time)));
        }
        Some(CommandFault::Status(status, retry_after)) => return Err(unavailable(status, retry_after)),
        Some(CommandFault::Refuse(text)) => {
            return Err(GraphError::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", text));
        }
        Some(CommandFault::Malformed(text)) => return Err(GraphError::bad_query(text)),
        Some(CommandFault::Endless) => return Ok(endless()),
        _ => {}
    }
    let reply = route::answer(face, &call)?;
    if matches!(fault, Some(CommandFault::DropAfter)) {
        return Ok(cut());
    }
    let mut response = respond(face, reply);
    if let Some(CommandFault::Unasked(line)) = fault
        && let Some((field, value)) = line.split_once(':')
        && let (Ok(field), Ok(value)) = (HeaderName::try_from(field), HeaderValue::from_str(value.trim()))
    {
        response.headers_mut().append(field, value);
    }
    // The request is under way until its last byte is sent.
    Ok(response.map(|body| {
        let body = body.into_data_stream();
        Body::from_stream(body.inspect(move |_| {
            let _ = &under_way;
        }))
    }))
}

/// Who is counted: the app and the mailbox it asks for.
pub(super) fn key(face: &Face, call: &Call) -> Key {
    let target = match call.path.first().map(String::as_str) {
        Some("users") => call.path.get(1).cloned().unwrap_or_default(),
        _ => call.token.user.as_ref().map(|user| user.name.clone()).unwrap_or_default(),
    };
    let address = face.owner(&target).map_or(target, |owner| owner.address);
    (call.token.app.clone(), address.to_lowercase())
}

fn respond(face: &Face, reply: Reply) -> Response {
    let mut response = match reply {
        Reply::Json(status, value) => json(status, &value),
        Reply::Empty(status, fields) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            for (name, value) in fields {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Reply::Stream(kind, body) => {
            let mut response = Response::new(counted(face, body));
            if let Ok(kind) = HeaderValue::from_str(&kind) {
                response.headers_mut().insert("content-type", kind);
            }
            response
        }
    };
    response.headers_mut().insert("odata-version", HeaderValue::from_static("4.0"));
    response
}

/// Counts the bytes of a message, and lets a fault strike in the middle of it.
fn counted(face: &Face, body: Body) -> Body {
    let counters = face.counters.clone();
    let fault = face.faults.in_message(u64::MAX);
    let Some((after, action)) = fault else {
        return Body::from_stream(body.into_data_stream().inspect(move |piece| {
            counters.count_message_bytes(piece.as_ref().map_or(0, |piece| piece.len() as u64));
        }));
    };
    let pieces = (body.into_data_stream(), after, Some(action));
    Body::from_stream(stream::unfold(pieces, async |(mut pieces, mut left, mut action)| {
        if left == 0 {
            match action.take() {
                Some(MessageFault::Drop) => {
                    // HTTP/2 throws away what it has not sent yet when a stream fails: the client is to get the beginning.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let lost = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
                    return Some((Err(lost), (pieces, left, action)));
                }
                Some(MessageFault::Stall(time)) => tokio::time::sleep(time).await,
                None => {}
            }
            left = u64::MAX;
        }
        let piece: Bytes = pieces.next().await?.ok()?;
        let fits = left.min(piece.len() as u64) as usize;
        // What is cut off here is what the client never gets, or gets after the pause.
        let (now, later) = (piece.slice(..fits), piece.slice(fits..));
        let rest = stream::iter([Ok(later)]).chain(pieces);
        let rest = Body::from_stream(rest).into_data_stream();
        Some((Ok(now), (rest, left - fits as u64, action)))
    }))
}

fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let kind =
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    response
}

fn refusal(error: &GraphError, body: &Value) -> Response {
    let mut response = json(error.status, body);
    for (name, value) in &error.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

pub(super) fn unavailable(status: u16, retry_after: Option<Duration>) -> GraphError {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let (code, message) = match status.as_u16() {
        429 => return GraphError::throttled("MailboxConcurrency", retry_after),
        503 => ("serviceNotAvailable", "The service is temporarily unavailable."),
        504 => ("UnknownError", "The gateway did not get an answer in time."),
        _ => ("ErrorInternalServerError", "An internal server error occurred. The operation failed."),
    };
    let error = GraphError::new(status, code, message);
    match retry_after {
        Some(time) => error.header("retry-after", time.as_secs_f64().ceil().to_string()),
        None => error,
    }
}

/// An answer that breaks off before its first byte.
fn cut() -> Response {
    let lost = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(lost)])))
}

/// An answer that never ends.
fn endless() -> Response {
    let piece = Bytes::from(vec![b' '; 64 * 1024]);
    Response::new(Body::from_stream(stream::repeat(piece).map(Ok::<_, std::convert::Infallible>)))
}
