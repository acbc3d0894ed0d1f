//! Jobs: how they fare, and whether their directories can take messages.

use std::collections::HashMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use wissel_model::{Account, ImportJob, clock};
use wissel_sink::Readiness;
use wissel_store::Store;

use super::Findings;
use super::accounts::Mailboxes;
use crate::context::Context;
use crate::text::{Language, quoted};
use crate::{job_rules, output};

/// Octets free below which a directory is warned about: a few hundred large messages.
const LITTLE: u64 = 1 << 30;

/// How much later than a whole interval too late a run may begin before it is warned about.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Looks at every job.
pub(super) async fn look(context: &Context, mailboxes: &Mailboxes, findings: &mut Findings) {
    let Ok(store) = context.store().await else { return };
    let jobs = match store.jobs().await {
        Ok(jobs) => jobs,
        Err(error) => return findings.error("jobs", "", &error.into()),
    };
    if jobs.is_empty() {
        let (message, next) = context.language.pick(
            ("there are none yet", "Add one with `wissel job add`."),
            ("er zijn er nog geen", "Voeg er een toe met `wissel job add`."),
        );
        findings.warn("jobs", "", message, next);
    }
    let accounts = store.accounts().await.unwrap_or_default();
    let names: HashMap<_, _> = accounts.iter().map(|account| (account.id, account.name.clone())).collect();
    for (at, job) in jobs.iter().enumerate() {
        doubled(context.language, job, &accounts, mailboxes, findings);
        if let Some(schedule) = &job.schedule
            && let Err(error) = schedule.next_after(jiff::Timestamp::now())
        {
            let next = format!("Correct it with `wissel job edit {} --schedule`.", quoted(&job.name));
            findings.fail("schedule", &job.name, error.to_string(), next);
        }
        fares(store, context.language, job, findings).await;
        target(store, context.language, job, findings).await;
        for other in jobs.iter().take(at) {
            for note in job_rules::shared(job, other, &names, context.language) {
                if note.twice {
                    let next = context.language.pick(
                        "Keep one of them, or give them filters that differ.",
                        "Houd er een, of geef ze filters die verschillen.",
                    );
                    findings.warn("job", &job.name, note.text, next);
                } else {
                    findings.ok("job", &job.name, note.text);
                }
            }
        }
    }
}

async fn fares(store: &Store, language: Language, job: &ImportJob, findings: &mut Findings) {
    let health = match store.health(job.id).await {
        Ok(health) => health,
        Err(error) => return findings.error("job", &job.name, &error.into()),
    };
    let succeeded = match health.last_success {
        Some(moment) => {
            format!("{} {}", language.pick("last success", "laatst gelukt"), output::moment(moment))
        }
        None => language.pick("never succeeded", "nog nooit gelukt").to_owned(),
    };
    let name = quoted(&job.name);
    let test = language.pick(
        format!("`wissel job test {name}` opens its folders."),
        format!("`wissel job test {name}` opent zijn mappen."),
    );
    if let Some(since) = health.failing_since {
        let reason = health.reason.unwrap_or_default();
        let reason = reason.lines().next().unwrap_or_default();
        let failing = language.pick("failing since", "mislukt al sinds");
        let message = format!("{failing} {}, {succeeded}: {reason}", output::moment(since));
        findings.fail("job", &job.name, message, test);
    } else if let Ok(Some(made)) = store.held_since(job.id).await {
        let made = output::moment(made);
        let message = language.pick(
            format!("came back with the backup of {made} and does not run until you let it"),
            format!("kwam terug met de back-up van {made} en draait niet voordat u dat toestaat"),
        );
        let next = language.pick(
            format!("See what was imported since (docs/operations.md), then `wissel job edit {name} --enable`."),
            format!("Kijk wat er sindsdien is geïmporteerd (docs/operations.md), en daarna `wissel job edit {name} --enable`."),
        );
        findings.warn("job", &job.name, message, next);
    } else if health.last_success.is_none() {
        let (message, once) = language.pick(
            ("never ran", "`wissel job run` runs it once."),
            ("nog nooit gedraaid", "`wissel job run` draait hem een keer."),
        );
        findings.warn("job", &job.name, message, format!("{test} {once}"));
    } else if !job.enabled {
        let disabled = language.pick("is disabled", "is uitgeschakeld");
        let next = language.pick(
            format!("Enable it with `wissel job edit {name} --enable`."),
            format!("Schakel hem in met `wissel job edit {name} --enable`."),
        );
        findings.warn("job", &job.name, format!("{disabled}, {succeeded}"), next);
    } else if let Some(due) = overdue(store, job).await {
        let message = language.pick(
            format!("was due at {} and did not run; no service seems to be running", output::moment(due)),
            format!(
                "moest draaien om {} en heeft niet gedraaid; er lijkt geen service te draaien",
                output::moment(due)
            ),
        );
        let next = language.pick(
            format!("Start the service, `wissel run` (docs/operations.md); `wissel job run {name}` runs it once."),
            format!("Start de service, `wissel run` (docs/operations.md); `wissel job run {name}` draait hem een keer."),
        );
        findings.warn("job", &job.name, format!("{message}, {succeeded}"), next);
    } else {
        findings.ok("job", &job.name, succeeded);
    }
    let quarantined = store.quarantined(Some(job.id)).await.map(|list| list.len()).unwrap_or_default();
    if quarantined > 0 {
        let messages = language.messages(quarantined as u64);
        let (place, next) = language.pick(
            ("in quarantine", "See `wissel quarantine list`."),
            ("in quarantaine", "Zie `wissel quarantine list`."),
        );
        findings.warn("job", &job.name, format!("{messages} {place}"), next);
    }
}

