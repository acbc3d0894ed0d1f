//! What goes wrong with messages, connections, rights and workers, and what it must not cost.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wissel_jobs::{ImportOptions, JobError, NoProgress, import};
use wissel_model::{ErrorKind, LedgerState, ProcessedAction};

use crate::support::{Bench, Wrong};

async fn bench_where(token: &str, wrong: Wrong, times: u32) -> Bench {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 6);
    bench.script().fetch.insert(token.to_owned(), (wrong, times));
    bench
}

const ALL: [&str; 6] = ["t1", "t2", "t3", "t4", "t5", "t6"];

fn without(token: &str) -> Vec<&'static str> {
    ALL.into_iter().filter(|other| *other != token).collect()
}

#[tokio::test]
async fn a_session_lost_before_or_in_a_message_is_resumed_and_nothing_is_doubled() {
    for wrong in [Wrong::LostBefore, Wrong::LostMidway] {
        let bench = bench_where("t2", wrong, 1).await;
        assert_eq!(bench.import().await, 6, "{wrong:?}");
        bench.assert_delivered_once(&ALL);
        assert_eq!(bench.mailbox.tokens("In/Done"), ALL);
        assert_eq!(bench.import().await, 0);
    }
}

#[tokio::test]
async fn a_poison_message_goes_to_quarantine_with_its_bytes_and_the_run_goes_on() {
    let bench = bench_where("t2", Wrong::Bad, u32::MAX).await;
    let report = bench.run().await;
    assert_eq!((report.imported, report.quarantined, report.failed), (5, 1, 0));
    bench.assert_delivered_once(&without("t2"));
    assert_eq!(bench.mailbox.tokens("In"), ["t2"], "it stays where it is");
    let items = bench.shop.store.quarantined(Some(bench.job.id)).await.unwrap();
    let raw = std::fs::read(items[0].item.file.as_ref().unwrap()).unwrap();
    let sent = bench.mailbox.world().folders["In"][0].bytes();
    assert_eq!(raw, sent);
    assert_eq!(bench.run().await.quarantined, 0, "once is enough");
}

#[tokio::test]
async fn a_message_that_kills_the_connector_twice_is_set_aside() {
    let bench = bench_where("t1", Wrong::Trap, u32::MAX).await;
    let report = bench.run().await;
    assert_eq!((report.imported, report.quarantined), (5, 1), "{:?}", report.errors);
    bench.assert_delivered_once(&without("t1"));
    let items = bench.shop.store.quarantined(None).await.unwrap();
    assert!(items[0].item.size.unwrap() > 0, "as many of its bytes as came");
    assert_eq!(bench.import().await, 0);
}

#[tokio::test]
async fn a_connector_that_fails_on_every_message_does_not_empty_the_folder_into_quarantine() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 9);
    bench.script().all_trap = true;
    let report = bench.run().await;
    assert_eq!(report.quarantined, 0);
    assert!(matches!(&report.errors[0], JobError::Mailbox { source, .. } if source.kind == ErrorKind::Fault));
    bench.script().all_trap = false;
    assert_eq!(bench.import().await, 9);
}

#[tokio::test]
async fn a_message_that_fails_for_now_is_left_to_the_next_run_and_reported() {
    for wrong in [Wrong::Busy, Wrong::PassedOver, Wrong::NeverEnds] {
        let bench = bench_where("t2", wrong, 2).await;
        let report = bench.run().await;
        assert!(report.imported >= 4, "{wrong:?}: it holds up nobody: {report:?}");
        bench.script().fetch.clear();
        bench.import().await;
        bench.assert_delivered_once(&ALL);
        if wrong == Wrong::Busy {
            assert_eq!((report.imported, report.failed), (5, 1));
            let text = report.errors[0].to_string();
            assert!(
                text.contains("1 messages were not imported") && text.contains("the server is busy"),
                "{text}"
            );
            let health = bench.shop.store.runs(bench.job.id, 2).await.unwrap();
            assert!(
                health[1].report.as_ref().unwrap().error.is_some(),
                "the run does not count as a success"
            );
        }
    }
}

#[tokio::test]
async fn a_message_that_is_always_passed_over_holds_up_nobody() {
    let bench = bench_where("t2", Wrong::PassedOver, u32::MAX).await;
    let report = bench.run().await;
    assert_eq!((report.imported, report.failed), (5, 1));
    bench.assert_delivered_once(&without("t2"));
}

#[tokio::test]
async fn a_message_that_vanished_is_counted_and_forgotten() {
    let bench = bench_where("t2", Wrong::Gone, 1).await;
    let report = bench.run().await;
    assert_eq!((report.imported, report.vanished), (5, 1));
    assert!(report.errors.is_empty());
    assert_eq!(bench.states().await, [LedgerState::Done; 5]);
}

#[tokio::test]
async fn a_service_that_asks_to_slow_down_is_waited_for() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 4);
    bench.script().throttle_listings = 2;
    assert_eq!(bench.import().await, 4);
}

