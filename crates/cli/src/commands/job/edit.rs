//! `wissel job edit`. An account is replaced by another with `wissel job switch` only, which takes the ledger along.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use wissel_model::job::NewerThan;
use wissel_model::{Filter, FolderAddress, ImportJob, JobAccount, ProcessedAction};

use super::add::ACTIONS;
use super::filter::FilterOptions;
use super::schedule::ScheduleOptions;
use super::{account_names, print_done};
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{job_rules, spans};

/// Changes of a job. What is not given stays.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The job
    name: String,
    /// A new name
    #[arg(long, value_name = "NAME", value_parser = job_rules::name)]
    rename: Option<String>,
    /// The account whose folders are changed; all accounts of the job when absent
    #[arg(long, short, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Import from this account too
    #[arg(long, value_name = "ACCOUNT")]
    add_account: Option<String>,
    /// Do not import from this account any more
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "add_account")]
    remove_account: Option<String>,
    /// The import folder
    #[arg(long, short, value_name = "FOLDER", value_parser = job_rules::folder)]
    folder: Option<FolderAddress>,
    /// The folder that imported messages are moved to
    #[arg(long, value_name = "FOLDER", value_parser = job_rules::folder)]
    processed: Option<FolderAddress>,
    /// Use no processed folder
    #[arg(long, conflicts_with = "processed")]
    no_processed: bool,
    /// What becomes of a message once it is imported
    #[arg(long, value_parser = PossibleValuesParser::new(ACTIONS))]
    action: Option<String>,
    /// Also import from the folders below the import folder
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    subfolders: Option<bool>,
    /// Create the processed folder when it is missing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    create_processed: Option<bool>,
    /// Import only unread messages
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Filter")]
    unread_only: Option<bool>,
    /// Import only messages received within a span such as 30d, or since a date such as 2026-01-01
    #[arg(long, value_name = "AGE", value_parser = spans::newer_than, help_heading = "Filter")]
    newer_than: Option<NewerThan>,
    /// Import messages of any age
    #[arg(long, conflicts_with = "newer_than", help_heading = "Filter")]
    any_age: bool,
    /// Import from any sender, with any subject and attachments again; what is given beside it counts
    #[arg(long, help_heading = "Filter")]
    clear_filter: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// The directory that messages are written to
    #[arg(long, value_name = "DIR", help_heading = "Target")]
    to: Option<PathBuf>,
    /// Also write each attachment as a file of its own
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Target")]
    attachments: Option<bool>,
    #[command(flatten)]
    when: ScheduleOptions,
    /// Let the job run by hand only
    #[arg(long, conflicts_with_all = ["every", "schedule", "time_zone"], help_heading = "Schedule")]
    by_hand: bool,
    /// Between the service's runs, wait for changes of the import folder, and run at once when there are any
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Schedule")]
    watch: Option<bool>,
    /// Let the service run the job
    #[arg(long, alias = "enabled", help_heading = "Schedule")]
    enable: bool,
    /// Do not let the service run the job
    #[arg(long, alias = "disabled", conflicts_with = "enable", help_heading = "Schedule")]
    disable: bool,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let store = context.store().await?;
    let before = store.job_named(&arguments.name).await?;
    let mut job = before.clone();
    change_accounts(context, &mut job, &arguments).await?;
    change_folders(context, &mut job, &arguments).await?;
    change_rest(&mut job, &arguments)?;
    // The directory that it has may be named again, to go on in a new one at the same place.
    let held = arguments.enable && store.held_since(job.id).await?.is_some();
    if job == before && arguments.to.is_none() && !held {
        return Err(Problem::usage(
            format!("nothing to change is given for job '{}'", job.name),
            "`wissel job edit --help` lists the options.",
        )
        .into());
    }
    job_rules::check(&job, &account_names(context, &job).await?)?;
    if arguments.to.is_some() {
        job_rules::prepare(&job).await?;
    }
    store.update_job(&job).await?;
    if held {
        store.lift_hold(job.id).await?;
    }
    let job = store.job(job.id).await?;
    context.audit("job.edit", &job.name, json!({ "renamed_from": before.name })).await?;
    let sentence = context.language.done_to_job(&job.name, ("changed", "gewijzigd"));
    print_done(context, &job, "changed", &sentence).await?;
    Ok(Code::Done)
}

