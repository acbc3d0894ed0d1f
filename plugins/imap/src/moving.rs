//! Moving messages: UID MOVE (RFC 6851), which is one step, or COPY, a check, and only then the removal.

use std::collections::{BTreeMap, BTreeSet};

use wissel_connector::types::{Level, Outcome};
use wissel_connector::{Error, ErrorKind, Result};

use crate::connection::Collect;
use crate::flags::finished;
use crate::id::{self, Group, groups};
use crate::protocol::names;
use crate::protocol::sets::{Uid, chunks, pairs};
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::flag::{Flag, StoreType};
use crate::protocol::types::response::Code;
use crate::protocol::types::search::SearchKey;
use crate::protocol::types::sequence::SequenceSet;
use crate::select::Purpose;
use crate::session::ImapSession;

/// How often a set is asked for, of which others remove messages meanwhile.
const ATTEMPTS: usize = 4;

/// New ids of messages by their old UID, as far as the server told.
type NewIds = BTreeMap<Uid, String>;

impl ImapSession {
    pub(crate) fn move_all(
        &mut self,
        messages: &[String],
        target: &str,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        let (groups, bad) = groups(messages);
        let mut outcomes: Vec<_> = bad.into_iter().map(|(id, error)| Outcome::failed(id, error)).collect();
        for group in groups {
            if group.folder == target {
                // They are there already.
                outcomes.extend(group.uids.iter().map(|uid| {
                    let id = group.id(*uid);
                    Outcome::moved(id.clone(), Some(id))
                }));
                continue;
            }
            if let Err(error) = self.select_valid(&group.folder, group.validity, Purpose::Write) {
                if error.is_final() {
                    return finished(outcomes, error);
                }
                outcomes.extend(group.failed(&error));
                continue;
            }
            for (uids, set) in chunks(&group.uids) {
                let moved = match self.connection.offers("MOVE") {
                    true => self.move_set(set, target, uids.len()).map(|new| all_done(&group, &uids, &new)),
                    false => self.copy_and_remove(&group, &uids, target, again),
                };
                match moved {
                    Ok(done) => outcomes.extend(done),
                    // The target is gone: nothing can be said of any single message.
                    Err(error) if error.is_final() || error.kind == ErrorKind::NotFound => {
                        return finished(outcomes, error);
                    }
                    Err(error) => {
                        outcomes
                            .extend(uids.iter().map(|uid| Outcome::failed(group.id(*uid), error.clone())));
                    }
                }
            }
        }
        Ok(outcomes)
    }

    /// UID MOVE. Messages that are gone are passed over by the server, and count as done.
    fn move_set(&mut self, set: SequenceSet, target: &str, count: usize) -> Result<NewIds> {
        let mailbox = names::mailbox(target, self.connection.utf8)?;
        let command = CommandBody::Move { sequence_set: set, mailbox, uid: true };
        self.transfer(command, target, count)
    }

    /// Runs UID MOVE or UID COPY. One message that somebody removes in that moment makes some servers refuse the whole set
    /// (EXPUNGEISSUED, RFC 5530): with a NOOP they learn of it, and what is left is asked for again.
    fn transfer(&mut self, command: CommandBody<'_>, target: &str, count: usize) -> Result<NewIds> {
        let mut attempts = 1;
        loop {
            match self.transfer_once(command.clone(), target, count) {
                Err(error) if error.code.as_deref() == Some("EXPUNGEISSUED") && attempts < ATTEMPTS => {
                    attempts += 1;
                    self.connection.run_quiet(CommandBody::Noop, "look at the open folder again")?;
                }
                other => return other,
            }
        }
    }

    /// Reads COPYUID (RFC 4315), which stands in the tagged answer or, for MOVE, in an untagged one before it.
    fn transfer_once(&mut self, command: CommandBody<'_>, target: &str, count: usize) -> Result<NewIds> {
        let mut answer = Collect::default();
        let sent = self.connection.send(command, "move the messages")?;
        let done = self.connection.finish_or(sent, &mut answer, ErrorKind::Temporary).map_err(|error| {
            Error { message: format!("to folder `{target}`: {}", error.message), ..error }
        })?;
        let mut new_ids = NewIds::new();
        for code in answer.codes.iter().chain(done.code.iter()) {
            if let Code::CopyUid { uid_validity, source, destination } = code {
                let pairs = pairs(source, destination, count).into_iter();
                new_ids.extend(pairs.map(|(old, new)| (old, id::text(uid_validity.get(), new, target))));
            }
        }
        Ok(new_ids)
    }

