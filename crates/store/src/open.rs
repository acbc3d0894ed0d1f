//! Opening and closing the database.
use std::path::Path;

use crate::Result;
use crate::writer::Counters;

/// The store; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store;

impl Store {
    /// Opens the database file, made when missing (its directory must exist), and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self> {
        todo!()
    }
    /// Waits for the writes that were accepted, then closes. Clones answer [`crate::StoreError::Closed`] afterwards.
    pub async fn close(&self) {
        todo!()
    }
    /// The database file.
    pub fn path(&self) -> &Path {
        todo!()
    }
    /// Reads the whole file and checks its structure. For `wissel doctor`: takes a second for each few hundred MB.
    pub async fn check(&self) -> Result<()> {
        todo!()
    }
    /// How many writes and commits there were.
    pub fn counters(&self) -> Counters {
        todo!()
    }
}
