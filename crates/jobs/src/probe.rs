//! `job test`: opens every account of a job, looks at the folders that the job really uses, and changes nothing.

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wissel_model::settings::fill;
use wissel_model::{
    Account, Filter, Folder, Identity, ImportJob, JobAccount, OpenOptions, ProcessedAction, Session,
};

use crate::action::operation;
use crate::folders::{JobFolders, in_account, resolve};
use crate::listing::{Pages, Wanted};
use crate::target::probe_target;
use crate::{JobError, Workshop};

/// What a test of a job found.
#[derive(Debug)]
pub struct ProbeReport {
    /// The accounts of the job, in its order.
    pub accounts: Vec<AccountProbe>,
    /// Why the target directory cannot be used, if so.
    pub target_problem: Option<JobError>,
}

impl ProbeReport {
    /// Whether the job can run as it is.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.target_problem.is_none() && self.accounts.iter().all(|account| account.problem.is_none())
    }
}

/// What a test found in one account.
#[derive(Debug)]
pub struct AccountProbe {
    /// The account's name.
    pub account: String,
    /// Who the session acts as.
    pub identity: Option<Identity>,
    /// The import folder.
    pub import: Option<FolderProbe>,
    /// The processed folder, when the job has one and it exists.
    pub processed: Option<FolderProbe>,
    /// The processed folder is missing and will be created by the first run.
    pub processed_will_be_created: bool,
    /// The folders that are scanned.
    pub scanned: Vec<FolderProbe>,
    /// How many messages of the scanned folders the filter takes, as far as a listing tells; none without a filter.
    pub matching: Option<u64>,
    /// Another account of the job, seen before, that opens a mailbox of the same address in another way, such as through
    /// another connector: what both import comes twice.
    pub same_mailbox_as: Option<String>,
    /// Why the account cannot be used by the job, if so.
    pub problem: Option<JobError>,
}

/// A folder as the test saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderProbe {
    /// As the job names it.
    pub named: String,
    /// As the service shows it.
    pub path: String,
    /// Messages in it.
    pub total: Option<u32>,
    /// Unread messages in it.
    pub unread: Option<u32>,
}

impl FolderProbe {
    fn new(named: impl Into<String>, folder: &Folder) -> Self {
        Self { named: named.into(), path: folder.display_path(), total: folder.total, unread: folder.unread }
    }
}

/// Tests the job. Problems are part of the report, so that one account's does not hide another's.
///
/// # Errors
/// Only when the store fails.
pub async fn probe(
    shop: &Workshop,
    job: &ImportJob,
    stop: &CancellationToken,
) -> Result<ProbeReport, JobError> {
    let mut accounts: Vec<AccountProbe> = Vec::new();
    let mut places = Vec::new();
    for place in &job.accounts {
        let account = shop.store.account(place.account).await?;
        let mut report = AccountProbe::unseen(&account.name);
        if let Err(error) = look(shop, job, &account, place, stop, &mut report).await {
            report.problem = Some(error);
        }
        let here = whereabouts(shop, &account, &report).await;
        if let Some(other) = places.iter().position(|there| here.is_some() && *there == here)
            && let Some(other) = accounts.get(other)
        {
            report.problem = Some(JobError::Folders {
                job: job.name.clone(),
                account: account.name.clone(),
                problem: format!(
                    "it opens the same folder as account '{}', so each message would be imported twice; keep one of \
                     them, and use `wissel job switch` to change",
                    other.account
                ),
            });
        }
        if report.problem.is_none() {
            report.same_mailbox_as = same_mailbox(&places, &here, &accounts);
        }
        places.push(here);
        accounts.push(report);
    }
    let target_problem = probe_target(&shop.store, job).await.err();
    Ok(ProbeReport { accounts, target_problem })
}

impl AccountProbe {
    /// Of an account that nothing is known of yet.
    fn unseen(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            identity: None,
            import: None,
            processed: None,
            processed_will_be_created: false,
            scanned: Vec::new(),
            matching: None,
            same_mailbox_as: None,
            problem: None,
        }
    }
}

/// Which folder of which mailbox behind which servers an account opens.
type Whereabouts = (String, Vec<String>, String);

/// The account before that opens a mailbox of this address behind other servers: their names of folders say nothing about
/// each other. A name that is no address says nothing either.
fn same_mailbox(
    places: &[Option<Whereabouts>],
    here: &Option<Whereabouts>,
    accounts: &[AccountProbe],
) -> Option<String> {
    let (mailbox, servers, _) = here.as_ref().filter(|(mailbox, ..)| mailbox.contains('@'))?;
    let same = |there: &Option<Whereabouts>| {
        there.as_ref().is_some_and(|(other, behind, _)| other == mailbox && behind != servers)
    };
    Some(accounts.get(places.iter().position(same)?)?.account.clone())
}

