//! Exit codes, and the one place where a failure becomes one.

use std::process::ExitCode;

use serde_json::{Value, json};
use wissel_host::CatalogueError;
use wissel_jobs::JobError;
use wissel_model::secrets::SecretError;
use wissel_model::{ConnectorError, ErrorKind};
use wissel_store::StoreError;
use wissel_vault::VaultError;

use crate::output;
use crate::problem::Problem;
use crate::vault_advice;

/// What `--help` says about exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    the work failed
  2    wrong usage, or a setting that cannot be used
  3    not found: an account, job, folder, message or connector
  4    authorization is needed, or a right is missing
  5    busy: another process works on the job
  6    the home directory, database or vault cannot be used
  7    partly done: some messages failed or were quarantined, or some accounts failed
  8    of `doctor`: nothing failed, and something has to be looked at, such as a secret that expires
  130  stopped on request

With --json every command prints one JSON document on standard output; a failure is
  {\"error\": {\"code\": \"...\", \"message\": \"...\", \"next\": \"...\"}}

Secrets are never given as arguments: they are asked for, or read from standard input or the environment.";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Authorization = 4,
    Busy = 5,
    Home = 6,
    Partly = 7,
    Attention = 8,
    Stopped = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

impl Code {
    /// The code for a mailbox operation that ended like this.
    pub(crate) fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::AuthorizationNeeded | ErrorKind::PermissionMissing => Self::Authorization,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::InvalidSetting => Self::Usage,
            ErrorKind::Cancelled => Self::Stopped,
            _ => Self::Failed,
        }
    }
}

/// A failure as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) code: Code,
    name: &'static str,
    message: String,
    next: String,
}

impl From<Shown> for Problem {
    fn from(shown: Shown) -> Self {
        let Shown { code, name, message, next } = shown;
        Self { code, name, message, next }
    }
}

impl From<&Problem> for Shown {
    fn from(problem: &Problem) -> Self {
        let Problem { code, name, message, next } = problem.clone();
        Self { code, name, message, next }
    }
}

impl Shown {
    /// The document that `--json` prints.
    pub(crate) fn json(&self) -> Value {
        json!({ "code": self.name, "message": self.message, "next": self.next })
    }

    /// Adds another way on.
    pub(crate) fn or_else_do(mut self, other: &str) -> Self {
        self.next = format!("{}; or {other}.", self.next.trim_end_matches('.'));
        self
    }

    /// Names the job where the message does not.
    pub(crate) fn of_job(mut self, job: &str) -> Self {
        if !self.message.contains(&format!("job '{job}'")) {
            self.message = format!("job '{job}': {}", self.message);
        }
        self
    }

    /// The lines that a person reads.
    pub(crate) fn lines(&self) -> String {
        if self.next.is_empty() { self.message.clone() } else { format!("{}\n  {}", self.message, self.next) }
    }
}

/// Prints the failure and answers with its exit code.
pub(crate) fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let shown = show(error);
    if json {
        output::json(&json!({ "error": shown.json() }));
    } else {
        eprintln!("wissel: {}", shown.lines());
    }
    shown.code.into()
}

/// The exit code, or a failure when not all that a command had to say could be printed.
pub(crate) fn printed(code: ExitCode) -> ExitCode {
    let Err(failure) = output::finish() else { return code };
    eprintln!(
        "wissel: the output cannot be written: {failure}\n  Give it another place; what the command changed stays \
         changed."
    );
    // What was to be looked at could not be said either.
    let well = [Code::Done, Code::Attention].map(ExitCode::from);
    if well.contains(&code) { Code::Failed.into() } else { code }
}

/// Sorts a failure.
pub(crate) fn show(error: &anyhow::Error) -> Shown {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Shown::from(problem);
    }
    if let Some(error) = error.downcast_ref::<JobError>() {
        return show_job(error);
    }
    let (code, name) = if let Some(error) = error.downcast_ref::<StoreError>() {
        of_store(error)
    } else if let Some(error) = error.downcast_ref::<ConnectorError>() {
        (Code::of_kind(error.kind), error.kind.as_str())
    } else if error.is::<VaultError>() || error.is::<SecretError>() {
        (Code::Home, "vault")
    } else if error.is::<CatalogueError>() {
        (Code::Home, "home")
    } else {
        (Code::Failed, "failed")
    };
    let vault = error.downcast_ref::<VaultError>();
    cut(code, name, &vault.map_or_else(|| error.to_string(), |vault| vault_advice::sentence(vault, "NAME")))
}

