//! Moving, marking and deleting messages, twenty in one request. Each of them is one step for the service.
//!
//! What takes a message out of its folder looks first whether it is still there: an immutable id leads to a message wherever
//! somebody has put it, and there it is left.

use wissel_connector::serde_json::{self, Value, json};
use wissel_connector::types::Outcome;
use wissel_connector::{Error, ErrorKind, Result};

use crate::batch::Call;
use crate::folders::shown_id;
use crate::protocol::address;
use crate::protocol::documents::{Moved, Placed};
use crate::protocol::failure::is_gone;
use crate::protocol::ids::Listed;
use crate::session::GraphSession;

impl GraphSession {
    pub(crate) fn move_all(&mut self, messages: &[String], target: &str) -> Result<Vec<Outcome>> {
        let doing = format!("move the messages to folder {}", shown_id(target));
        let body = json!({ "destinationId": target });
        // Not to be repeated blindly: the service may make a second message of one that is there already.
        let call = |path: String| Call {
            method: "POST",
            path: format!("{path}/move"),
            body: Some(body.clone()),
            idempotent: false,
        };
        let mut lost = Vec::new();
        let mut outcomes =
            self.take_out(messages, Some(target), &doing, call, |id, answer| match answer {
                Ok(body) => {
                    let now = serde_json::from_value::<Moved>(body).ok();
                    let new_id = now.map(|message| {
                        Listed::write(&message.id, message.parent_folder_id.as_deref().unwrap_or(target))
                    });
                    Some(Outcome::moved(id, new_id))
                }
                Err(error) if error.kind == ErrorKind::NotFound => {
                    lost.push((id.to_owned(), error));
                    None
                }
                Err(error) => Some(Outcome::failed(id, error)),
            })?;
        if !lost.is_empty() {
            // The service says alike that a message is gone and that the target is.
            let target_gone = self.service.folder(target, &doing).err();
            outcomes.extend(lost.into_iter().map(|(id, error)| match &target_gone {
                Some(error) => Outcome::failed(id, error.clone()),
                None => gone_is_done(&id, error),
            }));
        }
        Ok(outcomes)
    }

    pub(crate) fn delete_all(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        let for_good = self.deletes_for_good;
        let call = |path: String| {
            let (method, path) = match for_good {
                true => ("POST", format!("{path}/permanentDelete")),
                false => ("DELETE", path),
            };
            Call { method, path, body: None, idempotent: true }
        };
        self.take_out(messages, None, "delete the messages", call, |id, answer| Some(done(id, answer)))
    }

    /// Marking takes no message out of its folder, so it needs no look.
    pub(crate) fn mark_all(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        let body = json!({ "isRead": read });
        let call = |id: &str| {
            let path = Listed::read(id)?.path();
            Ok(Call { method: "PATCH", path, body: Some(body.clone()), idempotent: true })
        };
        let mut outcomes = Vec::with_capacity(messages.len());
        self.act(messages, call, "mark the messages", |id, _, answer| {
            outcomes.push(done(id, answer));
            None
        })?;
        Ok(outcomes)
    }

    /// Looks at each of the messages, and sends `call` for its address if it is still in the folder that it was listed in.
    /// One that an earlier attempt or a person moved or deleted is done with; so is one that was listed in the target.
    fn take_out(
        &self,
        messages: &[String],
        target: Option<&str>,
        doing: &str,
        call: impl Fn(String) -> Call,
        mut each: impl FnMut(&str, Result<Value>) -> Option<Outcome>,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(messages.len());
        let look = |id: &str| Ok(look(&Listed::read(id)?.path()));
        self.act(messages, look, doing, |id, step, answer| {
            if step > 0 {
                outcomes.extend(each(id, answer));
                return None;
            }
            match (Listed::read(id), answer.and_then(parent)) {
                (Ok(listed), Ok(parent)) if parent == listed.folder && Some(listed.folder) != target => {
                    return Some(call(listed.path()));
                }
                (Ok(listed), Ok(parent)) => {
                    let arrived = target == Some(parent.as_str());
                    let new_id = arrived.then(|| Listed::write(listed.message, &parent));
                    outcomes.push(Outcome::moved(id, new_id));
                }
                (Ok(_), Err(error)) => outcomes.push(gone_is_done(id, error)),
                (Err(error), _) => outcomes.push(Outcome::failed(id, error)),
            }
            None
        })?;
        Ok(outcomes)
    }

    /// Asks in which folder each of the messages with these immutable ids lies now, and hands over the answers.
    pub(crate) fn look_up(
        &self,
        messages: &[String],
        mut each: impl FnMut(&str, Result<String>),
    ) -> Result<()> {
        let path = |id: &str| Ok(look(&format!("/messages/{}", address::id(id)?)));
        self.act(messages, path, "look where the messages are", |id, _, answer| {
            each(id, answer.and_then(parent));
            None
        })
    }

    /// Sends one call for each message, and hands over the answers, with the number of those before it; what comes back for
    /// an answer is sent next. An id that the service cannot have given is answered here; when the service gives up, so
    /// are those that it did not answer, unless there was no answer at all.
    fn act(
        &self,
        messages: &[String],
        call: impl Fn(&str) -> Result<Call>,
        doing: &str,
        mut each: impl FnMut(&str, usize, Result<Value>) -> Option<Call>,
    ) -> Result<()> {
        let (mut calls, mut open) = (Vec::with_capacity(messages.len()), Vec::with_capacity(messages.len()));
        for id in messages {
            match call(id) {
                Ok(call) => {
                    calls.push(call);
                    open.push(Some((id, 0)));
                }
                Err(error) => drop(each(id, 0, Err(error))),
            }
        }
        let stopped = self.service.batch(calls, doing, |place, answer| {
            let waiting = open.get_mut(place)?;
            let (id, step) = waiting.take()?;
            let next = each(id, step, answer)?;
            *waiting = Some((id, step + 1));
            Some(next)
        });
        if let Err(error) = stopped {
            if open.iter().all(|waiting| matches!(waiting, Some((_, 0)))) {
                return Err(error);
            }
            for (id, step) in open.into_iter().flatten() {
                each(id, step, Err(error.clone()));
            }
        }
        Ok(())
    }
}

/// The call that asks where the message with this address lies.
fn look(path: &str) -> Call {
    Call { method: "GET", path: format!("{path}?$select=parentFolderId"), body: None, idempotent: true }
}

/// The folder in the answer to [`look`].
fn parent(answer: Value) -> Result<String> {
    Ok(serde_json::from_value::<Placed>(answer)?.parent_folder_id)
}

/// The outcome of a change that needs nothing said.
fn done(id: &str, answer: Result<Value>) -> Outcome {
    match answer {
        Ok(_) => Outcome::done(id),
        Err(error) => gone_is_done(id, error),
    }
}

/// A message that is certainly gone needs nothing more done.
fn gone_is_done(id: &str, error: Error) -> Outcome {
    if is_gone(&error) { Outcome::done(id) } else { Outcome::failed(id, error) }
}
