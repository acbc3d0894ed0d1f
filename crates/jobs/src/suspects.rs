//! Messages that may have ended the whole process: by its memory, by a defect, by whatever kills it each time.
//!
//! Nothing can be recorded at the moment of such a death, so it is recorded before: when the last runs of a job all died, the
//! messages that they left reserved are imported one by one, each with a strike against it in the ledger first. One
//! that collects too many is set aside, and the rest of the folder comes in. A run that ends, in whatever way, is no
//! death: what breaks only the connector or the connection is dealt with in [`crate::batch`].

use wissel_model::{ConnectorError, ErrorKind, LedgerState, MessageSummary, Session};

use crate::JobError;
use crate::folders::JobFolders;
use crate::intake::FailedMessage;
use crate::pass::Pass;

/// Runs in a row that died before messages are suspected. One death is what a power failure leaves.
const DEATHS: usize = 2;
/// Deaths with a message alone under way before it is set aside.
const STRIKES: u32 = 3;

impl Pass<'_> {
    /// Imports the suspects one by one, once in a run.
    pub(crate) async fn try_suspects(
        &mut self,
        session: &mut dyn Session,
        folders: &JobFolders,
    ) -> Result<(), JobError> {
        let store = &self.shop.store;
        if std::mem::replace(&mut self.memory.tried_suspects, true)
            || store.deaths_before(self.job.id).await? < DEATHS
        {
            return Ok(());
        }
        for entry in store.unfinished(self.job.id, self.account.id).await? {
            let folder = folders.scanned.iter().find(|folder| folder.id == entry.folder);
            let (LedgerState::Reserved, Some(folder)) = (entry.state, folder) else { continue };
            self.check_stop()?;
            if self.shop.store.strike(self.lease, entry.key).await? > STRIKES {
                let ended = "the program was ended each time while it imported this message";
                let reason = ConnectorError::new(ErrorKind::BadMessage, ended).with_code("process-ended");
                let failed = FailedMessage { message: entry.message, reason, partial: None };
                self.quarantine(folder, entry.key, failed).await?;
                continue;
            }
            let message = MessageSummary {
                id: entry.message,
                internet_message_id: entry.internet_message_id,
                subject: entry.subject,
                sender: None,
                received: entry.received,
                size: entry.size,
                read: None,
            };
            self.import_one(session, folders, folder, entry.key, message).await?;
        }
        Ok(())
    }
}
