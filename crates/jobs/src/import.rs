//! One run of an import job: over all its accounts, with new sessions after a broken one, and recorded in the store.

use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wissel_model::{Account, ImportJob, JobAccount, MessageSummary, OpenOptions};
use wissel_sink::DirectorySink;
use wissel_store::{RunOutcome, RunReport, StoreError};

use crate::action::participle;
use crate::folders::{in_account, resolve};
use crate::lease::HeldLease;
use crate::listing::Listing;
use crate::pass::{Memory, Pass};
use crate::relocated::{Looks, relocated};
use crate::target;
use crate::{Event, JobError, Progress, Workshop};

/// Attempts in a row that bring nothing before an account is given up for this run.
const ATTEMPTS: u32 = 3;
/// The longest that a run waits because a service asks for it.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long a running call may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(4);

/// How a run is done.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Only say what would be imported.
    pub dry_run: bool,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// Messages delivered, durable and recorded.
    pub imported: u64,
    /// Messages set aside.
    pub quarantined: u64,
    /// Messages that failed and are left to the next run.
    pub failed: u64,
    /// Messages that were fetched and are not what the job's filter takes: they stay where they are.
    pub filtered: u64,
    /// Messages that were listed and are not what the job's filter takes, each time that they are listed.
    pub left_out: u64,
    /// Messages that were gone when they were asked for.
    pub vanished: u64,
    /// What a dry run would import: account, folder and message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<(String, String, MessageSummary)>,
    /// Why accounts could not be finished, one for each such account.
    #[serde(skip)]
    pub errors: Vec<JobError>,
}

