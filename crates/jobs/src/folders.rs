//! Finds the folders that a job works on: by pinned id, by the name the operator gave, and what to suggest when
//! there is none. Also decides which folders are scanned; the processed folder never is.

use wissel_model::job::Pin;
use wissel_model::{
    Account, ConnectorError, ErrorKind, Folder, FolderAddress, ImportJob, JobAccount, ProcessedAction,
    Session,
};

use crate::JobError;

/// The folders of one account of a job, as they are now.
#[derive(Debug, Clone)]
pub(crate) struct JobFolders {
    /// The import folder.
    pub(crate) import: Folder,
    /// The processed folder, when the job has one and it exists.
    pub(crate) processed: Option<Folder>,
    /// The folders to import from: the import folder first, then those below it when asked for.
    pub(crate) scanned: Vec<Folder>,
}

/// Says that the failure is about this account.
pub(crate) fn in_account(account: &Account) -> impl Fn(ConnectorError) -> JobError + '_ {
    |source| JobError::Mailbox {
        account: account.name.clone(),
        folder: None,
        source: Box::new(source),
        advice: None,
    }
}

/// Says that the failure is about this folder of the account.
pub(crate) fn in_folder<'a>(
    account: &'a Account,
    folder: &'a Folder,
) -> impl Fn(ConnectorError) -> JobError + 'a {
    |source| JobError::Mailbox {
        account: account.name.clone(),
        folder: Some(folder.display_path()),
        source: Box::new(source),
        advice: None,
    }
}

/// Finds the folders of one account of the job. Changes nothing in the mailbox: a processed folder that is missing
/// is reported as absent when the job may create it, else as an error.
pub(crate) async fn resolve(
    session: &mut dyn Session,
    job: &ImportJob,
    account: &Account,
    place: &JobAccount,
) -> Result<JobFolders, JobError> {
    let import = find(session, account, &place.folder, place.pin.as_ref()).await?;
    let moves = job.action == ProcessedAction::Move;
    let processed = match &place.processed {
        None if moves => {
            let problem = "the job moves messages, but names no processed folder".to_owned();
            return Err(unusable(job, account, problem));
        }
        None => None,
        Some(address) => {
            // Only what has a path can be made; and what is not moved to need not be there.
            let may_miss =
                !moves || (job.create_processed_folder && matches!(address, FolderAddress::Path(_)));
            match find(session, account, address, place.processed_pin.as_ref()).await {
                Err(JobError::FolderNotFound { .. }) if may_miss => None,
                other => Some(other?),
            }
        }
    };
    if let Some(processed) = &processed {
        check_apart(job, account, &import, processed)?;
    }
    let mut scanned = vec![import.clone()];
    if job.include_subfolders && import.has_children {
        let below = session.folders(Some(&import.id), true).await.map_err(in_folder(account, &import))?;
        scanned.extend(below.into_iter().filter(|f| f.id != import.id));
    }
    scanned.retain(|folder| {
        folder.holds_messages && processed.as_ref().is_none_or(|processed| !folder.is_within(processed))
    });
    Ok(JobFolders { import, processed, scanned })
}

/// Refuses a processed folder in which the import folder lies: what is imported would be imported again.
pub(crate) fn check_apart(
    job: &ImportJob,
    account: &Account,
    import: &Folder,
    processed: &Folder,
) -> Result<(), JobError> {
    if !import.is_within(processed) {
        return Ok(());
    }
    let (import, processed) = (import.display_path(), processed.display_path());
    let problem = format!("the import folder '{import}' lies inside the processed folder '{processed}'");
    Err(unusable(job, account, problem))
}

fn unusable(job: &ImportJob, account: &Account, problem: String) -> JobError {
    JobError::Folders { job: job.name.clone(), account: account.name.clone(), problem }
}

/// Finds one folder: first where it was found last, then by its name. A pinned folder that was renamed is followed;
/// one that was replaced by a new one of the same name is found by name.
pub(crate) async fn find(
    session: &mut dyn Session,
    account: &Account,
    address: &FolderAddress,
    pin: Option<&Pin>,
) -> Result<Folder, JobError> {
    if let Some(pin) = pin {
        match session.find_folder(&FolderAddress::Id(pin.id.clone())).await {
            Ok(folder) => return Ok(folder),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(in_account(account)(error)),
        }
    }
    match session.find_folder(address).await {
        Ok(folder) => Ok(folder),
        Err(error) if error.kind == ErrorKind::NotFound => {
            let all = session.folders(None, true).await.map_err(in_account(account))?;
            by_written_path(&all, address, session).await.map_err(in_account(account))?.ok_or_else(|| {
                JobError::FolderNotFound {
                    account: account.name.clone(),
                    folder: address.to_string(),
                    nearest: nearest(&all, address),
                }
            })
        }
        Err(error) => Err(in_account(account)(error)),
    }
}

/// A name may itself hold `/` or `\`. What the operator wrote is then cut wrongly, so compare whole paths as written.
async fn by_written_path(
    all: &[Folder],
    address: &FolderAddress,
    session: &mut dyn Session,
) -> Result<Option<Folder>, ConnectorError> {
    let FolderAddress::Path(names) = address else { return Ok(None) };
    let wanted = written(names);
    let mut found = all.iter().filter(|folder| written(&folder.path) == wanted);
    let (Some(folder), None) = (found.next(), found.next()) else { return Ok(None) };
    session.find_folder(&FolderAddress::Id(folder.id.clone())).await.map(Some)
}

fn written(names: &[String]) -> String {
    names.join("/").replace('\\', "/").to_lowercase()
}

/// Up to three folders whose paths come near the one that was asked for, the nearest first.
fn nearest(all: &[Folder], address: &FolderAddress) -> Vec<String> {
    let FolderAddress::Path(names) = address else { return Vec::new() };
    let wanted = written(names);
    let last = names.last().map(|n| n.to_lowercase()).unwrap_or_default();
    let mut scored: Vec<(usize, String)> = all
        .iter()
        .filter_map(|folder| {
            let path = written(&folder.path);
            let name = folder.path.last().map(|n| n.to_lowercase()).unwrap_or_default();
            // What shares a parent alone is not near: each is held to its own length.
            let near = |one: &str, other: &str, share: usize| {
                let distance = strsim::damerau_levenshtein(one, other);
                (distance <= 1 + other.chars().count() / share).then_some(distance)
            };
            let by_name = near(&name, &last, 3).map(|distance| distance + 1);
            let distance = [near(&path, &wanted, 6), by_name].into_iter().flatten().min()?;
            Some((distance, folder.display_path()))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, path)| path).collect()
}

/// How a folder is remembered.
pub(crate) fn pin_of(folder: &Folder) -> Pin {
    Pin { id: folder.id.clone(), path: folder.path.clone() }
}
