//! Sets of UIDs: writing them short, cutting them into commands that every server takes, and reading those of COPYUID.

use std::num::NonZeroU32;

use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::extensions::uidplus::{UidElement, UidSet};
use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};

/// Octets of a set in one command. RFC 7162, section 4, asks for lines of less than 8,192 octets.
const MOST_OCTETS: usize = 7_500;
/// Messages in one command.
const MOST_UIDS: usize = 1_000;

/// A UID: never 0 (RFC 3501, section 2.3.1.1).
pub(crate) type Uid = NonZeroU32;

/// Cuts UIDs into sets, each short enough for a command. The UIDs are sorted, and doubled ones dropped.
pub(crate) fn chunks(uids: &[Uid]) -> Vec<(Vec<Uid>, SequenceSet)> {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    uids.dedup();
    let (mut chunks, mut octets) = (Vec::new(), 0);
    let (mut members, mut runs) = (Vec::<Uid>::new(), Vec::<(Uid, Uid)>::new());
    for uid in uids {
        // Each run costs at most two numbers, a colon and a comma.
        if octets + 22 > MOST_OCTETS || members.len() == MOST_UIDS {
            finish(&mut members, &mut runs, &mut chunks);
            octets = 0;
        }
        members.push(uid);
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => {
                runs.push((uid, uid));
                octets += 22;
            }
        }
    }
    finish(&mut members, &mut runs, &mut chunks);
    chunks
}

fn finish(members: &mut Vec<Uid>, runs: &mut Vec<(Uid, Uid)>, chunks: &mut Vec<(Vec<Uid>, SequenceSet)>) {
    let sequences = runs.drain(..).map(|(first, last)| match first == last {
        true => Sequence::Single(SeqOrUid::Value(first)),
        false => Sequence::Range(SeqOrUid::Value(first), SeqOrUid::Value(last)),
    });
    if let Ok(set) = Vec1::try_from(sequences.collect::<Vec<_>>()) {
        chunks.push((std::mem::take(members), SequenceSet(set)));
    }
}

/// `first:*`. It always contains the last message, also when that is older: the caller drops what is too small.
pub(crate) fn from(first: Uid) -> SequenceSet {
    SequenceSet::from(Sequence::Range(SeqOrUid::Value(first), SeqOrUid::Asterisk))
}

/// The pairs of old and new UID that a COPYUID code (RFC 4315) tells of; at most `limit`, as a server can write a
/// range of four billion in a few octets.
pub(crate) fn pairs(source: &UidSet, destination: &UidSet, limit: usize) -> Vec<(Uid, Uid)> {
    members(source).zip(members(destination)).take(limit).collect()
}

fn members(set: &UidSet) -> impl Iterator<Item = Uid> {
    set.0.as_ref().iter().flat_map(|element| {
        let (first, last) = match element {
            UidElement::Single(uid) => (uid.get(), uid.get()),
            UidElement::Range(a, b) => (a.min(b).get(), a.max(b).get()),
        };
        (first..=last).filter_map(Uid::new)
    })
}

#[cfg(test)]
pub(crate) fn uids(numbers: impl IntoIterator<Item = u32>) -> Vec<Uid> {
    numbers.into_iter().filter_map(Uid::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_runs() {
        let chunks = chunks(&uids([9, 1, 2, 3, 7, 3]));
        assert_eq!(chunks, [(uids([1, 2, 3, 7, 9]), "1:3,7,9".try_into().unwrap())]);
        assert_eq!(super::chunks(&[]), []);
    }

    #[test]
    fn no_set_is_too_long_and_none_loses_a_uid() {
        let all = uids((0..5_000).map(|n| 4_000_000_000 + 2 * n));
        let chunks = chunks(&all);
        assert!(chunks.len() > 1);
        assert_eq!(chunks.iter().flat_map(|(uids, _)| uids.clone()).collect::<Vec<_>>(), all);
        for (members, set) in &chunks {
            let text: usize = set.0.as_ref().iter().map(|_| 11).sum();
            assert!(text <= MOST_OCTETS && members.len() <= MOST_UIDS);
        }
    }

    #[test]
    fn a_giant_range_of_a_server_is_not_expanded() {
        let range = |a, b| UidSet(Vec1::from(UidElement::Range(Uid::new(a).unwrap(), Uid::new(b).unwrap())));
        let pairs = pairs(&range(1, u32::MAX), &range(1, u32::MAX), 3);
        assert_eq!(pairs.len(), 3);
    }
}
