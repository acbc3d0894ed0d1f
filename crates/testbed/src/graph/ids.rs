//! Identifiers as Exchange gives them: long, opaque, case-sensitive, and of two kinds.
//!
//! A changeable id says where a message lies, and so ends with a move; an immutable one names the message alone.
//! Clients must not read them; the face does, and a check inside finds those that were cut or lost their case.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

use crate::mailbox::{FolderId, MessageId};

/// What an identifier names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    /// A folder; its id never changes.
    Folder(FolderId),
    /// A message where it lies.
    Message { folder: FolderId, uid: u32, id: MessageId },
    /// A message wherever it lies.
    Immutable(MessageId),
    /// An attachment of a message, by its place.
    Attachment { message: MessageId, at: usize },
}

/// In which form an identifier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `restId`, `restImmutableEntryId`: base64 that is safe in a URL.
    Rest,
    /// `ewsId`: base64 with `+` and `/`.
    Ews,
    /// `entryId`, `immutableEntryId`: without the service's wrapping.
    Entry,
}

/// `AAMk` and `AAkA` in base64, as the ids of Exchange begin; an entry id begins without them.
const CHANGEABLE: [u8; 3] = [0x00, 0x03, 0x24];
const IMMUTABLE: [u8; 3] = [0x00, 0x09, 0x00];

impl Id {
    /// Writes the identifier for a client; `mailbox` makes those of two mailboxes differ.
    pub(super) fn write(self, mailbox: u64, form: Form) -> String {
        let (prefix, kind, numbers): (_, u8, [u64; 3]) = match self {
            Self::Folder(folder) => (CHANGEABLE, 1, [folder.0, 0, 0]),
            Self::Message { folder, uid, id } => (CHANGEABLE, 2, [folder.0, u64::from(uid), id.0]),
            Self::Immutable(id) => (IMMUTABLE, 3, [id.0, 0, 0]),
            Self::Attachment { message, at } => (CHANGEABLE, 4, [message.0, at as u64, 0]),
        };
        let mut bytes = if form == Form::Entry { Vec::new() } else { prefix.to_vec() };
        bytes.push(kind);
        // The mailbox's part is the same in all ids of a mailbox, as it is in Exchange's.
        for number in [mailbox, mailbox.rotate_left(17)] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let mask = scramble(mailbox ^ u64::from(kind));
        let mut check = mask;
        for number in numbers {
            bytes.extend_from_slice(&(number ^ mask).to_be_bytes());
            check = scramble(check ^ number);
        }
        bytes.extend_from_slice(&check.to_be_bytes());
        match form {
            Form::Ews => STANDARD.encode(bytes),
            Form::Rest | Form::Entry => URL_SAFE.encode(bytes),
        }
    }

    /// Reads an identifier that [`Id::write`] wrote for this mailbox; none when it is anything else.
    pub(super) fn read(text: &str, mailbox: u64, form: Form) -> Option<Self> {
        let bytes = match form {
            Form::Ews => STANDARD.decode(text).ok()?,
            // Clients write ids into paths; some keep `+` and `/` out by hand.
            Form::Rest | Form::Entry => URL_SAFE.decode(text).ok()?,
        };
        let bytes = if form == Form::Entry { bytes.as_slice() } else { bytes.get(3..)? };
        let (kind, rest) = bytes.split_first()?;
        let mut numbers = rest.chunks(8).map(|chunk| chunk.try_into().ok().map(u64::from_be_bytes));
        let mut next = || numbers.next().flatten();
        (next()? == mailbox).then_some(())?;
        next()?;
        let mask = scramble(mailbox ^ u64::from(*kind));
        let [first, second, third] = [next()? ^ mask, next()? ^ mask, next()? ^ mask];
        let id = match kind {
            1 => Self::Folder(FolderId(first)),
            2 => {
                let uid = u32::try_from(second).ok()?;
                Self::Message { folder: FolderId(first), uid, id: MessageId(third) }
            }
            3 => Self::Immutable(MessageId(first)),
            4 => Self::Attachment { message: MessageId(first), at: usize::try_from(second).ok()? },
            _ => return None,
        };
        // Written again it must be the same: the check and the prefix are part of it.
        (id.write(mailbox, form) == text).then_some(id)
    }
}

/// A number for an address, the same in every run.
pub(super) fn number_of(address: &str) -> u64 {
    address.to_ascii_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// SplitMix64's last step.
pub(super) fn scramble(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_those_of_exchange_and_lose_their_meaning_with_their_case() {
        let mailbox = number_of("facturen@voorbeeld.example");
        let message = Id::Message { folder: FolderId(3), uid: 7, id: MessageId(42) };
        let immutable = Id::Immutable(MessageId(42));
        assert!(message.write(mailbox, Form::Rest).starts_with("AAMk"));
        assert!(immutable.write(mailbox, Form::Rest).starts_with("AAkA"));
        for form in [Form::Rest, Form::Ews, Form::Entry] {
            for id in [message, immutable, Id::Folder(FolderId(9))] {
                let text = id.write(mailbox, form);
                assert_eq!(Id::read(&text, mailbox, form), Some(id));
                assert_eq!(Id::read(&text.to_lowercase(), mailbox, form), None);
                assert_eq!(Id::read(&text[..text.len() - 4], mailbox, form), None);
                assert_eq!(Id::read(&text, number_of("ander@voorbeeld.example"), form), None);
            }
        }
    }
}
