//! `sendMail`, and `send` of a draft. What is sent goes nowhere; the record of it is [`super::Control::sent`].

use axum::http::StatusCode;
use mail_parser::MessageParser;
use serde_json::Value;

use super::{
    call::{Reply, parameter},
    control::Sent,
    drafts,
    errors::GraphError,
    target::Target,
};
use crate::mailbox::{Content, FlagChange, Flags, FolderId, NewMessage, Role};

/// `POST sendMail`: 202, and a copy in the sent items of the mailbox in the path.
pub(super) fn send_mail(target: &Target<'_>) -> Result<Reply, GraphError> {
    let (content, saved) = if target.call.is_mime() {
        (drafts::mime(target)?, true)
    } else {
        let json = target.call.json()?;
        let Some(message) = parameter(&json, "message").filter(|message| message.is_object()) else {
            return Err(GraphError::bad_request("BadRequest", "The parameter 'Message' is missing."));
        };
        let saved = parameter(&json, "saveToSentItems").is_none_or(|saved| *saved != Value::Bool(false));
        (drafts::message(target, message)?, saved)
    };
    hand_in(target, &content)?;
    if saved {
        let sent = target.role(Role::Sent)?;
        let flags = Flags { seen: true, ..Flags::default() };
        target.mailbox.append(sent, NewMessage { flags, ..NewMessage::new(content) })?;
    }
    Ok(Reply::accepted())
}

/// `POST messages/{id}/send`: the draft itself becomes the copy in the sent items; its immutable id stays.
pub(super) fn send_draft(
    target: &Target<'_>,
    folder: Option<FolderId>,
    id: &str,
) -> Result<Reply, GraphError> {
    let (from, message) = target.message(id, folder)?;
    drafts::refuse_sent(&message)?;
    hand_in(target, &message.content)?;
    let draft = Flags { draft: true, ..Flags::default() };
    target.mailbox.change_flags(from, &[message.uid], FlagChange::Remove, &draft)?;
    target.mailbox.move_messages(from, &[message.uid], target.role(Role::Sent)?)?;
    Ok(Reply::accepted())
}

/// Checks whom the message is from and to, and notes it as sent.
fn hand_in(target: &Target<'_>, content: &Content) -> Result<(), GraphError> {
    let header = content.header();
    let parsed = MessageParser::new().parse_headers(header.as_ref()).unwrap_or_default();
    let lists = [parsed.to(), parsed.cc(), parsed.bcc()];
    let recipients: Vec<String> = lists
        .into_iter()
        .flatten()
        .flat_map(|list| list.iter())
        .filter_map(|one| one.address().map(str::to_owned))
        .collect();
    if recipients.is_empty() {
        let message = "At least one recipient is not valid.";
        return Err(GraphError::bad_request("ErrorInvalidRecipients", message));
    }
    let from = parsed.from().and_then(|from| from.first()).and_then(|from| from.address());
    let from = from.unwrap_or(&target.owner.address).to_owned();
    let token = &target.call.token;
    if let Some(user) = &token.user {
        let rights = target.face.entra.rights(&user.name, &from);
        let allowed = rights.send_as || rights.send_on_behalf;
        if !allowed {
            let message = "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.";
            return Err(GraphError::new(StatusCode::FORBIDDEN, "ErrorSendAsDenied", message));
        }
    }
    target.face.control.note_sent(Sent {
        mailbox: target.owner.address.clone(),
        by: token.user.as_ref().map_or_else(|| token.app.clone(), |user| user.name.clone()),
        from,
        recipients,
        content: content.clone(),
    });
    Ok(())
}
