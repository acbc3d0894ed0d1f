//! Counts what arrived, what was imported, what was lost and what was doubled, by the tokens in the messages.
//!
//! Shares no code with what it watches: it reads the bytes of the files, and asks the mailbox behind the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use memchr::memmem;

use super::post::Post;

/// How many octets of a token are the same in all tokens of a mailbox: `TB`, the seed, a dash.
const PREFIX: usize = 11;
/// Files that a listing shows.
const SHOWN: usize = 8;
/// Lines of metadata that are shown.
const LINES: usize = 60;

/// The observer of one job.
pub(super) struct Observer {
    mail: PathBuf,
    arrived: BTreeSet<String>,
}

/// What the observer found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    arrived: usize,
    /// Messages on disk.
    pub(super) imported: usize,
    lost: usize,
    doubled: usize,
    /// Messages that lie in the processed folder, and nowhere else.
    pub(super) processed: usize,
}

impl Count {
    /// Whether each message that arrived was imported exactly once, and lies in the processed folder once.
    pub(super) fn is_exactly_once(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.imported == self.arrived && self.processed == self.arrived
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arrived, imported, lost, doubled, .. } = self;
        write!(out, "arrived {arrived}, imported {imported}, lost {lost}, doubled {doubled}")
    }
}

impl Observer {
    /// An observer of the folder that mail is imported into.
    pub(super) fn new(mail: PathBuf) -> Self {
        Self { mail, arrived: BTreeSet::new() }
    }

    /// Takes note of messages that arrived in the job's folders.
    pub(super) fn expect(&mut self, tokens: Vec<String>) {
        self.arrived.extend(tokens);
    }

    /// The names of what lies in the folder, in order. Keys ascend with time, so the oldest comes first.
    pub(super) fn files(&self) -> Result<Vec<String>> {
        names(&self.mail)
    }

    /// Counts.
    pub(super) fn count(&self, post: &mut Post, processed: &str) -> Result<Count> {
        let mut boxes = BTreeMap::new();
        for token in &self.arrived {
            let folders = post.ask(&format!("count {token}"))?;
            boxes.insert(token.as_str(), serde_json::from_value(folders)?);
        }
        Ok(tally(&self.arrived, &self.on_disk()?, &boxes, processed))
    }

    /// The tokens in each message on disk.
    fn on_disk(&self) -> Result<Vec<BTreeSet<String>>> {
        let prefix = self.arrived.first().and_then(|token| token.get(..PREFIX)).unwrap_or_default();
        let messages = self.files()?.into_iter().filter(|name| name.ends_with(".eml"));
        messages.map(|name| Ok(tokens(&fs::read(self.mail.join(name))?, prefix, &self.arrived))).collect()
    }

    /// Shows some of the files, and one message with its attachments.
    pub(super) fn show_files(&self) -> Result<()> {
        let files = self.files()?;
        println!("\nThe first of the {} entries in {}:", files.len(), self.mail.display());
        for name in files.iter().take(SHOWN) {
            println!("  {name}");
        }
        let with_files = files.iter().find(|name| self.mail.join(name).is_dir());
        let Some(key) = with_files else { return Ok(()) };
        println!("\nOf the message {key} the metadata, and the attachments:");
        let metadata = self.mail.join(format!("{key}.json"));
        let text = fs::read_to_string(&metadata).with_context(|| metadata.display().to_string())?;
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&text)?)?;
        pretty.lines().take(LINES).for_each(|line| println!("  {line}"));
        for name in names(&self.mail.join(key))? {
            let size = fs::metadata(self.mail.join(key).join(&name))?.len();
            println!("  {key}/{name} ({size} octets)");
        }
        Ok(())
    }
}

/// The names in a folder that are not hidden, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>>>()?;
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

/// Which of the tokens stand in `bytes`.
fn tokens(bytes: &[u8], prefix: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let length = known.first().map_or(0, String::len);
    let found = memmem::find_iter(bytes, prefix).filter_map(|at| bytes.get(at..at + length));
    found.filter_map(|token| known.get(std::str::from_utf8(token).ok()?)).cloned().collect()
}

/// Compares what arrived with the messages on disk and with the mailbox's folders. A message is lost when it is on no
/// file, or no longer in the mailbox; doubled when it is there twice in one of the two.
fn tally(
    arrived: &BTreeSet<String>,
    disk: &[BTreeSet<String>],
    boxes: &BTreeMap<&str, BTreeMap<String, usize>>,
    processed: &str,
) -> Count {
    let mut count = Count { arrived: arrived.len(), imported: disk.len(), lost: 0, doubled: 0, processed: 0 };
    for token in arrived {
        let files = disk.iter().filter(|message| message.contains(token)).count();
        let folders = boxes.get(token.as_str());
        let held: usize = folders.map(|folders| folders.values().sum()).unwrap_or_default();
        count.lost += usize::from(files == 0 || held == 0);
        count.doubled += usize::from(files > 1 || held > 1);
        let there = folders.and_then(|folders| folders.get(processed)).copied().unwrap_or_default();
        count.processed += usize::from(there == 1 && held == 1);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESSED: &str = "In/Klaar";

    fn set(tokens: &[&str]) -> BTreeSet<String> {
        tokens.iter().map(|token| (*token).to_owned()).collect()
    }

    /// Counts two messages that arrived.
    fn counted(disk: &[&[&str]], folders: [&[(&str, usize)]; 2]) -> Count {
        let disk: Vec<_> = disk.iter().map(|tokens| set(tokens)).collect();
        let held = |at: &[(&str, usize)]| at.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        let [one, two] = folders;
        let boxes = BTreeMap::from([("one", held(one)), ("two", held(two))]);
        tally(&set(&["one", "two"]), &disk, &boxes, PROCESSED)
    }

    const DONE: &[(&str, usize)] = &[(PROCESSED, 1)];

    #[test]
    fn each_message_once_on_disk_and_once_in_the_processed_folder_is_well() {
        let count = counted(&[&["one"], &["two"]], [DONE, DONE]);
        assert!(count.is_exactly_once());
        assert_eq!(count.to_string(), "arrived 2, imported 2, lost 0, doubled 0");
    }

    #[test]
    fn loss_and_doubles_are_seen_on_both_sides() {
        let lost = counted(&[&["one"]], [DONE, DONE]);
        assert_eq!((lost.lost, lost.is_exactly_once()), (1, false));
        let gone = counted(&[&["one"], &["two"]], [DONE, &[]]);
        assert_eq!((gone.lost, gone.is_exactly_once()), (1, false));
        let twice = counted(&[&["one"], &["two"], &["two"]], [DONE, DONE]);
        assert_eq!((twice.doubled, twice.is_exactly_once()), (1, false));
        let copied = counted(&[&["one"], &["two"]], [DONE, &[(PROCESSED, 1), ("In", 1)]]);
        assert_eq!((copied.doubled, copied.is_exactly_once()), (1, false));
    }

    #[test]
    fn a_message_that_was_not_moved_or_is_not_of_the_job_is_noticed() {
        assert!(!counted(&[&["one"], &["two"]], [DONE, &[("In", 1)]]).is_exactly_once());
        assert!(!counted(&[&["one"], &["two"], &[]], [DONE, DONE]).is_exactly_once());
    }

    #[test]
    fn tokens_are_found_in_bytes_that_are_not_text() {
        let known = set(&["TB00000001-000001", "TB00000001-000002"]);
        let bytes = b"\xff TB00000001-000002\r\nTB00000001-000009 TB00000001-00";
        assert_eq!(tokens(bytes, "TB00000001-", &known), set(&["TB00000001-000002"]));
    }
}
