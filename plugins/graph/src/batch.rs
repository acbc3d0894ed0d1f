//! `$batch`: up to twenty requests in one, each answered on its own.
//!
//! The host waits out what the service says about the whole; what it says about a single request inside arrives here. A
//! request that was held back or lacked a fresh token is sent again on its own, where the host paces it and renews the
//! token: so nobody waits in here, and the governor sees it.

use std::collections::BTreeMap;

use wissel_connector::serde_json::{Value, json};
use wissel_connector::{Error, Result};

use crate::protocol::documents::{BatchAnswer, BatchAnswers};
use crate::service::{PREFER, Service};

/// Requests in one batch (Microsoft Graph, "Combine multiple requests in one HTTP call").
const MOST: usize = 20;

/// One request of a batch.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// The path in the mailbox, such as `/messages/{id}/move`.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// May be sent again without harm.
    pub(crate) idempotent: bool,
}

impl Service {
    /// Sends the calls, and hands over the answer of each with its place. An error means that the service gave up or the
    /// host ended the operation: the calls that had no answer by then were not attempted, or nobody knows.
    pub(crate) fn batch(
        &self,
        calls: &[Call],
        doing: &str,
        mut each: impl FnMut(usize, Result<Value>),
    ) -> Result<()> {
        for (chunk, calls) in calls.chunks(MOST).enumerate() {
            let at = |number: usize| chunk * MOST + number;
            let mut later = Vec::new();
            match calls {
                [only] => later.push((at(0), only)),
                _ => {
                    let mut answers = self.send_batch(calls, doing)?;
                    for (number, call) in calls.iter().enumerate() {
                        match answers.remove(&number.to_string()) {
                            Some(BatchAnswer { status: 401 | 429 | 503, .. }) => {
                                later.push((at(number), call));
                            }
                            Some(BatchAnswer { status: 200..=299, body, .. }) => each(at(number), Ok(body)),
                            Some(BatchAnswer { status, body, .. }) => {
                                each(at(number), Err(self.refused(status, None, &body, doing, "")));
                            }
                            None => each(at(number), Err(unanswered(doing))),
                        }
                    }
                }
            }
            for (place, call) in later {
                let answer =
                    self.call(call.method, &self.url(&call.path), call.body.as_ref(), call.idempotent, doing);
                match answer {
                    Err(error) if ends_all(&error) => return Err(error),
                    answer => each(place, answer),
                }
            }
        }
        Ok(())
    }

    fn send_batch(&self, calls: &[Call], doing: &str) -> Result<BTreeMap<String, BatchAnswer>> {
        let requests: Vec<Value> = calls.iter().enumerate().map(|(id, call)| self.inner(id, call)).collect();
        let body = json!({ "requests": requests });
        let idempotent = calls.iter().all(|call| call.idempotent);
        let counts_as = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        let answers: BatchAnswers = self.call_batch(&body, counts_as, idempotent, doing)?;
        Ok(answers.responses.into_iter().map(|answer| (answer.id.clone(), answer)).collect())
    }

    fn inner(&self, id: usize, call: &Call) -> Value {
        let (name, value) = PREFER;
        let mut request = json!({
            "id": id.to_string(), "method": call.method, "url": self.relative(&call.path), "headers": { name: value }
        });
        if let (Some(body), Some(members)) = (&call.body, request.as_object_mut()) {
            members.insert("body".to_owned(), body.clone());
            members.insert("headers".to_owned(), json!({ name: value, "Content-Type": "application/json" }));
        }
        request
    }
}

/// Whether there is no use in sending anything else now.
pub(crate) fn ends_all(error: &Error) -> bool {
    use wissel_connector::ErrorKind::{AuthorizationNeeded, InvalidSetting, Throttled};
    error.is_final() || matches!(error.kind, AuthorizationNeeded | InvalidSetting | Throttled)
}

fn unanswered(doing: &str) -> Error {
    Error::temporary(format!("cannot {doing}: Microsoft Graph left this request of a batch unanswered"))
}