#[tokio::test]
async fn what_cannot_be_moved_is_imported_once_reported_and_moved_when_it_can() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    bench.script().move_denied = true;
    let report = bench.run().await;
    assert_eq!(report.imported, 3);
    let text = report.errors[0].to_string();
    assert!(matches!(&report.errors[0], JobError::Unprocessed { count: 3, .. }), "{text}");
    assert!(
        text.contains("could not be moved") && text.contains("NOPERM") && text.contains("missing right"),
        "{text}"
    );
    let again = bench.run().await;
    assert!(again.imported == 0 && again.errors.len() == 1);
    bench.script().move_denied = false;
    assert_eq!(bench.import().await, 0);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["t1", "t2", "t3"]);
    bench.assert_delivered_once(&["t1", "t2", "t3"]);
}

#[tokio::test]
async fn an_outcome_that_the_connector_keeps_to_itself_is_asked_for_again() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    bench.script().move_unsaid = true;
    assert!(matches!(&bench.run().await.errors[0], JobError::Unprocessed { count: 1, .. }));
    bench.script().move_unsaid = false;
    assert_eq!(bench.import().await, 0);
    assert_eq!(bench.states().await, [LedgerState::Done; 3]);
}

#[tokio::test]
async fn a_stop_in_the_middle_leaves_each_message_whole_and_is_quick() {
    let bench = Bench::new().await;
    let tokens = bench.mailbox.put_many("In", 9);
    let stop = CancellationToken::new();
    bench.script().stop_after = Some((4, stop.clone()));
    let job = bench.shop.store.job(bench.job.id).await.unwrap();
    let report = import(&bench.shop, &job, ImportOptions::default(), &NoProgress, &stop).await.unwrap();
    assert!(matches!(report.errors.as_slice(), [JobError::Stopped]), "{:?}", report.errors);
    assert_eq!((report.imported, report.failed), (4, 0));
    assert_eq!(bench.mailbox.tokens("In/Done").len(), 4, "what is in the directory is moved, too");
    assert_eq!(bench.delivered().len(), 4);
    bench.script().stop_after = None;
    assert_eq!(bench.import().await, 5);
    bench.assert_delivered_once(&tokens);
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_message_leaves_the_rest_of_its_bytes_unread() {
    let bench = Bench::new().await;
    let tokens = bench.mailbox.put_many("In", 9);
    let stop = CancellationToken::new();
    bench.script().stop_after = Some((4, stop.clone()));
    bench.script().lost_when_refused = true;
    let job = bench.shop.store.job(bench.job.id).await.unwrap();
    // The connector panics when it is used again.
    let report = import(&bench.shop, &job, ImportOptions::default(), &NoProgress, &stop).await.unwrap();
    assert!(matches!(report.errors.as_slice(), [JobError::Stopped]), "{:?}", report.errors);
    assert_eq!((report.imported, bench.delivered().len()), (4, 4));
    bench.script().stop_after = None;
    assert_eq!(bench.import().await, 5);
    assert_eq!(bench.mailbox.tokens("In/Done").len(), 9);
    bench.assert_delivered_once(&tokens);
}

#[tokio::test]
async fn a_second_run_at_the_same_time_is_told_that_the_job_is_busy() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    // The first holds on to its first message until the second has been told.
    bench.script().slow_ms = 60_000;
    let (one, two) = tokio::join!(bench.try_run(), async {
        while bench.script().fetching == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = bench.try_run().await;
        bench.script().slow_ms = 0;
        told
    });
    assert_eq!(one.unwrap().imported, 3);
    assert!(matches!(two.unwrap_err(), JobError::Busy { .. }));
    bench.assert_delivered_once(&["t1", "t2", "t3"]);
}

#[tokio::test]
async fn a_lease_of_another_machine_is_respected() {
    let bench = Bench::new().await;
    bench
        .shop
        .store
        .acquire_lease(bench.job.id, "process 1 on elsewhere", Duration::from_secs(60))
        .await
        .unwrap();
    let error = bench.try_run().await.unwrap_err();
    assert!(matches!(&error, JobError::Busy { holder, .. } if holder.contains("elsewhere")), "{error}");
}

#[tokio::test]
async fn a_target_that_cannot_be_written_to_costs_no_message() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Delete).await;
    bench.mailbox.put_many("In", 3);
    std::fs::write(bench.target(), "in the way").unwrap();
    assert!(matches!(bench.try_run().await.unwrap_err(), JobError::Sink { .. }));
    assert_eq!(bench.mailbox.tokens("In").len(), 3);
    std::fs::remove_file(bench.target()).unwrap();
    assert_eq!(bench.import().await, 3);
}

#[tokio::test]
async fn an_empty_body_is_not_taken_for_a_message_that_is_listed_with_a_size() {
    let bench = bench_where("t2", Wrong::Empty, 2).await;
    let report = bench.run().await;
    assert_eq!((report.imported, report.failed), (5, 1));
    assert!(report.errors[0].to_string().contains("nothing of a message"), "{}", report.errors[0]);
    // Its original stays, and comes once the service sends it.
    bench.script().fetch.clear();
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&ALL);
}
