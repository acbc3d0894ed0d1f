//! What `apply` would change: the file against what stands. Everything is checked here, before anything is changed.

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Serialize;
use wissel_model::description::AuthMethod;
use wissel_model::job::DirectoryTarget;
use wissel_model::{
    Account, AccountId, Cron, Description, Filter, ImportJob, JobAccount, JobId, OAuthClient, Schedule,
};

use super::alerts::{self, PlannedAlert};
use super::clients::{self, PlannedClient};
use super::{AccountEntry, File, JobEntry};
use crate::commands::{check_connection, fits};
use crate::context::Context;
use crate::exit::Code;
use crate::problem::{INSTALL, Problem};
use crate::secret_input::{self, SecretValues};
use crate::{form, job_rules, spans};

/// What becomes of what the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    /// It is new.
    Created,
    /// It stands and is changed.
    Changed,
    /// It stands as the file says.
    Unchanged,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// OAuth clients as they should be.
    pub(crate) clients: Vec<PlannedClient>,
    /// Accounts as they should be, with the secrets to store.
    pub(crate) accounts: Vec<(Account, SecretValues, Change)>,
    /// Jobs as they should be.
    pub(crate) jobs: Vec<(ImportJob, Change)>,
    /// Alert channels as they should be.
    pub(crate) alerts: Vec<PlannedAlert>,
}

/// Compares the file with what stands.
pub(crate) async fn make(context: &Context, file: &File, base: &Path) -> anyhow::Result<Plan> {
    let store = context.store().await?;
    let (accounts, jobs) = (store.accounts().await?, store.jobs().await?);
    let mut plan = Plan::default();
    let mut problems = Vec::new();
    let mut missing = 0;
    doubles("account", file.accounts.iter().map(|entry| entry.name.as_str()), &mut problems);
    doubles("job", file.jobs.iter().map(|entry| entry.name.as_str()), &mut problems);
    if file.accounts.iter().filter(|entry| entry.default).count() > 1 {
        problems.push("several accounts are said to be the default; one can be".to_owned());
    }
    let default_elsewhere =
        |entry: &AccountEntry| file.accounts.iter().any(|e| e.default && !same(&e.name, &entry.name));
    doubles("client", file.clients.iter().map(|entry| entry.name.as_str()), &mut problems);
    let stand = store.clients().await?;
    for entry in &file.clients {
        let before = stand.iter().find(|client| same(&client.name, &entry.name));
        match clients::plan(context, entry, before, base).await {
            Ok(planned) => plan.clients.push(planned),
            Err(error) => note(error, &mut problems, &mut missing)?,
        }
    }
    // As they will be, then those that the file does not name.
    let mut clients: Vec<OAuthClient> = plan.clients.iter().map(|planned| planned.client.clone()).collect();
    clients.extend(stand);
    for entry in &file.accounts {
        let before = accounts.iter().find(|account| same(&account.name, &entry.name));
        match plan_account(context, entry, before, &clients, default_elsewhere(entry), base).await {
            Ok(planned) => plan.accounts.push(planned),
            Err(error) => note(error, &mut problems, &mut missing)?,
        }
    }
    let known: Vec<(String, Option<AccountId>)> = accounts
        .iter()
        .map(|account| (account.name.clone(), Some(account.id)))
        .chain(plan.accounts.iter().map(|(account, ..)| (account.name.clone(), Some(account.id))))
        // An account that is wrong itself is named once, not again by each of its jobs.
        .chain(file.accounts.iter().map(|entry| (entry.name.clone(), None)))
        .collect();
    for entry in &file.jobs {
        let before = jobs.iter().find(|job| same(&job.name, &entry.name));
        match plan_job(entry, before, &known, base) {
            Ok(Some(planned)) => plan.jobs.push(planned),
            Ok(None) => {}
            Err(found) => {
                problems.extend(found.into_iter().map(|problem| format!("job '{}': {problem}", entry.name)))
            }
        }
    }
    doubles("alert channel", file.alerts.iter().map(|entry| entry.name.as_str()), &mut problems);
    let channels = store.alert_channels().await?;
    for entry in &file.alerts {
        let before = channels.iter().find(|channel| same(&channel.name, &entry.name));
        match alerts::plan(context, entry, before, base).await {
            Ok(planned) => plan.alerts.push(planned),
            Err(error) => note(error, &mut problems, &mut missing)?,
        }
    }
    if problems.is_empty() {
        return Ok(plan);
    }
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    let message = format!("the file cannot be applied:{}", lines.concat());
    if missing == problems.len() {
        // Nothing is wrong with the file itself.
        return Err(Problem::not_found(message, format!("Nothing was changed. {INSTALL}")).into());
    }
    Err(Problem::usage(message, "Nothing was changed. Correct the file and apply it again.").into())
}