async fn change_accounts(
    context: &Context,
    job: &mut ImportJob,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let store = context.store().await?;
    if let Some(name) = &arguments.remove_account {
        let account = store.account_named(name).await?;
        if !job.accounts.iter().any(|place| place.account == account.id) {
            return Err(not_in_job(job, &account.name).into());
        }
        job.accounts.retain(|place| place.account != account.id);
    }
    if let Some(name) = &arguments.add_account {
        let account = store.account_named(name).await?;
        let (folder, processed) = match (&arguments.folder, job.accounts.first()) {
            (Some(folder), first) => {
                let processed = arguments.processed.clone();
                (folder.clone(), processed.or_else(|| first.and_then(|first| first.processed.clone())))
            }
            (None, Some(first)) => (first.folder.clone(), first.processed.clone()),
            (None, None) => {
                return Err(Problem::usage(
                    "the new account needs an import folder",
                    "Give it with --folder.",
                )
                .into());
            }
        };
        job.accounts.push(JobAccount {
            account: account.id,
            folder,
            processed,
            pin: None,
            processed_pin: None,
        });
    }
    Ok(())
}

async fn change_folders(context: &Context, job: &mut ImportJob, arguments: &Arguments) -> anyhow::Result<()> {
    let named = arguments.account.as_ref().or(arguments.add_account.as_ref());
    let only = match named {
        Some(name) => Some(context.store().await?.account_named(name).await?),
        None => None,
    };
    if let Some(account) = &only
        && !job.accounts.iter().any(|place| place.account == account.id)
    {
        return Err(not_in_job(job, &account.name).into());
    }
    for place in &mut job.accounts {
        if only.as_ref().is_some_and(|account| account.id != place.account) {
            continue;
        }
        if let Some(folder) = arguments.folder.as_ref().filter(|folder| **folder != place.folder) {
            place.folder = folder.clone();
            place.pin = None;
        }
        if arguments.no_processed
            || arguments.processed.as_ref().is_some_and(|p| place.processed.as_ref() != Some(p))
        {
            place.processed.clone_from(&arguments.processed);
            place.processed_pin = None;
        }
    }
    Ok(())
}

fn not_in_job(job: &ImportJob, account: &str) -> Problem {
    Problem::not_found(
        format!("job '{}' does not use the account '{account}'", job.name),
        format!("`wissel job show {}` lists its accounts.", quoted(&job.name)),
    )
}

fn change_rest(job: &mut ImportJob, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(name) = &arguments.rename {
        job.name.clone_from(name);
    }
    if let Some(action) = arguments.action.as_deref().and_then(ProcessedAction::parse) {
        job.action = action;
        if action != ProcessedAction::Move && arguments.processed.is_none() {
            // It is of no use any more; one that is given in the same breath is refused instead.
            for place in &mut job.accounts {
                (place.processed, place.processed_pin) = (None, None);
            }
        }
    }
    if let Some(directory) = &arguments.to {
        job.target.directory = job_rules::directory(directory)?;
    }
    let set = |place: &mut bool, given: Option<bool>| *place = given.unwrap_or(*place);
    set(&mut job.include_subfolders, arguments.subfolders);
    set(&mut job.create_processed_folder, arguments.create_processed);
    set(&mut job.filter.unread_only, arguments.unread_only);
    set(&mut job.target.extract_attachments, arguments.attachments);
    set(&mut job.watch, arguments.watch);
    set(&mut job.enabled, arguments.enable.then_some(true).or(arguments.disable.then_some(false)));
    if arguments.clear_filter {
        let Filter { unread_only, newer_than, .. } = job.filter;
        job.filter = Filter { unread_only, newer_than, ..Filter::default() };
    }
    arguments.filter.change(&mut job.filter);
    if arguments.newer_than.is_some() || arguments.any_age {
        job.filter.newer_than = arguments.newer_than;
    }
    if arguments.by_hand {
        job.schedule = None;
    } else if let Some(schedule) = arguments.when.schedule(job.schedule.as_ref())? {
        job.schedule = Some(schedule);
    }
    Ok(())
}
