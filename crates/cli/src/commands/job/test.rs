//! `wissel job test`: opens the folders that the job really uses, in every account, and changes nothing.

use serde_json::{Value, json};
use wissel_jobs::{AccountProbe, FolderProbe};
use wissel_model::{FolderAddress, JobAccount};

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::{Code, Shown};
use crate::{output, views};

/// Carries out the command.
pub(crate) async fn run(context: &Context, name: &str) -> CommandResult {
    let shop = context.shop().await?;
    let job = shop.store.job_named(name).await?;
    let report = wissel_jobs::probe(&shop, &job, &context.stop).await?;
    let mut problems = Vec::new();
    for account in &report.accounts {
        problems.push(match &account.problem {
            Some(error) => Some(context.explain_job(&job, error).await),
            None => None,
        });
    }
    if context.json {
        output::json(&json!({
            "job": job.name,
            "ready": report.is_ready(),
            "accounts": report.accounts.iter().zip(&problems).map(view).collect::<Vec<_>>(),
            "directory": job.target.directory,
            "directory_problem": report.target_problem.as_ref().map(ToString::to_string),
        }));
    } else {
        for ((account, place), problem) in report.accounts.iter().zip(&job.accounts).zip(&problems) {
            print(context, place, account);
            if let Some(other) = &account.same_mailbox_as {
                output::note(&context.language.same_mailbox(&account.account, other));
            }
            if let Some(problem) = problem {
                output::note(&format!("wissel: {}", problem.lines()));
            }
        }
        match &report.target_problem {
            None => output::line(&context.language.target(&job.target.directory.display().to_string())),
            Some(problem) => output::note(&format!("wissel: {problem}")),
        }
    }
    // The first account that cannot be used gives the code; a script that asks why reads the document.
    Ok(match problems.iter().flatten().next() {
        Some(problem) => problem.code,
        None if report.target_problem.is_some() => Code::Failed,
        None => Code::Done,
    })
}

fn view((account, problem): (&AccountProbe, &Option<Shown>)) -> Value {
    json!({
        "account": account.account,
        "ready": account.problem.is_none(),
        "identity": account.identity.as_ref().map(views::identity),
        "import_folder": account.import,
        "processed_folder": account.processed,
        "processed_will_be_created": account.processed_will_be_created,
        "scanned": account.scanned,
        "matching": account.matching,
        "same_mailbox_as": account.same_mailbox_as,
        "problem": problem.as_ref().map(Shown::json),
    })
}

fn print(context: &Context, place: &JobAccount, account: &AccountProbe) {
    let language = context.language;
    output::line(&format!("Account '{}':", account.account));
    if let Some(FolderProbe { path, total, unread, .. }) = &account.import {
        output::line(&language.import_folder(&shown(&place.folder, path), *total, *unread));
        if let (Some(folder), Some(address)) = (&account.processed, &place.processed) {
            output::line(&language.processed_folder(&shown(address, &folder.path), folder.total));
        } else if account.processed_will_be_created {
            let name = place.processed.as_ref().map(ToString::to_string).unwrap_or_default();
            output::line(&language.processed_folder_missing(&name));
        }
        output::line(&language.scanned(account.scanned.len()));
        if let Some(matching) = account.matching {
            let messages = language.messages(matching);
            output::line(&language.pick(
                format!("The filter takes {messages}, as far as a listing shows."),
                format!("Het filter neemt {messages}, voor zover een lijst dat laat zien."),
            ));
        }
    }
}

/// A folder under the name that the operator knows: the path as it was given, else the path at the service.
fn shown(address: &FolderAddress, path: &str) -> String {
    match address {
        FolderAddress::Path(_) => address.to_string(),
        FolderAddress::Role(_) | FolderAddress::Id(_) => path.to_owned(),
    }
}
