//! `wissel job add`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use wissel_model::job::{DirectoryTarget, NewerThan};
use wissel_model::{Filter, FolderAddress, ImportJob, JobAccount, JobId, ProcessedAction};

use super::filter::FilterOptions;
use super::print_done;
use super::schedule::ScheduleOptions;
use crate::commands::{CommandResult, account};
use crate::context::Context;
use crate::exit::Code;
use crate::{job_rules, output, spans};

/// The names of what can become of a message.
pub(crate) const ACTIONS: [&str; 4] = ["move", "mark-read", "delete", "leave"];

/// A new job.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The job's name
    #[arg(value_parser = job_rules::name)]
    name: String,
    /// The account to import from, the default account when absent; can be repeated
    #[arg(long = "account", short, value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// The import folder: a path such as 'Postvak IN/Algemeen' (`/` or `\`), or a role such as @inbox
    #[arg(long, short, value_name = "FOLDER", value_parser = job_rules::folder)]
    folder: FolderAddress,
    /// Also import from the folders below it; the processed folder is left out
    #[arg(long)]
    subfolders: bool,
    /// What becomes of a message once it is imported
    #[arg(long, value_parser = PossibleValuesParser::new(ACTIONS), default_value = "move")]
    action: String,
    /// The folder that imported messages are moved to
    #[arg(long, value_name = "FOLDER", value_parser = job_rules::folder)]
    processed: Option<FolderAddress>,
    /// Create the processed folder when it is missing
    #[arg(long)]
    create_processed: bool,
    /// Import only unread messages
    #[arg(long, help_heading = "Filter")]
    unread_only: bool,
    /// Import only messages received within a span such as 30d, or since a date such as 2026-01-01
    #[arg(long, value_name = "AGE", value_parser = spans::newer_than, help_heading = "Filter")]
    newer_than: Option<NewerThan>,
    #[command(flatten)]
    filter: FilterOptions,
    /// The directory that messages are written to; made when missing
    #[arg(long, value_name = "DIR", help_heading = "Target")]
    to: PathBuf,
    /// Also write each attachment as a file of its own
    #[arg(long, help_heading = "Target")]
    attachments: bool,
    #[command(flatten)]
    when: ScheduleOptions,
    /// Between these runs, wait for changes of the import folder, and run at once when there are any
    #[arg(long, help_heading = "Schedule")]
    watch: bool,
    /// Do not let the service run the job yet
    #[arg(long, alias = "disable", help_heading = "Schedule")]
    disabled: bool,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let mut accounts = Vec::new();
    for name in &arguments.accounts {
        accounts.push(account::named_or_default(context, Some(name)).await?);
    }
    if accounts.is_empty() {
        accounts.push(account::named_or_default(context, None).await?);
    }
    let names: Vec<String> = accounts.iter().map(|account| account.name.clone()).collect();
    let place = |account: &wissel_model::Account| JobAccount {
        account: account.id,
        folder: arguments.folder.clone(),
        processed: arguments.processed.clone(),
        pin: None,
        processed_pin: None,
    };
    let mut filter =
        Filter { unread_only: arguments.unread_only, newer_than: arguments.newer_than, ..Filter::default() };
    arguments.filter.change(&mut filter);
    let job = ImportJob {
        id: JobId::generate(),
        name: arguments.name.clone(),
        accounts: accounts.iter().map(place).collect(),
        include_subfolders: arguments.subfolders,
        action: ProcessedAction::parse(&arguments.action).unwrap_or(ProcessedAction::Leave),
        create_processed_folder: arguments.create_processed,
        filter,
        target: DirectoryTarget {
            directory: job_rules::directory(&arguments.to)?,
            extract_attachments: arguments.attachments,
        },
        schedule: arguments.when.schedule(None)?,
        watch: arguments.watch,
        enabled: !arguments.disabled,
        revision: 0,
    };
    job_rules::check(&job, &names)?;
    let store = context.store().await?;
    job_rules::prepare(&job).await?;
    let others = store.jobs().await?;
    store.add_job(&job).await?;
    let known = accounts.iter().map(|account| (account.id, account.name.clone())).collect();
    for other in &others {
        for shared in job_rules::shared(&job, other, &known, context.language) {
            output::note(&context.language.pick(
                format!("note: job '{}' {}", job.name, shared.text),
                format!("let op: taak '{}' {}", job.name, shared.text),
            ));
        }
    }
    let job = store.job(job.id).await?;
    context.audit("job.add", &job.name, json!({ "accounts": names })).await?;
    let sentence = context.language.done_to_job(&job.name, ("added", "toegevoegd"));
    print_done(context, &job, "added", &sentence).await?;
    Ok(Code::Done)
}
