//! `mailFolders` and `childFolders`.

use std::collections::HashMap;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    call::{Reply, parameter},
    errors::GraphError,
    ids::Id,
    odata,
    target::{ROOT, Target, folder_not_found},
};
use crate::mailbox::{FolderId, FolderInfo, Role};

/// Folders in a page when nothing else is asked for.
const PAGE: usize = 10;

/// `GET mailFolders`, `GET childFolders`
pub(super) fn list(target: &Target<'_>, parent: FolderId) -> Result<Reply, GraphError> {
    let query = &target.call.query;
    let hidden = query.is_true("includeHiddenFolders");
    let folders = target.mailbox.folders();
    let (filter, below) = (query.filter()?, children(&folders));
    let shown: Vec<Value> = folders
        .iter()
        .filter(|folder| folder.parent.unwrap_or(ROOT) == parent && (hidden || !folder.hidden))
        .map(|folder| write(target, folder, &below))
        .filter(|folder| {
            let property = |name: &str| folder.get(name).cloned().unwrap_or_default();
            filter.as_ref().is_none_or(|filter| filter.passes(&property))
        })
        .collect();
    let (url, context) = match parent {
        ROOT => (format!("{}/mailFolders", target.url), target.context("mailFolders")),
        parent => {
            let id = target.write(Id::Folder(parent));
            let context = target.context(&format!("mailFolders('{id}')/childFolders"));
            (format!("{}/mailFolders/{id}/childFolders", target.url), context)
        }
    };
    let select = query.select();
    let page = query
        .page(&url, &context, &shown, PAGE, |folder| odata::select(folder.clone(), select.as_deref()))?;
    Ok(Reply::ok(page))
}

/// `GET mailFolders/{id}`
pub(super) fn get(target: &Target<'_>, folder: FolderId) -> Result<Reply, GraphError> {
    Ok(Reply::ok(one(target, folder)?))
}

/// `POST mailFolders`, `POST childFolders`
pub(super) fn create(target: &Target<'_>, parent: FolderId) -> Result<Reply, GraphError> {
    let json = target.call.json()?;
    let name = json.get("displayName").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || name.chars().count() > 255 {
        let message = "The folder display name is missing or too long.";
        return Err(GraphError::bad_request("ErrorInvalidFolderName", message));
    }
    let parent = (parent != ROOT).then_some(parent);
    let id = target.mailbox.create_folder(parent, name)?;
    if json.get("isHidden").and_then(Value::as_bool) == Some(true) {
        target.mailbox.describe_folder(id, true, 0)?;
    }
    Ok(Reply::created(one(target, id)?))
}

/// `PATCH mailFolders/{id}`: another name.
pub(super) fn rename(target: &Target<'_>, folder: FolderId) -> Result<Reply, GraphError> {
    let json = target.call.json()?;
    let Some(name) = json.get("displayName").and_then(Value::as_str) else {
        return Err(GraphError::bad_request("BadRequest", "Only displayName can be changed."));
    };
    let parent = target.mailbox.folder_by_id(folder)?.parent;
    target.mailbox.rename_folder(folder, parent, name)?;
    Ok(Reply::ok(one(target, folder)?))
}

/// `DELETE mailFolders/{id}`
pub(super) fn delete(target: &Target<'_>, folder: FolderId) -> Result<Reply, GraphError> {
    target.mailbox.delete_folder(folder)?;
    Ok(Reply::no_content())
}

fn one(target: &Target<'_>, id: FolderId) -> Result<Value, GraphError> {
    let folders = target.mailbox.folders();
    let below = children(&folders);
    let mut folder = match folders.iter().find(|folder| folder.id == id) {
        Some(folder) => write(target, folder, &below),
        None if id == ROOT => root(target, &below),
        None => return Err(folder_not_found()),
    };
    folder = odata::select(folder, target.call.query.select().as_deref());
    if let Some(folder) = folder.as_object_mut() {
        folder.shift_insert(0, "@odata.context".to_owned(), target.context("mailFolders/$entity").into());
    }
    Ok(folder)
}

/// How many folders that are not hidden lie in each folder.
pub(super) fn children(folders: &[FolderInfo]) -> HashMap<FolderId, usize> {
    let mut children = HashMap::new();
    for folder in folders.iter().filter(|folder| !folder.hidden) {
        *children.entry(folder.parent.unwrap_or(ROOT)).or_default() += 1;
    }
    children
}

/// A folder as the service shows it. Its counts take in what is no mail.
pub(super) fn write(target: &Target<'_>, folder: &FolderInfo, children: &HashMap<FolderId, usize>) -> Value {
    let name = folder.path.last().cloned().unwrap_or_default();
    let name = if target.face.control.hides_slashes() { name.replace('/', "_xF8FF_") } else { name };
    json!({
        "id": target.write(Id::Folder(folder.id)),
        "displayName": name,
        "parentFolderId": target.write(Id::Folder(folder.parent.unwrap_or(ROOT))),
        "childFolderCount": children.get(&folder.id).copied().unwrap_or_default(),
        "unreadItemCount": folder.unread,
        "totalItemCount": folder.total + folder.other_items,
        "sizeInBytes": folder.total * 75_000,
        "isHidden": folder.hidden,
    })
}

fn root(target: &Target<'_>, children: &HashMap<FolderId, usize>) -> Value {
    json!({
        "id": target.write(Id::Folder(ROOT)),
        "displayName": "Bovenste niveau van gegevensarchief",
        "parentFolderId": target.write(Id::Folder(FolderId(u64::MAX))),
        "childFolderCount": children.get(&ROOT).copied().unwrap_or_default(),
        "unreadItemCount": 0,
        "totalItemCount": 0,
        "sizeInBytes": 0,
        "isHidden": false,
    })
}

/// Whether messages that are removed here are gone: everywhere else they go to the deleted items.
pub(super) fn is_last_place(folder: &FolderInfo) -> bool {
    folder.role == Some(Role::Trash)
}

/// A folder's id that a body names, under the name `key`.
pub(super) fn destination(target: &Target<'_>, json: &Value, key: &str) -> Result<FolderId, GraphError> {
    let Some(id) = parameter(json, key).and_then(Value::as_str) else {
        return Err(GraphError::bad_request("ErrorInvalidRequest", format!("{key} is missing.")));
    };
    let folder = target.folder_id(id)?;
    if folder == ROOT {
        let message = "Messages cannot be put into this folder.";
        return Err(GraphError::new(StatusCode::BAD_REQUEST, "ErrorInvalidOperation", message));
    }
    Ok(folder)
}
