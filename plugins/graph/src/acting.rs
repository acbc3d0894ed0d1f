//! Moving, marking and deleting messages, twenty in one request. Each of them is one step for the service.

use std::collections::BTreeSet;

use wissel_connector::serde_json::{self, Value, json};
use wissel_connector::types::Outcome;
use wissel_connector::{Error, ErrorKind, Result};

use crate::batch::Call;
use crate::folders::shown_id;
use crate::protocol::address;
use crate::protocol::documents::{Identified, Placed};
use crate::protocol::failure::is_gone;
use crate::session::GraphSession;

impl GraphSession {
    pub(crate) fn move_all(
        &mut self,
        messages: &[String],
        target: &str,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        let doing = format!("move the messages to folder {}", shown_id(target));
        let there = if again { self.already_in(messages, target)? } else { BTreeSet::new() };
        let (mut outcomes, left): (Vec<Outcome>, Vec<String>) = {
            let (there, left): (Vec<_>, Vec<_>) = messages.iter().partition(|id| there.contains(id.as_str()));
            (there.into_iter().map(Outcome::done).collect(), left.into_iter().cloned().collect())
        };
        let body = json!({ "destinationId": target });
        // Not to be repeated blindly: the service may make a second message of one that is there already.
        let call = |path: String| Call {
            method: "POST",
            path: format!("{path}/move"),
            body: Some(body.clone()),
            idempotent: false,
        };
        let (mut lost, mut moved) = (Vec::new(), Vec::new());
        let stopped = self.act(&left, call, &doing, |id, answer| match answer {
            Ok(body) => {
                let now = serde_json::from_value::<Identified>(body).ok().map(|message| message.id);
                moved.push(Outcome::moved(id, now));
            }
            Err(error) if error.kind == ErrorKind::NotFound => lost.push((id.to_owned(), error)),
            Err(error) => moved.push(Outcome::failed(id, error)),
        });
        outcomes.append(&mut moved);
        if !lost.is_empty() {
            // The service says alike that a message is gone and that the target is.
            let target_gone = self.service.folder(target, &doing).err();
            outcomes.extend(lost.into_iter().map(|(id, error)| match &target_gone {
                Some(error) => Outcome::failed(id, error.clone()),
                None => gone_is_done(&id, error),
            }));
        }
        finished(outcomes, stopped)
    }

    /// Those of the messages that lie in the target already, because an earlier attempt or a person moved them there.
    fn already_in(&self, messages: &[String], target: &str) -> Result<BTreeSet<String>> {
        let call = |path: String| Call {
            method: "GET",
            path: format!("{path}?$select=parentFolderId"),
            body: None,
            idempotent: true,
        };
        let mut there = BTreeSet::new();
        self.act(messages, call, "look where the messages are", |id, answer| {
            // What cannot be looked up tells its reason when it is moved.
            let placed = answer.ok().and_then(|body| serde_json::from_value::<Placed>(body).ok());
            if placed.and_then(|message| message.parent_folder_id).as_deref() == Some(target) {
                there.insert(id.to_owned());
            }
        })?;
        Ok(there)
    }

    pub(crate) fn mark_all(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        let body = json!({ "isRead": read });
        let call = |path| Call { method: "PATCH", path, body: Some(body.clone()), idempotent: true };
        let mut outcomes = Vec::with_capacity(messages.len());
        let stopped = self.act(messages, call, "mark the messages", |id, answer| {
            outcomes.push(match answer {
                Ok(_) => Outcome::done(id),
                Err(error) => Outcome::failed(id, error),
            });
        });
        finished(outcomes, stopped)
    }

    pub(crate) fn delete_all(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        let for_good = self.deletes_for_good;
        let call = |path: String| match for_good {
            true => {
                Call { method: "POST", path: format!("{path}/permanentDelete"), body: None, idempotent: true }
            }
            false => Call { method: "DELETE", path, body: None, idempotent: true },
        };
        let mut outcomes = Vec::with_capacity(messages.len());
        let stopped = self.act(messages, call, "delete the messages", |id, answer| {
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
        call: impl Fn(String) -> Call,
        doing: &str,
        mut each: impl FnMut(&str, Result<Value>),
    ) -> Result<()> {
        let (mut calls, mut ids) = (Vec::with_capacity(messages.len()), Vec::with_capacity(messages.len()));
        for id in messages {
            match address::id(id) {
                Ok(segment) => {
                    calls.push(call(format!("/messages/{segment}")));
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

/// A message that is certainly gone needs nothing more done.
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
