//! Marks what the folders hold now as done, for those who come from other software: it was imported there already.

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wissel_model::{Account, ImportJob, LedgerState, OpenOptions};
use wissel_store::{AuditRecord, Lease};

use crate::folders::{in_account, resolve};
use crate::lease::HeldLease;
use crate::listing::Listing;
use crate::recover::record_held;
use crate::target;
use crate::{Event, JobError, Progress, Workshop};

/// What a baseline did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BaselineReport {
    /// Messages that are counted as done from now on, by account and folder.
    pub marked: Vec<(String, String, u64)>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

impl BaselineReport {
    /// How many messages in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.marked.iter().map(|(_, _, count)| count).sum()
    }
}

/// Marks the messages that the job's folders hold now as done, in the ledger only; the mailboxes stay as they are.
/// The job's filter applies: what it would not import is not marked.
///
/// # Errors
/// See [`JobError`]; what was marked until then stays marked.
pub async fn baseline(
    shop: &Workshop,
    job: &ImportJob,
    dry_run: bool,
    actor: &str,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<BaselineReport, JobError> {
    let mut report = BaselineReport { dry_run, ..BaselineReport::default() };
    if dry_run {
        mark(shop, job, None, progress, stop, &mut report).await?;
        return Ok(report);
    }
    let held = HeldLease::acquire(&shop.store, &shop.home, job).await?;
    let result = mark(shop, job, Some(held.lease()), progress, stop, &mut report).await;
    let mut audited = Ok(());
    if report.total() > 0 {
        audited = shop
            .store
            .audit(&AuditRecord {
                at: jiff::Timestamp::now(),
                actor: actor.to_owned(),
                action: "job.baseline".to_owned(),
                subject: job.name.clone(),
                detail: serde_json::json!({ "marked": report.marked, "complete": result.is_ok() }),
            })
            .await;
    }
    held.release().await;
    result?;
    audited?;
    Ok(report)
}

/// Marks under the lease, or without one only counts.
async fn mark(
    shop: &Workshop,
    job: &ImportJob,
    lease: Option<&Lease>,
    progress: &dyn Progress,
    stop: &CancellationToken,
    report: &mut BaselineReport,
) -> Result<(), JobError> {
    for place in &job.accounts {
        let account = shop.store.account(place.account).await?;
        if let Some(lease) = lease {
            settle_reserved(shop, job, &account, lease).await?;
        }
        let options =
            OpenOptions { cancel: stop.clone(), purpose: job.name.clone(), ..OpenOptions::default() };
        let mut session = shop.connectors.open(&account, options).await.map_err(in_account(&account))?;
        let folders = resolve(&mut *session, job, &account, place).await?;
        for folder in &folders.scanned {
            progress.on(Event::Folder {
                account: account.name.clone(),
                folder: folder.display_path(),
                total: folder.total,
            });
            report.marked.push((account.name.clone(), folder.display_path(), 0));
            let mut listing = Listing::new(&shop.store, job, &account, folder, None);
            while let Some(page) = listing.next(&mut *session).await? {
                if stop.is_cancelled() {
                    return Err(JobError::Stopped);
                }
                progress.on(Event::Passed(page.passed));
                let marked = match lease {
                    None => page.messages.len() as u64,
                    Some(lease) => shop.store.baseline(lease, account.id, &folder.id, &page.messages).await?,
                };
                if let Some((_, _, count)) = report.marked.last_mut() {
                    *count += marked;
                }
            }
        }
        session.close().await;
    }
    Ok(())
}

/// A run that broke off may have reserved messages: what it delivered is recorded, and the rest is free to be marked.
async fn settle_reserved(
    shop: &Workshop,
    job: &ImportJob,
    account: &Account,
    lease: &Lease,
) -> Result<(), JobError> {
    let unfinished = shop.store.unfinished(job.id, account.id).await?;
    if unfinished.iter().any(|entry| entry.state == LedgerState::Reserved) {
        let sink = target::open(&shop.store, job).await?;
        let recovered = record_held(&shop.store, lease, &sink, job, account, &[]).await?;
        shop.store.forget(lease, &recovered.reserved).await?;
    }
    Ok(())
}
