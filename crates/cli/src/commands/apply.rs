//! `wissel apply`: brings OAuth clients, accounts, jobs and alert channels into the state that a file describes. What the file does not name stays.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use wissel_model::{Account, ImportJob};

use crate::commands::CommandResult;
use crate::config::plan::{self, Change, Plan};
use crate::config::{File, alerts, clients};
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::secret_input::SecretValues;
use crate::{job_rules, output};

/// What is applied.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file, in TOML; `wissel export` prints one
    #[arg(short, long)]
    file: PathBuf,
    /// Only say what would be changed
    #[arg(long)]
    dry_run: bool,
    /// Put secrets of OAuth clients into use although the provider has not given a token for them yet
    #[arg(long)]
    untested: bool,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> CommandResult {
    let file = File::read(&arguments.file)?;
    let path = job_rules::directory(&arguments.file)?;
    let plan = plan::make(context, &file, path.parent().unwrap_or(Path::new("."))).await?;
    if !arguments.untested {
        clients::refuse_untested(&plan.clients)?;
    }
    if !arguments.dry_run {
        prepare_directories(context, &plan).await?;
        for planned in &plan.clients {
            let result = clients::apply(context, planned).await;
            result.map_err(|error| part_way(error, "client", &planned.client.name))?;
        }
        for (account, secrets, change) in &plan.accounts {
            let result = apply_account(context, account, secrets, *change).await;
            result.map_err(|error| part_way(error, "account", &account.name))?;
        }
        for (job, change) in &plan.jobs {
            let result = apply_job(context, job, *change).await;
            result.map_err(|error| part_way(error, "job", &job.name))?;
        }
        for planned in &plan.alerts {
            let result = alerts::apply(context, planned).await;
            result.map_err(|error| part_way(error, "alert channel", &planned.channel.name))?;
        }
    }
    print(context, &plan, arguments.dry_run);
    for (account, _, change) in &plan.accounts {
        super::account::warn(context, account);
        if !arguments.dry_run && *change != Change::Unchanged {
            super::account::note_standing(context, account).await?;
        }
    }
    Ok(Code::Done)
}

/// Makes the directories that are new, before anything is stored.
async fn prepare_directories(context: &Context, plan: &Plan) -> anyhow::Result<()> {
    let before = context.store().await?.jobs().await?;
    for (job, _) in &plan.jobs {
        let same = |old: &ImportJob| old.id == job.id && old.target.directory == job.target.directory;
        if !before.iter().any(same) {
            job_rules::prepare(job).await?;
        }
    }
    Ok(())
}

fn part_way(error: anyhow::Error, what: &str, name: &str) -> anyhow::Error {
    let shown = crate::exit::show(&error);
    Problem {
        code: shown.code,
        ..Problem::failed(
            format!("{what} '{name}' could not be written: {error}"),
            "What comes before it in the file is applied, the rest is not; apply the file again.",
        )
    }
    .into()
}

async fn apply_account(
    context: &Context,
    account: &Account,
    secrets: &SecretValues,
    change: Change,
) -> anyhow::Result<()> {
    let store = context.store().await?;
    let mut sealed = Vec::new();
    for (field, secret) in secrets {
        sealed.push((field.clone(), context.secrets().await?.seal(account.id, field, secret).await?));
    }
    match change {
        Change::Unchanged => return Ok(()),
        Change::Created => store.add_account(account, &sealed).await?,
        Change::Changed => store.update_account(account, &sealed).await?,
    }
    let action = if change == Change::Created { "account.add" } else { "account.edit" };
    let fields: Vec<&String> = secrets.iter().map(|(field, _)| field).collect();
    context.audit(action, &account.name, json!({ "by": "apply", "secrets": fields })).await
}

async fn apply_job(context: &Context, job: &ImportJob, change: Change) -> anyhow::Result<()> {
    let store = context.store().await?;
    let action = match change {
        Change::Unchanged => return Ok(()),
        Change::Created => {
            store.add_job(job).await?;
            "job.add"
        }
        Change::Changed => {
            store.update_job(job).await?;
            "job.edit"
        }
    };
    context.audit(action, &job.name, json!({ "by": "apply" })).await
}

fn print(context: &Context, plan: &Plan, dry_run: bool) {
    let clients = plan.clients.iter().map(|planned| {
        let (name, change) = (&planned.client.name, planned.change);
        let document = json!({ "name": name, "change": change, "secrets": planned.secrets_changed() });
        ("client", name, change, document)
    });
    let accounts = plan.accounts.iter().map(|(account, secrets, change)| {
        let secrets: Vec<&String> = secrets.iter().map(|(field, _)| field).collect();
        (
            "account",
            &account.name,
            *change,
            json!({ "name": account.name, "change": change, "secrets": secrets }),
        )
    });
    let jobs = plan
        .jobs
        .iter()
        .map(|(job, change)| ("job", &job.name, *change, json!({ "name": job.name, "change": change })));
    let alerts = plan.alerts.iter().map(|planned| {
        let (name, change) = (&planned.channel.name, planned.change);
        ("alert channel", name, change, json!({ "name": name, "change": change }))
    });
    if context.json {
        let documents = |of: Vec<(&str, &String, Change, Value)>| -> Vec<Value> {
            of.into_iter().map(|(.., d)| d).collect()
        };
        let (accounts, jobs) = (documents(accounts.collect()), documents(jobs.collect()));
        let (clients, alerts) = (documents(clients.collect()), documents(alerts.collect()));
        output::json(&json!({
            "dry_run": dry_run, "clients": clients, "accounts": accounts, "jobs": jobs, "alerts": alerts
        }));
        return;
    }
    for (what, name, change, _) in clients.chain(accounts).chain(jobs).chain(alerts) {
        let change = match (change, dry_run) {
            (Change::Unchanged, _) => "unchanged",
            (Change::Created, false) => "created",
            (Change::Changed, false) => "changed",
            (Change::Created, true) => "would be created",
            (Change::Changed, true) => "would be changed",
        };
        output::line(&format!("{what} '{name}': {change}"));
    }
}
