//! Drafts: made from JSON or from MIME, changed while they are drafts.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    attachments,
    call::Reply,
    errors::GraphError,
    messages,
    mime::compose,
    resources,
    target::{ROOT, Target},
};
use crate::mailbox::{Content, Flags, FolderId, Message, NewMessage, Role};

/// `POST messages`: into the drafts, or the folder that the path names. Every new message is a draft.
pub(super) fn create(target: &Target<'_>, folder: Option<FolderId>) -> Result<Reply, GraphError> {
    let folder = match folder.filter(|folder| *folder != ROOT) {
        Some(folder) => folder,
        None => target.role(Role::Drafts)?,
    };
    let content = match target.call.is_mime() {
        true => mime(target)?,
        false => message(target, &target.call.json()?)?,
    };
    let path = target.mailbox.folder_by_id(folder)?;
    let flags = Flags { draft: true, seen: true, ..Flags::default() };
    let placed = target.mailbox.append(path.id, NewMessage { flags, ..NewMessage::new(content) })?;
    let (folder, message) = target.again(placed.id)?;
    let mut object = resources::message(target, folder, &message, None);
    messages::entity(target, &mut object);
    Ok(Reply::created(object))
}

/// A message out of its JSON, small attachments too.
pub(super) fn message(target: &Target<'_>, json: &Value) -> Result<Content, GraphError> {
    let owner = &target.owner;
    let from = format!("{} <{}>", owner.display_name, owner.address);
    let number = target.mailbox.generation() + 1;
    let mut content = compose::message(json, &from, number, Timestamp::now());
    for attachment in json.get("attachments").and_then(Value::as_array).into_iter().flatten() {
        content = compose::attach(&content, attachments::file(attachment)?);
    }
    Ok(content)
}

/// A message out of a body of base64.
pub(super) fn mime(target: &Target<'_>) -> Result<Content, GraphError> {
    let invalid = || {
        let message = "The MIME content is not valid base64 or not a message.";
        GraphError::bad_request("ErrorMimeContentInvalidBase64String", message)
    };
    let text: Vec<u8> = target.call.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(text).map_err(|_| invalid())?;
    if memchr::memchr(b':', &bytes).is_none() {
        return Err(invalid());
    }
    Ok(bytes.into())
}

/// Changes the words of a draft.
pub(super) fn change(target: &Target<'_>, message: &Message, json: &Value) -> Result<(), GraphError> {
    let owner = &target.owner;
    let from = format!("{} <{}>", owner.display_name, owner.address);
    let content = compose::changed(&message.content, json, &from, message.id.0);
    Ok(target.mailbox.replace_content(message.id, content)?)
}

/// Refuses what only a draft allows.
pub(super) fn refuse_sent(message: &Message) -> Result<(), GraphError> {
    if message.flags.draft {
        return Ok(());
    }
    let message = "The operation can only be performed on a draft message.";
    Err(GraphError::new(StatusCode::BAD_REQUEST, "ErrorInvalidOperation", message))
}