    /// COPY, check, mark as deleted, remove. A failure on the way leaves the messages in their folder.
    fn copy_and_remove(
        &mut self,
        group: &Group,
        uids: &[Uid],
        target: &str,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        let mut copied = NewIds::new();
        let (mut there, mut to_copy) = (BTreeSet::new(), uids.to_vec());
        if again {
            let facts = self.existing(uids)?;
            // Some servers refuse to copy what is gone.
            let existing: BTreeSet<Uid> = facts.iter().filter_map(|f| f.uid).collect();
            to_copy.retain(|uid| existing.contains(uid));
            // We mark a message only after its copy was checked, and who else marked it wanted it gone.
            there.extend(facts.iter().filter(|f| f.deleted).filter_map(|f| f.uid));
            let unmarked: Vec<_> = facts.into_iter().filter(|f| !f.deleted).collect();
            copied = self.find_copies(group, &unmarked, target)?;
            there.extend(copied.keys().copied());
        }
        to_copy.retain(|uid| !there.contains(uid));
        let mut failed = BTreeSet::new();
        for (members, set) in chunks(&to_copy) {
            let mailbox = names::mailbox(target, self.connection.utf8)?;
            let command = CommandBody::Copy { sequence_set: set, mailbox, uid: true };
            let mut new_ids = self.transfer(command, target, members.len())?;
            let unchecked: Vec<_> =
                members.iter().copied().filter(|uid| !new_ids.contains_key(uid)).collect();
            if !unchecked.is_empty() {
                // No COPYUID for them: they are gone, or the server does not tell, and the target is asked.
                let facts = self.existing(&unchecked)?;
                let existing: Vec<_> = facts.iter().filter_map(|f| f.uid).collect();
                new_ids.extend(self.find_copies(group, &facts, target)?);
                failed.extend(existing.into_iter().filter(|uid| !new_ids.contains_key(uid)));
            }
            copied.extend(new_ids);
        }
        let all: Vec<_> = uids.iter().copied().filter(|uid| !failed.contains(uid)).collect();
        let to_remove: Vec<_> =
            all.iter().copied().filter(|u| there.contains(u) || copied.contains_key(u)).collect();
        for (_, set) in chunks(&to_remove) {
            self.store(set.clone(), StoreType::Add, Flag::Deleted)?;
            self.expunge(&group.folder, set)?;
        }
        let mut outcomes = all_done(group, &all, &copied);
        if !failed.is_empty() {
            self.connection.log(Level::Warn, "copies were not found in the target", &[("folder", target)]);
            let error = Error::temporary(format!("the server did not copy the message to folder `{target}`"));
            outcomes.extend(failed.into_iter().map(|uid| Outcome::failed(group.id(uid), error.clone())));
        }
        Ok(outcomes)
    }

    /// What is known of those of the messages that are still in the open folder.
    fn existing(&mut self, uids: &[Uid]) -> Result<Vec<crate::protocol::fetched::Fetched>> {
        let (mut facts, unknown) = self.facts(uids, &["MESSAGE-ID"])?;
        facts.retain(|f| f.uid.is_some_and(|uid| uids.contains(&uid)));
        if unknown {
            for (_, set) in chunks(uids) {
                let found = self.search(vec![SearchKey::Uid(set)])?;
                let new = found
                    .into_iter()
                    .filter(|uid| facts.iter().all(|f| f.uid != Some(*uid)))
                    .collect::<Vec<_>>();
                facts.extend(
                    new.into_iter().map(|uid| crate::protocol::fetched::Fetched {
                        uid: Some(uid),
                        ..Default::default()
                    }),
                );
            }
        }
        Ok(facts)
    }
}

fn all_done(group: &Group, uids: &[Uid], new_ids: &NewIds) -> Vec<Outcome> {
    uids.iter().map(|uid| Outcome::moved(group.id(*uid), new_ids.get(uid).cloned())).collect()
}