/// Runs the job once. Failures of accounts are part of the report, so that one account's does not hide another's.
///
/// # Errors
/// When the run could not begin: the job is busy, or the sink or the store cannot be used.
pub async fn import(
    shop: &Workshop,
    job: &ImportJob,
    options: ImportOptions,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<ImportReport, JobError> {
    if options.dry_run {
        return dry_run(shop, job, progress, stop).await;
    }
    if let Some(made) = shop.store.held_since(job.id).await? {
        return Err(JobError::Held { job: job.name.clone(), made });
    }
    let held = HeldLease::acquire(&shop.store, &shop.home, job).await?;
    let run = shop.store.start_run(job.id).await?;
    let mut result = run_all(shop, job, &held, progress, stop).await;
    if let Ok(report) = &mut result
        && held.lost().is_cancelled()
    {
        // Nobody asked for a stop.
        report.errors.retain(|error| !matches!(error, JobError::Stopped));
        report.errors.push(StoreError::LeaseLost { job: job.id }.into());
    }
    let recorded = shop.store.finish_run(run, &summary(&result)).await;
    held.release().await;
    let report = result?;
    recorded?;
    Ok(report)
}

async fn run_all(
    shop: &Workshop,
    job: &ImportJob,
    held: &HeldLease,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<ImportReport, JobError> {
    let sink = target::open(&shop.store, job).await?;
    let stop = either(stop, held.lost());
    let mut memory = Memory::default();
    for place in &job.accounts {
        let account = shop.store.account(place.account).await?;
        let one =
            OneAccount { shop, job, account: &account, place, held, sink: &sink, progress, stop: &stop };
        memory.next_account();
        let before = memory.report.errors.len();
        let ended = one.import(&mut memory).await;
        match ended {
            Ok(()) => {}
            Err(error @ (JobError::Store(_) | JobError::Stopped | JobError::Sink { .. })) => {
                memory.report.errors.push(error);
                break;
            }
            Err(error) => memory.report.errors.push(error),
        }
        for error in memory.report.errors.iter_mut().skip(before) {
            error.advise(&*shop.connectors, &account).await;
        }
    }
    Ok(memory.report)
}

struct OneAccount<'a> {
    shop: &'a Workshop,
    job: &'a ImportJob,
    account: &'a Account,
    place: &'a JobAccount,
    held: &'a HeldLease,
    sink: &'a DirectorySink,
    progress: &'a dyn Progress,
    stop: &'a CancellationToken,
}

impl OneAccount<'_> {
    /// Passes over the account until one comes to the end; a pass that broke off but achieved something does not
    /// count as a failed attempt.
    async fn import(&self, memory: &mut Memory) -> Result<(), JobError> {
        let mut attempt = 1;
        loop {
            let before = memory.settled();
            // A further pass lists again what this one leaves out.
            let left_out = memory.report.left_out;
            let Err(error) = self.pass(memory).await else { break };
            if self.stop.is_cancelled() {
                return Err(JobError::Stopped);
            }
            if memory.settled() > before {
                attempt = 1;
            }
            if !error.is_transient() || attempt >= ATTEMPTS || memory.is_hopeless() {
                return Err(error);
            }
            self.wait(&error, attempt).await?;
            memory.report.left_out = left_out;
            attempt += 1;
        }
        let (unfetched, unprocessed) = (memory.unfetched.take(), memory.unprocessed.take());
        if self.stop.is_cancelled() && unfetched.is_some() | unprocessed.is_some() {
            return Err(JobError::Stopped);
        }
        let account = self.account.name.clone();
        if let Some((count, mut source)) = unfetched {
            source.message = format!(
                "{count} messages were not imported and are left to the next run: {}",
                source.message
            );
            let (account, source) = (account.clone(), Box::new(source));
            memory.report.errors.push(JobError::Mailbox { account, folder: None, source, advice: None });
        }
        if let Some((count, source)) = unprocessed {
            let (verb, source) = (participle(self.job.action), Box::new(source));
            memory.report.errors.push(JobError::Unprocessed { account, count, verb, source, advice: None });
        }
        Ok(())
    }

    async fn pass(&self, memory: &mut Memory) -> Result<(), JobError> {
        let description = self
            .shop
            .connectors
            .description(&self.account.connector)
            .await
            .map_err(in_account(self.account))?;
        let hard_stop = CancellationToken::new();
        let _guard = stop_after_grace(self.stop.clone(), hard_stop.clone());
        let options =
            OpenOptions { cancel: hard_stop, purpose: self.job.name.clone(), ..OpenOptions::default() };
        let mut session =
            self.shop.connectors.open(self.account, options).await.map_err(in_account(self.account))?;
        let mut pass = Pass {
            shop: self.shop,
            job: self.job,
            account: self.account,
            place: self.place,
            lease: self.held.lease(),
            sink: self.sink,
            stop: self.stop,
            progress: self.progress,
            description: &description,
            memory,
            broken: false,
            lost: Vec::new(),
            looks: Looks::default(),
        };
        let result = pass.run(&mut *session).await;
        session.close().await;
        result
    }

    async fn wait(&self, error: &JobError, attempt: u32) -> Result<(), JobError> {
        let backoff = Duration::from_secs(1 << attempt.min(6));
        let wait = error.retry_after().unwrap_or(backoff).min(LONGEST_WAIT);
        self.progress.on(Event::Retrying {
            account: self.account.name.clone(),
            reason: error.to_string(),
            after_ms: wait.as_millis().try_into().unwrap_or(u64::MAX),
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.stop.cancelled() => Err(JobError::Stopped),
        }
    }
}

async fn dry_run(
    shop: &Workshop,
    job: &ImportJob,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<ImportReport, JobError> {
    let mut report = ImportReport::default();
    for place in &job.accounts {
        let account = shop.store.account(place.account).await?;
        if let Err(error) = list_account(shop, job, &account, place, progress, stop, &mut report).await {
            report.errors.push(error);
        }
    }
    Ok(report)
}

async fn list_account(
    shop: &Workshop,
    job: &ImportJob,
    account: &Account,
    place: &JobAccount,
    progress: &dyn Progress,
    stop: &CancellationToken,
    report: &mut ImportReport,
) -> Result<(), JobError> {
    let options = OpenOptions { cancel: stop.clone(), purpose: job.name.clone(), ..OpenOptions::default() };
    let mut session = shop.connectors.open(account, options).await.map_err(in_account(account))?;
    let folders = resolve(&mut *session, job, account, place).await?;
    let mut looks = Looks::default();
    for folder in &folders.scanned {
        let mut listing = Listing::new(&shop.store, job, account, folder, None);
        while let Some(page) = listing.next(&mut *session).await? {
            if stop.is_cancelled() {
                return Err(JobError::Stopped);
            }
            progress.on(Event::Passed(page.passed));
            report.left_out += page.left_out;
            let moved = relocated(
                &mut *session,
                &shop.store,
                job,
                account,
                &folders,
                folder,
                &page.messages,
                &mut looks,
            )
            .await?;
            let is_new = |message: &MessageSummary| moved.here.iter().all(|(_, m)| *m != message.id);
            let candidates = page
                .messages
                .into_iter()
                .filter(is_new)
                .map(|message| (account.name.clone(), folder.display_path(), message));
            report.candidates.extend(candidates);
        }
    }
    session.close().await;
    Ok(())
}

fn summary(result: &Result<ImportReport, JobError>) -> RunReport {
    let nothing = ImportReport::default();
    let report = result.as_ref().unwrap_or(&nothing);
    let errors: Vec<&JobError> = match result {
        Ok(report) => report.errors.iter().collect(),
        Err(error) => vec![error],
    };
    let outcome = match errors.first() {
        None => RunOutcome::Succeeded,
        Some(JobError::Stopped) => RunOutcome::Stopped,
        Some(_) => RunOutcome::Failed,
    };
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    RunReport {
        outcome,
        imported: report.imported,
        skipped: report.vanished,
        quarantined: report.quarantined,
        failed: report.failed,
        error: (!texts.is_empty()).then(|| texts.join("\n")),
    }
}

/// A token that is cancelled when either is.
fn either(stop: &CancellationToken, lost: &CancellationToken) -> CancellationToken {
    let both = stop.child_token();
    let (token, lost) = (both.clone(), lost.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = lost.cancelled() => token.cancel(),
            () = token.cancelled() => {}
        }
    });
    both
}

/// After a stop, lets the running call come to its own end for a while, then ends it.
pub(crate) fn stop_after_grace(
    stop: CancellationToken,
    hard: CancellationToken,
) -> tokio_util::sync::DropGuard {
    let over = CancellationToken::new();
    let ended = over.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = ended.cancelled() => return,
            () = stop.cancelled() => {}
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = tokio::time::sleep(GRACE) => hard.cancel(),
        }
    });
    over.drop_guard()
}
