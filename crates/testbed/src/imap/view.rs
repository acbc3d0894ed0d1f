//! The selected folder as its client knows it: sequence numbers, and telling what changed behind its back.

use std::{io, num::NonZeroU32};

use imap_codec::imap_types::{
    core::Vec1,
    extensions::uidplus::{UidElement, UidSet},
    fetch::MessageDataItem,
    flag::{Flag, FlagPerm},
    mailbox::Mailbox as WireName,
    response::{Code, Data},
    sequence::{SeqOrUid, Sequence, SequenceSet},
};

use super::{
    flags, names,
    session::{Reply, Session},
    wire::Stream,
};
use crate::mailbox::{FolderId, Message};

/// What the client knows. Messages are in the order of their sequence numbers, which begin at 1.
pub(super) struct View {
    pub(super) folder: FolderId,
    uid_validity: u32,
    pub(super) read_only: bool,
    known: Vec<Known>,
}

#[derive(Clone, Copy)]
struct Known {
    uid: u32,
    changed: u64,
}

/// A message that a command means.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) sequence: u32,
    pub(super) uid: u32,
}

impl View {
    /// The messages of a set, ascending, each once; numbers without a message are passed over.
    pub(super) fn targets(&self, set: &SequenceSet, uid: bool) -> Vec<Target> {
        let count = self.known.len() as u32;
        let largest = if uid { self.known.last().map_or(0, |known| known.uid) } else { count };
        let number = |end: SeqOrUid| if let SeqOrUid::Value(value) = end { value.get() } else { largest };
        let mut wanted = vec![false; self.known.len()];
        for sequence in set.0.as_ref() {
            let (one, other) = match *sequence {
                Sequence::Single(single) => (number(single), number(single)),
                Sequence::Range(one, other) => (number(one), number(other)),
            };
            let (low, high) = (one.min(other), one.max(other));
            let (from, to) = if uid {
                let from = self.known.partition_point(|known| known.uid < low);
                (from, self.known.partition_point(|known| known.uid <= high))
            } else {
                (low.saturating_sub(1) as usize, high.min(count) as usize)
            };
            wanted.get_mut(from..to).unwrap_or_default().fill(true);
        }
        self.all().zip(wanted).filter_map(|(target, wanted)| wanted.then_some(target)).collect()
    }

    /// Every message.
    pub(super) fn all(&self) -> impl Iterator<Item = Target> {
        (1..).zip(&self.known).map(|(sequence, known)| Target { sequence, uid: known.uid })
    }

    /// The client was told how this message is now.
    pub(super) fn told(&mut self, message: &Message) {
        if let Ok(at) = self.known.binary_search_by_key(&message.uid, |known| known.uid)
            && let Some(known) = self.known.get_mut(at)
        {
            known.changed = message.changed;
        }
    }
}

impl<S: Stream> Session<S> {
    pub(super) async fn select(&mut self, name: &WireName<'_>, examine: bool) -> io::Result<Reply> {
        // A SELECT that fails leaves nothing selected (RFC 3501, section 6.3.1).
        self.view = None;
        let Some(folder) = names::read(name, self.utf8).and_then(|name| self.face.find(&name)) else {
            return Ok(Reply::no("No such folder").other("NONEXISTENT"));
        };
        let messages = self.face.mailbox.messages(folder.id).unwrap_or_default();
        let read_only = examine || self.face.faults.switches().read_only;
        let flags = vec![Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];
        let permanent = match read_only {
            true => Vec::new(),
            false => flags.iter().cloned().map(FlagPerm::Flag).chain([FlagPerm::Asterisk]).collect(),
        };
        self.data(Data::Flags(flags)).await?;
        self.data(Data::Exists(messages.len() as u32)).await?;
        self.data(Data::Recent(0)).await?;
        if let Some(first) = messages.iter().position(|message| !message.flags.seen) {
            self.remark(Code::Unseen(number(first as u32 + 1)), "First unread").await?;
        }
        self.remark(Code::UidValidity(number(folder.uid_validity)), "UIDs are valid").await?;
        self.remark(Code::UidNext(number(folder.uid_next)), "Next UID").await?;
        self.remark(Code::PermanentFlags(permanent), "Flags that are kept").await?;
        let known =
            messages.iter().map(|message| Known { uid: message.uid, changed: message.changed }).collect();
        let uid_validity = folder.uid_validity;
        self.view = Some(View { folder: folder.id, uid_validity, read_only, known });
        Ok(Reply::ok("Selected").code(if read_only { Code::ReadOnly } else { Code::ReadWrite }))
    }

    /// Tells the client what changed in its folder; false when the folder is not the one it selected any more.
    pub(super) async fn announce_changes(&mut self, command: &str) -> io::Result<bool> {
        // During these, sequence numbers must not move (RFC 3501, section 7.4.1); the next command tells.
        if matches!(command, "FETCH" | "STORE" | "SEARCH") {
            return Ok(true);
        }
        let Some(mut view) = self.view.take() else { return Ok(true) };
        let Ok(folder) = self.face.mailbox.folder_by_id(view.folder) else { return Ok(false) };
        if folder.uid_validity != view.uid_validity {
            return Ok(false);
        }
        let messages = self.face.mailbox.messages(view.folder).unwrap_or_default();
        let mut remaining = Vec::with_capacity(messages.len());
        for known in &view.known {
            if messages.binary_search_by_key(&known.uid, |message| message.uid).is_ok() {
                remaining.push(*known);
            } else {
                self.data(Data::Expunge(number(remaining.len() as u32 + 1))).await?;
            }
        }
        if messages.len() > remaining.len() {
            self.data(Data::Exists(messages.len() as u32)).await?;
        }
        for (at, message) in messages.iter().enumerate() {
            if remaining.get(at).is_some_and(|known| known.changed != message.changed) {
                self.fetch_flags(at as u32 + 1, message).await?;
            }
        }
        view.known =
            messages.iter().map(|message| Known { uid: message.uid, changed: message.changed }).collect();
        self.view = Some(view);
        Ok(true)
    }

    /// An untagged FETCH with UID and flags.
    pub(super) async fn fetch_flags(&mut self, sequence: u32, message: &Message) -> io::Result<()> {
        let items = vec![
            MessageDataItem::Uid(number(message.uid)),
            MessageDataItem::Flags(flags::write(&message.flags)),
        ];
        self.data(Data::Fetch { seq: number(sequence), items: Vec1::unvalidated(items) }).await
    }
}

/// A number that IMAP requires to be at least 1.
pub(super) fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN)
}

/// UIDs in the order given, runs shortened, for COPYUID; `None` when there are none.
pub(super) fn uid_set(uids: impl Iterator<Item = u32>) -> Option<UidSet> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == uid => *end = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let elements: Vec<UidElement> = runs
        .into_iter()
        .map(|(from, to)| match from == to {
            true => UidElement::Single(number(from)),
            false => UidElement::Range(number(from), number(to)),
        })
        .collect();
    Vec1::try_from(elements).ok().map(UidSet)
}
