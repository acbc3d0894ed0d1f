//! Switches a job from one account to another: both stand, the new one is looked at without changing anything,
//! messages that were imported already are recognised there, and then one transaction changes the job's reference,
//! the ledger and the audit trail together. The way back is the same act with the names exchanged.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wissel_model::{
    Account, AccountId, FolderAddress, ImportJob, JobAccount, LedgerState, MessageId, MessageKey,
    OpenOptions, fault,
};
use wissel_store::Switch;

use crate::folders::{JobFolders, in_account, pin_of, resolve};
use crate::lease::HeldLease;
use crate::listing::Wanted;
use crate::matching::{Found, OldListing, Setting, fingerprint};
use crate::pass::{Memory, Pass};
use crate::probe::check_rights;
use crate::recognise::{entries, list_all, mapping, recognise};
use crate::recover::record_held;
use crate::relocated::Looks;
use crate::target;
use crate::{JobError, NoProgress, Workshop};

/// How long a switch waits for a run of the job to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to do with messages that cannot be recognised with certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubtful {
    /// Do not switch.
    #[default]
    Refuse,
    /// Take them for new and import them.
    Import,
}

/// How a switch is done.
#[derive(Debug, Clone)]
pub struct SwitchOptions {
    /// The account that the job leaves.
    pub from: AccountId,
    /// The account that takes its place.
    pub to: AccountId,
    /// The import folder in the new account; as in the old one when absent.
    pub folder: Option<FolderAddress>,
    /// The processed folder in the new account; as in the old one when absent.
    pub processed: Option<FolderAddress>,
    /// What to do with messages that cannot be recognised with certainty.
    pub doubtful: Doubtful,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Who does it, for the audit trail.
    pub actor: String,
}

/// What a switch found and did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SwitchReport {
    /// The account that the job left.
    pub from: String,
    /// The account that it uses now.
    pub to: String,
    /// Messages in the old account's folders; absent when it could not be opened.
    pub old_total: Option<u64>,
    /// Why the old account could not be opened, if so.
    pub old_problem: Option<String>,
    /// The import folder in the new account.
    pub folder: String,
    /// Messages in the new account's folders.
    pub new_total: u64,
    /// Messages there that were recognised as imported already.
    pub recognised: u64,
    /// Messages there that the next run imports.
    pub to_import: u64,
    /// Messages there that the job's filter leaves out.
    pub left_out: u64,
    /// Messages there that could not be recognised with certainty; they are imported when that was asked for.
    pub doubtful: u64,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// Switches the job.
///
/// # Errors
/// See [`JobError`]; nothing was changed then, but for messages of an earlier run that were moved, marked or deleted in
/// the old account.
pub async fn switch(
    shop: &Workshop,
    job: &ImportJob,
    options: &SwitchOptions,
    stop: &CancellationToken,
) -> Result<SwitchReport, JobError> {
    let held = acquire_patiently(shop, job, stop).await?;
    let result = switch_held(shop, job, options, stop, &held).await;
    held.release().await;
    result
}

async fn acquire_patiently(
    shop: &Workshop,
    job: &ImportJob,
    stop: &CancellationToken,
) -> Result<HeldLease, JobError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match HeldLease::acquire(&shop.store, &shop.home, job).await {
            Err(JobError::Busy { .. }) if tokio::time::Instant::now() < deadline && !stop.is_cancelled() => {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            other => return other,
        }
    }
}

