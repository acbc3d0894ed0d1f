//! Opens the database, brings its tables up to date, and closes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::Failure;
use crate::writer::{Counters, Pending, QUEUE, Request, Tally, Writer};
use crate::{Result, StoreError, private_file};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a lock of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections for reading; SQLite lets all of them read while one writes.
const READERS: u32 = 4;
/// `Wssl`: tells our files from other programs' SQLite databases (`PRAGMA application_id`).
const APPLICATION: u32 = 0x5773_736c;

/// The tables of Wissel in one database file. Cheap to clone; all clones share one writer.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    queue: mpsc::Sender<Box<dyn Request>>,
    readers: SqlitePool,
    closing: CancellationToken,
    writer: TaskTracker,
    tally: Arc<Tally>,
}

impl Store {
    /// Opens the database file, made when missing (its directory must exist), and brings its tables up to date.
    /// The file is not read through here; see [`check`](Self::check).
    ///
    /// # Errors
    /// The directory is missing or not writable, the file is something else, damaged, from a newer version of Wissel
    /// or locked, or the disk is full.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_within(path, PATIENCE).await
    }

    /// [`open`](Self::open) with another patience for locks.
    pub(crate) async fn open_within(path: &Path, patience: Duration) -> Result<Self> {
        prepare_file(path)?;
        refuse_foreign(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(patience)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = connect(&options, path, patience).await?;
        migrate(&mut connection, path).await.map_err(|failure| failure.at(path))?;

        let reading = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(patience);
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(reading);
        let (queue, inbox) = mpsc::channel(QUEUE);
        let (closing, tally, writer) =
            (CancellationToken::new(), Arc::<Tally>::default(), TaskTracker::new());
        writer.spawn(Writer { connection, inbox, closing: closing.clone(), tally: Arc::clone(&tally) }.run());
        writer.close();
        let inner = Inner { path: path.to_owned(), queue, readers, closing, writer, tally };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits for the writes that were accepted, then closes. Clones answer [`StoreError::Closed`] afterwards.
    /// A store that is dropped instead loses nothing that was acknowledged.
    pub async fn close(&self) {
        // The writer goes last: only a connection that may write takes the log into the database file when it closes.
        self.inner.readers.close().await;
        self.inner.closing.cancel();
        self.inner.writer.wait().await;
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Reads the whole file and checks its structure: for `wissel doctor`. Opening does not, because it takes about
    /// a second for each few hundred megabytes; damage is also named when it is met.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first findings.
    pub async fn check(&self) -> Result<()> {
        let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(3)")
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        if found.iter().all(|line| line == "ok") {
            return Ok(());
        }
        Err(StoreError::Corrupt { path: self.path().to_owned(), detail: found.join("; ") })
    }

    /// How many writes and commits there were since the store was opened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.tally.counters()
    }

    /// Queues a write and waits until it is committed. Once queued it is done even when the caller goes away.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, std::result::Result<T, Failure>>
            + Send
            + 'static,
    {
        let (request, answer) = Pending::request(self.inner.path.clone(), Box::new(work));
        self.inner.queue.send(request).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    /// Names the file in a failure of a reader.
    pub(crate) fn failed(&self, failure: impl Into<Failure>) -> StoreError {
        failure.into().at(self.path())
    }
}

/// Says what is wrong with the place before SQLite says it less clearly, and makes the file readable by its owner
/// only.
fn prepare_file(path: &Path) -> Result<()> {
    if let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty())
        && !directory.is_dir()
    {
        return Err(StoreError::DirectoryMissing { directory: directory.to_owned() });
    }
    private_file::create_when_missing(path).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull => StoreError::DiskFull { path: path.to_owned() },
        _ => StoreError::NotWritable { path: path.to_owned(), detail: error.to_string() },
    })
}

/// Refuses another program's database before anything in it is changed; connecting already switches the log on, which
/// is written into the file. What cannot be told from the header (<https://www.sqlite.org/fileformat2.html>, section
/// 1.3) is found by [`migrate`].
fn refuse_foreign(path: &Path) -> Result<()> {
    const WRITE_AHEAD: u8 = 2;
    let mut header = Vec::with_capacity(100);
    let read = File::open(path).and_then(|file| file.take(100).read_to_end(&mut header));
    read.map_err(|error| StoreError::NotWritable { path: path.to_owned(), detail: error.to_string() })?;
    let ours = header.get(68..72) == Some(&APPLICATION.to_be_bytes());
    // In a database of ours nothing is written before its log is switched on.
    let perhaps = header.starts_with(b"SQLite format 3\0") && header.get(18) == Some(&WRITE_AHEAD);
    if header.is_empty() || ours || perhaps {
        return Ok(());
    }
    Err(StoreError::NotADatabase { path: path.to_owned() })
}

/// Connects, and tries again for a while when the file is locked: SQLite does not wait by itself when the log is
/// switched on, so of two processes that open a new database together one is turned away.
async fn connect(
    options: &SqliteConnectOptions,
    path: &Path,
    patience: Duration,
) -> Result<SqliteConnection> {
    const PAUSE: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    loop {
        match SqliteConnection::connect_with(options).await.map_err(|e| Failure::from(e).at(path)) {
            Err(StoreError::Locked { .. }) if begun.elapsed() < patience => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
}

/// Brings the tables up to date in one transaction, so that two processes that start together do not meet half-way.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> std::result::Result<(), Failure> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *tx).await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *tx).await?;
    match (application, tables) {
        (application, _) if application == i64::from(APPLICATION) => {}
        (0, 0) => {
            sqlx::query("PRAGMA application_id = 1467183980").execute(&mut *tx).await?;
        }
        _ => return Err(StoreError::NotADatabase { path: path.to_owned() }.into()),
    }
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    MIGRATIONS.run_direct(None, &mut *tx, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            Failure::Store(StoreError::Newer { path: path.to_owned(), found, known })
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => Failure::Store(StoreError::Database { path: path.to_owned(), detail: other.to_string() }),
    })?;
    tx.commit().await?;
    Ok(())
}
