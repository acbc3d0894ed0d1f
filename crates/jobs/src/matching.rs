//! Recognises messages of the ledger among messages that carry other ids: after a switch of account or protocol, or
//! when a service has given a folder new ids (IMAP: another UIDVALIDITY, RFC 9051, section 2.3.1.1).
//!
//! Matching is one-to-one, so that identical copies are counted, never merged. It goes by tiers: Message-ID with the
//! same second of reception; then, for what that leaves open (also a known Message-ID at another second), the
//! canonical digest, which costs a download. That is also what tells where one side lacks the Message-ID: the ledger has
//! it from the content, but not every listing does. What no tier decides is doubtful and left to the operator. Sizes are
//! never compared: services count them differently.

use std::collections::{HashMap, HashSet};

use wissel_model::{FolderId, LedgerEntry, LedgerState, MessageId, MessageKey, MessageSummary};

/// A message found in a listing, and the folder it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) folder: FolderId,
    pub(crate) message: MessageSummary,
}

/// What else is known where messages are to be recognised.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setting<'a> {
    /// A switch to another account, and what the old one told where it is still alive.
    Switch(Option<&'a OldListing>),
    /// New ids in a folder where done messages stay.
    Stay,
    /// New ids in a folder that done messages have left: one that looks like such a message may be another one with the
    /// same Message-ID, or the message itself, back from a backup. Only the digest tells.
    Leave,
    /// Another folder, into which a person may have moved messages. Two that differ may have one Message-ID and one second, so
    /// only the digest tells, where there is one.
    Elsewhere,
}

impl Setting<'_> {
    fn expects(self, entry: &LedgerEntry) -> bool {
        match self {
            Self::Switch(_) | Self::Stay => true,
            Self::Leave => entry.state != LedgerState::Done,
            Self::Elsewhere => entry.digest.is_none(),
        }
    }
}

/// What a listing of the old account told, where it is still alive.
#[derive(Debug, Default)]
pub(crate) struct OldListing {
    /// Messages that the ledger knows and that are still there.
    pub(crate) known: HashSet<MessageKey>,
    /// Fingerprints of messages there that the ledger does not know.
    pub(crate) unknown: Vec<Fingerprint>,
}

/// Message-ID and second of reception: enough to recognise a message, unless several share it or the id is missing.
pub(crate) type Fingerprint = (Option<String>, Option<i64>);

pub(crate) fn fingerprint(message: &MessageSummary) -> Fingerprint {
    (message.internet_message_id.as_deref().map(bare), message.received.map(|at| at.as_second()))
}

pub(crate) fn fingerprint_of_entry(entry: &LedgerEntry) -> Fingerprint {
    (entry.internet_message_id.as_deref().map(bare), entry.received.map(|at| at.as_second()))
}

/// Whether a message is the one that the ledger has under the same id; none when only the digest can tell. What one side
/// lacks says nothing.
pub(crate) fn same(entry: &LedgerEntry, message: &MessageSummary) -> Option<bool> {
    let (ours, theirs) = (fingerprint_of_entry(entry), fingerprint(message));
    match (equal(ours.0, theirs.0), equal(ours.1, theirs.1)) {
        (Some(false), Some(false)) => Some(false),
        (Some(false), _) | (_, Some(false)) => None,
        _ => Some(true),
    }
}

fn equal<T: PartialEq>(ours: Option<T>, theirs: Option<T>) -> Option<bool> {
    Some(ours? == theirs?)
}

/// A Message-ID without its angle brackets.
pub(crate) fn bare(message_id: &str) -> String {
    message_id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// What matching came to.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Messages of the ledger, as they were found.
    pub(crate) pairs: Vec<(MessageKey, Found)>,
    /// Messages that the ledger does not know.
    pub(crate) new: Vec<Found>,
    /// Messages that no tier could decide about.
    pub(crate) doubtful: Vec<Found>,
}

/// What needs digests: messages found, and the entries that they may be.
#[derive(Debug, Default)]
pub(crate) struct Undecided {
    pub(crate) found: Vec<Found>,
    entries: Vec<LedgerEntry>,
}

