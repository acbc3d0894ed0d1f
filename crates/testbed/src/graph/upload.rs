//! Upload sessions: a large file for a draft, in ranges, at an address of another origin that carries its own authority
//! ("Attach large files to Outlook messages").

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    response::Response,
};
use bytes::Bytes;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{
    call::{Reply, parameter},
    drafts,
    errors::GraphError,
    ids::{Form, Id, number_of},
    mime::{
        compose::{self, File},
        transfer::Base64Lines,
    },
    server::{self, Face, LARGEST_REQUEST},
    target::Target,
};
use crate::{
    faults::CommandFault,
    mailbox::{FolderId, Mailbox, MessageId},
    mailboxes::Owner,
};

/// A smaller file is posted as an attachment.
const SMALLEST: u64 = 3 * 1024 * 1024;
/// The largest file that a session takes.
const LARGEST: u64 = 150 * 1024 * 1024;

/// The open sessions by the secret part of their URLs.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

#[derive(Debug)]
struct Session {
    mailbox: Mailbox,
    owner: Owner,
    message: MessageId,
    name: String,
    content_type: String,
    content_id: Option<String>,
    size: u64,
    received: u64,
    lines: Base64Lines,
    /// What was received, in base64: in no other form is it held.
    encoded: Vec<Bytes>,
    expires: Timestamp,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST attachments/createUploadSession`
pub(super) fn create(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (_, message) = target.message(id, folder)?;
    drafts::refuse_sent(&message)?;
    let json = target.call.json()?;
    let item = parameter(&json, "AttachmentItem").cloned().unwrap_or_default();
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let size = item.get("size").and_then(Value::as_u64).unwrap_or_default();
    let (Some(name), Some("file")) = (text("name"), text("attachmentType").as_deref()) else {
        return Err(GraphError::bad_request(
            "ErrorInvalidArgument",
            "AttachmentItem needs attachmentType 'file' and a name.",
        ));
    };
    if size < SMALLEST {
        let message = "The attachment size is less than the minimum of an upload session.";
        return Err(GraphError::bad_request("ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", message));
    }
    if size > LARGEST {
        let message = "The attachment size exceeds the limit.";
        return Err(GraphError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "ErrorAttachmentSizeLimitExceeded",
            message,
        ));
    }
    let inline = item.get("isInline").and_then(Value::as_bool).unwrap_or(false);
    let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let expires = Timestamp::now() + 1.hour();
    let session = Session {
        mailbox: target.mailbox.clone(),
        owner: target.owner.clone(),
        message: message.id,
        name,
        content_type: text("contentType").unwrap_or_else(|| "application/octet-stream".to_owned()),
        content_id: text("contentId").filter(|_| inline),
        size,
        received: 0,
        lines: Base64Lines::default(),
        encoded: Vec::new(),
        expires,
    };
    target.face.uploads.lock().insert(secret.clone(), session);
    let url = format!(
        "{}/api/v2.0/Users('{}')/Messages('{}')/AttachmentSessions('{:08x}')?authtoken={secret}",
        target.face.upload_url,
        target.face.object_id(&target.owner),
        id,
        number_of(&secret) & 0xffff_ffff
    );
    target.face.control.note_upload_url(&url);
    Ok(Reply::created(json!({
        "@odata.context": format!("{}/v1.0/$metadata#microsoft.graph.uploadSession", target.face.url),
        "uploadUrl": url,
        "expirationDateTime": expires.to_string(),
        "nextExpectedRanges": ["0-"],
    })))
}

/// The other origin.
pub(super) async fn serve(State(face): State<Arc<Face>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let fault = face.meet(&format!("{} upload", parts.method));
    if let Some(CommandFault::Status(status, retry_after)) = fault {
        return written(Err(server::unavailable(status, retry_after)));
    }
    let result = match axum::body::to_bytes(body, LARGEST_REQUEST).await {
        Ok(body) => answer(&face, &parts.method, &parts.uri, &parts.headers, &body),
        Err(_) => Err(GraphError::too_large()),
    };
    written(result)
}

fn written(result: Result<Answer, GraphError>) -> Response {
    let (status, location, json) = match result {
        Ok(answer) => answer,
        Err(error) => {
            let id = uuid::Uuid::new_v4().to_string();
            (error.status, None, Some(error.body(&id, &id, Timestamp::now())))
        }
    };
    let mut response = Response::new(json.map_or_else(Body::empty, |json| Body::from(json.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert("location", location);
    }
    response
}

type Answer = (StatusCode, Option<String>, Option<Value>);

fn answer(
    face: &Face,
    method: &Method,
    uri: &axum::http::Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Answer, GraphError> {
    if headers.contains_key("authorization") {
        // The URL says all; a token of another service makes the request ambiguous.
        let message = "The request must not carry an Authorization header.";
        return Err(GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message));
    }
    let secret = uri.query().and_then(|query| query.strip_prefix("authtoken=")).unwrap_or_default();
    let mut sessions = face.uploads.lock();
    let session = sessions.get_mut(secret).filter(|session| session.expires > Timestamp::now());
    let Some(session) = session else {
        let message = "The upload session was not found.";
        return Err(GraphError::new(StatusCode::NOT_FOUND, "ErrorItemNotFound", message));
    };
    match *method {
        Method::PUT => {
            session.take(headers, body, face.control.limits().limits().upload_step)?;
            if session.received < session.size {
                return Ok((StatusCode::OK, None, Some(session.state())));
            }
            let session = sessions.remove(secret).ok_or_else(GraphError::item_not_found)?;
            let location = session.attach(face)?;
            Ok((StatusCode::CREATED, Some(location), None))
        }
        Method::GET => Ok((StatusCode::OK, None, Some(session.state()))),
        Method::DELETE => {
            sessions.remove(secret);
            Ok((StatusCode::NO_CONTENT, None, None))
        }
        _ => Err(GraphError::new(StatusCode::METHOD_NOT_ALLOWED, "BadRequest", "Method not allowed.")),
    }
}

impl Session {
    fn state(&self) -> Value {
        json!({
            "expirationDateTime": self.expires.to_string(),
            "nextExpectedRanges": [self.received.to_string()],
        })
    }

    /// Takes the next range.
    fn take(&mut self, headers: &HeaderMap, body: &Bytes, step: u64) -> Result<(), GraphError> {
        let range = headers.get("content-range").and_then(|value| value.to_str().ok()).and_then(range);
        let Some((from, to, size)) = range else {
            return Err(GraphError::bad_request(
                "ErrorInvalidRequest",
                "Content-Range is missing or malformed.",
            ));
        };
        let length = body.len() as u64;
        if from != self.received || size != self.size || to >= size {
            let message = format!("The range must begin at {}.", self.received);
            return Err(GraphError::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message));
        }
        let last = to + 1 == size;
        if to + 1 - from != length || (!last && !length.is_multiple_of(step)) {
            let message =
                "A range has as many bytes as it says, and is a multiple of 320 KiB but for the last one.";
            return Err(GraphError::bad_request("InvalidContentRange", message));
        }
        self.encoded.push(self.lines.push(body).into());
        self.received += length;
        Ok(())
    }

    /// Makes what was received an attachment; answers with its address.
    fn attach(mut self, face: &Face) -> Result<String, GraphError> {
        self.encoded.push(self.lines.finish().into());
        let (folder, message) = self.mailbox.find(self.message).ok_or_else(GraphError::item_not_found)?;
        let file = File {
            name: self.name,
            content_type: self.content_type,
            content_id: self.content_id,
            lines: self.encoded,
        };
        self.mailbox.replace_content(self.message, compose::attach(&message.content, file))?;
        let number = number_of(&self.owner.address);
        let (_, message) = self.mailbox.find(self.message).ok_or_else(GraphError::item_not_found)?;
        let at = face.summary(number, &message).attachments.len().saturating_sub(1);
        let id = Id::Message { folder, uid: message.uid, id: message.id }.write(number, Form::Rest);
        let attachment = Id::Attachment { message: message.id, at }.write(number, Form::Rest);
        Ok(format!(
            "{}/api/v2.0/Users('{}')/Messages('{id}')/Attachments('{attachment}')",
            face.upload_url,
            face.object_id(&self.owner)
        ))
    }
}

/// `bytes 0-327679/4194304`
fn range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let (from, to, size) = (from.parse().ok()?, to.parse().ok()?, size.parse().ok()?);
    (from <= to).then_some((from, to, size))
}
