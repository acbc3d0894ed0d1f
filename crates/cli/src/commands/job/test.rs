//! `wissel job test`: opens the folders that the job really uses, in every account, and changes nothing.

use serde_json::{Value, json};
use wissel_jobs::{AccountProbe, FolderProbe};
use wissel_model::ImportJob;

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::{output, views};

/// Carries out the command.
pub(crate) async fn run(context: &Context, name: &str) -> CommandResult {
    let shop = context.shop().await?;
    let job = shop.store.job_named(name).await?;
    let report = wissel_jobs::probe(&shop, &job, &context.stop).await?;
    if context.json {
        output::json(&json!({
            "job": job.name,
            "ready": report.is_ready(),
            "accounts": report.accounts.iter().map(view).collect::<Vec<_>>(),
            "directory": job.target.directory,
            "directory_problem": report.target_problem,
        }));
    } else {
        for account in &report.accounts {
            print(context, &job, account);
        }
        match &report.target_problem {
            None => output::line(&context.language.target(&job.target.directory.display().to_string())),
            Some(problem) => output::note(problem),
        }
    }
    Ok(if report.is_ready() { Code::Done } else { Code::Failed })
}

fn view(account: &AccountProbe) -> Value {
    json!({
        "account": account.account,
        "ready": account.problem.is_none(),
        "identity": account.identity.as_ref().map(views::identity),
        "import_folder": account.import,
        "processed_folder": account.processed,
        "processed_will_be_created": account.processed_will_be_created,
        "scanned": account.scanned,
        "problem": account.problem,
    })
}

fn print(context: &Context, job: &ImportJob, account: &AccountProbe) {
    let language = context.language;
    output::line(&format!("Account '{}':", account.account));
    if let Some(FolderProbe { path, total, unread, .. }) = &account.import {
        output::line(&language.import_folder(path, *total, *unread));
        if let Some(folder) = &account.processed {
            output::line(&language.processed_folder(&folder.path, folder.total));
        } else if account.processed_will_be_created {
            output::line(&language.processed_folder_missing(&processed_name(job, account)));
        }
        output::line(&language.scanned(account.scanned.len()));
    }
    if let Some(problem) = &account.problem {
        output::note(problem);
    }
}

fn processed_name(job: &ImportJob, account: &AccountProbe) -> String {
    let same = |place: &&wissel_model::JobAccount| {
        account.import.as_ref().is_some_and(|import| import.named == place.folder.to_string())
    };
    let place = job.accounts.iter().find(same).or(job.accounts.first());
    place.and_then(|place| place.processed.as_ref()).map(ToString::to_string).unwrap_or_default()
}
