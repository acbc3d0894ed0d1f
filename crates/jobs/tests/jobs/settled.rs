//! A folder in which nothing changed since everything in it was settled is not listed again; in any doubt it is.

use wissel_model::ProcessedAction;
use wissel_store::LedgerQuery;

use crate::support::{Bench, Wrong};

async fn leaving() -> Bench {
    let bench = Bench::with(|job| {
        job.action = ProcessedAction::Leave;
        job.accounts[0].processed = None;
    })
    .await;
    bench.script().exact_cursors = true;
    bench.mailbox.put_many("In", 5);
    bench
}

/// Runs the job; returns how many messages it imported, and whether `In` was listed.
async fn run(bench: &Bench) -> (u64, bool) {
    bench.script().listed_folders.clear();
    let imported = bench.run().await.imported;
    let listed = bench.script().listed_folders.iter().any(|folder| folder == "In");
    (imported, listed)
}

#[tokio::test]
async fn an_unchanged_folder_is_listed_once_and_a_changed_one_again() {
    let bench = leaving().await;
    assert_eq!(run(&bench).await, (5, true));
    let pages = bench.script().listed_folders.iter().filter(|folder| *folder == "In").count();
    assert_eq!(pages, 2, "where the ledger knows nothing, no listing is held against it");
    assert_eq!(run(&bench).await, (0, false));
    bench.mailbox.put("In", "late");
    assert_eq!(run(&bench).await, (1, true));
    assert_eq!(run(&bench).await, (0, false));
    bench.mailbox.world().folders.get_mut("In").unwrap()[0].read = true;
    assert_eq!(run(&bench).await, (0, true), "a flag may bring a message back into a filter");
    bench.script().exact_cursors = false;
    assert_eq!(run(&bench).await, (0, true), "the connector does not vouch for it any more");
}

#[tokio::test]
async fn what_was_left_behind_is_listed_again() {
    let bench = leaving().await;
    bench.script().fetch.insert("t2".to_owned(), (Wrong::Busy, 1));
    assert_eq!(run(&bench).await, (4, true));
    assert_eq!(run(&bench).await, (1, true));
    assert_eq!(run(&bench).await, (0, false));
}

#[tokio::test]
async fn another_filter_lists_again() {
    let bench = leaving().await;
    let mut job = bench.shop.store.job(bench.job.id).await.unwrap();
    bench.mailbox.world().folders.get_mut("In").unwrap()[0].read = true;
    job.filter.unread_only = true;
    job.revision = bench.shop.store.update_job(&job).await.unwrap();
    assert_eq!(run(&bench).await, (4, true));
    assert_eq!(run(&bench).await, (0, false));
    job.filter.unread_only = false;
    bench.shop.store.update_job(&job).await.unwrap();
    assert_eq!(run(&bench).await, (1, true));
}

#[tokio::test]
async fn a_message_that_is_released_from_quarantine_is_found() {
    let bench = leaving().await;
    bench.script().fetch.insert("t2".to_owned(), (Wrong::Bad, 1));
    assert_eq!(run(&bench).await, (4, true));
    assert_eq!(run(&bench).await, (0, false));
    let rows = bench.shop.store.ledger(&LedgerQuery { limit: 100, ..LedgerQuery::default() }).await.unwrap();
    let bad = rows.iter().find(|row| row.reason.is_some()).unwrap();
    bench.shop.store.release_from_quarantine(bad.key).await.unwrap();
    assert_eq!(run(&bench).await, (1, true));
}