/// The first tier. Returns what it decided, and what needs digests.
pub(crate) fn by_fingerprint(
    entries: Vec<LedgerEntry>,
    found: Vec<Found>,
    setting: Setting<'_>,
) -> (Matched, Undecided) {
    let old = if let Setting::Switch(old) = setting { old } else { None };
    let mut entries_by: HashMap<Fingerprint, Vec<LedgerEntry>> = HashMap::new();
    for entry in entries.into_iter().filter(|entry| entry.state != LedgerState::Reserved) {
        entries_by.entry(fingerprint_of_entry(&entry)).or_default().push(entry);
    }
    let named = Facts::of(entries_by.values().flatten()).named;
    let mut found_by: Vec<(Fingerprint, Vec<Found>)> = Vec::new();
    let mut place: HashMap<Fingerprint, usize> = HashMap::new();
    for found in found {
        let print = fingerprint(&found.message);
        let index = *place.entry(print.clone()).or_insert_with(|| {
            found_by.push((print, Vec::new()));
            found_by.len() - 1
        });
        if let Some((_, group)) = found_by.get_mut(index) {
            group.push(found);
        }
    }
    let (mut matched, mut undecided) = (Matched::default(), Undecided::default());
    let mut strangers: Vec<(Fingerprint, Vec<Found>)> = Vec::new();
    for (print, found) in found_by {
        // A message that is listed without its Message-ID may be one that the ledger has with it, from the content.
        let old = old.filter(|_| print.0.is_some() || print.1.is_some() && !compatible(&named, print.1));
        let mut entries = entries_by.remove(&print).unwrap_or_default();
        if entries.is_empty() && old.is_some_and(|old| old.unknown.contains(&print)) {
            matched.new.extend(found);
        } else if entries.is_empty() {
            strangers.push((print, found));
        } else if let Some(present) = decide(&print, &entries, &found, setting, old) {
            let taken: HashSet<MessageKey> = present.iter().take(found.len()).copied().collect();
            entries.retain(|entry| !taken.contains(&entry.key));
            pair(&mut matched, present, found);
        } else {
            undecided.found.extend(found);
        }
        undecided.entries.extend(entries);
    }
    undecided.entries.extend(entries_by.into_values().flatten());
    // Some ways of copying a mailbox give messages another time of reception, and some listings lack a Message-ID: then
    // only the digest tells.
    let (digests, bare): (Vec<_>, Vec<_>) = undecided.entries.iter().partition(|e| e.digest.is_some());
    let (digests, bare) = (Facts::of(digests), Facts::of(bare));
    for (print, found) in strangers {
        if digests.may_be(&print) || bare.look_like(&print) {
            undecided.found.extend(found);
        } else {
            matched.new.extend(found);
        }
    }
    (matched, undecided)
}

/// What the listings, or the contents, told of some entries.
#[derive(Default)]
struct Facts {
    ids: HashSet<String>,
    /// Seconds of reception of those with a Message-ID, and of those without.
    named: HashSet<Option<i64>>,
    nameless: HashSet<Option<i64>>,
}

impl Facts {
    fn of<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Self {
        let mut facts = Self::default();
        for (id, second) in entries.into_iter().map(fingerprint_of_entry) {
            if id.is_some() { &mut facts.named } else { &mut facts.nameless }.insert(second);
            facts.ids.extend(id);
        }
        facts
    }

    /// Whether one of the entries, which have digests, may be such a message: worth a download.
    fn may_be(&self, (id, second): &Fingerprint) -> bool {
        match id {
            Some(id) => self.ids.contains(id) || compatible(&self.nameless, *second),
            None => !self.named.is_empty() || !self.nameless.is_empty(),
        }
    }

    /// Whether one of the entries, which have no digest, looks like such a message: nothing can tell whether it is. With a
    /// fact that only one side has, an entry of which little is known would look like every message.
    fn look_like(&self, (id, second): &Fingerprint) -> bool {
        match id {
            Some(id) => self.ids.contains(id) || second.is_some() && self.nameless.contains(second),
            None => !self.nameless.is_empty() || compatible(&self.named, *second),
        }
    }
}

/// Whether a message of that second may be one of these; what one side lacks says nothing.
fn compatible(seconds: &HashSet<Option<i64>>, second: Option<i64>) -> bool {
    !seconds.is_empty() && (second.is_none() || seconds.contains(&second) || seconds.contains(&None))
}

/// The entries to pair a group with, when the fingerprint alone decides: every message found is then one of them, or,
/// with an empty answer, none is.
fn decide(
    print: &Fingerprint,
    entries: &[LedgerEntry],
    found: &[Found],
    setting: Setting<'_>,
    old: Option<&OldListing>,
) -> Option<Vec<MessageKey>> {
    if let Some(old) = old {
        let present: Vec<MessageKey> =
            entries.iter().map(|e| e.key).filter(|key| old.known.contains(key)).collect();
        let unknown = old.unknown.iter().filter(|other| *other == print).count();
        if present.len() + unknown == found.len() && (unknown == 0 || present.is_empty()) {
            return Some(present);
        }
    }
    let identified =
        print.0.is_some() && print.1.is_some() && entries.iter().all(|entry| setting.expects(entry));
    (identified && found.len() <= entries.len() && same_digest(entries))
        .then(|| entries.iter().map(|e| e.key).collect())
}

