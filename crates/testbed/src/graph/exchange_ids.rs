//! `translateExchangeIds`: from one form of ids to another, at most 1,000 at a time.

use serde_json::{Value, json};

use super::{
    call::{Call, Reply, parameter},
    errors::GraphError,
    ids::{Form, Id, number_of},
};
use crate::mailboxes::Owner;

/// The most ids in one request.
const MOST: usize = 1000;

/// `POST translateExchangeIds`
pub(super) fn translate(owner: &Owner, call: &Call) -> Result<Reply, GraphError> {
    let json = call.json()?;
    let mailbox = owner.mailbox.clone().ok_or_else(GraphError::no_mailbox)?;
    let number = number_of(&owner.address);
    let (from, from_immutable) = form(&json, "sourceIdType")?;
    let (to, to_immutable) = form(&json, "targetIdType")?;
    let inputs =
        parameter(&json, "inputIds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if inputs.is_empty() || inputs.len() > MOST {
        let message = format!("The number of ids must be between 1 and {MOST}.");
        return Err(GraphError::bad_request("ErrorInvalidArgument", message));
    }
    let one = |input: &Value| {
        let text = input.as_str().unwrap_or_default();
        let read = Id::read(text, number, from).filter(|id| match id {
            Id::Message { .. } => !from_immutable,
            Id::Immutable(_) => from_immutable,
            Id::Folder(_) => true,
            Id::Attachment { .. } => false,
        });
        let Some(id) = read else { return failed(text, "ErrorInvalidIdMalformed", "Id is malformed.") };
        let message = match id {
            Id::Message { id, .. } | Id::Immutable(id) => id,
            other => return json!({ "sourceId": text, "targetId": other.write(number, to) }),
        };
        let Some((folder, found)) = mailbox.find(message) else {
            return failed(text, "ErrorItemNotFound", "The specified object was not found in the store.");
        };
        let translated = match to_immutable {
            true => Id::Immutable(message),
            false => Id::Message { folder, uid: found.uid, id: message },
        };
        json!({ "sourceId": text, "targetId": translated.write(number, to) })
    };
    Ok(Reply::ok(json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)",
        "value": inputs.iter().map(one).collect::<Vec<_>>(),
    })))
}

fn failed(text: &str, code: &str, message: &str) -> Value {
    json!({ "sourceId": text, "targetId": "", "errorDetails": { "code": code, "message": message } })
}

/// A form by its name, and whether its ids are immutable.
fn form(json: &Value, key: &str) -> Result<(Form, bool), GraphError> {
    match parameter(json, key).and_then(Value::as_str).unwrap_or_default() {
        "entryId" => Ok((Form::Entry, false)),
        "immutableEntryId" => Ok((Form::Entry, true)),
        "ewsId" => Ok((Form::Ews, false)),
        "restId" => Ok((Form::Rest, false)),
        "restImmutableEntryId" => Ok((Form::Rest, true)),
        other => {
            let message = format!("The value '{other}' of '{key}' is no format of ids.");
            Err(GraphError::bad_request("BadRequest", message))
        }
    }
}
