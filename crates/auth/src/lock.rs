//! One renewal at a time, whichever process does it: a lock file for each account and resource. The operating system
//! frees it when a process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wissel_model::AccountId;

use crate::AuthError;

/// How long another process is waited for: longer than a request for a token may take.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(25);

/// The right to renew, while it lives.
#[derive(Debug)]
pub(crate) struct Turn(#[allow(dead_code, reason = "held, not read")] File);

/// Waits for the turn.
///
/// # Errors
/// Another process has it for too long, or the file cannot be locked.
pub(crate) async fn take(locks: &Path, account: AccountId, field: &str) -> Result<Turn, AuthError> {
    let digest = hex::encode(Sha256::digest(field.as_bytes()));
    let path = locks.join(format!("grant-{account}-{}.lock", digest.get(..16).unwrap_or(&digest)));
    let unusable = |error: std::io::Error| {
        AuthError::unavailable(format!(
            "{} cannot be locked: {error}; give this user the right to write there",
            path.display()
        ))
    };
    std::fs::create_dir_all(locks).map_err(unusable)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Turn(file)),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => {
                return Err(AuthError::unavailable(
                    "another process has been renewing this account's token for more than a minute",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
}