/// Several entries with one fingerprint are interchangeable only when their contents are equal; one alone always is.
fn same_digest(entries: &[LedgerEntry]) -> bool {
    let digests: HashSet<&Option<String>> = entries.iter().map(|e| &e.digest).collect();
    entries.len() == 1 || (digests.len() == 1 && !digests.contains(&None))
}

fn pair(matched: &mut Matched, keys: Vec<MessageKey>, found: Vec<Found>) {
    let mut keys = keys.into_iter();
    for found in found {
        match keys.next() {
            Some(key) => matched.pairs.push((key, found)),
            None => matched.new.push(found),
        }
    }
}

/// The second tier: decides by the digests of the messages found. One without a digest, since it could not be fetched,
/// is doubtful; so is one that looks like an entry without a digest.
pub(crate) fn by_digest(matched: &mut Matched, undecided: Undecided, digests: &HashMap<MessageId, String>) {
    let mut entries: HashMap<String, Vec<(Fingerprint, MessageKey)>> = HashMap::new();
    let mut bare = Vec::new();
    for entry in undecided.entries {
        match &entry.digest {
            Some(digest) => {
                let known = (fingerprint_of_entry(&entry), entry.key);
                entries.entry(digest.clone()).or_default().push(known);
            }
            None => bare.push(entry),
        }
    }
    let bare = Facts::of(&bare);
    for found in undecided.found {
        let Some(digest) = digests.get(&found.message.id) else {
            matched.doubtful.push(found);
            continue;
        };
        let print = fingerprint(&found.message);
        let equal = entries.get_mut(digest).and_then(|equal| {
            let may_be = |(id, _): &Fingerprint| id.is_none() || print.0.is_none() || *id == print.0;
            let index = equal.iter().position(|(known, _)| may_be(known))?;
            Some(equal.swap_remove(index).1)
        });
        match equal {
            Some(key) => matched.pairs.push((key, found)),
            None if bare.look_like(&print) => matched.doubtful.push(found),
            None => matched.new.push(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wissel_model::MessageKey;

    fn entry(message_id: Option<&str>, second: i64, digest: Option<&str>) -> LedgerEntry {
        let at = jiff::Timestamp::from_second(second).unwrap();
        LedgerEntry {
            key: MessageKey::generate(),
            state: LedgerState::Done,
            folder: "f".into(),
            message: format!("a{second}").into(),
            internet_message_id: message_id.map(str::to_owned),
            received: Some(at),
            digest: digest.map(str::to_owned),
            subject: None,
            size: None,
            since: at,
            reason: None,
        }
    }

    fn found(id: &str, message_id: Option<&str>, second: i64) -> Found {
        Found {
            folder: "g".into(),
            message: MessageSummary {
                id: id.into(),
                internet_message_id: message_id.map(str::to_owned),
                subject: None,
                sender: None,
                received: Some(jiff::Timestamp::from_second(second).unwrap()),
                size: None,
                read: None,
            },
        }
    }

    fn ids(found: &[Found]) -> Vec<&str> {
        found.iter().map(|f| f.message.id.as_str()).collect()
    }

    #[test]
    fn the_message_id_counts_only_with_the_same_second() {
        let entries = vec![entry(Some("<1@x>"), 10, Some("d1"))];
        let (matched, undecided) = by_fingerprint(
            entries,
            vec![found("b1", Some("1@x"), 10), found("b2", Some("<1@x>"), 11)],
            Setting::Switch(None),
        );
        assert_eq!(matched.pairs.len(), 1);
        assert_eq!(ids(&matched.new), ["b2"]);
        assert!(undecided.found.is_empty());
    }

    #[test]
    fn one_more_copy_than_the_ledger_knows_is_decided_by_digest_and_is_new() {
        let entries = vec![entry(Some("<1@x>"), 10, Some("d1"))];
        let (mut matched, undecided) = by_fingerprint(
            entries,
            vec![found("b1", Some("<1@x>"), 10), found("b2", Some("<1@x>"), 10)],
            Setting::Switch(None),
        );
        assert!(matched.pairs.is_empty());
        let digests = HashMap::from([("b1".into(), "d2".to_owned()), ("b2".into(), "d1".to_owned())]);
        by_digest(&mut matched, undecided, &digests);
        assert_eq!(matched.pairs[0].1.message.id.as_str(), "b2");
        assert_eq!(ids(&matched.new), ["b1"]);
    }

    #[test]
    fn without_a_message_id_only_the_digest_decides_and_nothing_is_guessed() {
        let entries = vec![entry(None, 10, Some("d1")), entry(None, 10, None)];
        let (mut matched, undecided) = by_fingerprint(
            entries,
            vec![found("b1", None, 10), found("b2", None, 10), found("b3", None, 10)],
            Setting::Switch(None),
        );
        let digests = HashMap::from([("b1".into(), "d1".to_owned()), ("b2".into(), "d9".to_owned())]);
        by_digest(&mut matched, undecided, &digests);
        assert_eq!(matched.pairs[0].1.message.id.as_str(), "b1");
        assert_eq!(ids(&matched.doubtful), ["b2", "b3"]);
    }

    #[test]
    fn a_message_id_that_one_side_lacks_leaves_the_decision_to_the_digest() {
        let entries = vec![entry(None, 10, Some("d1")), entry(Some("<2@x>"), 20, Some("d2"))];
        let listed = [found("b1", Some("<1@x>"), 10), found("b2", None, 21), found("b3", None, 20)];
        let another = found("b4", Some("<4@x>"), 40);
        let found = listed.into_iter().chain([another]).collect();
        let (mut matched, undecided) = by_fingerprint(entries, found, Setting::Switch(None));
        assert_eq!(ids(&matched.new), ["b4"], "nothing of the ledger looks like it: no download");
        let told = [("b1", "d1"), ("b2", "d3"), ("b3", "d2")];
        let digests = told.map(|(id, digest)| (id.into(), digest.to_owned())).into();
        by_digest(&mut matched, undecided, &digests);
        let pairs: Vec<&str> = matched.pairs.iter().map(|(_, found)| found.message.id.as_str()).collect();
        assert_eq!((pairs, ids(&matched.new)), (vec!["b1", "b3"], vec!["b4", "b2"]));
        assert_eq!(matched.doubtful, []);
    }

    #[test]
    fn an_entry_of_which_little_is_known_puts_no_other_message_in_doubt() {
        let mut bare = entry(None, 10, None);
        bare.received = None;
        let (matched, undecided) =
            by_fingerprint(vec![bare], vec![found("b1", Some("<1@x>"), 10)], Setting::Switch(None));
        assert_eq!((ids(&matched.new), undecided.found.len()), (vec!["b1"], 0));
    }

    #[test]
    fn what_has_left_the_folder_is_recognised_by_its_digest_only() {
        let entries = vec![entry(Some("<1@x>"), 10, Some("d1"))];
        let found = vec![found("b1", Some("<1@x>"), 10)];
        let (stays, _) = by_fingerprint(entries.clone(), found.clone(), Setting::Stay);
        assert_eq!(stays.pairs.len(), 1);
        let (left, undecided) = by_fingerprint(entries, found, Setting::Leave);
        assert_eq!((left.pairs.len(), left.new.len(), undecided.found.len()), (0, 0, 1));
    }

    #[test]
    fn what_a_person_may_have_moved_before_us_is_recognised_by_its_digest_only() {
        let delivered = LedgerEntry { state: LedgerState::Delivered, ..entry(Some("<1@x>"), 10, Some("d1")) };
        for (digest, recognised) in [("d1", 1), ("d2", 0)] {
            let found = vec![found("b1", Some("<1@x>"), 10)];
            let (mut matched, undecided) = by_fingerprint(vec![delivered.clone()], found, Setting::Elsewhere);
            by_digest(&mut matched, undecided, &HashMap::from([("b1".into(), digest.to_owned())]));
            assert_eq!((matched.pairs.len(), matched.new.len()), (recognised, 1 - recognised));
        }
    }

    #[test]
    fn an_id_names_another_message_when_message_id_and_second_differ() {
        let ours = entry(Some("<1@x>"), 10, None);
        let cases = [
            (Some("1@x"), 10, Some(true)),
            (None, 10, Some(true)),
            (Some("<1@x>"), 11, None),
            (Some("<2@x>"), 10, None),
            (None, 11, None),
            (Some("<2@x>"), 11, Some(false)),
        ];
        for (message_id, second, expected) in cases {
            let message = found("a10", message_id, second).message;
            assert_eq!(same(&ours, &message), expected, "{message_id:?} {second}");
        }
    }

    #[test]
    fn a_live_old_listing_tells_a_new_copy_from_an_imported_one() {
        let entries = vec![entry(Some("<1@x>"), 10, Some("d1"))];
        let print = (Some("1@x".to_owned()), Some(10));
        let old = OldListing { known: HashSet::new(), unknown: vec![print] };
        let (matched, _) =
            by_fingerprint(entries, vec![found("b1", Some("<1@x>"), 10)], Setting::Switch(Some(&old)));
        assert_eq!(ids(&matched.new), ["b1"], "the imported one was moved away; this one is another");
    }
}
