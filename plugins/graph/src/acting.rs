//! Moving, marking and deleting messages, twenty in one request. Each of them is one step for the service, and asked for in
//! the folder that the message was listed in: what somebody moved elsewhere is left there, and counts as done.

use std::collections::BTreeSet;

use wissel_connector::serde_json::{self, Value, json};
use wissel_connector::types::Outcome;
use wissel_connector::{Error, ErrorKind, Result};

use crate::batch::Call;
use crate::folders::shown_id;
use crate::protocol::documents::{Identified, Placed};
use crate::protocol::failure::is_gone;
use crate::protocol::ids::Listed;
use crate::session::GraphSession;

impl GraphSession {
    pub(crate) fn move_all(
        &mut self,
        messages: &[String],
        target: &str,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        let doing = format!("move the messages to folder {}", shown_id(target));
        let there = if again { self.moved_already(messages, target)? } else { BTreeSet::new() };
        let (mut outcomes, left): (Vec<Outcome>, Vec<String>) = {
            let (there, left): (Vec<_>, Vec<_>) = messages.iter().partition(|id| there.contains(id.as_str()));
            (there.into_iter().map(Outcome::done).collect(), left.into_iter().cloned().collect())
        };
        let body = json!({ "destinationId": target });
        // Not to be repeated blindly: the service may make a second message of one that is there already.
        let call = |id: &str| {
            let path = format!("{}/move", Listed::read(id)?.path());
            Ok(Call { method: "POST", path, body: Some(body.clone()), idempotent: false })
        };
        let (mut lost, mut moved) = (Vec::new(), Vec::new());
        let stopped = self.act(&left, call, &doing, |id, answer| match answer {
            Ok(body) => {
                let now = serde_json::from_value::<Identified>(body).ok();
                moved.push(Outcome::moved(id, now.map(|message| Listed::write(&message.id, target))));
            }
            Err(error) if error.kind == ErrorKind::NotFound => lost.push((id.to_owned(), error)),
            Err(error) => moved.push(Outcome::failed(id, error)),
        });
        outcomes.append(&mut moved);
        if !lost.is_empty() {
            // The service says alike that a message is not in its folder and that the target is gone.
            let target_gone = self.service.folder(target, &doing).err();
            outcomes.extend(lost.into_iter().map(|(id, error)| match &target_gone {
                Some(error) => Outcome::failed(id, error.clone()),
                None => gone_is_done(&id, error),
            }));
        }
        finished(outcomes, stopped)
    }

    /// Those of the messages that lie in the target already or have left their folder, because an earlier attempt or a person
    /// moved them. Looked up by themselves: what was begun once must not depend on how the service reads an address.
    fn moved_already(&self, messages: &[String], target: &str) -> Result<BTreeSet<String>> {
        let mut there = BTreeSet::new();
        let path = |id: &str| Ok(Listed::read(id)?.path_anywhere());
        self.look_up(messages, path, |id, parent| {
            // What cannot be looked up tells its reason when it is moved.
            if let (Ok(listed), Ok(parent)) = (Listed::read(id), parent)
                && (parent == target || parent != listed.folder)
            {
                there.insert(id.to_owned());
            }
        })?;
        Ok(there)
    }

    /// Asks in which folder each of the messages with these addresses lies now, and hands over the answers.
    pub(crate) fn look_up(
        &self,
        messages: &[String],
        path: impl Fn(&str) -> Result<String>,
        mut each: impl FnMut(&str, Result<String>),
    ) -> Result<()> {
        let call = |id: &str| {
            let path = format!("{}?$select=parentFolderId", path(id)?);
            Ok(Call { method: "GET", path, body: None, idempotent: true })
        };
        self.act(messages, call, "look where the messages are", |id, answer| {
            let placed = answer.and_then(|body| Ok(serde_json::from_value::<Placed>(body)?));
            each(id, placed.map(|message| message.parent_folder_id));
        })
    }

    pub(crate) fn mark_all(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        let body = json!({ "isRead": read });
        let call = |id: &str| {
            let path = Listed::read(id)?.path();
            Ok(Call { method: "PATCH", path, body: Some(body.clone()), idempotent: true })
        };
        self.all_done(messages, call, "mark the messages")
    }

    pub(crate) fn delete_all(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        let for_good = self.deletes_for_good;
        let call = |id: &str| {
            let path = Listed::read(id)?.path();
            let (method, path) = match for_good {
                true => ("POST", format!("{path}/permanentDelete")),
                false => ("DELETE", path),
            };
            Ok(Call { method, path, body: None, idempotent: true })
        };
        self.all_done(messages, call, "delete the messages")
    }

    /// Sends one call for each message; those that are gone from their folder count as done.
    fn all_done(
        &self,
        messages: &[String],
        call: impl Fn(&str) -> Result<Call>,
        doing: &str,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        let stopped = self.act(messages, call, doing, |id, answer| {
            outcomes.push(match answer {
                Ok(_) => Outcome::done(id),
                Err(error) => gone_is_done(id, error),
            });
        });
        finished(outcomes, stopped)
    }

    /// Sends one call for each message, and hands over the answers. An id that the service cannot have given is
    /// answered here.
    fn act(
        &self,
        messages: &[String],
        call: impl Fn(&str) -> Result<Call>,
        doing: &str,
        mut each: impl FnMut(&str, Result<Value>),
    ) -> Result<()> {
        let (mut calls, mut ids) = (Vec::with_capacity(messages.len()), Vec::with_capacity(messages.len()));
        for id in messages {
            match call(id) {
                Ok(call) => {
                    calls.push(call);
                    ids.push(id);
                }
                Err(error) => each(id, Err(error)),
            }
        }
        self.service.batch(&calls, doing, |place, answer| {
            if let Some(id) = ids.get(place) {
                each(id, answer);
            }
        })
    }
}

/// A message that is certainly gone from its folder needs nothing more done.
fn gone_is_done(id: &str, error: Error) -> Outcome {
    if is_gone(&error) { Outcome::done(id) } else { Outcome::failed(id, error) }
}

/// What was done, if anything; else the error.
fn finished(outcomes: Vec<Outcome>, stopped: Result<()>) -> Result<Vec<Outcome>> {
    match stopped {
        Err(error) if outcomes.is_empty() => Err(error),
        _ => Ok(outcomes),
    }
}
