//! `wissel job`: import jobs.

mod add;
mod baseline;
mod edit;
mod filter;
mod run;
mod schedule;
mod show;
mod switch;
mod test;

use clap::Subcommand;
use serde_json::json;
use wissel_model::ImportJob;

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::text::Language;
use crate::{form, output};

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a job
    Add(Box<add::Arguments>),
    /// List the jobs and how they fare
    List,
    /// Show a job and how it fares
    Show {
        /// The job
        name: String,
    },
    /// Change a job
    Edit(Box<edit::Arguments>),
    /// Open the folders that the job really uses, in every account; changes nothing
    Test {
        /// The job
        name: String,
    },
    /// Import what is new, once: of one job, or of every enabled job
    Run {
        /// The job; every enabled job when absent
        name: Option<String>,
        /// Every enabled job
        #[arg(long, conflicts_with = "name")]
        all: bool,
        /// Only list what would be imported
        #[arg(long)]
        dry_run: bool,
    },
    /// Count what the folders hold now as done, because other software has imported it
    Baseline {
        /// The job
        name: String,
        /// Only say how many messages that are
        #[arg(long)]
        dry_run: bool,
    },
    /// Let the job use another account in place of one it has, without losing or repeating a message
    Switch(switch::Arguments),
    /// Remove a job with its ledger: a new job on the same folders would import everything again
    Remove {
        /// The job
        name: String,
        /// Do not ask; needed where nobody can be asked
        #[arg(long, short)]
        yes: bool,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Add(arguments) => add::run(context, *arguments).await,
        Command::List => show::list(context).await,
        Command::Show { name } => show::show(context, &name).await,
        Command::Edit(arguments) => edit::run(context, *arguments).await,
        Command::Test { name } => test::run(context, &name).await,
        Command::Run { name, dry_run, .. } => run::run(context, name.as_deref(), dry_run).await,
        Command::Baseline { name, dry_run } => baseline::run(context, &name, dry_run).await,
        Command::Switch(arguments) => switch::run(context, arguments).await,
        Command::Remove { name, yes } => remove(context, &name, yes).await,
    }
}

/// The names of the accounts of a job, in its order.
pub(crate) async fn account_names(context: &Context, job: &ImportJob) -> anyhow::Result<Vec<String>> {
    let accounts = context.store().await?.accounts().await?;
    let name = |id| accounts.iter().find(|a| a.id == id).map(|a| a.name.clone()).unwrap_or_default();
    Ok(job.accounts.iter().map(|place| name(place.account)).collect())
}

/// Prints what was done to a job.
pub(crate) async fn print_done(
    context: &Context,
    job: &ImportJob,
    done: &str,
    sentence: &str,
) -> anyhow::Result<()> {
    if context.json {
        output::json(&json!({ done: true, "job": show::view(context, job).await? }));
    } else {
        output::line(sentence);
    }
    Ok(())
}

async fn remove(context: &Context, name: &str, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let job = store.job_named(name).await?;
    // Errors are English.
    let language = context.ask().unwrap_or(Language::En);
    let what = language.pick(format!("job '{}'", job.name), format!("taak '{}'", job.name));
    let lost = language.pick(
        "Its ledger goes with it: a new job on the same folders would import their messages again.",
        "Het register gaat mee weg: een nieuwe taak op dezelfde mappen zou de berichten opnieuw importeren.",
    );
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    store.remove_job(job.id).await?;
    context.audit("job.remove", &job.name, json!({})).await?;
    if context.json {
        output::json(&json!({ "removed": job.name, "ledger_removed": true }));
    } else {
        output::line(&context.language.pick(
            format!(
                "job '{}' is removed with its ledger; imported files and mailboxes stay as they are\n  \
                 A new job on the same folders would import their messages again; `wissel job baseline` prevents that.",
                job.name
            ),
            format!(
                "taak '{}' is verwijderd met zijn register; geïmporteerde bestanden en mailboxen blijven zoals ze zijn\n  \
                 Een nieuwe taak op dezelfde mappen zou de berichten opnieuw importeren; `wissel job baseline` voorkomt dat.",
                job.name
            ),
        ));
    }
    Ok(Code::Done)
}
