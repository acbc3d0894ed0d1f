//! Marking messages as read or unread, and deleting them: one STORE for each folder and set.

use wissel_connector::Result;
use wissel_connector::types::{Level, Outcome};

use crate::id::{Group, groups};
use crate::protocol::sets::{Uid, chunks};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::flag::{Flag, StoreResponse, StoreType};
use crate::protocol::types::sequence::SequenceSet;
use crate::select::Purpose;
use crate::session::ImapSession;

impl ImapSession {
    pub(crate) fn mark_all(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        let kind = if read { StoreType::Add } else { StoreType::Remove };
        self.each_set(messages, |session, _, _, set| session.store(set, kind, Flag::Seen))
    }

    pub(crate) fn delete_all(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        self.each_set(messages, |session, group, _, set| {
            session.store(set.clone(), StoreType::Add, Flag::Deleted)?;
            session.expunge(&group.folder, set)
        })
    }

    /// Runs `work` for each set of messages, one folder after the other, and tells the outcome of each message. What
    /// ends the session is returned as an error unless something was done before: then the rest was not attempted.
    pub(crate) fn each_set(
        &mut self,
        messages: &[String],
        mut work: impl FnMut(&mut Self, &Group, &[Uid], SequenceSet) -> Result<()>,
    ) -> Result<Vec<Outcome>> {
        let (groups, bad) = groups(messages);
        let mut outcomes: Vec<_> = bad.into_iter().map(|(id, error)| Outcome::failed(id, error)).collect();
        for group in groups {
            match self.select_valid(&group.folder, group.validity, Purpose::Write) {
                Err(error) if error.is_final() => return finished(outcomes, error),
                Err(error) => {
                    outcomes.extend(group.failed(&error));
                    continue;
                }
                Ok(()) => {}
            }
            for (uids, set) in chunks(&group.uids) {
                match work(self, &group, &uids, set) {
                    Ok(()) => outcomes.extend(uids.iter().map(|uid| Outcome::done(group.id(*uid)))),
                    Err(error) if error.is_final() => return finished(outcomes, error),
                    Err(error) => {
                        outcomes
                            .extend(uids.iter().map(|uid| Outcome::failed(group.id(*uid), error.clone())));
                    }
                }
            }
        }
        Ok(outcomes)
    }

    /// UID STORE without an answer for each message. Messages that are gone are passed over by the server.
    pub(crate) fn store(&mut self, set: SequenceSet, kind: StoreType, flag: Flag<'static>) -> Result<()> {
        let command = CommandBody::Store {
            sequence_set: set,
            kind,
            response: StoreResponse::Silent,
            flags: vec![flag],
            uid: true,
            modifiers: Vec::new(),
        };
        self.connection.run_quiet(command, "change the flags").map(|_| ())
    }

    /// Removes messages that are marked as deleted: these and no others. Where the server can only remove all that
    /// anybody has marked, they stay marked, and are not listed any more.
    pub(crate) fn expunge(&mut self, folder: &str, set: SequenceSet) -> Result<()> {
        if self.connection.offers("UIDPLUS") {
            let command = CommandBody::ExpungeUid { sequence_set: set };
            return self.connection.run_quiet(command, "remove the messages").map(|_| ());
        }
        let message = "the server cannot remove single messages (no UIDPLUS): they stay in the folder, marked as deleted";
        self.connection.log(Level::Info, message, &[("folder", folder)]);
        Ok(())
    }
}

/// What was done, if anything; else the error.
pub(crate) fn finished<T>(outcomes: Vec<T>, error: wissel_connector::Error) -> Result<Vec<T>> {
    if outcomes.is_empty() { Err(error) } else { Ok(outcomes) }
}
