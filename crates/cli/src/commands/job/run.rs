//! `wissel job run`: imports what is new, once.

use serde_json::{Value, json};
use wissel_jobs::{ImportOptions, ImportReport, JobError, Workshop};
use wissel_model::ImportJob;

use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::{self, Code, Shown};
use crate::output;
use crate::problem::Problem;
use crate::progress::Bar;
use crate::text::Language;

/// Carries out the command: one job, or every enabled one after the other.
pub(crate) async fn run(context: &Context, name: Option<&str>, dry_run: bool) -> CommandResult {
    let Some(name) = name else { return all(context, dry_run).await };
    let shop = context.shop().await?;
    let job = shop.store.job_named(name).await?;
    let ran = one(context, &shop, &job, dry_run).await?;
    if context.json {
        output::json(&ran.document());
    } else {
        ran.print(context, "");
    }
    Ok(ran.code())
}

async fn all(context: &Context, dry_run: bool) -> CommandResult {
    let shop = context.shop().await?;
    let (mut documents, mut codes) = (Vec::new(), Vec::new());
    for job in shop.store.jobs().await?.into_iter().filter(|job| job.enabled) {
        if context.stop.is_cancelled() {
            codes.push(Code::Stopped);
            break;
        }
        match one(context, &shop, &job, dry_run).await {
            Ok(ran) => {
                if !context.json {
                    ran.print(context, &format!("{}: ", job.name));
                }
                documents.push(ran.document());
                codes.push(ran.code());
            }
            Err(error) => {
                let shown = exit::show(&error).of_job(&job.name);
                if !context.json {
                    output::note(&format!("wissel: {}", shown.lines()));
                }
                documents.push(json!({ "job": job.name, "dry_run": dry_run, "error": shown.json() }));
                codes.push(shown.code);
            }
        }
    }
    if context.json {
        output::json(&json!({ "jobs": documents }));
    } else if codes.is_empty() {
        output::note(context.language.pick(
            "no job is enabled; `wissel job list` shows the jobs",
            "geen enkele taak is ingeschakeld; `wissel job list` toont de taken",
        ));
    }
    Ok(together(&codes))
}

/// How several runs ended: as they all did, or partly.
fn together(codes: &[Code]) -> Code {
    match codes {
        _ if codes.contains(&Code::Stopped) => Code::Stopped,
        [] => Code::Done,
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        _ => Code::Partly,
    }
}

/// A run that came to an end.
struct Ran {
    job: String,
    dry_run: bool,
    /// Whether the job's filter asks for what only a fetched message shows.
    looks_inside: bool,
    report: ImportReport,
    errors: Vec<Shown>,
}

async fn one(context: &Context, shop: &Workshop, job: &ImportJob, dry_run: bool) -> anyhow::Result<Ran> {
    let bar = Bar::new(context.progress, context.language);
    let result = wissel_jobs::import(shop, job, ImportOptions { dry_run }, &bar, &context.stop).await;
    bar.finish();
    let report = match result {
        Ok(report) => report,
        Err(error) => return Err(Problem::from(context.explain_job(job, &error).await).into()),
    };
    let mut errors = Vec::new();
    for error in &report.errors {
        errors.push(context.explain_job(job, error).await);
    }
    let looks_inside = job.filter.inside().is_some();
    Ok(Ran { job: job.name.clone(), dry_run, looks_inside, report, errors })
}

impl Ran {
    fn code(&self) -> Code {
        code(&self.report)
    }

    fn document(&self) -> Value {
        let report = &self.report;
        let candidates: Vec<_> = report
            .candidates
            .iter()
            .map(|(account, folder, message)| json!({ "account": account, "folder": folder, "message": message }))
            .collect();
        json!({
            "job": self.job,
            "dry_run": self.dry_run,
            "imported": report.imported,
            "quarantined": report.quarantined,
            "failed": report.failed,
            "filtered": report.filtered + report.left_out,
            "vanished": report.vanished,
            "candidates": candidates,
            "errors": self.errors.iter().map(Shown::json).collect::<Vec<_>>(),
        })
    }

    /// `subject` stands before the sentence where several jobs are run.
    fn print(&self, context: &Context, subject: &str) {
        let (report, language) = (&self.report, context.language);
        for error in &self.errors {
            // The subject tells which job where there are several.
            let error = if subject.is_empty() { error.clone() } else { error.clone().of_job(&self.job) };
            output::note(&format!("wissel: {}", error.lines()));
        }
        if self.dry_run {
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
            let count = report.candidates.len() as u64;
            // Where nothing could be looked at, a number would be a guess.
            if self.errors.is_empty() || count > 0 {
                output::line(&format!("{subject}{}", language.would_import(count)));
            }
            self.print_left_out(language, subject);
            if self.looks_inside {
                output::note(language.pick(
                    "attachments are seen only when a message is fetched: fewer may be imported",
                    "bijlagen zijn pas te zien als een bericht is opgehaald: het kunnen er minder worden",
                ));
            }
            return;
        }
        // "Nothing new" would be wrong where nothing could be looked at.
        if self.errors.is_empty() || report.imported + report.quarantined + report.failed > 0 {
            let summary = language.run_summary(report.imported, report.quarantined, report.failed);
            output::line(&format!("{subject}{summary}"));
        }
        self.print_left_out(language, subject);
        if report.quarantined > 0 {
            output::note(language.pick(
                "`wissel quarantine list` shows what was set aside, and why.",
                "`wissel quarantine list` toont wat apart is gezet, en waarom.",
            ));
        }
    }

    fn print_left_out(&self, language: Language, subject: &str) {
        let count = self.report.filtered + self.report.left_out;
        if count > 0 {
            output::line(&format!("{subject}{}", language.left_out(count)));
        }
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
    fn several_runs_end_as_they_all_did_or_partly() {
        assert_eq!(together(&[]), Code::Done);
        assert_eq!(together(&[Code::Busy, Code::Busy]), Code::Busy);
        assert_eq!(together(&[Code::Done, Code::Failed]), Code::Partly);
        assert_eq!(together(&[Code::Done, Code::Stopped]), Code::Stopped);
    }

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
