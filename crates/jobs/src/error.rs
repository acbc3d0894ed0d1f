//! Why a job could not do its work. Each error names the job or account and the folder it is about, and what to do.

use std::time::Duration;

use wissel_model::{Account, ConnectorError, Connectors, ErrorKind};
use wissel_sink::SinkError;
use wissel_store::StoreError;

/// Why a job could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The mailbox, or the way to it, failed.
    #[error("account '{account}'{}: {}", .folder.as_ref().map(|f| format!(", folder '{f}'")).unwrap_or_default(), advised(.source, .advice.as_deref()))]
    Mailbox {
        /// The account's name.
        account: String,
        /// The folder that was worked on.
        folder: Option<String>,
        /// What the connector or the host said.
        #[source]
        source: Box<ConnectorError>,
        /// What the account's way to sign in says about it, where that is known.
        advice: Option<String>,
    },
    /// A folder of the job does not exist.
    #[error("account '{account}': there is no folder '{folder}'{}; list the folders with `wissel folder list \"{account}\"` and correct the job with `wissel job edit`.", nearest_text(.nearest))]
    FolderNotFound {
        /// The account's name.
        account: String,
        /// The folder, as the job names it.
        folder: String,
        /// Folders that exist and come near, the nearest first.
        nearest: Vec<String>,
    },
    /// The job's folders cannot be used together.
    #[error(
        "job '{job}', account '{account}': {problem}; correct the folders with `wissel job edit \"{job}\"`."
    )]
    Folders {
        /// The job's name.
        job: String,
        /// The account's name.
        account: String,
        /// What does not fit.
        problem: String,
    },
    /// The connector cannot do what the job asks for.
    #[error(
        "job '{job}': the connector '{connector}' of account '{account}' has no operation '{operation}'; choose another processed action with `wissel job edit \"{job}\"`, or an account of another connector."
    )]
    Unsupported {
        /// The job's name.
        job: String,
        /// The account's name.
        account: String,
        /// The connector's name.
        connector: String,
        /// The operation of the contract.
        operation: &'static str,
    },
    /// The service denies what the job needs.
    #[error(
        "account '{account}', folder '{folder}': the right to {operation} is missing; ask the mailbox's administrator for it, then run `wissel job test \"{job}\"`."
    )]
    Denied {
        /// The job's name.
        job: String,
        /// The account's name.
        account: String,
        /// The folder.
        folder: String,
        /// The operation of the contract.
        operation: String,
    },
    /// The job came back with a backup and was not let run again yet.
    #[error(
        "job '{job}' came back with a backup of {made:.0}, and messages that were imported since may be imported again; see docs/operations.md, then let it run with `wissel job edit \"{job}\" --enable`"
    )]
    Held {
        /// The job.
        job: String,
        /// When the backup was made.
        made: jiff::Timestamp,
    },
    /// Another process works on the job.
    #[error("job '{job}' is being worked on by {holder}; wait until it has finished, or stop it.")]
    Busy {
        /// The job's name.
        job: String,
        /// Who works on it.
        holder: String,
    },
    /// The job does not use the account that it should be switched from, or uses the other one already.
    #[error("job '{job}' {problem}\n  `wissel job show \"{job}\"` lists its accounts.")]
    Switch {
        /// The job's name.
        job: String,
        /// What does not fit.
        problem: String,
    },
    /// Messages that cannot be matched with certainty hold a switch back.
    #[error(
        "job '{job}': {count} messages in '{account}' cannot be told apart from imported ones with certainty; look at them with `wissel ledger` and in the mailbox; then take them out of the folder, or import them as new with `wissel job switch --doubtful import`."
    )]
    Ambiguous {
        /// The job's name.
        job: String,
        /// The account they are in.
        account: String,
        /// How many.
        count: usize,
    },
    /// Some messages were delivered, but the mailbox would not move, mark or delete them.
    #[error(
        "account '{account}': {count} messages were imported but could not be {verb}; they are not imported again, and the next run tries the mailbox again. The reason: {}", advised(.source, .advice.as_deref())
    )]
    Unprocessed {
        /// The account's name.
        account: String,
        /// How many.
        count: usize,
        /// The past participle of the action.
        verb: &'static str,
        /// The first failure.
        #[source]
        source: Box<ConnectorError>,
        /// As in [`JobError::Mailbox`].
        advice: Option<String>,
    },
    /// The sink could not take messages.
    #[error("job '{job}': {source}")]
    Sink {
        /// The job's name.
        job: String,
        /// What the sink said.
        #[source]
        source: SinkError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of Wissel's own home directory could not be written or read.
    #[error("{path}: {source}; check that the directory exists, is writable and has room.")]
    Home {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A stop was asked for; what was delivered until then is recorded.
    #[error("stopped on request; what was imported is recorded, the rest follows with the next run.")]
    Stopped,
}

impl JobError {
    /// Whether trying again soon, with a new session, may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let (Self::Mailbox { source, .. } | Self::Unprocessed { source, .. }) = self else { return false };
        match source.kind {
            ErrorKind::Temporary | ErrorKind::Throttled => true,
            // Trying a refused password again locks accounts out; a person has to act first.
            ErrorKind::AuthorizationNeeded | ErrorKind::PermissionMissing | ErrorKind::InvalidSetting => {
                false
            }
            _ => breaks_session(source),
        }
    }

    /// Whether the service asks to slow down: it is there, and has not said what was asked.
    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::Mailbox { source, .. } if source.kind == ErrorKind::Throttled)
    }

    /// Takes up what the way to sign in of this account says about the failure, in English: what is kept of a run, and
    /// logged, is.
    pub(crate) async fn advise(&mut self, connectors: &dyn Connectors, account: &Account) {
        let (Self::Mailbox { source, advice, .. } | Self::Unprocessed { source, advice, .. }) = self else {
            return;
        };
        let Ok(description) = connectors.description(&account.connector).await else { return };
        let method = description.auth_method(&account.auth);
        *advice = method.and_then(|method| method.advise(source, &format!("\"{}\"", account.name), "en"));
    }

    /// How long the service asks to wait, when it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let (Self::Mailbox { source, .. } | Self::Unprocessed { source, .. }) = self else { return None };
        source.retry_after()
    }
}

/// Whether the session cannot be used after this: the connection is gone, or the connector itself.
pub(crate) fn breaks_session(error: &ConnectorError) -> bool {
    error.session_lost || error.kind == ErrorKind::Fault
}

/// The failure as a sentence, and what to do about it.
fn advised(source: &ConnectorError, advice: Option<&str>) -> String {
    let text = source.to_string();
    format!("{}. {}", text.trim_end_matches(['.', ' ']), advice.unwrap_or(source.kind.advice()))
}

fn nearest_text(names: &[String]) -> String {
    match names.split_first() {
        None => String::new(),
        Some((first, [])) => format!("; the nearest that exists is '{first}'"),
        Some((first, more)) => {
            let more: Vec<String> = more.iter().map(|n| format!("'{n}'")).collect();
            format!("; the nearest that exists is '{first}' (then {})", more.join(", "))
        }
    }
}
