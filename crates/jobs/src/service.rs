//! The service: runs every enabled job by its schedule until it is asked to stop.
//!
//! The list of jobs is read again when it has changed, which is looked at with the clock, so a job that is added, changed
//! or removed while the service runs is noticed. Runs of different jobs overlap; runs of one job never do. What wakes a
//! job between its intervals is in [`crate::watch`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use wissel_model::{ImportJob, JobId, clock};
use wissel_store::{JobsVersion, StoreError};

use crate::timetable::Timetable;
use crate::watch::Watches;
use crate::{ImportOptions, JobError, NoProgress, Workshop, import};

/// How often the service looks whether a job is due.
const TICK: Duration = Duration::from_secs(1);

/// How the service works.
#[derive(Debug, Clone, Copy)]
pub struct ServiceOptions {
    /// Jobs that run at the same time.
    pub parallel_jobs: usize,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self { parallel_jobs: 8 }
    }
}

/// Runs until `stop` is cancelled; then lets the runs under way come to an end and returns.
///
/// # Errors
/// When the store cannot be read at the start. Later failures are logged, and the service goes on.
pub async fn serve(
    shop: &Workshop,
    options: ServiceOptions,
    stop: &CancellationToken,
) -> Result<(), JobError> {
    let (watches, mut woken) = Watches::new(shop);
    let mut service = Service {
        shop: shop.clone(),
        slots: Arc::new(Semaphore::new(options.parallel_jobs.max(1))),
        timetable: Timetable::default(),
        running: HashSet::new(),
        failed: HashSet::new(),
        woken: HashSet::new(),
        jobs: Vec::new(),
        version: None,
        watches,
        tasks: JoinSet::new(),
        stop: stop.clone(),
    };
    service.recall().await?;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = service.tasks.join_next() => service.ended(ended),
            Some(job) = woken.recv() => service.wake(job),
            _ = ticks.tick() => if let Err(error) = service.start_due().await {
                tracing::error!("the jobs cannot be read, and no run begins until they can: {error}");
            },
        }
    }
    // Nobody looks any more.
    drop(woken);
    service.watches.stop().await;
    while let Some(ended) = service.tasks.join_next().await {
        service.ended(ended);
    }
    Ok(())
}

struct Service {
    shop: Workshop,
    slots: Arc<Semaphore>,
    timetable: Timetable,
    running: HashSet<JobId>,
    /// Jobs whose last run failed: a change in their folders does not wake them, so that no refused sign-in is hurried.
    failed: HashSet<JobId>,
    /// Jobs in whose folders something may have changed since they were run.
    woken: HashSet<JobId>,
    /// The jobs as they were read last, and in which version: with thousands of them, reading takes its time.
    jobs: Vec<ImportJob>,
    version: Option<JobsVersion>,
    watches: Watches,
    tasks: JoinSet<(JobId, bool)>,
    stop: CancellationToken,
}

impl Service {
    /// Goes on where the last service stopped: what was missed since the last run of a job is due, once.
    async fn recall(&mut self) -> Result<(), JobError> {
        let now = clock::now();
        let last: HashMap<JobId, Timestamp> = self.shop.store.last_starts().await?.into_iter().collect();
        for job in self.shop.store.jobs().await? {
            if let Some(last) = last.get(&job.id) {
                self.timetable.recall(&job, *last, now);
            }
        }
        Ok(())
    }

    async fn start_due(&mut self) -> Result<(), JobError> {
        let now = clock::now();
        let version = self.shop.store.jobs_version().await?;
        if self.version.as_ref() != Some(&version) {
            self.jobs = self.shop.store.jobs().await?;
            self.version = Some(version);
            let enabled: HashSet<JobId> = self.enabled().map(|job| job.id).collect();
            self.timetable.keep(&enabled);
            self.woken.retain(|id| enabled.contains(id));
        }
        self.watches.follow(&self.jobs).await;
        let jobs = std::mem::take(&mut self.jobs);
        for job in jobs.iter().filter(|job| job.enabled) {
            if self.timetable.is_due(job, now) || self.woken.contains(&job.id) {
                self.begin(job);
            }
        }
        self.jobs = jobs;
        Ok(())
    }

