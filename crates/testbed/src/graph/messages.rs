//! `messages`: listing, one message, its MIME.

use axum::http::StatusCode;
use serde_json::Value;

use super::{
    attachments,
    call::Reply,
    errors::GraphError,
    filter::Properties as _,
    ids::Id,
    mime::{compose::rfc5322, rewrite::Rewrite, walk},
    resources::{self, Reading},
    target::{ROOT, Target},
};
use crate::mailbox::{FolderId, Message};

/// Messages in a page when nothing else is asked for.
const PAGE: usize = 10;

/// `GET messages`, in one folder or in all.
pub(super) fn list(target: &Target<'_>, folder: Option<FolderId>) -> Result<Reply, GraphError> {
    let query = &target.call.query;
    if query.get("$search").is_some() {
        let message = "Search is not part of this service.";
        return Err(GraphError::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
    }
    let mut found = all(target, folder)?;
    let (filter, order) = (query.filter()?, query.order());
    if let Some(filter) = &filter {
        let properties: Vec<&str> = order.iter().map(|(property, _)| property.as_str()).collect();
        filter.refuse_inefficient(&properties)?;
        found.retain(|(folder, message)| filter.passes(&Reading::new(target, *folder, message)));
    }
    // The newest come first, unless the client says otherwise.
    found.sort_by_key(|(_, message)| (std::cmp::Reverse(message.received), message.id));
    for (property, descending) in order.iter().rev() {
        let key = |(folder, message): &(FolderId, Message)| {
            let reading = Reading::new(target, *folder, message);
            let time = reading.time(property);
            let text =
                if time.is_none() { reading.at(property).to_string().to_lowercase() } else { String::new() };
            (time, text)
        };
        found.sort_by_cached_key(key);
        if *descending {
            found.reverse();
        }
    }
    let (url, context) = match folder {
        None => (format!("{}/messages", target.url), target.context("messages")),
        Some(folder) => {
            let id = target.write(Id::Folder(folder));
            let context = target.context(&format!("mailFolders('{id}')/messages"));
            (format!("{}/mailFolders/{id}/messages", target.url), context)
        }
    };
    let select = query.select();
    let page = query.page(&url, &context, &found, PAGE, |(folder, message)| {
        with_attachments(target, *folder, message, select.as_deref())
    })?;
    Ok(Reply::ok(page))
}

/// Every message of a folder, or of all folders but hidden ones.
pub(super) fn all(
    target: &Target<'_>,
    folder: Option<FolderId>,
) -> Result<Vec<(FolderId, Message)>, GraphError> {
    let folders = match folder {
        Some(ROOT) => Vec::new(),
        Some(folder) => vec![folder],
        None => {
            let visible = target.mailbox.folders().into_iter().filter(|folder| !folder.hidden);
            visible.map(|folder| folder.id).collect()
        }
    };
    let mut found = Vec::new();
    for folder in folders {
        found.extend(target.mailbox.messages(folder)?.into_iter().map(|message| (folder, message)));
    }
    Ok(found)
}

/// `GET messages/{id}`
pub(super) fn get(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (folder, message) = target.message(id, folder)?;
    let select = target.call.query.select();
    let mut object = with_attachments(target, folder, &message, select.as_deref());
    entity(target, &mut object);
    Ok(Reply::ok(object))
}

/// Adds the context of one message.
pub(super) fn entity(target: &Target<'_>, object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.shift_insert(0, "@odata.context".to_owned(), target.context("messages/$entity").into());
    }
}

fn with_attachments(
    target: &Target<'_>,
    folder: FolderId,
    message: &Message,
    select: Option<&[String]>,
) -> Value {
    let mut object = resources::message(target, folder, message, select);
    let expand = target.call.query.get("$expand").unwrap_or_default();
    if expand.split(',').any(|name| name.trim().starts_with("attachments"))
        && let Some(object) = object.as_object_mut()
    {
        object.insert("attachments".to_owned(), attachments::whole(target, message));
    }
    object
}

/// `GET messages/{id}/$value`: the message as MIME, written anew while it is sent.
pub(super) fn value(target: &Target<'_>, id: &str) -> Result<Reply, GraphError> {
    let (_, message) = target.message(id, None)?;
    let rewrite = Rewrite::new(message.id.0, rfc5322(message.received));
    Ok(Reply::pieces("text/plain", walk::stream(&message.content, rewrite)))
}