async fn switch_held(
    shop: &Workshop,
    job: &ImportJob,
    options: &SwitchOptions,
    stop: &CancellationToken,
    held: &HeldLease,
) -> Result<SwitchReport, JobError> {
    // Read again under the lease: a switch that came first has changed it.
    let job = &shop.store.job(job.id).await?;
    let (old, new) = (shop.store.account(options.from).await?, shop.store.account(options.to).await?);
    let place = current_place(job, &old, &new)?;
    let mut target = JobAccount {
        account: new.id,
        folder: options.folder.clone().unwrap_or_else(|| place.folder.clone()),
        processed: options.processed.clone().or_else(|| place.processed.clone()),
        pin: None,
        processed_pin: None,
    };
    let mut report = SwitchReport {
        from: old.name.clone(),
        to: new.name.clone(),
        dry_run: options.dry_run,
        ..Default::default()
    };

    let description = shop.connectors.description(&new.connector).await.map_err(in_account(&new))?;
    let mut session = shop.connectors.open(&new, opened_for(job, stop)).await.map_err(in_account(&new))?;
    let identity = session.check().await.map_err(in_account(&new))?;
    let folders = resolve(&mut *session, job, &new, &target).await?;
    check_rights(job, &new, &description, &identity, &folders)?;
    report.folder = folders.import.display_path();
    target.pin = Some(pin_of(&folders.import));
    target.processed_pin = folders.processed.as_ref().map(pin_of);

    let old_listing = match drain(shop, job, &old, place, stop, held, options.dry_run).await {
        Ok((listing, total)) => {
            report.old_total = Some(total);
            Some(listing)
        }
        // A service that asks to slow down is alive: what it would have told is worth waiting for.
        Err(error) if error.is_throttled() => return Err(error),
        Err(error @ (JobError::Mailbox { .. } | JobError::FolderNotFound { .. })) => {
            report.old_problem = Some(error.to_string());
            None
        }
        Err(error) => return Err(error),
    };

    let mut found = Vec::new();
    for folder in &folders.scanned {
        found.extend(list_all(&mut *session, &new, folder, job.filter.reads_headers()).await?);
    }
    report.new_total = found.len() as u64;
    let mut entries = entries(&shop.store, job, &old).await?;
    let known = known_already(shop, job, &new, &folders, &found).await?;
    let known_keys: HashSet<MessageKey> = known.values().map(|(key, _)| *key).collect();
    found.retain(|found| !known.contains_key(&found.message.id));
    entries.retain(|entry| !known_keys.contains(&entry.key));
    let is_over = |state: &LedgerState| *state == LedgerState::Filtered;
    let over: HashSet<MessageKey> =
        entries.iter().filter(|entry| is_over(&entry.state)).map(|entry| entry.key).collect();
    let setting = Setting::Switch(old_listing.as_ref());
    let matched = recognise(&mut *session, &new, &folders.import, entries, found, setting).await?;
    session.close().await;

    let over = matched.pairs.iter().filter(|(key, _)| over.contains(key)).count()
        + known.values().filter(|(_, state)| is_over(state)).count();
    report.recognised = (matched.pairs.len() + known.len() - over) as u64;
    let wanted = Wanted::now(&job.filter);
    report.to_import = matched.new.iter().filter(|found| wanted.includes(&found.message)).count() as u64;
    report.left_out = (over + matched.new.len()) as u64 - report.to_import;
    report.doubtful = matched.doubtful.len() as u64;
    if options.dry_run {
        return Ok(report);
    }
    if options.doubtful == Doubtful::Refuse && !matched.doubtful.is_empty() {
        return Err(JobError::Ambiguous {
            job: job.name.clone(),
            account: new.name.clone(),
            count: matched.doubtful.len(),
        });
    }
    if stop.is_cancelled() || held.lost().is_cancelled() {
        return Err(JobError::Stopped);
    }
    fault::point("switch-planned");
    let switch = Switch {
        from: old.id,
        to: target,
        expected_revision: job.revision,
        mappings: matched.pairs.into_iter().map(mapping).collect(),
        actor: options.actor.clone(),
        detail: serde_json::to_value(&report).unwrap_or_default(),
    };
    shop.store.switch_account(held.lease(), switch).await?;
    fault::point("switched");
    Ok(report)
}

fn opened_for(job: &ImportJob, stop: &CancellationToken) -> OpenOptions {
    OpenOptions { cancel: stop.clone(), purpose: job.name.clone(), ..OpenOptions::default() }
}

