//! One fetch of messages whose keys are reserved, into the recorder's queue; and what becomes of a message that does
//! not come through.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use wissel_model::{
    ConnectorError, ErrorKind, Folder, MessageId, MessageKey, MessageSummary, Session, fault,
};
use wissel_sink::Context;

use crate::JobError;
use crate::error::breaks_session;
use crate::folders::in_folder;
use crate::intake::{FailedMessage, Intake, Intaken, Wanted, taken};
use crate::pass::{Pass, add};
use crate::recorder::ToRecorder;

/// Messages in one `fetch`, unless the connector wants fewer: between two fetches the service waits.
pub(crate) const BATCH: usize = 500;
/// Octets in one `fetch`, as far as the listing tells: a call's time is limited.
const BATCH_OCTETS: u64 = 32 * 1024 * 1024;
/// How often a message may break the connection or the connector before the run leaves it alone.
const STRIKES: u32 = 2;

impl Pass<'_> {
    /// How many of these messages go into the next batch; at least one.
    pub(crate) fn batch_length(&self, messages: &[MessageSummary]) -> usize {
        let wanted = self.description.limits.fetch_batch.map_or(BATCH, |n| (n as usize).clamp(1, BATCH));
        let mut octets = 0;
        let fitting = messages.iter().take(wanted).take_while(|message| {
            octets += u64::from(message.size.unwrap_or(0));
            octets <= BATCH_OCTETS
        });
        fitting.count().clamp(1, messages.len())
    }

    /// Fetches one batch, whose keys are reserved, into the recorder's queue; asks again for what was not attempted.
    pub(crate) async fn fetch_batch(
        &mut self,
        session: &mut dyn Session,
        folder: &Folder,
        batch: &[MessageSummary],
        keys: &HashMap<MessageId, MessageKey>,
        to: &ToRecorder,
    ) -> Result<(), JobError> {
        let mut left: Vec<&MessageSummary> = batch.iter().filter(|m| keys.contains_key(&m.id)).collect();
        while !left.is_empty() {
            let ids: Vec<MessageId> = left.iter().map(|message| message.id.clone()).collect();
            let (intake, result) = self.intake(folder, &left, keys, to);
            let fetched = session.fetch(&ids, intake).await;
            fault::point("fetched");
            self.broken |= fetched.as_ref().is_err_and(breaks_session);
            let intaken = taken(&result);
            if let Some(error) = intaken.sink_error {
                // Also when the connector blames the message for it: the sink is at fault.
                return Err(JobError::Sink { job: self.job.name.clone(), source: error });
            }
            if to.is_closed() {
                // So is the recorder, which tells its own reason.
                return Err(JobError::Stopped);
            }
            if !intaken.fetched.is_empty() {
                self.memory.casualties = 0;
            }
            let mut settled: HashSet<MessageId> = intaken.fetched.into_iter().collect();
            for failed in intaken.failed {
                if failed.reason.kind == ErrorKind::Cancelled && self.stop.is_cancelled() {
                    continue;
                }
                settled.insert(failed.message.clone());
                if let Some(key) = keys.get(&failed.message) {
                    self.settle(folder, *key, failed).await?;
                }
            }
            if let Err(error) = fetched {
                return Err(self.broken(folder, &ids, keys, intaken.open, &settled, error)?);
            }
            self.check_stop()?;
            if settled.is_empty() {
                // It must not hold up the others: a later run asks again.
                for message in ids {
                    let passed_over = "the connector neither delivered this message nor said why";
                    let reason = ConnectorError::new(ErrorKind::Protocol, passed_over);
                    self.skip(FailedMessage { message, reason, partial: None });
                }
                return Ok(());
            }
            left.retain(|message| !settled.contains(&message.id));
        }
        Ok(())
    }

    /// What takes in these messages.
    fn intake(
        &self,
        folder: &Folder,
        messages: &[&MessageSummary],
        keys: &HashMap<MessageId, MessageKey>,
        to: &ToRecorder,
    ) -> (Box<Intake>, Arc<Mutex<Intaken>>) {
        let wanted = messages.iter().filter_map(|message| {
            let wanted = Wanted {
                key: *keys.get(&message.id)?,
                context: self.context(folder, message),
                listed: message.size.unwrap_or(0),
            };
            Some((message.id.clone(), wanted))
        });
        Intake::new(self.sink.clone(), wanted.collect(), to.clone(), self.stop.clone())
    }

    /// Decides about a message that the connector gave up.
    async fn settle(
        &mut self,
        folder: &Folder,
        key: MessageKey,
        failed: FailedMessage,
    ) -> Result<(), JobError> {
        match failed.reason.kind {
            ErrorKind::NotFound => {
                self.shop.store.forget(self.lease, &[key]).await?;
                self.memory.report.vanished += 1;
            }
            ErrorKind::BadMessage | ErrorKind::TooLarge | ErrorKind::Protocol | ErrorKind::Unsupported => {
                self.quarantine(folder, key, failed).await?;
            }
            _ => self.skip(failed),
        }
        Ok(())
    }

    /// The fetch broke off. The message that was open, or else the first one not attempted, may be the cause: after
    /// a second time the run goes on without it, so that it cannot block the folder for ever.
    fn broken(
        &mut self,
        folder: &Folder,
        ids: &[MessageId],
        keys: &HashMap<MessageId, MessageKey>,
        open: Option<FailedMessage>,
        settled: &HashSet<MessageId>,
        error: ConnectorError,
    ) -> Result<JobError, JobError> {
        self.check_stop()?;
        let suspect = open.or_else(|| {
            let message = ids.iter().find(|id| !settled.contains(*id))?.clone();
            Some(FailedMessage { message, reason: error.clone(), partial: None })
        });
        if let Some(mut suspect) = suspect
            && breaks_session(&error)
        {
            let strikes = self.memory.strikes.entry(suspect.message.clone()).or_default();
            *strikes += 1;
            if *strikes >= STRIKES {
                suspect.reason = error.clone();
                self.memory.casualties += 1;
                match keys.get(&suspect.message) {
                    Some(key) if matches!(error.kind, ErrorKind::Fault | ErrorKind::Protocol) => {
                        self.memory.skipped.insert(suspect.message.clone());
                        self.memory.suspects.push((folder.clone(), *key, suspect));
                    }
                    _ => self.skip(suspect),
                }
            }
        }
        Ok(in_folder(self.account, folder)(error))
    }

    fn skip(&mut self, failed: FailedMessage) {
        tracing::warn!(id = ?failed.message.as_str(), reason = %failed.reason, "left to the next run");
        self.memory.skipped.insert(failed.message);
        self.memory.report.failed += 1;
        add(&mut self.memory.unfetched, 1, failed.reason);
    }

    fn context(&self, folder: &Folder, message: &MessageSummary) -> Context {
        Context {
            job: self.job.name.clone(),
            account: self.account.name.clone(),
            connector: self.account.connector.clone(),
            folder: folder.path.clone(),
            message: message.id.clone(),
            received: message.received,
            read: message.read,
        }
    }
}
