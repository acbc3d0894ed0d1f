//! Jobs and the accounts they use, each with its folders.

use std::collections::HashMap;

use sqlx::{FromRow, SqliteConnection};
use wissel_model::{
    AccountId, Cron, FolderAddress, ImportJob, JobAccount, JobId, Pin, ProcessedAction, Schedule,
};

use crate::accounts::name_taken;
use crate::error::Failure;
use crate::rows::{AddressRow, folded, json, now, read_id, read_json, read_moment, unreadable};
use crate::{Result, Store, StoreError};

/// Which of the two folders of a job's account is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// The import folder.
    Import,
    /// The processed folder.
    Processed,
}

/// Tells whether the jobs are those that were read before. Pins do not count.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct JobsVersion {
    jobs: i64,
    revisions: i64,
    newest: String,
}

impl Store {
    /// The version of all jobs together: another one after each job that is added, changed or removed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn jobs_version(&self) -> Result<JobsVersion> {
        // Ids rise with time: a job that takes the place of another has a newer one.
        sqlx::query_as(
            "SELECT count(*) AS jobs, coalesce(sum(revision), 0) AS revisions, coalesce(max(id), '') AS newest FROM job",
        )
        .fetch_one(self.readers())
        .await
        .map_err(|e| self.failed(e))
    }

    /// All jobs, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn jobs(&self) -> Result<Vec<ImportJob>> {
        let rows: Vec<JobRow> = sqlx::query_as("SELECT * FROM job ORDER BY name_folded")
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        let accounts: Vec<JobAccountRow> = sqlx::query_as("SELECT * FROM job_account ORDER BY job, position")
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        let mut of_job: HashMap<String, Vec<JobAccountRow>> = HashMap::new();
        for account in accounts {
            of_job.entry(account.job.clone()).or_default().push(account);
        }
        rows.into_iter()
            .map(|row| {
                let accounts = of_job.remove(&row.id).unwrap_or_default();
                row.read(accounts)
            })
            .collect()
    }

    /// The job of this name, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::JobNotFound`] lists the names there are.
    pub async fn job_named(&self, name: &str) -> Result<ImportJob> {
        let row: Option<JobRow> = sqlx::query_as("SELECT * FROM job WHERE name_folded = ?")
            .bind(folded(name))
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        self.whole_job(row, name).await
    }

    /// The job of this id.
    ///
    /// # Errors
    /// [`StoreError::JobNotFound`].
    pub async fn job(&self, id: JobId) -> Result<ImportJob> {
        let row: Option<JobRow> = sqlx::query_as("SELECT * FROM job WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        self.whole_job(row, &id.to_string()).await
    }

    /// Adds a job. It is stored with revision 1, whatever the record says; that revision is returned.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::AccountNotFound`], [`StoreError::AccountTwiceInJob`].
    pub async fn add_job(&self, job: &ImportJob) -> Result<i64> {
        let job = job.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO job (name, name_folded, include_subfolders, action, create_processed_folder, \
                     filter, target, interval_seconds, cron, time_zone, watch, enabled, id, revision) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                )
                .bind(&job.name)
                .bind(folded(&job.name))
                .bind(job.include_subfolders)
                .bind(job.action.as_str())
                .bind(job.create_processed_folder)
                .bind(json("a filter", &job.filter)?)
                .bind(json("a target", &job.target)?)
                .bind(interval(&job))
                .bind(cron(&job).map(Cron::expression))
                .bind(cron(&job).map(Cron::time_zone))
                .bind(job.watch)
                .bind(job.enabled)
                .bind(job.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &job.name))?;
                put_accounts(tx, &job).await?;
                Ok(1)
            })
        })
        .await
    }

    /// Changes a job, its accounts and pins included, if it still has the revision of the record. Returns the new
    /// revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was changed meanwhile; those of [`add_job`](Self::add_job);
    /// [`StoreError::JobNotFound`].
    pub async fn update_job(&self, job: &ImportJob) -> Result<i64> {
        let job = job.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let revision = raise_revision(tx, job.id, job.revision).await?;
                sqlx::query(
                    "UPDATE job SET name = ?, name_folded = ?, include_subfolders = ?, action = ?, \
                     create_processed_folder = ?, filter = ?, target = ?, interval_seconds = ?, cron = ?, \
                     time_zone = ?, watch = ?, enabled = ? \
                     WHERE id = ?",
                )
                .bind(&job.name)
                .bind(folded(&job.name))
                .bind(job.include_subfolders)
                .bind(job.action.as_str())
                .bind(job.create_processed_folder)
                .bind(json("a filter", &job.filter)?)
                .bind(json("a target", &job.target)?)
                .bind(interval(&job))
                .bind(cron(&job).map(Cron::expression))
                .bind(cron(&job).map(Cron::time_zone))
                .bind(job.watch)
                .bind(job.enabled)
                .bind(job.id.to_string())
                .execute(&mut *tx)
                .await
                .map_err(|e| name_taken(e, &job.name))?;
                sqlx::query("DELETE FROM job_account WHERE job = ?")
                    .bind(job.id.to_string())
                    .execute(&mut *tx)
                    .await?;
                put_accounts(tx, &job).await?;
                Ok(revision)
            })
        })
        .await
    }

    /// Removes a job with its ledger, cursors, runs and quarantine records: a job made anew imports everything again.
    ///
    /// # Errors
    /// [`StoreError::LeaseHeld`] while somebody runs it; [`StoreError::JobNotFound`].
    pub async fn remove_job(&self, id: JobId) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                let lease: Option<(String, String)> = sqlx::query_as(
                    "SELECT holder, expires FROM job_lease WHERE job = ? AND NOT released AND expires > ?",
                )
                .bind(id.to_string())
                .bind(now())
                .fetch_optional(&mut *tx)
                .await?;
                if let Some((holder, expires)) = lease {
                    let job = job_name(tx, id).await?;
                    return Err(StoreError::LeaseHeld { job, holder, until: read_moment(&expires)? }.into());
                }
                let done = sqlx::query("DELETE FROM job WHERE id = ?")
                    .bind(id.to_string())
                    .execute(&mut *tx)
                    .await?;
                if done.rows_affected() == 0 {
                    return Err(missing(tx, &id.to_string()).await?.into());
                }
                Ok(())
            })
        })
        .await
    }

    /// Remembers where a folder of the job was found. Does not raise the revision: nobody decided anything.
    ///
    /// # Errors
    /// [`StoreError::AccountNotInJob`], [`StoreError::JobNotFound`].
    pub async fn pin_folder(&self, job: JobId, account: AccountId, kind: PinKind, pin: &Pin) -> Result<()> {
        let pin = json("a pin", pin)?;
        let statement = match kind {
            PinKind::Import => "UPDATE job_account SET pin = ? WHERE job = ? AND account = ?",
            PinKind::Processed => "UPDATE job_account SET processed_pin = ? WHERE job = ? AND account = ?",
        };
        self.write(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(statement)
                    .bind(pin)
                    .bind(job.to_string())
                    .bind(account.to_string())
                    .execute(&mut *tx)
                    .await?;
                if done.rows_affected() == 0 {
                    let job = job_name(tx, job).await?;
                    return Err(StoreError::AccountNotInJob { job, account }.into());
                }
                Ok(())
            })
        })
        .await
    }

    async fn whole_job(&self, row: Option<JobRow>, name: &str) -> Result<ImportJob> {
        let Some(row) = row else {
            let known = sqlx::query_scalar("SELECT name FROM job ORDER BY name_folded")
                .fetch_all(self.readers())
                .await
                .map_err(|e| self.failed(e))?;
            return Err(StoreError::JobNotFound { name: name.to_owned(), known });
        };
        let accounts = sqlx::query_as("SELECT * FROM job_account WHERE job = ? ORDER BY position")
            .bind(&row.id)
            .fetch_all(self.readers())
            .await
            .map_err(|e| self.failed(e))?;
        row.read(accounts)
    }
}