fn current_place<'a>(job: &'a ImportJob, old: &Account, new: &Account) -> Result<&'a JobAccount, JobError> {
    let problem = |problem: String| JobError::Switch { job: job.name.clone(), problem };
    if job.accounts.iter().any(|place| place.account == new.id) {
        return Err(problem(format!("uses the account '{}' already", new.name)));
    }
    job.accounts
        .iter()
        .find(|place| place.account == old.id)
        .ok_or_else(|| problem(format!("does not use the account '{}'", old.name)))
}

/// What is reserved still is not in the sink. Left in the ledger, it would keep its place in the old account: on the way
/// back the message that was imported meanwhile could not be recognised there, and would be imported again.
async fn forget_reservations(
    shop: &Workshop,
    job: &ImportJob,
    old: &Account,
    held: &HeldLease,
) -> Result<(), JobError> {
    let mut left = shop.store.unfinished(job.id, old.id).await?;
    left.retain(|entry| entry.state == LedgerState::Reserved);
    let keys: Vec<MessageKey> = left.iter().map(|entry| entry.key).collect();
    Ok(shop.store.forget(held.lease(), &keys).await?)
}

/// Finishes what the old account's runs left half-way, as far as it can be opened, and lists it a last time.
async fn drain(
    shop: &Workshop,
    job: &ImportJob,
    old: &Account,
    place: &JobAccount,
    stop: &CancellationToken,
    held: &HeldLease,
    dry_run: bool,
) -> Result<(OldListing, u64), JobError> {
    let (sink, description);
    let mut memory = Memory::default();
    let mut pass = None;
    if !dry_run {
        sink = target::open(&shop.store, job).await?;
        record_held(&shop.store, held.lease(), &sink, job, old, &[]).await?;
        forget_reservations(shop, job, old, held).await?;
        description = shop.connectors.description(&old.connector).await.map_err(in_account(old))?;
        pass = Some(Pass {
            shop,
            job,
            account: old,
            place,
            lease: held.lease(),
            sink: &sink,
            stop,
            progress: &NoProgress,
            description: &description,
            memory: &mut memory,
            broken: false,
            lost: Vec::new(),
            looks: Looks::default(),
        });
    }
    let mut session = shop.connectors.open(old, opened_for(job, stop)).await.map_err(in_account(old))?;
    let folders = resolve(&mut *session, job, old, place).await?;
    if let Some(pass) = &mut pass {
        pass.act_on_delivered(&mut *session, &folders).await?;
        pass.finish_lost().await?;
    }
    let mut listing = OldListing::default();
    let mut total = 0;
    for folder in &folders.scanned {
        let listed = list_all(&mut *session, old, folder, false).await?;
        total += listed.len() as u64;
        let ids: Vec<_> = listed.iter().map(|found| found.message.id.clone()).collect();
        let known = shop.store.known(job.id, old.id, &folder.id, &ids).await?;
        for found in listed {
            match known.get(&found.message.id) {
                Some((key, state)) if *state != LedgerState::Reserved => {
                    listing.known.insert(*key);
                }
                _ => listing.unknown.push(fingerprint(&found.message)),
            }
        }
    }
    session.close().await;
    Ok((listing, total))
}

/// Messages of the new account that the ledger knows by their ids already, from before an earlier switch away.
async fn known_already(
    shop: &Workshop,
    job: &ImportJob,
    new: &Account,
    folders: &JobFolders,
    found: &[Found],
) -> Result<HashMap<MessageId, (MessageKey, LedgerState)>, JobError> {
    let mut known = HashMap::new();
    for folder in &folders.scanned {
        let ids: Vec<_> = found
            .iter()
            .filter(|found| found.folder == folder.id)
            .map(|found| found.message.id.clone())
            .collect();
        let page = shop.store.known(job.id, new.id, &folder.id, &ids).await?;
        let settled = page.into_iter().filter(|(_, (_, state))| *state != LedgerState::Reserved);
        known.extend(settled);
    }
    Ok(known)
}
