//! Attachments: files with their bytes, messages, and links whose bytes lie elsewhere.

use axum::{body::Bytes as Piece, http::StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    call::Reply,
    drafts,
    errors::GraphError,
    ids::Id,
    mime::{
        attachment::Extract,
        compose::{self, File},
        summary::{AttachmentInfo, AttachmentKind},
        walk,
    },
    odata,
    target::Target,
};
use crate::mailbox::{FolderId, Message};

/// Attachments in a page when nothing else is asked for.
const PAGE: usize = 1000;

/// `GET attachments`
pub(super) fn list(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (_, message) = target.message(id, folder)?;
    let whole = whole(target, &message);
    let select = target.call.query.select();
    let url = format!("{}/messages/{id}/attachments", target.url);
    let context = target.context(&format!("messages('{id}')/attachments"));
    let items = whole.as_array().map(Vec::as_slice).unwrap_or_default();
    let page = target.call.query.page(&url, &context, items, PAGE, |attachment| {
        odata::select(attachment.clone(), select.as_deref())
    })?;
    Ok(Reply::ok(page))
}

/// Every attachment; the bytes of files unless other properties are selected.
pub(super) fn whole(target: &Target<'_>, message: &Message) -> Value {
    let select = target.call.query.select();
    let bytes = select.is_none_or(|select| select.iter().any(|name| name == "contentBytes"));
    let summary = target.face.summary(target.number, message);
    let one = |(at, info): (usize, &AttachmentInfo)| {
        let mut object = describe(target, message, at, info);
        if bytes
            && info.kind == AttachmentKind::File
            && let Some(object) = object.as_object_mut()
        {
            let content: Vec<u8> = walk::stream(&message.content, Extract::new(at)).flatten().collect();
            object.insert("contentBytes".to_owned(), STANDARD.encode(content).into());
        }
        object
    };
    summary.attachments.iter().enumerate().map(one).collect()
}

fn describe(target: &Target<'_>, message: &Message, at: usize, info: &AttachmentInfo) -> Value {
    let kind = match info.kind {
        AttachmentKind::File => "fileAttachment",
        AttachmentKind::Item => "itemAttachment",
        AttachmentKind::Reference => "referenceAttachment",
    };
    let mut object = json!({
        "@odata.type": format!("#microsoft.graph.{kind}"),
        "id": target.write(Id::Attachment { message: message.id, at }),
        "lastModifiedDateTime": message.received.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "name": info.name,
        "contentType": (info.kind == AttachmentKind::File).then_some(&info.content_type),
        // The store counts its own overhead.
        "size": info.size + 154,
        "isInline": info.inline,
    });
    if let Some(object) = object.as_object_mut().filter(|_| info.kind == AttachmentKind::File) {
        object.insert("contentId".to_owned(), info.content_id.clone().into());
        object.insert("contentLocation".to_owned(), Value::Null);
    }
    object
}

fn find(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
    attachment: &str,
) -> Result<(Message, usize, AttachmentInfo), GraphError> {
    let (_, message) = target.message(id, folder)?;
    let Some(Id::Attachment { message: of, at }) = target.read(attachment) else {
        return Err(GraphError::malformed_id());
    };
    let summary = target.face.summary(target.number, &message);
    match summary.attachments.get(at).filter(|_| of == message.id) {
        Some(info) => Ok((message, at, info.clone())),
        None => Err(GraphError::item_not_found()),
    }
}

/// `GET attachments/{id}`: with the bytes of a file in base64, written while they are sent.
pub(super) fn get(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
    attachment: &str,
) -> Result<Reply, GraphError> {
    let (message, at, info) = find(target, folder, id, attachment)?;
    let mut object = describe(target, &message, at, &info);
    let context = target.context("messages/attachments/$entity");
    if let Some(object) = object.as_object_mut() {
        object.shift_insert(0, "@odata.context".to_owned(), context.into());
    }
    let select = target.call.query.select();
    let wants_bytes = select.as_ref().is_none_or(|select| select.iter().any(|name| name == "contentBytes"));
    let object = odata::select(object, select.as_deref());
    if info.kind != AttachmentKind::File || !wants_bytes {
        return Ok(Reply::ok(object));
    }
    let head = object.to_string();
    let head = Bytes::from(format!("{},\"contentBytes\":\"", head.trim_end_matches('}')));
    let mut held = Vec::new();
    let encode = move |piece: Option<Bytes>| {
        held.extend(piece.iter().flatten());
        let rest = if piece.is_some() { held.split_off(held.len() / 3 * 3) } else { Vec::new() };
        Bytes::from(STANDARD.encode(std::mem::replace(&mut held, rest)))
    };
    let content = walk::stream(&message.content, Extract::new(at));
    let content = content.map(Some).chain([None]).map(encode);
    let pieces = [head].into_iter().chain(content).chain([Piece::from_static(b"\"}")]);
    Ok(Reply::pieces("application/json;odata.metadata=minimal;charset=utf-8", pieces))
}

/// `GET attachments/{id}/$value`
pub(super) fn value(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
    attachment: &str,
) -> Result<Reply, GraphError> {
    let (message, at, info) = find(target, folder, id, attachment)?;
    let kind = match info.kind {
        AttachmentKind::File => info.content_type,
        AttachmentKind::Item => "text/plain".to_owned(),
        AttachmentKind::Reference => {
            let message = "Reference attachments have no content here.";
            return Err(GraphError::new(StatusCode::METHOD_NOT_ALLOWED, "ErrorInvalidRequest", message));
        }
    };
    Ok(Reply::pieces(kind, walk::stream(&message.content, Extract::new(at))))
}

/// `POST attachments`: a small file for a draft.
pub(super) fn add(target: &Target<'_>, folder: Option<FolderId>, id: &str) -> Result<Reply, GraphError> {
    let (_, message) = target.message(id, folder)?;
    drafts::refuse_sent(&message)?;
    let file = file(&target.call.json()?)?;
    target.mailbox.replace_content(message.id, compose::attach(&message.content, file))?;
    let (_, message) = target.again(message.id)?;
    let summary = target.face.summary(target.number, &message);
    let at = summary.attachments.len().saturating_sub(1);
    let info = summary.attachments.last().cloned().unwrap_or_default();
    Ok(Reply::created(describe(target, &message, at, &info)))
}

/// A file out of its JSON.
pub(super) fn file(json: &Value) -> Result<File, GraphError> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = text("@odata.type").unwrap_or_default();
    let bytes = text("contentBytes").and_then(|bytes| STANDARD.decode(bytes).ok());
    let (Some(bytes), Some(name), true) = (bytes, text("name"), kind.ends_with("fileAttachment")) else {
        let message = "Only a fileAttachment with name and contentBytes can be attached here.";
        return Err(GraphError::bad_request("ErrorInvalidProperty", message));
    };
    let inline = json.get("isInline").and_then(Value::as_bool).unwrap_or(false);
    Ok(File {
        name,
        content_type: text("contentType").unwrap_or_else(|| "application/octet-stream".to_owned()),
        content_id: text("contentId").filter(|_| inline),
        lines: vec![compose::base64(&bytes)],
    })
}