/// Where an account looks; none when it could not be opened.
async fn whereabouts(shop: &Workshop, account: &Account, report: &AccountProbe) -> Option<Whereabouts> {
    let (identity, import) = (report.identity.as_ref()?, report.import.as_ref()?);
    let description = shop.connectors.description(&account.connector).await.ok()?;
    let servers = description.endpoints.iter().map(|endpoint| {
        let parts = [&endpoint.url, &endpoint.host].into_iter().flatten();
        parts.map(|part| fill(part, &account.values())).collect::<String>()
    });
    Some((identity.mailbox.to_lowercase(), servers.collect(), import.path.to_lowercase()))
}

async fn look(
    shop: &Workshop,
    job: &ImportJob,
    account: &Account,
    place: &JobAccount,
    stop: &CancellationToken,
    report: &mut AccountProbe,
) -> Result<(), JobError> {
    let description = shop.connectors.description(&account.connector).await.map_err(in_account(account))?;
    let options = OpenOptions { cancel: stop.clone(), purpose: job.name.clone(), ..OpenOptions::default() };
    let mut session = shop.connectors.open(account, options).await.map_err(in_account(account))?;
    let identity = session.check().await.map_err(in_account(account))?;
    let folders = resolve(&mut *session, job, account, place).await?;
    if job.filter != Filter::default() {
        report.matching = Some(matching(&mut *session, job, account, &folders).await?);
    }
    session.close().await;

    report.import = Some(FolderProbe::new(place.folder.to_string(), &folders.import));
    report.scanned =
        folders.scanned.iter().map(|folder| FolderProbe::new(folder.display_path(), folder)).collect();
    if let Some(address) = &place.processed {
        report.processed_will_be_created = job.action == ProcessedAction::Move && folders.processed.is_none();
        report.processed =
            folders.processed.as_ref().map(|folder| FolderProbe::new(address.to_string(), folder));
    }
    check_rights(job, account, &description, &identity, &folders)?;
    report.identity = Some(identity);
    Ok(())
}

/// How many messages the filter takes, known ones included.
async fn matching(
    session: &mut dyn Session,
    job: &ImportJob,
    account: &Account,
    folders: &JobFolders,
) -> Result<u64, JobError> {
    let wanted = Wanted::now(&job.filter);
    let mut count = 0;
    for folder in &folders.scanned {
        let mut pages = Pages::new(account, folder, wanted.request());
        while let Some(messages) = pages.next(session).await? {
            count += messages.iter().filter(|message| wanted.includes(message)).count() as u64;
        }
    }
    Ok(count)
}

/// Whether the connector can, and the service lets the account, do what the job needs.
pub(crate) fn check_rights(
    job: &ImportJob,
    account: &Account,
    description: &wissel_model::Description,
    identity: &Identity,
    folders: &JobFolders,
) -> Result<(), JobError> {
    let create =
        (job.action == ProcessedAction::Move && folders.processed.is_none()).then_some("create-folder");
    for needed in ["fetch", "list-messages"].into_iter().chain(operation(job.action)).chain(create) {
        if !description.supports(needed) {
            return Err(JobError::Unsupported {
                job: job.name.clone(),
                account: account.name.clone(),
                connector: account.connector.clone(),
                operation: needed,
            });
        }
        // The processed folder may be made elsewhere: what the scanned folders say about that does not count.
        let scanned = if create == Some(needed) { &[] } else { folders.scanned.as_slice() };
        let denying = scanned.iter().find(|folder| folder.denied.iter().any(|denied| denied == needed));
        let everywhere = identity.denied.iter().any(|denied| denied == needed);
        if denying.is_some() || everywhere {
            return Err(JobError::Denied {
                job: job.name.clone(),
                account: account.name.clone(),
                folder: denying.unwrap_or(&folders.import).display_path(),
                operation: needed.to_owned(),
            });
        }
    }
    // To move is also to put: the processed folder has to take what comes.
    let closed =
        folders.processed.as_ref().filter(|folder| folder.denied.iter().any(|denied| denied == "append"));
    match closed {
        Some(folder) if job.action == ProcessedAction::Move => Err(JobError::Denied {
            job: job.name.clone(),
            account: account.name.clone(),
            folder: folder.display_path(),
            operation: "append".to_owned(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_behind_other_servers_is_the_same_mailbox_and_other_folders_of_one_server_are_not() {
        let at = |mailbox: &str, server: &str, folder: &str| {
            Some((mailbox.to_owned(), vec![server.to_owned()], folder.to_owned()))
        };
        let accounts = ["broken", "A"].map(AccountProbe::unseen);
        let found = |first, second| same_mailbox(&[None, first], &second, &accounts);
        let a = || at("a@example.com", "mail.example.com", "inbox");
        assert_eq!(
            found(a(), at("a@example.com", "https://rest.example.com", "postvak in")),
            Some("A".to_owned())
        );
        assert_eq!(found(a(), at("a@example.com", "mail.example.com", "other")), None);
        assert_eq!(found(a(), at("b@example.com", "https://rest.example.com", "inbox")), None);
        assert_eq!(found(at("facturen", "one", "inbox"), at("facturen", "two", "inbox")), None);
        assert_eq!(found(a(), None), None);
    }
}
