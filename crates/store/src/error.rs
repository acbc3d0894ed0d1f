//! What can go wrong in the store, each with the next step that a person can take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use wissel_model::{AccountId, JobId, MessageKey};

/// What every operation of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A failure of the store. `Clone`, because one failed commit is the answer to all writes that shared it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The directory that should hold the database does not exist.
    #[error("the directory {} for the database does not exist; create it, or name another database", .directory.display())]
    DirectoryMissing {
        /// The directory.
        directory: PathBuf,
    },
    /// The file or its directory cannot be read or written by this user.
    #[error("the database {} cannot be opened for writing: {detail}; give this user the right to write the file and its directory", .path.display())]
    NotWritable {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The file is something else.
    #[error("{} is not a Wissel database; name the right file, or move this one away to begin with an empty one", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the database {} is damaged: {detail}; stop Wissel, keep a copy of the file, and restore the last backup", .path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What is damaged, as far as it is known.
        detail: String,
    },
    /// A later version of Wissel has changed the tables.
    #[error("the database {} was made by a newer version of Wissel (its tables are at version {found}, this program knows {known}); run that version, or name another database", .path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// Another process kept the database locked for too long.
    #[error("the database {} is locked by another process; end that process (a backup, an editor, another `wissel`) or try again", .path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// There is no room on the disk.
    #[error("no room is left on the disk of the database {}; free some, then try again: nothing was half written", .path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
    },
    /// The database answered something that has no better name.
    #[error("the database {} failed: {detail}; check its disk with the system's tools, then run `wissel doctor`", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What it said.
        detail: String,
    },
    /// A row holds something that this program did not write.
    #[error(
        "the database holds {what} that cannot be read: {detail}; restore the last backup, or report this"
    )]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The store was closed before.
    #[error("the database was closed already; nothing was written")]
    Closed,

    /// The vault's key was changed since this secret was sealed.
    #[error("the vault's key was changed meanwhile, so nothing was stored; repeat the command")]
    KeyChanged,
    /// A secret was stored or removed while all were sealed again.
    #[error(
        "secrets were stored or removed while all were sealed again, so nothing was changed; repeat the command"
    )]
    SecretsChanged,

    /// No account of this name or id.
    #[error("there is no account '{name}'; {}", list("accounts", known, "wissel account add"))]
    AccountNotFound {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// No job of this name or id.
    #[error("there is no job '{name}'; {}", list("jobs", known, "wissel job add"))]
    JobNotFound {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Another account or job has this name.
    #[error("the name '{name}' is taken (upper and lower case count as the same); choose another one")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Jobs still use the account.
    #[error("account '{account}' is used by {}; switch or remove those jobs first", jobs.join(", "))]
    AccountInUse {
        /// The account's name.
        account: String,
        /// The names of the jobs.
        jobs: Vec<String>,
    },
    /// No OAuth client of this name or id.
    #[error("there is no OAuth client '{name}'; {}", list("OAuth clients", known, "wissel client add"))]
    ClientNotFound {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Accounts are authorised through the client.
    #[error("the OAuth client '{client}' is used by {}; give those accounts another one with `wissel account edit NAME --client OTHER`, or remove them first", accounts.join(", "))]
    ClientInUse {
        /// The client's name.
        client: String,
        /// The names of the accounts.
        accounts: Vec<String>,
    },
    /// Another secret of the client has this label.
    #[error("the client has a secret '{label}' already; give this one another label with --label")]
    LabelTaken {
        /// The label.
        label: String,
    },
    /// The secret was removed meanwhile.
    #[error("the secret was removed meanwhile; look at those that are left with `wissel client secret list`")]
    ClientSecretGone,
    /// Tokens are asked for with this secret.
    #[error(
        "the secret '{label}' is the one in use; put another one into use first with `wissel client secret use`"
    )]
    ClientSecretInUse {
        /// Its label.
        label: String,
    },
    /// No alert channel of this name.
    #[error("there is no alert channel '{name}'; {}", list("alert channels", known, "wissel alert add"))]
    AlertChannelNotFound {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// The job does not use this account (any more).
    #[error("job '{job}' does not use the account {account}; look with `wissel job show`")]
    AccountNotInJob {
        /// The job's name.
        job: String,
        /// The account.
        account: AccountId,
    },
    /// The job uses this account already.
    #[error("job '{job}' uses the account '{account}' already; choose another one")]
    AccountTwiceInJob {
        /// The job's name.
        job: String,
        /// The account's name.
        account: String,
    },
    /// Somebody else changed the job since it was read.
    #[error(
        "job '{job}' was changed meanwhile (its revision is {found}, not {expected}); look at it again and repeat the change"
    )]
    Conflict {
        /// The job's name.
        job: String,
        /// The revision that the caller had read.
        expected: i64,
        /// The revision it has now.
        found: i64,
    },

    /// Somebody else works on the job.
    #[error(
        "job '{job}' is being run by {holder} (until {until} unless renewed); wait for it, or stop that process"
    )]
    LeaseHeld {
        /// The job's name.
        job: String,
        /// Who holds it.
        holder: String,
        /// When it ends, unless it is renewed.
        until: Timestamp,
    },
    /// The lease was released, or somebody else took it over: this worker must stop.
    #[error(
        "the lease on job {job} was lost to another worker; nothing more is written by this one, the other one goes on"
    )]
    LeaseLost {
        /// The job.
        job: JobId,
    },
    /// A message is not in the state that the step needs: the caller broke the order of steps.
    #[error("message {key} is {found} in the ledger and cannot become {wanted}; report this")]
    WrongState {
        /// The message.
        key: MessageKey,
        /// The state it has, or `missing`.
        found: &'static str,
        /// The state it should get.
        wanted: &'static str,
    },
    /// No message of this key is in quarantine.
    #[error("message {key} is not in quarantine; list what is with `wissel quarantine`")]
    NotQuarantined {
        /// The message.
        key: MessageKey,
    },
}

