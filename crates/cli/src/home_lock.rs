//! Who uses the home directory: everybody who opens its database shares it, and a restore has it alone. The operating
//! system frees it when a process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::{Duration, Instant};

use crate::exit::Code;
use crate::home::{Home, create_private};
use crate::problem::Problem;
use crate::putting_back;

/// How long another process is waited for that has the home alone.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The home, shared with others.
#[derive(Debug)]
pub(crate) struct Shared(#[allow(dead_code, reason = "held, not read")] File);

/// The home, alone.
#[derive(Debug)]
pub(crate) struct Alone(#[allow(dead_code, reason = "held, not read")] File);

/// Shares the home. A restore that was interrupted after it became valid is finished first; what one left that was
/// interrupted before is removed, because a key may lie in it.
pub(crate) async fn share(home: &Home) -> Result<Shared, Problem> {
    loop {
        if home.ready().exists() {
            let alone = take(home).await?;
            putting_back::finish(home, &alone)?;
        }
        let file = open(home)?;
        lock(home, || file.try_lock_shared()).await?;
        if !home.ready().exists() {
            // Nobody restores while the home is shared. Of several who come together one removes it.
            let _ = std::fs::remove_dir_all(home.staged());
            return Ok(Shared(file));
        }
    }
}

/// Takes the home alone, when nobody else uses it.
pub(crate) async fn take(home: &Home) -> Result<Alone, Problem> {
    let file = open(home)?;
    lock(home, || file.try_lock()).await?;
    Ok(Alone(file))
}

async fn lock(home: &Home, mut attempt: impl FnMut() -> Result<(), TryLockError>) -> Result<(), Problem> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => {
                return Err(Problem {
                    code: Code::Busy,
                    name: "busy",
                    message: format!("another process uses the home directory {}", home.root().display()),
                    next: "Stop the service and other `wissel` commands, or wait for them, and repeat this."
                        .to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(home, &error)),
        }
    }
}

fn open(home: &Home) -> Result<File, Problem> {
    let file = create_private(&home.locks()).and_then(|()| {
        OpenOptions::new().create(true).truncate(false).write(true).open(home.locks().join("home.lock"))
    });
    file.map_err(|error| unusable(home, &error))
}

fn unusable(home: &Home, error: &std::io::Error) -> Problem {
    Problem::home(
        format!("the home directory {} cannot be locked: {error}", home.root().display()),
        "Give this user the right to write there, or name another directory with --home or WISSEL_HOME.",
    )
}
