//! What changes a message: `move`, `copy`, PATCH, DELETE, `permanentDelete`.

use axum::http::StatusCode;
use serde_json::Value;

use super::{call::Reply, drafts, errors::GraphError, folders, messages, resources, target::Target};
use crate::mailbox::{FlagChange, FolderId, MessageId, Role};

/// `POST messages/{id}/move`: 201 with the message where it lies now.
pub(super) fn move_message(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
) -> Result<Reply, GraphError> {
    let (from, message) = target.message(id, folder)?;
    let to = folders::destination(target, &target.call.json()?, "destinationId")?;
    target.mailbox.move_messages(from, &[message.uid], to)?;
    created(target, message.id)
}

/// `POST messages/{id}/copy`: 201 with the copy.
pub(super) fn copy(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (from, message) = target.message(id, folder)?;
    let to = folders::destination(target, &target.call.json()?, "destinationId")?;
    let placed = target.mailbox.copy(from, &[message.uid], to)?;
    let copy = placed.first().ok_or_else(GraphError::item_not_found)?;
    created(target, copy.id)
}

fn created(target: &Target<'_>, id: MessageId) -> Result<Reply, GraphError> {
    let (folder, message) = target.again(id)?;
    let mut object = resources::message(target, folder, &message, None);
    messages::entity(target, &mut object);
    Ok(Reply::created(object))
}

/// `PATCH messages/{id}`: marks; the words of a message only while it is a draft.
pub(super) fn patch(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (folder, message) = target.message(id, folder)?;
    let json = target.call.json()?;
    let changes = json.as_object().into_iter().flatten();
    let mut flags = message.flags.clone();
    let mut words = false;
    for (name, value) in changes {
        match name.as_str() {
            "isRead" => flags.seen = value.as_bool().ok_or_else(|| wrong_type(name))?,
            "flag" => {
                let status = value.get("flagStatus").and_then(Value::as_str);
                flags.flagged = match status.ok_or_else(|| wrong_type(name))? {
                    "flagged" => true,
                    "notFlagged" | "complete" => false,
                    _ => return Err(wrong_type(name)),
                };
            }
            "categories" => {
                let list = value.as_array().ok_or_else(|| wrong_type(name))?;
                flags.keywords = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            "subject" | "body" | "toRecipients" | "ccRecipients" | "bccRecipients" | "from" | "sender"
            | "replyTo" => words = true,
            // Kept by the service, shown by no face.
            "importance" | "inferenceClassification" | "isReadReceiptRequested" => {}
            name if name.starts_with('@') => {}
            _ => {
                let message = format!(
                    "The property '{name}' does not exist on type 'microsoft.graph.message' or is read-only."
                );
                return Err(GraphError::bad_request("RequestBodyRead", message));
            }
        }
    }
    if words && !message.flags.draft {
        // Announced for 2026-12-31: it takes Mail-Advanced.ReadWrite.
        let message = "Access is denied. Changing these properties of a message that is not a draft needs an advanced permission.";
        return Err(GraphError::new(StatusCode::FORBIDDEN, "ErrorAccessDenied", message));
    }
    if flags != message.flags {
        target.mailbox.change_flags(folder, &[message.uid], FlagChange::Replace, &flags)?;
    }
    if words {
        drafts::change(target, &message, &json)?;
    }
    let (folder, message) = target.again(message.id)?;
    let mut object = resources::message(target, folder, &message, None);
    messages::entity(target, &mut object);
    Ok(Reply::ok(object))
}

fn wrong_type(name: &str) -> GraphError {
    let message = format!("Cannot convert the value of '{name}' to the expected type.");
    GraphError::bad_request("RequestBodyRead", message)
}

/// `DELETE messages/{id}`: to the deleted items, where a person finds it again; there for good.
pub(super) fn delete(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (from, message) = target.message(id, folder)?;
    if folders::is_last_place(&target.mailbox.folder_by_id(from)?) {
        target.mailbox.remove(from, &[message.uid])?;
    } else {
        let trash = target.role(Role::Trash)?;
        target.mailbox.move_messages(from, &[message.uid], trash)?;
    }
    Ok(Reply::no_content())
}

/// `POST messages/{id}/permanentDelete`: out of every folder that a person sees.
pub(super) fn permanent_delete(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
) -> Result<Reply, GraphError> {
    let (from, message) = target.message(id, folder)?;
    target.mailbox.remove(from, &[message.uid])?;
    Ok(Reply::no_content())
}