/// The error for a job that is not there, from inside a write.
async fn missing(tx: &mut SqliteConnection, name: &str) -> std::result::Result<StoreError, Failure> {
    let known = sqlx::query_scalar("SELECT name FROM job ORDER BY name_folded").fetch_all(tx).await?;
    Ok(StoreError::JobNotFound { name: name.to_owned(), known })
}

/// The name of a job, for an error; fails when there is none.
pub(crate) async fn job_name(tx: &mut SqliteConnection, id: JobId) -> std::result::Result<String, Failure> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM job WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(&mut *tx)
        .await?;
    match name {
        Some(name) => Ok(name),
        None => Err(missing(tx, &id.to_string()).await?.into()),
    }
}

/// The compare-and-set of a job: fails unless it has the expected revision, and returns the next one.
pub(crate) async fn raise_revision(
    tx: &mut SqliteConnection,
    id: JobId,
    expected: i64,
) -> std::result::Result<i64, Failure> {
    let job = job_name(tx, id).await?;
    let found: i64 = sqlx::query_scalar("SELECT revision FROM job WHERE id = ?")
        .bind(id.to_string())
        .fetch_one(&mut *tx)
        .await?;
    if found != expected {
        return Err(StoreError::Conflict { job, expected, found }.into());
    }
    sqlx::query("UPDATE job SET revision = revision + 1 WHERE id = ?")
        .bind(id.to_string())
        .execute(tx)
        .await?;
    Ok(expected + 1)
}

