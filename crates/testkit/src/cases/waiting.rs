//! Cases about `wait`, and about ending a call from outside.

use std::time::Duration;

use tokio::time::Instant;
use wissel_model::ErrorKind;
use wissel_model::connector::Wake;

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Need, Outcome, expect, failed, shown};
use crate::sample::Sample;
use crate::stage::Stage;

const RULE: &str = "email-account.wit: wait";
const NEEDS: &[Need] = &[Account, Operation("wait"), Operation("find-folder"), Folder];

/// A wait that nothing ends.
const SHORT_MS: u32 = 1_500;
/// Long enough for a wait to have begun.
const BEGUN: Duration = Duration::from_millis(500);

pub(super) const CASES: &[Case] = &[
    Case {
        name: "wait/wakes",
        demands: "`wait` returns `changed` when a message arrives.",
        rule: RULE,
        hint: "Look at the service again after a while where it does not tell by itself.",
        needs: &[Account, Operation("wait"), Operation("append"), Folder, Messages],
        run: |stage| Box::pin(wakes(stage)),
    },
    Case {
        name: "wait/times-out",
        demands: "`wait` returns `timed-out` after the time given when nothing happens, and not before.",
        rule: RULE,
        hint: "Measure with `clock.monotonic-ms`; an early return makes the host ask in a circle.",
        needs: NEEDS,
        run: |stage| Box::pin(times_out(stage)),
    },
    Case {
        name: "wait/interrupted",
        demands: "When the host asks a wait to end early, it returns `interrupted`, and the session goes on.",
        rule: "streams.wit: readiness",
        hint: "End what runs at the service properly before returning.",
        needs: NEEDS,
        run: |stage| Box::pin(interrupted(stage)),
    },
    Case {
        name: "wait/cancelled",
        demands: "A call that the host cancels ends soon with `cancelled`, without a trap.",
        rule: "types.wit: error-kind.cancelled",
        hint: "Return the error of the host function as it is, at once.",
        needs: NEEDS,
        run: |stage| Box::pin(cancelled(stage)),
    },
];

async fn wakes(stage: &mut Stage) -> Outcome {
    stage.several_sessions()?;
    let folder = stage.folder().await?;
    let mut other = stage.open().await?;
    let mut session = stage.open().await?;
    let waiting = session.wait(&folder.id, stage.long_wait());
    // Messages go on arriving until it wakes: so one certainly arrives after it began to wait.
    let arriving = async {
        loop {
            tokio::time::sleep(BEGUN).await;
            let sample = Sample::plain(0);
            if let Err(error) = other.append(&folder.id, sample.source(), sample.info()).await {
                return error;
            }
        }
    };
    let woken = tokio::select! {
        woken = waiting => woken.works("wait")?,
        error = arriving => return failed("append succeeds while another session waits", shown(&error)),
    };
    session.close().await;
    expect(woken == Wake::Changed, "changed", || format!("{woken:?} after {} ms", stage.long_wait()))
}

async fn times_out(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let mut session = stage.open().await?;
    let begun = Instant::now();
    let woken = session.wait(&folder.id, SHORT_MS).await.works("wait")?;
    let took = begun.elapsed();
    session.close().await;
    expect(woken == Wake::TimedOut, "timed-out", || format!("{woken:?}"))?;
    let wanted = Duration::from_millis(SHORT_MS.into());
    expect(took.mul_f64(1.1) >= wanted, format!("not before {SHORT_MS} ms"), || format!("after {took:?}"))
}

async fn interrupted(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let (mut session, options) = stage.open_stoppable().await?;
    let interrupting = async {
        tokio::time::sleep(BEGUN).await;
        options.interrupt.cancel();
    };
    let (woken, ()) = tokio::join!(session.wait(&folder.id, stage.long_wait()), interrupting);
    let woken = woken.works("wait")?;
    expect(woken == Wake::Interrupted, "interrupted", || format!("{woken:?}"))?;
    let at = wissel_model::FolderAddress::Id(folder.id);
    session.find_folder(&at).await.works("find-folder, after an interrupted wait")?;
    session.close().await;
    Ok(())
}

async fn cancelled(stage: &mut Stage) -> Outcome {
    let folder = stage.folder().await?;
    let (mut session, options) = stage.open_stoppable().await?;
    let cancelling = async {
        tokio::time::sleep(BEGUN).await;
        options.cancel.cancel();
    };
    let (answer, ()) = tokio::join!(session.wait(&folder.id, stage.long_wait()), cancelling);
    let error = answer.refused("cancelled")?;
    expect(error.kind == ErrorKind::Cancelled, "cancelled", || shown(&error))?;
    session.close().await;
    let mut session = stage.open().await?;
    let at = wissel_model::FolderAddress::Id(folder.id);
    session.find_folder(&at).await.works("find-folder, in a new session")?;
    session.close().await;
    Ok(())
}