/// Warns about a job that opens one mailbox through two connectors: `job test` looks closer.
fn doubled(
    language: Language,
    job: &ImportJob,
    accounts: &[Account],
    mailboxes: &Mailboxes,
    findings: &mut Findings,
) {
    let mut seen: Vec<(&Account, String)> = Vec::new();
    for place in &job.accounts {
        let Some(account) = accounts.iter().find(|account| account.id == place.account) else { continue };
        let Some(mailbox) = mailboxes.get(&account.id).filter(|mailbox| mailbox.contains('@')) else {
            continue;
        };
        let mailbox = mailbox.to_lowercase();
        let other =
            seen.iter().find(|(other, there)| *there == mailbox && other.connector != account.connector);
        if let Some((other, _)) = other {
            let warning = language.same_mailbox(&account.name, &other.name);
            let warning = warning.split_once(": ").map_or(warning.as_str(), |(_, warning)| warning);
            let (message, next) = warning.split_once("\n  ").unwrap_or((warning, ""));
            findings.warn("job", &job.name, message, next);
        }
        seen.push((account, mailbox));
    }
}

/// When the job should have run, if a service that works would have run it long since.
async fn overdue(store: &Store, job: &ImportJob) -> Option<Timestamp> {
    let schedule = job.schedule.as_ref()?;
    let last = store.runs(job.id, 1).await.ok()?.into_iter().next()?;
    let began = last.finished.unwrap_or(last.started);
    let now = clock::now();
    let due = schedule.due(Some(began), now).ok()??;
    let after = schedule.next_after(due).ok()??;
    (now.duration_since(after) > GRACE).then_some(due)
}

async fn target(store: &Store, language: Language, job: &ImportJob, findings: &mut Findings) {
    let directory = &job.target.directory;
    match wissel_jobs::probe_target(store, job).await {
        Err(error) => findings.error("directory", &job.name, &error.into()),
        Ok(readiness) => {
            let existing = directory.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
            let free = fs4::available_space(existing).ok();
            let room = |octets| format!(", {} {}", language.size(octets), language.pick("free", "vrij"));
            let room = free.map(room).unwrap_or_default();
            let state = match readiness {
                Readiness::Ready => language.pick("can be written to", "kan worden beschreven"),
                Readiness::CanBeMade => language.pick("can be made", "kan worden gemaakt"),
            };
            let message = format!("{} {state}{room}", directory.display());
            if free.is_some_and(|free| free < LITTLE) {
                let next = language
                    .pick("Free some room before it runs full.", "Maak ruimte voordat hij vol raakt.");
                findings.warn("directory", &job.name, message, next);
            } else {
                findings.ok("directory", &job.name, message);
            }
        }
    }
}
