//! `wissel job list` and `wissel job show`: jobs and how they fare.

use jiff::Timestamp;
use serde_json::{Value, json};
use wissel_model::{ImportJob, JobAccount, ProcessedAction, Schedule};
use wissel_store::{JobHealth, Run, RunOutcome, WatchState};

use super::account_names;
use super::filter::shown;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::text::Language;
use crate::{output, spans, views};

/// Runs that `job show` lists.
const RUNS: u32 = 5;

/// The job as JSON.
pub(crate) async fn view(context: &Context, job: &ImportJob) -> anyhow::Result<Value> {
    let health = context.store().await?.health(job.id).await?;
    let next = next_run(context, job).await?;
    Ok(views::job(job, &account_names(context, job).await?, &health, next))
}

/// `wissel job list`
pub(crate) async fn list(context: &Context) -> CommandResult {
    let store = context.store().await?;
    let (mut documents, mut rows) = (Vec::new(), Vec::new());
    for job in store.jobs().await? {
        let health = store.health(job.id).await?;
        let accounts = account_names(context, &job).await?;
        let next = next_run(context, &job).await?;
        documents.push(views::job(&job, &accounts, &health, next));
        let folders: Vec<String> = job.accounts.iter().map(|place| place.folder.to_string()).collect();
        rows.push(vec![
            job.name.clone(),
            accounts.join("\n"),
            folders.join("\n"),
            interval(context, &job),
            state(context, &health),
            output::moment_or_empty(health.last_success),
            next_text(context, &job, next),
        ]);
    }
    if context.json {
        output::json(&json!({ "jobs": documents }));
    } else if rows.is_empty() {
        output::note(context.language.pick(
            "there are no jobs yet; add one with `wissel job add`",
            "er zijn nog geen taken; voeg er een toe met `wissel job add`",
        ));
    } else {
        let header = context.language.pick(
            ["Name", "Accounts", "Import folder", "Runs", "State", "Last success", "Next run"],
            ["Naam", "Accounts", "Importmap", "Schema", "Status", "Laatst gelukt", "Volgende keer"],
        );
        output::table(&header, rows);
    }
    Ok(Code::Done)
}

/// `wissel job show`
pub(crate) async fn show(context: &Context, name: &str) -> CommandResult {
    let store = context.store().await?;
    let job = store.job_named(name).await?;
    let health = store.health(job.id).await?;
    let runs = store.runs(job.id, RUNS).await?;
    let accounts = account_names(context, &job).await?;
    let next = next_run(context, &job).await?;
    let watched = watched(context, &job, &accounts).await?;
    if context.json {
        let mut document = views::job(&job, &accounts, &health, next);
        if let Some(document) = document.as_object_mut() {
            document.insert("runs".to_owned(), serde_json::to_value(&runs)?);
            let watching = watched.iter().map(|(account, state)| {
                json!({ "account": account, "since": state.since, "problem": state.problem })
            });
            document.insert("watching".to_owned(), watching.collect());
        }
        output::json(&document);
        return Ok(Code::Done);
    }
    let language = context.language;
    let label = |en, nl| language.pick(en, nl);
    let mut fields = vec![(label("Name", "Naam"), job.name.clone())];
    for (place, account) in job.accounts.iter().zip(&accounts) {
        let moved = match &place.processed {
            Some(processed) if job.action == ProcessedAction::Move => format!(" -> '{processed}'"),
            _ => String::new(),
        };
        fields.push(("Account", format!("{account}: '{}'{moved}", place.folder)));
    }
    fields.extend([
        (label("Subfolders", "Submappen"), language.yes_or_no(job.include_subfolders)),
        (label("Action", "Actie"), job.action.as_str().to_owned()),
        (label("Unread only", "Alleen ongelezen"), language.yes_or_no(job.filter.unread_only)),
        (
            label("Newer than", "Nieuwer dan"),
            job.filter.newer_than.map(spans::newer_than_text).unwrap_or_default(),
        ),
        (label("From", "Van"), shown(&job.filter.from)),
        (label("Subject", "Onderwerp"), shown(&job.filter.subject)),
        (label("With attachment", "Met bijlage"), language.yes_or_no(job.filter.with_attachment)),
        (label("Attachment name", "Naam van bijlage"), shown(&job.filter.attachment_names)),
        (label("Directory", "Doelmap"), job.target.directory.display().to_string()),
        (label("Attachments", "Bijlagen"), language.yes_or_no(job.target.extract_attachments)),
        (label("Runs", "Schema"), interval(context, &job)),
        (label("Next run", "Volgende keer"), next_text(context, &job, next)),
        (label("Watching", "Meekijken"), watching(context, &job, &watched)),
        (label("State", "Status"), state(context, &health)),
        (label("Last success", "Laatst gelukt"), output::moment_or_empty(health.last_success)),
        (label("Failing since", "Mislukt al sinds"), output::moment_or_empty(health.failing_since)),
        (label("Reason", "Reden"), health.reason.unwrap_or_default()),
    ]);
    output::fields(&fields);
    if !runs.is_empty() {
        let header = language.pick(
            ["Began", "Ended", "Outcome", "Imported", "Quarantined", "Failed"],
            ["Begonnen", "Geëindigd", "Afloop", "Geïmporteerd", "In quarantaine", "Mislukt"],
        );
        output::table(&header, runs.iter().map(|run| run_row(language, run)).collect());
    }
    Ok(Code::Done)
}

