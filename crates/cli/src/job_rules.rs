//! What a job must fulfil before it is stored, whichever command brings it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use wissel_model::{AccountId, FolderAddress, ImportJob, JobAccount, ProcessedAction};
use wissel_sink::DirectorySink;

use crate::problem::Problem;
use crate::text::Language;

/// Reads a folder as a person typed it.
pub(crate) fn folder(text: &str) -> Result<FolderAddress, String> {
    FolderAddress::parse(text).ok_or_else(|| {
        format!(
            "'{text}' names no folder; give a path such as 'Postvak IN/Algemeen', or a role such as @inbox"
        )
    })
}

/// Checks a name of an account or a job.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control) {
        return Err("a name has 1 to 200 characters and no control characters".to_owned());
    }
    Ok(name.to_owned())
}

/// The directory as a path that holds wherever the service is started.
pub(crate) fn directory(path: &Path) -> Result<PathBuf, Problem> {
    std::path::absolute(path).map_err(|error| {
        Problem::usage(
            format!("the directory '{}' cannot be used: {error}", path.display()),
            "Name another one.",
        )
    })
}

/// Makes the job's directory when it is missing, and proves that messages can be written to it: what is named wrongly is
/// noticed now, not when the first message comes.
pub(crate) async fn prepare(job: &ImportJob) -> Result<(), Problem> {
    match DirectorySink::open(&job.target).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let (message, _) = text.rsplit_once("; ").unwrap_or((&text, ""));
            let (message, advice) = (format!("job '{}': {message}", job.name), error.problem.advice());
            Err(Problem::usage(message, format!("Nothing was changed; {advice}.")))
        }
    }
}

/// Everything that is wrong with the job, as sentences. Account names are given in the order of its accounts.
pub(crate) fn problems(job: &ImportJob, accounts: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    if job.accounts.is_empty() {
        problems.push("it has no account".to_owned());
    }
    for (place, account) in job.accounts.iter().zip(accounts) {
        match (&place.processed, job.action) {
            (None, ProcessedAction::Move) => {
                problems.push(format!("account '{account}': to move messages, a processed folder is needed"));
            }
            (Some(processed), ProcessedAction::Move) if same(processed, &place.folder) => {
                problems.push(format!(
                    "account '{account}': the import folder and the processed folder are the same, '{}'",
                    place.folder
                ));
            }
            (Some(processed), ProcessedAction::Move) if contains(processed, &place.folder) => {
                problems.push(format!(
                    "account '{account}': the import folder '{}' lies inside the processed folder '{processed}'",
                    place.folder
                ));
            }
            (Some(processed), action) if action != ProcessedAction::Move => {
                problems.push(format!(
                    "account '{account}': with the action {} nothing is moved to a processed folder, but '{processed}' is given as one",
                    action.as_str()
                ));
            }
            _ => {}
        }
    }
    if job.watch && job.schedule.is_none() {
        problems.push(
            "to watch, it also needs a time at which the service runs it anyway (--every or --schedule)"
                .to_owned(),
        );
    }
    for (at, place) in job.accounts.iter().enumerate() {
        if job.accounts.iter().take(at).any(|earlier| earlier.account == place.account) {
            let account = accounts.get(at).map_or("", String::as_str);
            problems.push(format!("account '{account}' is named twice"));
        }
    }
    problems
}

/// What two jobs have in common.
pub(crate) struct Shared {
    /// The sentence.
    pub(crate) text: String,
    /// Whether messages are imported twice for it.
    pub(crate) twice: bool,
}

/// What a job shares with another: a mailbox folder, or the target directory.
pub(crate) fn shared(
    job: &ImportJob,
    other: &ImportJob,
    accounts: &HashMap<AccountId, String>,
    language: Language,
) -> Vec<Shared> {
    let mut found = Vec::new();
    let name = &other.name;
    for place in &job.accounts {
        let meets =
            |theirs: &&JobAccount| theirs.account == place.account && same(&theirs.folder, &place.folder);
        if other.accounts.iter().any(|theirs| meets(&theirs)) {
            let account = accounts.get(&place.account).map_or("", String::as_str);
            let folder = &place.folder;
            let text = language.pick(
                format!("imports from folder '{folder}' of account '{account}', and so does job '{name}'"),
                format!("importeert uit map '{folder}' van account '{account}', en taak '{name}' ook"),
            );
            found.push(Shared { text, twice: job.filter == other.filter });
        }
    }
    if job.target.directory == other.target.directory {
        let text = language.pick(
            format!("writes to the same directory as job '{name}'"),
            format!("schrijft in dezelfde map als taak '{name}'"),
        );
        found.push(Shared { text, twice: false });
    }
    found
}

/// Refuses a job that cannot work.
pub(crate) fn check(job: &ImportJob, accounts: &[String]) -> Result<(), Problem> {
    let problems = problems(job, accounts);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Problem::usage(
        format!("job '{}': {}", job.name, problems.join("; ")),
        "Correct the options; `wissel job add --help` explains them.",
    ))
}

fn same(one: &FolderAddress, other: &FolderAddress) -> bool {
    match (one, other) {
        (FolderAddress::Path(one), FolderAddress::Path(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(a, b)| a.to_lowercase() == b.to_lowercase())
        }
        _ => one == other,
    }
}

fn contains(outer: &FolderAddress, inner: &FolderAddress) -> bool {
    let (FolderAddress::Path(outer), FolderAddress::Path(inner)) = (outer, inner) else { return false };
    outer.len() < inner.len() && outer.iter().zip(inner).all(|(a, b)| a.to_lowercase() == b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use wissel_model::job::DirectoryTarget;
    use wissel_model::{Filter, JobId};

    use super::*;

    fn job(action: ProcessedAction, import: &str, processed: Option<&str>) -> ImportJob {
        ImportJob {
            id: JobId::generate(),
            name: "J".to_owned(),
            accounts: vec![JobAccount {
                account: AccountId::generate(),
                folder: folder(import).unwrap(),
                processed: processed.map(|p| folder(p).unwrap()),
                pin: None,
                processed_pin: None,
            }],
            include_subfolders: true,
            action,
            create_processed_folder: false,
            filter: Filter::default(),
            target: DirectoryTarget { directory: "/in".into(), extract_attachments: false },
            schedule: None,
            watch: false,
            enabled: true,
            revision: 0,
        }
    }

    #[test]
    fn moving_needs_another_folder_and_a_processed_folder_may_lie_inside() {
        let accounts = ["A".to_owned()];
        let wrong = |job: &ImportJob| problems(job, &accounts).join("; ");
        assert!(wrong(&job(ProcessedAction::Move, "In", None)).contains("needed"));
        assert!(wrong(&job(ProcessedAction::Move, "In/Algemeen", Some("in\\algemeen"))).contains("the same"));
        assert!(wrong(&job(ProcessedAction::Move, "In/Algemeen", Some("In"))).contains("lies inside"));
        assert_eq!(wrong(&job(ProcessedAction::Move, "In", Some("In/Verwerkt"))), "");
        assert_eq!(wrong(&job(ProcessedAction::Leave, "In", None)), "");
        assert!(wrong(&job(ProcessedAction::Delete, "In", Some("Klaar"))).contains("'Klaar' is given"));
    }

    #[test]
    fn an_account_stands_in_a_job_once() {
        let mut twice = job(ProcessedAction::Leave, "In", None);
        twice.accounts.push(twice.accounts[0].clone());
        assert_eq!(problems(&twice, &["A".to_owned(), "A".to_owned()]), ["account 'A' is named twice"]);
    }
}
