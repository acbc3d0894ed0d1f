//! Moving, marking and deleting messages, twenty in one request. Each of them is one step for the service.
//!
//! What takes a message out of its folder looks first whether it is still there: an immutable id leads to a message wherever
//! somebody has put it, and there it is left.

use wissel_connector::serde_json::{self, Value, json};
use wissel_connector::types::Outcome;
use wissel_connector::{Error, ErrorKind, Result};

use crate::batch::Call;
use crate::folders::shown_id;
use crate::protocol::documents::{Moved, Placed};
use crate::protocol::failure::is_gone;
use crate::protocol::ids::Listed;
use crate::session::GraphSession;

impl GraphSession {
    pub(crate) fn move_all(&mut self, messages: &[String], target: &str) -> Result<Vec<Outcome>> {
        let doing = format!("move the messages to folder {}", shown_id(target));
        let (mut outcomes, left) = self.still_in_place(messages, Some(target))?;
        let body = json!({ "destinationId": target });
        // Not to be repeated blindly: the service may make a second message of one that is there already.
        let call = |id: &str| {
            let path = format!("{}/move", Listed::read(id)?.path());
            Ok(Call { method: "POST", path, body: Some(body.clone()), idempotent: false })
        };
        let mut lost = Vec::new();
        let stopped = self.act(&left, call, &doing, |id, answer| match answer {
            Ok(body) => {
                let now = serde_json::from_value::<Moved>(body).ok();
                let new_id = now.map(|message| {
                    Listed::write(&message.id, message.parent_folder_id.as_deref().unwrap_or(target))
                });
                outcomes.push(Outcome::moved(id, new_id));
            }
            Err(error) if error.kind == ErrorKind::NotFound => lost.push((id.to_owned(), error)),
            Err(error) => outcomes.push(Outcome::failed(id, error)),
        });
        if !lost.is_empty() {
            // The service says alike that a message is gone and that the target is.
            let target_gone = self.service.folder(target, &doing).err();
            outcomes.extend(lost.into_iter().map(|(id, error)| match &target_gone {
                Some(error) => Outcome::failed(id, error.clone()),
                None => gone_is_done(&id, error),
            }));
        }
        finished(outcomes, stopped, &left)
    }

    /// The outcomes of those of the messages that are not in the folder any more that they were listed in, and the others.
    /// A message that an earlier attempt or a person moved or deleted is done with; so is one that was listed in the target.
    fn still_in_place(
        &self,
        messages: &[String],
        target: Option<&str>,
    ) -> Result<(Vec<Outcome>, Vec<String>)> {
        let (mut settled, mut left) = (Vec::new(), Vec::new());
        let path = |id: &str| Ok(Listed::read(id)?.path());
        self.look_up(messages, path, |id, parent| match (Listed::read(id), parent) {
            (Ok(listed), Ok(parent)) if parent == listed.folder && Some(listed.folder) != target => {
                left.push(id.to_owned());
            }
            (Ok(_), Ok(_)) => settled.push(Outcome::done(id)),
            (Ok(_), Err(error)) => settled.push(gone_is_done(id, error)),
            (Err(error), _) => settled.push(Outcome::failed(id, error)),
        })?;
        Ok((settled, left))
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

    /// Marking takes no message out of its folder, so it needs no look.
    pub(crate) fn mark_all(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        let body = json!({ "isRead": read });
        let call = |id: &str| {
            let path = Listed::read(id)?.path();
            Ok(Call { method: "PATCH", path, body: Some(body.clone()), idempotent: true })
        };
        self.each_done(messages, call, "mark the messages", Vec::new())
    }

    pub(crate) fn delete_all(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        let for_good = self.deletes_for_good;
        let (gone, left) = self.still_in_place(messages, None)?;
        let call = |id: &str| {
            let path = Listed::read(id)?.path();
            let (method, path) = match for_good {
                true => ("POST", format!("{path}/permanentDelete")),
                false => ("DELETE", path),
            };
            Ok(Call { method, path, body: None, idempotent: true })
        };
        self.each_done(&left, call, "delete the messages", gone)
    }

    /// Sends one call for each message, and adds its outcome; a message that is gone meanwhile is done with.
    fn each_done(
        &self,
        messages: &[String],
        call: impl Fn(&str) -> Result<Call>,
        doing: &str,
        mut outcomes: Vec<Outcome>,
    ) -> Result<Vec<Outcome>> {
        let stopped = self.act(messages, call, doing, |id, answer| {
            outcomes.push(match answer {
                Ok(_) => Outcome::done(id),
                Err(error) => gone_is_done(id, error),
            });
        });
        finished(outcomes, stopped, messages)
    }

    /// Sends one call for each message, and hands over the answers. An id that the service cannot have given is
    /// answered here; when the service gives up, so are those that it did not answer, unless there was no answer at all.
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
        let mut open: Vec<Option<&String>> = ids.into_iter().map(Some).collect();
        let stopped = self.service.batch(&calls, doing, |place, answer| {
            if let Some(id) = open.get_mut(place).and_then(Option::take) {
                each(id, answer);
            }
        });
        if let Err(error) = stopped {
            if open.iter().all(Option::is_some) {
                return Err(error);
            }
            open.into_iter().flatten().for_each(|id| each(id, Err(error.clone())));
        }
        Ok(())
    }
}

/// A message that is certainly gone needs nothing more done.
fn gone_is_done(id: &str, error: Error) -> Outcome {
    if is_gone(&error) { Outcome::done(id) } else { Outcome::failed(id, error) }
}

/// What was done, if anything, and why the rest was not; else the error.
fn finished(outcomes: Vec<Outcome>, stopped: Result<()>, rest: &[String]) -> Result<Vec<Outcome>> {
    match stopped {
        Err(error) if outcomes.is_empty() => Err(error),
        Err(error) => {
            let rest = rest.iter().map(|id| Outcome::failed(id, error.clone()));
            Ok(outcomes.into_iter().chain(rest).collect())
        }
        Ok(()) => Ok(outcomes),
    }
}