/// Sorts a failure of a job.
pub(crate) fn show_job(error: &JobError) -> Shown {
    let (code, name) = match error {
        JobError::Mailbox { account, folder, source, advice } => {
            let problem = Problem::mailbox(account, folder.as_deref(), source, advice.as_deref());
            return Shown::from(&problem);
        }
        JobError::FolderNotFound { .. } => (Code::NotFound, "not-found"),
        JobError::Folders { .. } | JobError::Unsupported { .. } | JobError::Switch { .. } => {
            (Code::Usage, "usage")
        }
        JobError::Denied { .. } => (Code::Authorization, "permission-missing"),
        JobError::Busy { .. } => (Code::Busy, "busy"),
        JobError::Held { .. } => (Code::Failed, "held"),
        JobError::Ambiguous { .. } => (Code::Failed, "ambiguous"),
        JobError::Unprocessed { .. } => (Code::Partly, "partly-done"),
        JobError::Sink { .. } => (Code::Failed, "sink"),
        JobError::Store(error) => of_store(error),
        JobError::Home { .. } => (Code::Home, "home"),
        JobError::Stopped => (Code::Stopped, "stopped"),
    };
    cut(code, name, &error.to_string())
}

fn of_store(error: &StoreError) -> (Code, &'static str) {
    match error {
        StoreError::AccountNotFound { .. }
        | StoreError::JobNotFound { .. }
        | StoreError::ClientNotFound { .. }
        | StoreError::AlertChannelNotFound { .. }
        | StoreError::ClientSecretGone
        | StoreError::NotQuarantined { .. }
        | StoreError::AccountNotInJob { .. } => (Code::NotFound, "not-found"),
        StoreError::NameTaken { .. }
        | StoreError::LabelTaken { .. }
        | StoreError::AccountTwiceInJob { .. } => (Code::Usage, "usage"),
        StoreError::AccountInUse { .. }
        | StoreError::ClientInUse { .. }
        | StoreError::ClientSecretInUse { .. } => (Code::Failed, "in-use"),
        StoreError::LeaseHeld { .. } | StoreError::LeaseLost { .. } => (Code::Busy, "busy"),
        StoreError::Conflict { .. } => (Code::Busy, "conflict"),
        StoreError::WrongState { .. } => (Code::Failed, "failed"),
        _ => (Code::Home, "store"),
    }
}

/// The errors of the other crates carry the next step in their text: on a line of its own, or after the last
/// semicolon.
pub(crate) fn cut(code: Code, name: &'static str, text: &str) -> Shown {
    let (message, next) = text.split_once("\n  ").or_else(|| text.rsplit_once("; ")).unwrap_or((text, ""));
    Shown { code, name, message: message.to_owned(), next: sentence(next) }
}

/// Begins with a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_cut_off_and_the_code_found() {
        let shown = show(
            &StoreError::AccountNotFound { name: "x".to_owned(), known: vec!["Inkoop".to_owned()] }.into(),
        );
        assert_eq!((shown.code, shown.name), (Code::NotFound, "not-found"));
        assert_eq!(shown.message, "there is no account 'x'");
        assert_eq!(shown.next, "The accounts are Inkoop");

        let shown = show(&JobError::Busy { job: "J".to_owned(), holder: "process 1".to_owned() }.into());
        assert_eq!(shown.code, Code::Busy);
        assert_eq!(shown.message, "job 'J' is being worked on by process 1");
        assert!(shown.next.to_lowercase().starts_with("wait"), "{}", shown.next);
    }

    #[test]
    fn a_refused_sign_in_asks_for_authorization_and_keeps_the_service_s_code() {
        let refused = ConnectorError::new(ErrorKind::AuthorizationNeeded, "refused").with_code("E1");
        let shown = show(&Problem::mailbox("A", None, &refused, None).into());
        assert_eq!(shown.code, Code::Authorization);
        assert_eq!(shown.json()["message"], "account 'A': refused [E1]");
        assert!(shown.next.contains("wissel account edit"));
        let advised = show(&Problem::mailbox("A", Some("In"), &refused, Some("Do this.")).into());
        assert_eq!(
            (advised.message.as_str(), advised.next.as_str()),
            ("account 'A', folder 'In': refused [E1]", "Do this.")
        );
    }

    #[test]
    fn the_help_names_every_code() {
        use Code::*;
        for code in [Done, Failed, Usage, NotFound, Authorization, Busy, Home, Partly, Attention, Stopped] {
            assert!(
                HELP.lines().any(|l| l.trim_start().starts_with(&format!("{} ", code as u8))),
                "{code:?}"
            );
        }
    }
}
