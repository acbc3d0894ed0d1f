//! `wissel job run`: imports what is new, once.

use serde_json::json;
use wissel_jobs::{ImportOptions, ImportReport, JobError};

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::{self, Code, Shown};
use crate::output;
use crate::problem::Problem;
use crate::progress::Bar;

/// Carries out the command.
pub(crate) async fn run(context: &Context, name: &str, dry_run: bool) -> CommandResult {
    let shop = context.shop().await?;
    let job = shop.store.job_named(name).await?;
    let bar = Bar::new(context.progress, context.language);
    let result = wissel_jobs::import(&shop, &job, ImportOptions { dry_run }, &bar, &context.stop).await;
    bar.finish();
    let report = match result {
        Ok(report) => report,
        Err(error) => return Err(Problem::from(context.explain_job(&job, &error).await).into()),
    };
    let code = code(&report);
    let mut errors = Vec::new();
    for error in &report.errors {
        errors.push(context.explain_job(&job, error).await);
    }
    if context.json {
        let candidates: Vec<_> = report
            .candidates
            .iter()
            .map(|(account, folder, message)| json!({ "account": account, "folder": folder, "message": message }))
            .collect();
        output::json(&json!({
            "job": job.name,
            "dry_run": dry_run,
            "imported": report.imported,
            "quarantined": report.quarantined,
            "failed": report.failed,
            "filtered": report.filtered,
            "vanished": report.vanished,
            "candidates": candidates,
            "errors": errors.iter().map(Shown::json).collect::<Vec<_>>(),
        }));
    } else {
        print(context, &report, &errors, dry_run);
        if dry_run && job.filter.inside().is_some() {
            output::note(context.language.pick(
                "attachments are seen only when a message is fetched: fewer may be imported",
                "bijlagen zijn pas te zien als een bericht is opgehaald: het kunnen er minder worden",
            ));
        }
    }
    Ok(code)
}

fn print(context: &Context, report: &ImportReport, errors: &[Shown], dry_run: bool) {
    for error in errors {
        output::note(&format!("wissel: {}", error.lines()));
    }
    if dry_run {
        let row = |(account, folder, message): &(String, String, wissel_model::MessageSummary)| {
            vec![
                account.clone(),
                folder.clone(),
                output::moment_or_empty(message.received),
                message.sender.clone().unwrap_or_default(),
                message.subject.clone().unwrap_or_default(),
            ]
        };
        if !report.candidates.is_empty() {
            let header = ["Account", "Folder", "Received", "From", "Subject"];
            output::table(&header, report.candidates.iter().map(row).collect());
        }
        output::line(&context.language.would_import(report.candidates.len() as u64));
        return;
    }
    // "Nothing new" would be wrong where nothing could be looked at.
    if errors.is_empty() || report.imported + report.quarantined + report.failed > 0 {
        output::line(&context.language.run_summary(report.imported, report.quarantined, report.failed));
    }
    if report.filtered > 0 {
        let messages = context.language.messages(report.filtered);
        output::line(&context.language.pick(
            format!("{messages} stay where they are: the filter does not take their attachments."),
            format!("{messages} blijven waar ze zijn: het filter neemt hun bijlagen niet."),
        ));
    }
    if report.quarantined > 0 {
        output::note(context.language.pick(
            "`wissel quarantine list` shows what was set aside, and why.",
            "`wissel quarantine list` toont wat apart is gezet, en waarom.",
        ));
    }
}

/// Stopped counts before all else; then whether all, some or nothing was done.
fn code(report: &ImportReport) -> Code {
    let partly = report.imported > 0 || report.quarantined > 0 || report.failed > 0;
    match report.errors.first() {
        _ if report.errors.iter().any(|error| matches!(error, JobError::Stopped)) => Code::Stopped,
        None if report.quarantined + report.failed > 0 => Code::Partly,
        None => Code::Done,
        Some(_) if partly => Code::Partly,
        Some(error) => exit::show_job(error).code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_whether_all_some_or_nothing_was_done() {
        let error = || JobError::Busy { job: "J".to_owned(), holder: "x".to_owned() };
        let report = |imported, quarantined, errors| ImportReport {
            imported,
            quarantined,
            errors,
            ..Default::default()
        };
        assert_eq!(code(&report(3, 0, vec![])), Code::Done);
        assert_eq!(code(&report(3, 1, vec![])), Code::Partly);
        assert_eq!(code(&report(3, 0, vec![error()])), Code::Partly);
        assert_eq!(code(&report(0, 0, vec![error()])), Code::Busy);
        assert_eq!(code(&report(3, 0, vec![error(), JobError::Stopped])), Code::Stopped);
    }
}
