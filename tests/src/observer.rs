//! The independent observer: counts random tokens in a sink's files and in a mailbox's folders.
//!
//! It knows neither the ledger nor what the sink writes beside the messages: it looks at bytes in `.eml` files
//! and at what another IMAP client reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;
use sha2::{Digest, Sha256};

use crate::dovecot::Dovecot;
use crate::python;

/// What each token begins with; 32 hexadecimal digits follow.
pub const TOKEN_PREFIX: &str = "wissel-token-";

const DIGITS: usize = 32;

/// The place that [`Tokens::in_sink`] counts in.
pub const SINK: &str = "the sink";

/// How many messages hold a token, for each place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(BTreeMap<String, BTreeMap<String, u32>>);

impl Tokens {
    /// Counts in every `.eml` file below `folder`.
    #[must_use]
    pub fn in_sink(folder: &Path) -> Self {
        let mut counts = BTreeMap::new();
        for file in files(folder).iter().filter(|file| file.extension().is_some_and(|e| e == "eml")) {
            let bytes = match fs::read(file) {
                // It got its name while the folder was listed: the next look sees it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                read => read.unwrap(),
            };
            let mut found: Vec<_> = tokens(&bytes).collect();
            found.sort_unstable();
            found.dedup();
            for token in found {
                *counts.entry(token.to_owned()).or_default() += 1;
            }
        }
        Self(BTreeMap::from([(SINK.to_owned(), counts)]))
    }

    /// Counts in every folder of `user`.
    #[must_use]
    pub fn in_mailbox(server: &Dovecot, user: &str) -> Self {
        let pattern = format!("{TOKEN_PREFIX}[0-9a-f]{{{DIGITS}}}");
        Self(python::find(server, user, &pattern))
    }

    /// How many messages in `place` hold `token`.
    #[must_use]
    pub fn count(&self, token: &str, place: &str) -> u32 {
        self.0.get(place).and_then(|counts| counts.get(token)).copied().unwrap_or_default()
    }

    /// How many messages hold `token`, all places together.
    #[must_use]
    pub fn total(&self, token: &str) -> u32 {
        self.0.values().filter_map(|counts| counts.get(token)).sum()
    }

    /// How many different tokens `place` holds.
    #[must_use]
    pub fn different(&self, place: &str) -> usize {
        self.0.get(place).map_or(0, BTreeMap::len)
    }

    /// Panics, with a list, unless each of `tokens` is in `place` once and in no other place.
    pub fn assert_each_once<T: AsRef<str>>(&self, tokens: &[T], place: &str) {
        let wrong: Vec<_> = tokens
            .iter()
            .map(AsRef::as_ref)
            .filter(|token| self.count(token, place) != 1 || self.total(token) != 1)
            .map(|token| format!("  {token}: {}", self.describe(token)))
            .collect();
        assert!(
            wrong.is_empty(),
            "{} of {} tokens are not exactly once in {place}:\n{}",
            wrong.len(),
            tokens.len(),
            wrong.join("\n")
        );
    }

    fn describe(&self, token: &str) -> String {
        let places: Vec<_> = self
            .0
            .iter()
            .filter_map(|(place, counts)| Some(format!("{} in {place}", counts.get(token)?)))
            .collect();
        if places.is_empty() { "nowhere".to_owned() } else { places.join(", ") }
    }
}

/// The digest of every file below `folder`, by its path there: two of them show what was overwritten between.
#[must_use]
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, String> {
    let digest = |file: &PathBuf| hex::encode(Sha256::digest(fs::read(file).unwrap()));
    files(folder).iter().map(|file| (file.strip_prefix(folder).unwrap().to_owned(), digest(file))).collect()
}

/// The names of `before` whose file changed or went away until `after`.
#[must_use]
pub fn overwritten(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    before
        .iter()
        .filter(|(name, digest)| after.get(*name) != Some(digest))
        .map(|(name, _)| name.clone())
        .collect()
}

fn tokens(bytes: &[u8]) -> impl Iterator<Item = &str> {
    memmem::find_iter(bytes, TOKEN_PREFIX).filter_map(|start| {
        let token = bytes.get(start..start + TOKEN_PREFIX.len() + DIGITS)?;
        let digits = token.get(TOKEN_PREFIX.len()..)?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| std::str::from_utf8(token).ok())?
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry.unwrap();
            let list = if entry.file_type().unwrap().is_dir() { &mut folders } else { &mut found };
            list.push(entry.path());
        }
    }
    found
}