/// How the waiting for changes fares now, by account; empty while no service waits.
async fn watched(
    context: &Context,
    job: &ImportJob,
    accounts: &[String],
) -> anyhow::Result<Vec<(String, WatchState)>> {
    if !wissel_jobs::is_watching(context.home.root())? {
        return Ok(Vec::new());
    }
    let mut states = context.store().await?.watches(job.id).await?;
    let of = |(place, name): (&JobAccount, &String)| {
        let at = states.iter().position(|state| state.account == place.account)?;
        Some((name.clone(), states.swap_remove(at)))
    };
    Ok(job.accounts.iter().zip(accounts).filter_map(of).collect())
}

fn watching(context: &Context, job: &ImportJob, watched: &[(String, WatchState)]) -> String {
    let language = context.language;
    if !job.watch {
        return language.yes_or_no(false);
    }
    if watched.is_empty() {
        let text = language.pick("when `wissel run` runs", "wanneer `wissel run` draait");
        return text.to_owned();
    }
    let line = |(account, state): &(String, WatchState)| {
        let since = output::moment(state.since);
        match &state.problem {
            None => language.pick(
                format!("{account}: watching since {since}"),
                format!("{account}: kijkt mee sinds {since}"),
            ),
            Some(problem) => language.pick(
                format!("{account}: not since {since}, runs at the interval only: {problem}"),
                format!("{account}: niet sinds {since}, draait alleen volgens het interval: {problem}"),
            ),
        }
    };
    watched.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn run_row(language: Language, run: &Run) -> Vec<String> {
    let report = run.report.as_ref();
    let outcome = match report.map(|report| report.outcome) {
        Some(RunOutcome::Succeeded) => language.pick("succeeded", "gelukt"),
        Some(RunOutcome::Failed) => language.pick("failed", "mislukt"),
        Some(RunOutcome::Stopped) => language.pick("stopped", "gestopt"),
        None => language.pick("not ended", "niet geëindigd"),
    };
    vec![
        output::moment(run.started),
        output::moment_or_empty(run.finished),
        outcome.to_owned(),
        output::number_or_empty(report.map(|report| report.imported)),
        output::number_or_empty(report.map(|report| report.quarantined)),
        output::number_or_empty(report.map(|report| report.failed)),
    ]
}

fn interval(context: &Context, job: &ImportJob) -> String {
    match &job.schedule {
        None => context.language.pick("by hand", "handmatig").to_owned(),
        Some(_) if !job.enabled => context.language.pick("disabled", "uitgeschakeld").to_owned(),
        Some(Schedule::Every(seconds)) => spans::span(*seconds),
        Some(Schedule::Cron(cron)) => cron.to_string(),
    }
}

/// When the service runs the job next; in the past when it was missed.
async fn next_run(context: &Context, job: &ImportJob) -> anyhow::Result<Option<Timestamp>> {
    let Some(schedule) = job.schedule.as_ref().filter(|_| job.enabled) else { return Ok(None) };
    let last = context.store().await?.runs(job.id, 1).await?.first().map(|run| run.started);
    // A schedule that cannot be used any more is no reason to show no job; `doctor` says so.
    Ok(schedule.due(last, Timestamp::now()).unwrap_or_default())
}

/// The moment in the zone that the schedule is written in.
fn next_text(context: &Context, job: &ImportJob, next: Option<Timestamp>) -> String {
    match next {
        Some(next) if next <= Timestamp::now() => {
            context.language.pick("due, when the service runs", "nu, als de service draait").to_owned()
        }
        Some(next) => match &job.schedule {
            Some(Schedule::Cron(cron)) => output::moment_in(next, cron.time_zone()),
            _ => output::moment(next),
        },
        None => String::new(),
    }
}

/// How the job fares, in a word or two.
pub(crate) fn state(context: &Context, health: &JobHealth) -> String {
    match (health.failing_since, health.last_success) {
        (Some(since), _) => {
            let since = output::moment(since);
            context.language.pick(format!("failing since {since}"), format!("mislukt al sinds {since}"))
        }
        (None, Some(_)) => context.language.pick("well", "in orde").to_owned(),
        (None, None) => context.language.pick("never ran", "nooit gedraaid").to_owned(),
    }
}
