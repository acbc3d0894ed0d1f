//! `wissel job switch`: another account takes the place of one, and every message stays known.

use clap::{Args, ValueEnum};
use serde_json::json;
use wissel_jobs::{Doubtful, JobError, SwitchOptions, SwitchReport};
use wissel_model::{FolderAddress, ImportJob};

use crate::commands::CommandResult;
use crate::context::{Context, actor};
use crate::exit::{Code, Shown};
use crate::problem::Problem;
use crate::text::quoted;
use crate::{job_rules, output};

/// A switch.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The job
    name: String,
    /// The account that the job leaves
    #[arg(long, value_name = "ACCOUNT")]
    from: String,
    /// The account that takes its place
    #[arg(long, value_name = "ACCOUNT")]
    to: String,
    /// The import folder in the new account, when it has another name there
    #[arg(long, short, value_name = "FOLDER", value_parser = job_rules::folder)]
    folder: Option<FolderAddress>,
    /// The processed folder in the new account, when it has another name there
    #[arg(long, value_name = "FOLDER", value_parser = job_rules::folder)]
    processed: Option<FolderAddress>,
    /// What to do with messages that cannot be told apart from imported ones with certainty
    #[arg(long, value_enum, default_value = "refuse")]
    doubtful: DoubtfulChoice,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DoubtfulChoice {
    /// Do not switch
    Refuse,
    /// Take them for new and import them
    Import,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let shop = context.shop().await?;
    let job = shop.store.job_named(&arguments.name).await?;
    let (from, to) =
        (shop.store.account_named(&arguments.from).await?, shop.store.account_named(&arguments.to).await?);
    let options = SwitchOptions {
        from: from.id,
        to: to.id,
        folder: arguments.folder,
        processed: arguments.processed,
        doubtful: match arguments.doubtful {
            DoubtfulChoice::Refuse => Doubtful::Refuse,
            DoubtfulChoice::Import => Doubtful::Import,
        },
        dry_run: arguments.dry_run,
        actor: actor(),
    };
    let report = match wissel_jobs::switch(&shop, &job, &options, &context.stop).await {
        Ok(report) => report,
        Err(error) => {
            let shown = context.explain_job(&job, &error).await;
            return Err(there(&job, &options, &error, shown, &arguments.to).into());
        }
    };
    let way_back = way_back(&job, &options, &report);
    if context.json {
        output::json(&json!({ "job": job.name, "report": report, "way_back": way_back }));
    } else {
        for line in lines(context, &job.name, &report, &way_back) {
            output::line(&line);
        }
    }
    Ok(Code::Done)
}

/// A folder that the new account lacks is named with an option here: the job itself is right.
fn there(job: &ImportJob, options: &SwitchOptions, error: &JobError, shown: Shown, to: &str) -> Problem {
    let problem = Problem::from(shown);
    let JobError::FolderNotFound { folder, .. } = error else { return problem };
    let old = job.accounts.iter().find(|place| place.account == options.from);
    let processed = options.processed.as_ref().or_else(|| old.and_then(|old| old.processed.as_ref()));
    let is_processed = processed.is_some_and(|processed| processed.to_string() == *folder);
    let (option, kind) = if is_processed { ("--processed", "processed") } else { ("--folder", "import") };
    let next = format!(
        "`wissel folder list {}` lists the folders there; name its {kind} folder with `{option} FOLDER`.",
        quoted(to)
    );
    Problem { next, ..problem }
}

/// The command that undoes the switch. Folders that have other names in the new account are named again.
fn way_back(job: &ImportJob, options: &SwitchOptions, report: &SwitchReport) -> String {
    let mut command = format!(
        "wissel job switch {} --from {} --to {}",
        quoted(&job.name),
        quoted(&report.to),
        quoted(&report.from)
    );
    if let Some(old) = job.accounts.iter().find(|place| place.account == options.from) {
        if options.folder.is_some() {
            command += &format!(" --folder {}", quoted(&old.folder.to_string()));
        }
        if let (Some(_), Some(processed)) = (&options.processed, &old.processed) {
            command += &format!(" --processed {}", quoted(&processed.to_string()));
        }
    }
    command
}

fn lines(context: &Context, job: &str, report: &SwitchReport, way_back: &str) -> Vec<String> {
    let language = context.language;
    let SwitchReport { from, to, folder, .. } = report;
    let mut lines = vec![language.pick(
        format!("Import folder '{folder}' found in account '{to}'."),
        format!("Importmap '{folder}' gevonden in account '{to}'."),
    )];
    lines.push(match (report.old_total, &report.old_problem) {
        (Some(total), _) => {
            let messages = language.messages(total);
            language.pick(
                format!("Account '{from}' holds {messages}."),
                format!("Account '{from}' bevat {messages}."),
            )
        }
        (None, problem) => {
            let reason = problem.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
            language.pick(
                format!("Account '{from}' could not be opened; the ledger alone was compared ({reason})."),
                format!(
                    "Account '{from}' kon niet worden geopend; alleen het grootboek is vergeleken ({reason})."
                ),
            )
        }
    });
    let total = language.messages(report.new_total);
    lines.push(language.pick(
        format!(
            "Account '{to}' holds {total}: {} recognised as imported, {} to import, {} left out by the filter, {} doubtful.",
            report.recognised, report.to_import, report.left_out, report.doubtful
        ),
        format!(
            "Account '{to}' bevat {total}: {} herkend als geïmporteerd, {} nog te importeren, {} buiten het filter, {} twijfelachtig.",
            report.recognised, report.to_import, report.left_out, report.doubtful
        ),
    ));
    if report.dry_run {
        lines.push(language.pick("Nothing was changed.", "Er is niets gewijzigd.").to_owned());
    } else {
        lines.push(language.pick(
            format!("Job '{job}' now uses account '{to}' in place of '{from}'."),
            format!("Taak '{job}' gebruikt nu account '{to}' in plaats van '{from}'."),
        ));
        lines.push(
            language.pick(format!("The way back: {way_back}"), format!("Terugdraaien met: {way_back}")),
        );
    }
    lines
}
