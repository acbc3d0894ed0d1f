//! Leases
use std::time::Duration;

use wissel_model::JobId;

use crate::{Result, Store};

/// The right to write for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Raised by each acquisition.
    pub epoch: i64,
    /// Who holds it, for people.
    pub holder: String,
}

impl Store {
    /// Takes the lease on a job for `ttl`.
    pub async fn acquire_lease(&self, job: JobId, holder: &str, ttl: Duration) -> Result<Lease> {
        todo!()
    }
    /// Prolongs the lease to `ttl` from now.
    pub async fn renew_lease(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        todo!()
    }
    /// Gives the lease back.
    pub async fn release_lease(&self, lease: &Lease) -> Result<()> {
        todo!()
    }
}