async fn put_accounts(tx: &mut SqliteConnection, job: &ImportJob) -> std::result::Result<(), Failure> {
    for (position, account) in job.accounts.iter().enumerate() {
        let position = i64::try_from(position).map_err(|e| unreadable("a position", e))?;
        put_account(tx, job.id, position, account).await?;
    }
    Ok(())
}

/// Adds one account to a job.
pub(crate) async fn put_account(
    tx: &mut SqliteConnection,
    job: JobId,
    position: i64,
    account: &JobAccount,
) -> std::result::Result<(), Failure> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM account WHERE id = ?")
        .bind(account.account.to_string())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(name) = name else {
        return Err(crate::accounts::missing(tx, &account.account.to_string()).await?.into());
    };
    let address = |address: &FolderAddress| json("a folder address", &AddressRow::from(address));
    let pin = |pin: &Option<Pin>| pin.as_ref().map(|pin| json("a pin", pin)).transpose();
    let done = sqlx::query(
        "INSERT INTO job_account (job, account, position, folder, processed, pin, processed_pin) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, account) DO NOTHING",
    )
    .bind(job.to_string())
    .bind(account.account.to_string())
    .bind(position)
    .bind(address(&account.folder)?)
    .bind(account.processed.as_ref().map(address).transpose()?)
    .bind(pin(&account.pin)?)
    .bind(pin(&account.processed_pin)?)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::AccountTwiceInJob { job: job_name(tx, job).await?, account: name }.into());
    }
    Ok(())
}

fn interval(job: &ImportJob) -> Option<u32> {
    if let Some(Schedule::Every(seconds)) = job.schedule { Some(seconds) } else { None }
}

fn cron(job: &ImportJob) -> Option<&Cron> {
    if let Some(Schedule::Cron(cron)) = &job.schedule { Some(cron) } else { None }
}

#[derive(FromRow)]
struct JobRow {
    id: String,
    name: String,
    include_subfolders: bool,
    action: String,
    create_processed_folder: bool,
    filter: String,
    target: String,
    interval_seconds: Option<u32>,
    cron: Option<String>,
    time_zone: Option<String>,
    watch: bool,
    enabled: bool,
    revision: i64,
}

#[derive(FromRow)]
struct JobAccountRow {
    job: String,
    account: String,
    folder: String,
    processed: Option<String>,
    pin: Option<String>,
    processed_pin: Option<String>,
}

impl JobRow {
    fn read(self, accounts: Vec<JobAccountRow>) -> Result<ImportJob> {
        Ok(ImportJob {
            id: read_id("a job id", &self.id, JobId::parse)?,
            name: self.name,
            accounts: accounts.into_iter().map(JobAccountRow::read).collect::<Result<_>>()?,
            include_subfolders: self.include_subfolders,
            action: ProcessedAction::parse(&self.action)
                .ok_or_else(|| unreadable("a job's action", &self.action))?,
            create_processed_folder: self.create_processed_folder,
            filter: read_json("a job's filter", &self.filter)?,
            target: read_json("a job's target", &self.target)?,
            schedule: match (self.cron, self.interval_seconds) {
                (Some(cron), _) => {
                    Some(Schedule::Cron(Cron::stored(cron, self.time_zone.unwrap_or_default())))
                }
                (None, seconds) => seconds.map(Schedule::Every),
            },
            watch: self.watch,
            enabled: self.enabled,
            revision: self.revision,
        })
    }
}

impl JobAccountRow {
    fn read(self) -> Result<JobAccount> {
        let address = |text: &str| read_json::<AddressRow>("a job's folder", text).map(FolderAddress::from);
        let pin = |text: Option<String>| text.map(|t| read_json("a job's pin", &t)).transpose();
        Ok(JobAccount {
            account: read_id("an account id", &self.account, AccountId::parse)?,
            folder: address(&self.folder)?,
            processed: self.processed.as_deref().map(address).transpose()?,
            pin: pin(self.pin)?,
            processed_pin: pin(self.processed_pin)?,
        })
    }
}
