//! The write lease of a job: one worker at a time, in this process or any other.
//!
//! Two things guard a job. A lock file, which the operating system frees when its process dies, tells at once
//! whether another process *on this machine* works on the job; and the lease in the store, whose epoch every ledger
//! write is checked against, fences off a worker that only seemed dead. Who holds the lock may take the lease over
//! from a process of the same machine without waiting for it to run out.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wissel_model::ImportJob;
use wissel_store::{Lease, Store, StoreError};

use crate::JobError;

const TERM: Duration = Duration::from_secs(60);
const RENEWAL: Duration = Duration::from_secs(15);

/// Holds the lease, renews it, and gives it back when released (or lets it run out when dropped).
pub(crate) struct HeldLease {
    store: Store,
    lease: Lease,
    renewal: JoinHandle<()>,
    lost: CancellationToken,
    _lock: File,
}

impl HeldLease {
    /// Takes the lease of the job.
    pub(crate) async fn acquire(store: &Store, home: &Path, job: &ImportJob) -> Result<Self, JobError> {
        let lock = lock_file(home, job)?;
        let machine = machine_name();
        let holder = format!("process {} on {machine}", std::process::id());
        let lease = match store.acquire_lease(job.id, &holder, TERM).await {
            Err(StoreError::LeaseHeld { holder: dead, .. }) if dead.ends_with(&format!(" on {machine}")) => {
                tracing::info!(
                    job = job.name,
                    holder = dead,
                    "taking over the lease of a process that has ended"
                );
                store.take_over_lease(job.id, &dead, &holder, TERM).await?
            }
            Err(StoreError::LeaseHeld { holder, .. }) => {
                return Err(JobError::Busy { job: job.name.clone(), holder });
            }
            other => other?,
        };
        let lost = CancellationToken::new();
        let renewal = tokio::spawn(renew(store.clone(), lease.clone(), lost.clone()));
        Ok(Self { store: store.clone(), lease, renewal, lost, _lock: lock })
    }

    /// The lease, for ledger writes.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Cancelled when another worker has taken the lease: stop.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Gives the lease back.
    pub(crate) async fn release(self) {
        self.renewal.abort();
        if let Err(error) = self.store.release_lease(&self.lease).await {
            tracing::warn!(%error, "the lease could not be given back; it runs out by itself");
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(store: Store, lease: Lease, lost: CancellationToken) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match store.renew_lease(&lease, TERM).await {
            Ok(()) => {}
            Err(error @ StoreError::LeaseLost { .. }) => {
                tracing::error!(%error, "the lease of a job is lost");
                lost.cancel();
                return;
            }
            // Not lost by that: the epoch keeps a second worker out of the ledger until it takes the lease over.
            Err(error) => tracing::warn!(%error, "the lease of a job could not be renewed; trying again"),
        }
    }
}

fn lock_file(home: &Path, job: &ImportJob) -> Result<File, JobError> {
    let directory = home.join("locks");
    let path = directory.join(format!("{}.lock", job.id));
    let home_error = |source| JobError::Home { path: path.display().to_string(), source };
    std::fs::create_dir_all(&directory).map_err(home_error)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(home_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(JobError::Busy { job: job.name.clone(), holder: "another run on this machine".to_owned() })
        }
        Err(TryLockError::Error(source)) => Err(home_error(source)),
    }
}

fn machine_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}
