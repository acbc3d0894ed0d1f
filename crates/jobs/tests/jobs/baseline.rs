//! For those who come from other software: what is there now counts as done.

use tokio_util::sync::CancellationToken;
use wissel_jobs::{BaselineReport, NoProgress, baseline};
use wissel_model::{LedgerState, ProcessedAction};

use crate::support::{Bench, Wrong};

async fn mark(bench: &Bench, dry_run: bool) -> BaselineReport {
    let stop = CancellationToken::new();
    baseline(&bench.shop, &bench.job, dry_run, "beheer", &NoProgress, &stop).await.unwrap()
}

#[tokio::test]
async fn what_is_there_now_is_never_imported_and_what_comes_later_is() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 4);
    bench.mailbox.put("In/Sub", "below");
    assert_eq!(mark(&bench, true).await.total(), 5);
    assert!(bench.states().await.is_empty());
    assert_eq!(mark(&bench, false).await.total(), 5);
    assert_eq!(mark(&bench, false).await.total(), 0, "nothing is left to mark");
    let trail = bench.shop.store.audit_trail(10).await.unwrap();
    assert!(trail.len() == 1 && trail[0].action == "job.baseline" && trail[0].actor == "beheer");
    bench.mailbox.put("In", "later");
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["later"]);
    assert_eq!(bench.mailbox.tokens("In").len(), 4, "the mailbox stays as it is");
}

#[tokio::test]
async fn a_message_that_a_run_left_half_way_is_marked_too() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 3);
    bench.script().fetch.insert("t2".to_owned(), (Wrong::Busy, 1));
    assert_eq!(bench.run().await.imported, 2);
    assert_eq!(mark(&bench, false).await.total(), 1);
    assert_eq!(bench.import().await, 0);
    let mut states = bench.states().await;
    states.sort_by_key(|state| state.as_str());
    assert_eq!(states, [LedgerState::Baseline, LedgerState::Done, LedgerState::Done]);
}
