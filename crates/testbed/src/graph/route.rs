//! Which path is which resource.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{
    attachments,
    auth::{self, Act},
    batch,
    call::{Call, Reply},
    changes, delta, drafts,
    errors::GraphError,
    exchange_ids, folders, messages, send,
    server::{self, Face},
    target::{self, Target},
    upload,
};
use crate::mailbox::FolderId;

/// Carries out a call, alone or inside a batch.
pub(super) fn answer(face: &Arc<Face>, call: &Call) -> Result<Reply, GraphError> {
    if call.path.first().is_some_and(|first| first == "$batch") {
        return if call.method == Method::POST { batch::answer(face, call) } else { Err(not_allowed()) };
    }
    face.control.limits().count(&server::key(face, call))?;
    let (owner, _, rest) = target::owner(face, call)?;
    match (&call.method, names(rest).as_slice()) {
        (&Method::GET, []) => {
            auth::permit_profile(&call.token, &owner)?;
            Ok(Reply::ok(json!({
                "@odata.context": format!("{}/v1.0/$metadata#users/$entity", face.url),
                "businessPhones": [],
                "displayName": owner.display_name,
                "givenName": null,
                "jobTitle": null,
                "mail": owner.mailbox.is_some().then_some(&owner.address),
                "mobilePhone": null,
                "officeLocation": null,
                "preferredLanguage": "nl-NL",
                "surname": null,
                "userPrincipalName": owner.address,
                "id": face.object_id(&owner),
            })))
        }
        (&Method::POST, ["translateExchangeIds"]) => {
            auth::permit_profile(&call.token, &owner)?;
            exchange_ids::translate(&owner, call)
        }
        (&Method::POST, ["sendMail"]) => send::send_mail(&Target::open(face, call, Act::Send)?.0),
        (_, ["mailFolders", ..]) => in_folders(face, call),
        (_, ["messages", ..]) => {
            let (target, rest) = Target::open(face, call, act(call, rest))?;
            in_messages(&target, None, rest.get(1..).unwrap_or_default())
        }
        (_, [name, ..]) => Err(no_segment(name)),
        (_, []) => Err(not_allowed()),
    }
}

fn names(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// What the call does to the mailbox.
fn act(call: &Call, rest: &[String]) -> Act {
    match (&call.method, rest.last().map(String::as_str)) {
        (&Method::GET, _) => Act::Read,
        (&Method::POST, Some("send")) => Act::Send,
        _ => Act::Write,
    }
}

fn in_folders(face: &Arc<Face>, call: &Call) -> Result<Reply, GraphError> {
    let act = act(call, &call.path);
    let (target, rest) = Target::open(face, call, act)?;
    let mut folder = None;
    let mut rest = rest;
    while let [collection, id, after @ ..] = rest
        && matches!(collection.as_str(), "mailFolders" | "childFolders")
        && id != "delta"
    {
        folder = Some(target.folder_id(id)?);
        rest = after;
    }
    match (&call.method, folder, names(rest).as_slice()) {
        (&Method::GET, None, ["mailFolders", "delta"]) => delta::folders(&target),
        (&Method::GET, None, ["mailFolders"]) => folders::list(&target, target::ROOT),
        (&Method::POST, None, ["mailFolders"]) => folders::create(&target, target::ROOT),
        (&Method::GET, Some(folder), []) => folders::get(&target, folder),
        (&Method::PATCH, Some(folder), []) => folders::rename(&target, folder),
        (&Method::DELETE, Some(folder), []) => folders::delete(&target, folder),
        (&Method::GET, Some(folder), ["childFolders"]) => folders::list(&target, folder),
        (&Method::POST, Some(folder), ["childFolders"]) => folders::create(&target, folder),
        (_, Some(folder), ["messages", ..]) => {
            in_messages(&target, Some(folder), rest.get(1..).unwrap_or_default())
        }
        (_, _, [name, ..]) if *name != "mailFolders" => Err(no_segment(name)),
        _ => Err(not_allowed()),
    }
}

fn in_messages(target: &Target<'_>, folder: Option<FolderId>, rest: &[String]) -> Result<Reply, GraphError> {
    let (get, post) = (target.call.method == Method::GET, target.call.method == Method::POST);
    let (patch, delete) = (target.call.method == Method::PATCH, target.call.method == Method::DELETE);
    match names(rest).as_slice() {
        [] if get => messages::list(target, folder),
        [] if post => drafts::create(target, folder),
        ["delta"] if get => delta::messages(target, folder),
        [id] if get => messages::get(target, folder, id),
        [id] if patch => changes::patch(target, folder, id),
        [id] if delete => changes::delete(target, folder, id),
        [id, "$value"] if get && folder.is_none() => messages::value(target, id),
        // Documented, and refused all the same.
        [_, "$value"] if get => Err(not_supported()),
        [id, "move"] if post => changes::move_message(target, folder, id),
        [id, "copy"] if post => changes::copy(target, folder, id),
        [id, "permanentDelete"] if post => changes::permanent_delete(target, folder, id),
        [id, "send"] if post => send::send_draft(target, folder, id),
        [id, "attachments"] if get => attachments::list(target, folder, id),
        [id, "attachments"] if post => attachments::add(target, folder, id),
        [id, "attachments", "createUploadSession"] if post => upload::create(target, folder, id),
        [id, "attachments", attachment] if get => attachments::get(target, folder, id, attachment),
        [id, "attachments", attachment, "$value"] if get => {
            attachments::value(target, folder, id, attachment)
        }
        [_] | [] | [_, "$value" | "move" | "copy" | "permanentDelete" | "send" | "attachments"] => {
            Err(not_allowed())
        }
        [.., name] => Err(no_segment(name)),
    }
}

fn no_segment(name: &str) -> GraphError {
    GraphError::bad_request("BadRequest", format!("Resource not found for the segment '{name}'."))
}

fn not_supported() -> GraphError {
    let message = "The OData request is not supported.";
    GraphError::new(StatusCode::METHOD_NOT_ALLOWED, "ErrorInvalidRequest", message)
}

fn not_allowed() -> GraphError {
    let message = "Specified HTTP method is not allowed for the request target.";
    GraphError::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
}
