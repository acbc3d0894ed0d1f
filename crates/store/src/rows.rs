//! How values are written into rows and read back.

use std::fmt::Display;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use wissel_model::{FolderAddress, FolderId, FolderRole, LedgerEntry, LedgerState, clock};

use crate::{Result, StoreError};

/// Rows that one statement takes: far below SQLite's limit of 32,766 parameters with any number of columns here.
pub(crate) const CHUNK: usize = 500;

/// A moment as stored: RFC 3339 in UTC, always with six decimals, so that text sorts as time does.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// The present moment, as stored.
pub(crate) fn now() -> String {
    moment(clock::now())
}

/// Reads a moment.
pub(crate) fn read_moment(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|e| unreadable("a moment", e))
}

/// Reads a moment that may be missing.
pub(crate) fn read_optional_moment(text: Option<&str>) -> Result<Option<Timestamp>> {
    text.map(read_moment).transpose()
}

/// Reads an id with its `parse` function.
pub(crate) fn read_id<T, E: Display>(
    what: &'static str,
    text: &str,
    parse: impl Fn(&str) -> std::result::Result<T, E>,
) -> Result<T> {
    parse(text).map_err(|e| unreadable(what, e))
}

/// Reads the state of a ledger row.
pub(crate) fn read_state(text: &str) -> Result<LedgerState> {
    LedgerState::parse(text).ok_or_else(|| unreadable("a ledger state", text))
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| unreadable(what, e))
}

/// Reads JSON text.
pub(crate) fn read_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| unreadable(what, e))
}

/// A value that this program did not write, or cannot.
pub(crate) fn unreadable(what: &'static str, detail: impl Display) -> StoreError {
    StoreError::Unreadable { what, detail: detail.to_string() }
}

/// Names are unique without regard to case; this is what is compared.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A folder address as JSON. As text, a `/` inside a folder's name would be lost.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AddressRow {
    Id(FolderId),
    Role(FolderRole),
    Path(Vec<String>),
}

impl From<&FolderAddress> for AddressRow {
    fn from(address: &FolderAddress) -> Self {
        match address.clone() {
            FolderAddress::Id(id) => Self::Id(id),
            FolderAddress::Role(role) => Self::Role(role),
            FolderAddress::Path(path) => Self::Path(path),
        }
    }
}

impl From<AddressRow> for FolderAddress {
    fn from(row: AddressRow) -> Self {
        match row {
            AddressRow::Id(id) => Self::Id(id),
            AddressRow::Role(role) => Self::Role(role),
            AddressRow::Path(path) => Self::Path(path),
        }
    }
}

/// The columns of a [`LedgerEntry`]: a ledger row joined with one of its locations.
#[derive(FromRow)]
pub(crate) struct EntryRow {
    key: String,
    state: String,
    folder: String,
    message: String,
    internet_message_id: Option<String>,
    received: Option<String>,
    digest: Option<String>,
    subject: Option<String>,
    size: Option<i64>,
    since: String,
    reason: Option<String>,
}

impl EntryRow {
    pub(crate) fn read(self) -> Result<LedgerEntry> {
        Ok(LedgerEntry {
            key: read_id("a message key", &self.key, wissel_model::MessageKey::parse)?,
            state: read_state(&self.state)?,
            folder: self.folder.into(),
            message: self.message.into(),
            internet_message_id: self.internet_message_id,
            received: read_optional_moment(self.received.as_deref())?,
            digest: self.digest,
            subject: self.subject,
            size: read_size(self.size)?,
            since: read_moment(&self.since)?,
            reason: self.reason,
        })
    }
}

/// Reads rows that are ordered by key and then by when the location was found: of several locations of one message the
/// last one counts.
pub(crate) fn read_entries(rows: Vec<EntryRow>) -> Result<Vec<LedgerEntry>> {
    let mut entries: Vec<LedgerEntry> = Vec::with_capacity(rows.len());
    for row in rows {
        let entry = row.read()?;
        match entries.last_mut() {
            Some(last) if last.key == entry.key => *last = entry,
            _ => entries.push(entry),
        }
    }
    Ok(entries)
}

/// Reads a number of octets.
pub(crate) fn read_size(size: Option<i64>) -> Result<Option<u32>> {
    size.map(u32::try_from).transpose().map_err(|e| unreadable("a size", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_one_width_and_so_sort_as_text() {
        let early: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-11-22T09:00:00.5Z".parse().unwrap();
        assert_eq!(moment(early), "2026-11-22T09:00:00.000000Z");
        assert!(moment(early) < moment(late));
        assert_eq!(read_moment(&moment(late)).unwrap(), late);
    }
}