    fn enabled(&self) -> impl Iterator<Item = &ImportJob> {
        self.jobs.iter().filter(|job| job.enabled)
    }

    /// Runs the job as soon as there is a slot, unless it runs already.
    fn begin(&mut self, job: &ImportJob) {
        if !self.running.insert(job.id) {
            return;
        }
        self.timetable.begun(job, clock::now());
        self.woken.remove(&job.id);
        let (shop, slots, stop, id) = (self.shop.clone(), Arc::clone(&self.slots), self.stop.clone(), job.id);
        self.tasks.spawn(async move {
            let _slot = slots.acquire().await;
            let well = !stop.is_cancelled() && run(&shop, id, &stop).await;
            (id, well)
        });
    }

    /// Something may have changed in a folder of the job: it is due now, or when its run has ended.
    fn wake(&mut self, job: JobId) {
        if !self.failed.contains(&job) {
            self.woken.insert(job);
            self.begin_if_woken(job);
        }
    }

    fn begin_if_woken(&mut self, id: JobId) {
        if !self.woken.contains(&id) {
            return;
        }
        let job = self.enabled().find(|job| job.id == id).cloned();
        if let Some(job) = job {
            self.begin(&job);
        }
    }

    fn ended(&mut self, ended: Result<(JobId, bool), tokio::task::JoinError>) {
        match ended {
            Ok((job, well)) => {
                self.running.remove(&job);
                if well {
                    self.failed.remove(&job);
                    self.watches.went_well(job);
                } else {
                    self.failed.insert(job);
                    self.woken.remove(&job);
                }
                self.begin_if_woken(job);
            }
            Err(error) => {
                // Its job cannot be told; a job that still runs is kept out by its lease.
                tracing::error!("a run ended in a defect of this program, please report it: {error}");
                self.running.clear();
            }
        }
    }
}

/// Runs the job once, as it is now, and tells whether nothing went wrong.
async fn run(shop: &Workshop, id: JobId, stop: &CancellationToken) -> bool {
    let job = match shop.store.job(id).await {
        Ok(job) if job.enabled => job,
        // It was removed or disabled while it waited for a slot.
        Ok(_) | Err(StoreError::JobNotFound { .. }) => return true,
        Err(error) => {
            tracing::error!("a job that is due cannot be read: {error}");
            return false;
        }
    };
    match import(shop, &job, ImportOptions::default(), &NoProgress, stop).await {
        Ok(report) => {
            for error in &report.errors {
                tracing::error!("job '{}' could not be finished: {error}", job.name);
            }
            let (imported, quarantined, failed) = (report.imported, report.quarantined, report.failed);
            if imported + quarantined + failed > 0 {
                tracing::info!("{}", ended(&job.name, imported, quarantined, failed));
            } else {
                tracing::debug!("job '{}' found nothing new", job.name);
            }
            report.errors.is_empty()
        }
        Err(JobError::Busy { holder, .. }) => {
            tracing::info!("job '{}' is skipped this time: {holder} works on it", job.name);
            true
        }
        Err(error) => {
            tracing::error!("job '{}' could not begin: {error}", job.name);
            false
        }
    }
}

/// What a run has done, with the next step where a person has to take one.
fn ended(job: &str, imported: u64, quarantined: u64, failed: u64) -> String {
    let mut text =
        format!("job '{job}' imported {imported} {}", if imported == 1 { "message" } else { "messages" });
    if failed > 0 {
        text += &format!(", {failed} failed and are tried again in the next run");
    }
    if quarantined > 0 {
        text += &format!(", {quarantined} set aside; `wissel quarantine list` says why");
    }
    text
}