/// Says which names exist, or how to make the first.
fn list(what: &str, known: &[String], add: &str) -> String {
    const SHOWN: usize = 12;
    if known.is_empty() {
        return format!("there are no {what} yet, add one with `{add}`");
    }
    let names: Vec<&str> = known.iter().take(SHOWN).map(String::as_str).collect();
    let more = known.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("the {what} are {}{rest}", names.join(", "))
}

/// A failure inside an operation, before the database file is named.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    Store(StoreError),
    Database(Arc<sqlx::Error>),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl Failure {
    /// Names the database file and what SQLite's result code means for a person
    /// (<https://www.sqlite.org/rescode.html>).
    pub(crate) fn at(self, path: &Path) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Database(error) => error,
        };
        let (path, detail) = (path.to_owned(), error.to_string());
        const NO_ROOM_FOR_SHARED_MEMORY: i32 = 4874;
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let code = code.and_then(|c| c.parse::<i32>().ok());
        if code == Some(NO_ROOM_FOR_SHARED_MEMORY) {
            return StoreError::DiskFull { path };
        }
        // The low byte of an extended result code is the primary one.
        match code.map(|c| c & 0xff) {
            Some(5 | 6) => StoreError::Locked { path },
            Some(11) => StoreError::Corrupt { path, detail },
            Some(13) => StoreError::DiskFull { path },
            Some(3 | 8 | 14 | 23) => StoreError::NotWritable { path, detail },
            Some(26) => StoreError::NotADatabase { path },
            _ if matches!(*error, sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => StoreError::Closed,
            _ => StoreError::Database { path, detail },
        }
    }

    /// Whether a unique index refused the change.
    pub(crate) fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(error)
            if error.as_database_error().is_some_and(|e| e.is_unique_violation()))
    }
}
