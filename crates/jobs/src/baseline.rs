//! Marks what the folders hold now as done, for those who come from other software: it was imported there already.

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wissel_model::{ImportJob, OpenOptions};
use wissel_store::AuditRecord;

use crate::folders::{in_account, resolve};
use crate::lease::HeldLease;
use crate::listing::Listing;
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
    let held = HeldLease::acquire(&shop.store, &shop.home, job).await?;
    let mut report = BaselineReport { dry_run, ..BaselineReport::default() };
    let result = mark(shop, job, &held, dry_run, progress, stop, &mut report).await;
    if !dry_run && report.total() > 0 {
        shop.store
            .audit(&AuditRecord {
                at: jiff::Timestamp::now(),
                actor: actor.to_owned(),
                action: "job.baseline".to_owned(),
                subject: job.name.clone(),
                detail: serde_json::json!({ "marked": report.marked, "complete": result.is_ok() }),
            })
            .await?;
    }
    held.release().await;
    result.map(|()| report)
}

async fn mark(
    shop: &Workshop,
    job: &ImportJob,
    held: &HeldLease,
    dry_run: bool,
    progress: &dyn Progress,
    stop: &CancellationToken,
    report: &mut BaselineReport,
) -> Result<(), JobError> {
    for place in &job.accounts {
        let account = shop.store.account(place.account).await?;
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
            let mut count = 0;
            let mut listing = Listing::new(&shop.store, job, &account, folder);
            while let Some(page) = listing.next(&mut *session).await? {
                if stop.is_cancelled() {
                    return Err(JobError::Stopped);
                }
                progress.on(Event::Passed(page.passed));
                count += if dry_run {
                    page.messages.len() as u64
                } else {
                    shop.store.baseline(held.lease(), account.id, &folder.id, &page.messages).await?
                };
            }
            report.marked.push((account.name.clone(), folder.display_path(), count));
        }
        session.close().await;
    }
    Ok(())
}
