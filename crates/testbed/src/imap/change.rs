//! STORE, COPY, MOVE and EXPUNGE on the selected folder.

use std::io;

use imap_codec::imap_types::{
    flag::{Flag, StoreResponse, StoreType},
    mailbox::Mailbox as WireName,
    response::Code,
    sequence::SequenceSet,
};

use super::{
    flags, names,
    session::{Reply, Session},
    view::{View, number, uid_set},
    wire::Stream,
};
use crate::mailbox::{FlagChange, FolderInfo, Placed};

impl<S: Stream> Session<S> {
    pub(super) async fn store(
        &mut self,
        view: &mut View,
        set: &SequenceSet,
        kind: StoreType,
        response: StoreResponse,
        sent: &[Flag<'_>],
        uid: bool,
    ) -> io::Result<Reply> {
        if let Some(refused) = self.refuse_selected(view) {
            return Ok(refused);
        }
        let change = match kind {
            StoreType::Replace => FlagChange::Replace,
            StoreType::Add => FlagChange::Add,
            StoreType::Remove => FlagChange::Remove,
        };
        let targets = view.targets(set, uid);
        let uids: Vec<u32> = targets.iter().map(|target| target.uid).collect();
        if self.face.mailbox.change_flags(view.folder, &uids, change, &flags::read(sent)).is_err() {
            return Ok(Reply::no("No such folder").other("NONEXISTENT"));
        }
        for target in targets {
            let Some(message) = self.face.mailbox.message(view.folder, target.uid) else { continue };
            if response == StoreResponse::Answer {
                self.fetch_flags(target.sequence, &message).await?;
            }
            view.told(&message);
        }
        Ok(Reply::ok("Stored"))
    }

    pub(super) fn copy(&mut self, view: &View, set: &SequenceSet, name: &WireName<'_>, uid: bool) -> Reply {
        let target = match self.target(name) {
            Ok(target) => target,
            Err(refused) => return refused,
        };
        let uids: Vec<u32> = view.targets(set, uid).iter().map(|target| target.uid).collect();
        match self.face.mailbox.copy(view.folder, &uids, target.id) {
            Ok(placed) => self.with_copy_uid(Reply::ok("Copied"), &target, &placed),
            Err(_) => Reply::no("No such folder").code(Code::TryCreate),
        }
    }

    pub(super) async fn move_messages(
        &mut self,
        view: &View,
        set: &SequenceSet,
        name: &WireName<'_>,
        uid: bool,
    ) -> io::Result<Reply> {
        if self.face.faults.switches().without_move {
            return Ok(Reply::bad("Command not known"));
        }
        if let Some(refused) = self.refuse_selected(view) {
            return Ok(refused);
        }
        let target = match self.target(name) {
            Ok(target) => target,
            Err(refused) => return Ok(refused),
        };
        let uids: Vec<u32> = view.targets(set, uid).iter().map(|target| target.uid).collect();
        let Ok(placed) = self.face.mailbox.move_messages(view.folder, &uids, target.id) else {
            return Ok(Reply::no("No such folder").code(Code::TryCreate));
        };
        // COPYUID comes untagged, before the EXPUNGE answers (RFC 6851, section 4.3).
        let Reply { code, .. } = self.with_copy_uid(Reply::ok("Moved"), &target, &placed);
        if let Some(code) = code {
            self.remark(code, "Moved").await?;
        }
        Ok(Reply::ok("Moved"))
    }

    /// Removes what is marked as deleted, all of it or (UID EXPUNGE) that of a set.
    pub(super) fn expunge(&mut self, view: &View, set: Option<&SequenceSet>) -> Reply {
        if set.is_some() && self.face.faults.switches().without_uidplus {
            return Reply::bad("Command not known");
        }
        if let Some(refused) = self.refuse_selected(view) {
            return refused;
        }
        let targets = set.map_or_else(|| view.all().collect(), |set| view.targets(set, true));
        let marked: Vec<u32> = targets
            .into_iter()
            .map(|target| target.uid)
            .filter(|uid| {
                self.face.mailbox.message(view.folder, *uid).is_some_and(|message| message.flags.deleted)
            })
            .collect();
        match self.face.mailbox.remove(view.folder, &marked) {
            Ok(()) => Reply::ok("Expunged"),
            Err(_) => Reply::no("No such folder").other("NONEXISTENT"),
        }
    }

    fn target(&self, name: &WireName<'_>) -> Result<FolderInfo, Reply> {
        if let Some(refused) = self.refuse_change() {
            return Err(refused);
        }
        if self.face.faults.switches().over_quota {
            return Err(Reply::no("The quota is used up").code(Code::OverQuota));
        }
        let folder = names::read(name, self.utf8).and_then(|name| self.face.find(&name));
        folder.ok_or_else(|| Reply::no("No such folder").code(Code::TryCreate))
    }

    fn refuse_selected(&self, view: &View) -> Option<Reply> {
        let examined = view.read_only.then(|| Reply::no("The folder was opened read-only").other("NOPERM"));
        examined.or_else(|| self.refuse_change())
    }

    fn with_copy_uid(&self, reply: Reply, target: &FolderInfo, placed: &[Placed]) -> Reply {
        if self.face.faults.switches().without_uidplus {
            return reply;
        }
        let source = uid_set(placed.iter().map(|placed| placed.source));
        let destination = uid_set(placed.iter().map(|placed| placed.uid));
        match (source, destination) {
            (Some(source), Some(destination)) => {
                let uid_validity = number(target.uid_validity);
                reply.code(Code::CopyUid { uid_validity, source, destination })
            }
            _ => reply,
        }
    }
}
