//! Jobs: how they fare, and whether their directories can take messages.

use std::path::Path;

use wissel_model::ImportJob;
use wissel_sink::Readiness;
use wissel_store::Store;

use super::Findings;
use crate::context::Context;
use crate::output;
use crate::text::Language;

/// Octets free below which a directory is warned about: a few hundred large messages.
const LITTLE: u64 = 1 << 30;

/// Looks at every job.
pub(super) async fn look(context: &Context, findings: &mut Findings) {
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
    for job in jobs {
        if let Some(schedule) = &job.schedule
            && let Err(error) = schedule.next_after(jiff::Timestamp::now())
        {
            let next = format!("Correct it with `wissel job edit \"{}\" --schedule`.", job.name);
            findings.fail("schedule", &job.name, error.to_string(), next);
        }
        fares(store, context.language, &job, findings).await;
        target(store, context.language, &job, findings).await;
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
    let name = &job.name;
    let test = language.pick(
        format!("`wissel job test \"{name}\"` opens its folders."),
        format!("`wissel job test \"{name}\"` opent zijn mappen."),
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
            format!("See what was imported since (docs/operations.md), then `wissel job edit \"{name}\" --enable`."),
            format!("Kijk wat er sindsdien is geïmporteerd (docs/operations.md), en daarna `wissel job edit \"{name}\" --enable`."),
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
            format!("Enable it with `wissel job edit \"{name}\" --enable`."),
            format!("Schakel hem in met `wissel job edit \"{name}\" --enable`."),
        );
        findings.warn("job", &job.name, format!("{disabled}, {succeeded}"), next);
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
