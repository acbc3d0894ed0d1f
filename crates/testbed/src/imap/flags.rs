//! Flags between the mailbox and IMAP.

use imap_codec::imap_types::flag::{Flag, FlagFetch};

use crate::mailbox::Flags;

/// Reads flags that a client sent; unknown system flags are passed over.
pub(super) fn read(sent: &[Flag<'_>]) -> Flags {
    let mut flags = Flags::default();
    for flag in sent {
        match flag {
            Flag::Answered => flags.answered = true,
            Flag::Deleted => flags.deleted = true,
            Flag::Draft => flags.draft = true,
            Flag::Flagged => flags.flagged = true,
            Flag::Seen => flags.seen = true,
            Flag::Keyword(keyword) => {
                flags.keywords.insert(keyword.to_string());
            }
            Flag::Extension(_) => {}
        }
    }
    flags
}

/// Writes a message's flags; a keyword that is no atom (a category with a space) is not shown.
pub(super) fn write(flags: &Flags) -> Vec<FlagFetch<'static>> {
    let system = [
        (flags.seen, Flag::Seen),
        (flags.answered, Flag::Answered),
        (flags.flagged, Flag::Flagged),
        (flags.draft, Flag::Draft),
        (flags.deleted, Flag::Deleted),
    ];
    let keywords =
        flags.keywords.iter().filter_map(|keyword| keyword.clone().try_into().ok()).map(Flag::Keyword);
    system
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .chain(keywords)
        .map(FlagFetch::Flag)
        .collect()
}