/// Keeps a problem for the list of all; another failure ends the command.
fn note(error: anyhow::Error, problems: &mut Vec<String>, missing: &mut usize) -> anyhow::Result<()> {
    let problem = error.downcast::<Problem>()?;
    // A connector that is missing is missing for all of its entries.
    if problems.contains(&problem.message) {
        return Ok(());
    }
    *missing += usize::from(problem.code == Code::NotFound);
    problems.push(problem.message);
    Ok(())
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn doubles<'a>(what: &str, names: impl Iterator<Item = &'a str>, problems: &mut Vec<String>) {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.iter().any(|earlier| same(earlier, name)) {
            problems.push(format!("{what} '{name}' stands there twice"));
        }
        seen.push(name);
    }
}

async fn plan_account(
    context: &Context,
    entry: &AccountEntry,
    before: Option<&Account>,
    clients: &[OAuthClient],
    default_elsewhere: bool,
    base: &Path,
) -> anyhow::Result<(Account, SecretValues, Change)> {
    let name = job_rules::name(&entry.name).map_err(|problem| Problem::usage(problem, ""))?;
    let in_account =
        |problem: Problem| Problem { message: format!("account '{name}': {}", problem.message), ..problem };
    if let Some(before) = before.filter(|before| before.connector != entry.connector) {
        let problem = format!(
            "account '{name}' uses the connector '{}'; describe another account with '{}' and switch its jobs with `wissel job switch`",
            before.connector, entry.connector
        );
        return Err(Problem::usage(problem, "").into());
    }
    let description = context.description(&entry.connector).await?;
    let credential = description
        .auth
        .iter()
        .filter_map(AuthMethod::secret_field)
        .find(|field| entry.secrets.contains_key(*field));
    let auth =
        form::choose_auth(&description, entry.auth.as_deref(), credential, None).map_err(in_account)?;
    let settings = entry.settings.iter().map(|(key, value)| (key.clone(), value.text())).collect();
    let client = plan_client(entry, before, clients, auth, &description).map_err(in_account)?;
    let beside = client.as_ref().map(|client| client.settings.clone()).unwrap_or_default();
    let settings = form::complete(form::Whose::Account(&name, &beside), &description, settings, None)?;
    form::check_needed(&name, &description, auth, &settings)?;
    let mut connection = entry.connection.clone();
    connection.ca_file = connection.ca_file.map(|file| base.join(file));
    check_connection(&name, &connection, &description)?;
    let account = Account {
        id: before.map_or_else(AccountId::generate, |before| before.id),
        name: name.clone(),
        connector: entry.connector.clone(),
        auth: auth.id.clone(),
        client,
        settings,
        connection,
        is_default: entry.default || before.is_some_and(|before| before.is_default && !default_elsewhere),
    };
    let mut secrets = SecretValues::new();
    for (field, reference) in &entry.secrets {
        let secret = reference.read(base).map_err(in_account)?;
        let stored = match before {
            Some(before) => context.secrets().await?.find(before.id, field).await?,
            None => None,
        };
        if stored.is_none_or(|stored| stored.expose_secret() != secret.expose_secret()) {
            secrets.push((field.clone(), secret));
        }
    }
    secret_input::check_fields(&secrets, &description, auth, account.connection.proxy.as_ref())
        .map_err(in_account)?;
    let change = match before {
        None => Change::Created,
        Some(before) if *before == account && secrets.is_empty() => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    Ok((account, secrets, change))
}

/// The OAuth client of an account, as it will be.
fn plan_client(
    entry: &AccountEntry,
    before: Option<&Account>,
    clients: &[OAuthClient],
    auth: &AuthMethod,
    description: &Description,
) -> Result<Option<Arc<OAuthClient>>, Problem> {
    if !auth.needs_client() {
        return match &entry.client {
            None => Ok(None),
            Some(_) => {
                Err(Problem::usage(format!("the auth method '{}' needs no OAuth client", auth.id), ""))
            }
        };
    }
    let named = entry.client.clone();
    let kept = || before.and_then(|before| before.client.as_ref()).map(|client| client.name.clone());
    let Some(name) = named.or_else(kept) else {
        let message = format!("the auth method '{}' needs an OAuth client; name it with `client`", auth.id);
        return Err(Problem::usage(message, ""));
    };
    let found = clients.iter().find(|client| same(&client.name, &name));
    let client = found.ok_or_else(|| Problem::usage(format!("there is no OAuth client '{name}'"), ""))?;
    fits(client, description)?;
    Ok(Some(Arc::new(client.clone())))
}

fn plan_job(
    entry: &JobEntry,
    before: Option<&ImportJob>,
    known: &[(String, Option<AccountId>)],
    base: &Path,
) -> Result<Option<(ImportJob, Change)>, Vec<String>> {
    let mut problems = Vec::new();
    let schedule = plan_schedule(entry).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let newer_than =
        entry.newer_than.as_deref().map(spans::newer_than).transpose().unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
    let mut places = Vec::new();
    let mut skipped = false;
    for place in &entry.accounts {
        let folder = job_rules::folder(&place.folder);
        let processed = place.processed.as_deref().map(job_rules::folder).transpose();
        let account = known.iter().find(|(name, _)| same(name, &place.account));
        match (folder, processed, account) {
            (Ok(folder), Ok(processed), Some((_, Some(account)))) => {
                places.push(JobAccount {
                    account: *account,
                    folder,
                    processed,
                    pin: None,
                    processed_pin: None,
                });
            }
            (folder, processed, account) => {
                problems.extend(folder.err().into_iter().chain(processed.err()));
                match account {
                    None => problems.push(format!("there is no account '{}'", place.account)),
                    Some(_) => skipped = true,
                }
            }
        }
    }
    let mut job = ImportJob {
        id: before.map_or_else(JobId::generate, |before| before.id),
        name: job_rules::name(&entry.name).unwrap_or_else(|problem| {
            problems.push(problem);
            String::new()
        }),
        accounts: places,
        include_subfolders: entry.subfolders,
        action: entry.action,
        create_processed_folder: entry.create_processed,
        filter: Filter {
            unread_only: entry.unread_only,
            newer_than,
            from: entry.from.clone(),
            subject: entry.subject.clone(),
            with_attachment: entry.with_attachment,
            attachment_names: entry.attachment_names.clone(),
        },
        target: DirectoryTarget {
            directory: base.join(&entry.directory),
            extract_attachments: entry.attachments,
        },
        schedule,
        watch: entry.watch,
        enabled: entry.enabled,
        revision: before.map_or(0, |before| before.revision),
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    if skipped {
        return Ok(None);
    }
    let names: Vec<String> = entry.accounts.iter().map(|place| place.account.clone()).collect();
    problems = job_rules::problems(&job, &names);
    if let Some(before) = before {
        keep_pins(&mut job, before);
        if replaces_account(&job, before) {
            problems.push("another account would take the place of one that it uses; `wissel job switch` does that without importing everything again".to_owned());
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let change = match before {
        None => Change::Created,
        Some(before) if *before == job => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    Ok(Some((job, change)))
}

fn plan_schedule(entry: &JobEntry) -> Result<Option<Schedule>, String> {
    match (&entry.every, &entry.schedule) {
        (Some(_), Some(_)) => Err("it has both `every` and `schedule`; one of them can be".to_owned()),
        (_, None) if entry.time_zone.is_some() => Err("a time zone needs a `schedule`".to_owned()),
        (Some(span), None) => Ok(Some(Schedule::Every(spans::seconds(span)?))),
        (None, Some(cron)) => {
            let cron = Cron::new(cron, entry.time_zone.as_deref()).map_err(|error| error.to_string())?;
            Ok(Some(Schedule::Cron(cron)))
        }
        (None, None) => Ok(None),
    }
}

/// Folders that are named as before are still where they were found.
fn keep_pins(job: &mut ImportJob, before: &ImportJob) {
    for place in &mut job.accounts {
        let Some(old) = before.accounts.iter().find(|old| old.account == place.account) else { continue };
        if old.folder == place.folder {
            place.pin.clone_from(&old.pin);
        }
        if old.processed == place.processed {
            place.processed_pin.clone_from(&old.processed_pin);
        }
    }
}

fn replaces_account(job: &ImportJob, before: &ImportJob) -> bool {
    let lacks = |job: &ImportJob, place: &JobAccount| {
        !job.accounts.iter().any(|other| other.account == place.account)
    };
    before.accounts.iter().any(|place| lacks(job, place))
        && job.accounts.iter().any(|place| lacks(before, place))
}
