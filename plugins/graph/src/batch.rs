//! `$batch`: up to twenty requests in one, each answered on its own.
//!
//! Of the requests in one batch the service works on four at once, which is all that a mailbox allows. So a batch has the
//! mailbox to itself; where there are several, the requests of each wait for one another, and four batches are under way
//! ("Microsoft Graph throttling guidance", "Combine multiple HTTP requests using JSON batching"). A request that waited for
//! one that failed was not attempted.
//!
//! The host waits out what the service says about the whole; what it says about a single request inside arrives here. A
//! request that was held back or lacked a fresh token is sent again on its own, where the host paces it and renews the
//! token: so nobody waits in here, and the governor sees it.

use std::collections::{BTreeMap, VecDeque};

use wissel_connector::serde_json::{Value, json};
use wissel_connector::{Error, Pending, Result};

use crate::protocol::documents::{BatchAnswer, BatchAnswers};
use crate::service::{AHEAD, PREFER, Service};

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

/// What is left of some calls: their places.
#[derive(Default)]
struct Left {
    /// Held back, or without a fresh token: to be sent alone.
    alone: Vec<usize>,
    /// Not attempted, because they waited for one that failed.
    behind: Vec<usize>,
    /// Answered, and followed by another call in the same place.
    followed: Vec<usize>,
}

impl Service {
    /// Sends the calls, and hands over the answer of each with its place; what comes back for it is sent next, in that place.
    /// An error means that the service gave up or the host ended the operation: the calls that had no answer by then were
    /// not attempted, or nobody knows.
    pub(crate) fn batch(
        &self,
        mut calls: Vec<Call>,
        doing: &str,
        mut each: impl FnMut(usize, Result<Value>) -> Option<Call>,
    ) -> Result<()> {
        let mut open: Vec<usize> = (0..calls.len()).collect();
        if open.len() > MOST {
            open = self.chains(&mut calls, &open, doing, &mut each)?;
        }
        while !open.is_empty() {
            let mut left = Left::default();
            for places in open.chunks(MOST) {
                match places {
                    [only] => left.alone.push(*only),
                    _ => {
                        let answers = self.answers(self.start_batch(&calls, places, false)?, doing)?;
                        self.sort(&mut calls, places, answers, doing, &mut each, &mut left);
                    }
                }
                // Nothing waited for anything in there.
                left.alone.append(&mut left.behind);
                self.send_alone(&mut calls, &mut left, doing, &mut each)?;
            }
            open = left.followed;
        }
        Ok(())
    }

    /// Sends batches whose requests wait for one another, several batches at a time. Returns the places of the calls that
    /// were not attempted.
    fn chains(
        &self,
        calls: &mut [Call],
        places: &[usize],
        doing: &str,
        each: &mut impl FnMut(usize, Result<Value>) -> Option<Call>,
    ) -> Result<Vec<usize>> {
        let (mut left, mut started, mut stopped) = (Left::default(), VecDeque::with_capacity(AHEAD), None);
        let mut waiting: VecDeque<Vec<usize>> = places.chunks(MOST).map(<[usize]>::to_vec).collect();
        loop {
            while stopped.is_none()
                && started.len() < AHEAD
                && let Some(places) = waiting.pop_front()
            {
                match places.as_slice() {
                    [only] => left.behind.push(*only),
                    _ => match self.start_batch(calls, &places, true) {
                        Ok(pending) => started.push_back((places, pending)),
                        Err(error) => stopped = Some(error),
                    },
                }
            }
            let Some((places, pending)) = started.pop_front() else { break };
            // What is under way is waited for even so: dropped, nobody would know what became of it.
            match self.answers(pending, doing) {
                Ok(answers) => self.sort(calls, &places, answers, doing, each, &mut left),
                Err(error) => stopped = stopped.or(Some(error)),
            }
            // What follows goes first: what was looked at must not grow old.
            if !left.followed.is_empty() {
                waiting.push_front(std::mem::take(&mut left.followed));
            }
        }
        if let Some(error) = stopped {
            return Err(error);
        }
        self.send_alone(calls, &mut left, doing, each)?;
        left.behind.append(&mut left.followed);
        Ok(left.behind)
    }

    fn send_alone(
        &self,
        calls: &mut [Call],
        left: &mut Left,
        doing: &str,
        each: &mut impl FnMut(usize, Result<Value>) -> Option<Call>,
    ) -> Result<()> {
        for place in std::mem::take(&mut left.alone) {
            let Some(call) = calls.get(place) else { continue };
            let answer =
                self.call(call.method, &self.url(&call.path), call.body.as_ref(), call.idempotent, doing);
            match answer {
                Err(error) if ends_all(&error) => return Err(error),
                answer => follow(calls, place, each(place, answer), left),
            }
        }
        Ok(())
    }

    /// Hands over the answers of a batch, but for those that are none yet.
    fn sort(
        &self,
        calls: &mut [Call],
        places: &[usize],
        mut answers: BTreeMap<String, BatchAnswer>,
        doing: &str,
        each: &mut impl FnMut(usize, Result<Value>) -> Option<Call>,
        left: &mut Left,
    ) {
        for place in places {
            let answer = match answers.remove(&place.to_string()) {
                // Of 503 it is not certain that nothing was done.
                Some(BatchAnswer { status, .. })
                    if matches!(status, 401 | 429)
                        || (status == 503 && calls.get(*place).is_some_and(|call| call.idempotent)) =>
                {
                    left.alone.push(*place);
                    continue;
                }
                Some(BatchAnswer { status: 424, .. }) => {
                    left.behind.push(*place);
                    continue;
                }
                Some(BatchAnswer { status: 200..=299, body, .. }) => Ok(body),
                Some(BatchAnswer { status, body, .. }) => Err(self.refused(status, None, &body, doing, "")),
                None => Err(unanswered(doing)),
            };
            follow(calls, *place, each(*place, answer), left);
        }
    }

    fn start_batch(&self, calls: &[Call], places: &[usize], chained: bool) -> Result<Box<dyn Pending>> {
        let calls: Vec<(usize, &Call)> =
            places.iter().filter_map(|place| Some((*place, calls.get(*place)?))).collect();
        let mut requests: Vec<Value> = calls.iter().map(|(place, call)| self.inner(*place, call)).collect();
        if chained {
            for (request, (before, _)) in requests.iter_mut().skip(1).zip(&calls) {
                if let Some(members) = request.as_object_mut() {
                    members.insert("dependsOn".to_owned(), json!([before.to_string()]));
                }
            }
        }
        let counts_as = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        let idempotent = calls.iter().all(|(_, call)| call.idempotent);
        self.start_document("/$batch", &json!({ "requests": requests }), counts_as, idempotent)
    }

    fn answers(&self, pending: Box<dyn Pending>, doing: &str) -> Result<BTreeMap<String, BatchAnswer>> {
        let answers: BatchAnswers = self.document(pending.wait()?, doing)?;
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

/// Puts what follows a call into its place.
fn follow(calls: &mut [Call], place: usize, next: Option<Call>, left: &mut Left) {
    if let (Some(next), Some(call)) = (next, calls.get_mut(place)) {
        *call = next;
        left.followed.push(place);
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
