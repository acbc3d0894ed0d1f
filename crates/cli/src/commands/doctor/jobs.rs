//! Jobs: how they fare, and whether their directories can take messages.

use std::path::Path;

use wissel_model::ImportJob;
use wissel_sink::{DirectorySink, Readiness};
use wissel_store::Store;

use super::Findings;
use crate::context::Context;
use crate::output;

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
        findings.warn("jobs", "", "there are none yet", "Add one with `wissel job add`.");
    }
    for job in jobs {
        fares(store, &job, findings).await;
        target(&job, findings).await;
    }
}

async fn fares(store: &Store, job: &ImportJob, findings: &mut Findings) {
    let health = match store.health(job.id).await {
        Ok(health) => health,
        Err(error) => return findings.error("job", &job.name, &error.into()),
    };
    let succeeded = match health.last_success {
        Some(moment) => format!("last success {}", output::moment(moment)),
        None => "never succeeded".to_owned(),
    };
    let test = format!("`wissel job test \"{}\"` opens its folders.", job.name);
    if let Some(since) = health.failing_since {
        let reason = health.reason.unwrap_or_default();
        let reason = reason.lines().next().unwrap_or_default();
        let message = format!("failing since {}, {succeeded}: {reason}", output::moment(since));
        findings.fail("job", &job.name, message, test);
    } else if health.last_success.is_none() {
        findings.warn("job", &job.name, "never ran", format!("{test} `wissel job run` runs it once."));
    } else if !job.enabled {
        findings.warn(
            "job",
            &job.name,
            format!("is disabled, {succeeded}"),
            "Enable it with `wissel job edit --enable`.",
        );
    } else {
        findings.ok("job", &job.name, succeeded);
    }
    let quarantined = store.quarantined(Some(job.id)).await.map(|list| list.len()).unwrap_or_default();
    if quarantined > 0 {
        let message = format!("{quarantined} messages are in quarantine");
        findings.warn("job", &job.name, message, "Look at them with `wissel quarantine list`.");
    }
}

async fn target(job: &ImportJob, findings: &mut Findings) {
    let directory = &job.target.directory;
    match DirectorySink::probe(&job.target).await {
        Err(error) => findings.error("directory", &job.name, &error.into()),
        Ok(readiness) => {
            let existing = directory.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
            let free = fs4::available_space(existing).ok();
            let room = free.map(|octets| format!(", {} MB free", octets / 1_000_000)).unwrap_or_default();
            let state = match readiness {
                Readiness::Ready => "can be written to",
                Readiness::CanBeMade => "can be made",
            };
            let message = format!("{} {state}{room}", directory.display());
            if free.is_some_and(|free| free < LITTLE) {
                findings.warn("directory", &job.name, message, "Free some room before it runs full.");
            } else {
                findings.ok("directory", &job.name, message);
            }
        }
    }
}
