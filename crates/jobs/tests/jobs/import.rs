//! What a run imports, and what becomes of the originals.

use jiff::Timestamp;
use wissel_jobs::JobError;
use wissel_model::job::NewerThan;
use wissel_model::{FolderAddress, LedgerState, ProcessedAction};

use crate::support::{Bench, account};

#[tokio::test]
async fn a_second_run_finds_nothing_new_and_the_processed_folder_is_never_scanned() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 7);
    bench.mailbox.put("In/Sub", "below");
    bench.mailbox.put("In/Done", "long done");
    bench.mailbox.put("Other", "elsewhere");
    assert_eq!(bench.import().await, 8);
    assert_eq!(bench.import().await, 0);
    bench.assert_delivered_once(&["below", "t1", "t2", "t3", "t4", "t5", "t6", "t7"]);
    assert_eq!(bench.mailbox.tokens("In/Done").len(), 9);
    assert!(bench.mailbox.tokens("In").is_empty() && bench.mailbox.tokens("In/Sub").is_empty());
    assert!(!bench.script().listed_folders.iter().any(|folder| folder == "In/Done"));
}

#[tokio::test]
async fn subfolders_are_left_out_unless_asked_for() {
    let bench = Bench::with(|job| job.include_subfolders = false).await;
    bench.mailbox.put("In", "top");
    bench.mailbox.put("In/Sub", "below");
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["top"]);
}

#[tokio::test]
async fn a_processed_folder_is_made_when_asked_and_else_the_nearest_is_named() {
    let wrong =
        |job: &mut wissel_model::ImportJob| job.accounts[0].processed = FolderAddress::parse("In/Dnoe");
    let bench = Bench::with(wrong).await;
    bench.mailbox.put("In", "a");
    let errors = bench.run().await.errors;
    let text = errors[0].to_string();
    assert!(
        matches!(&errors[0], JobError::FolderNotFound { nearest, .. } if nearest[0] == "In/Done"),
        "{text}"
    );
    assert!(text.contains("'In/Dnoe'") && text.contains("wissel folder list"), "{text}");
    assert!(bench.delivered().is_empty(), "nothing is imported that could not be moved");

    let bench = Bench::with(|job| {
        wrong(job);
        job.create_processed_folder = true;
    })
    .await;
    bench.mailbox.put("In", "a");
    assert_eq!(bench.import().await, 1);
    assert_eq!(bench.import().await, 0, "made below the import folder, it is not scanned");
    assert_eq!(bench.mailbox.tokens("In/Dnoe"), ["a"]);
}

#[tokio::test]
async fn a_job_that_moves_without_a_folder_to_move_to_is_refused_before_it_imports() {
    let bench = Bench::with(|job| job.accounts[0].processed = None).await;
    bench.mailbox.put("In", "a");
    let errors = bench.run().await.errors;
    assert!(matches!(&errors[0], JobError::Folders { .. }), "{:?}", errors);
    assert!(bench.delivered().is_empty());
}

#[tokio::test]
async fn an_import_folder_inside_the_processed_one_is_refused() {
    let bench = Bench::with(|job| {
        job.accounts[0].folder = FolderAddress::parse("In/Done").unwrap();
        job.accounts[0].processed = FolderAddress::parse("In");
    })
    .await;
    let errors = bench.run().await.errors;
    assert!(matches!(&errors[0], JobError::Folders { .. }), "{:?}", errors);
}

#[tokio::test]
async fn each_action_leaves_the_message_as_the_job_says() {
    for action in [ProcessedAction::MarkRead, ProcessedAction::Delete, ProcessedAction::Leave] {
        let bench = Bench::with(|job| {
            job.action = action;
            job.accounts[0].processed = None;
        })
        .await;
        bench.mailbox.put_many("In", 4);
        assert_eq!((bench.import().await, bench.import().await), (4, 0), "{action:?}");
        let mails = bench.mailbox.world().folders["In"].clone();
        match action {
            ProcessedAction::MarkRead => assert!(mails.len() == 4 && mails.iter().all(|mail| mail.read)),
            ProcessedAction::Delete => assert!(mails.is_empty()),
            _ => assert!(mails.len() == 4 && mails.iter().all(|mail| !mail.read)),
        }
        assert_eq!(bench.states().await, [LedgerState::Done; 4]);
    }
}

#[tokio::test]
async fn the_filter_takes_unread_and_young_messages_only() {
    let edge = Timestamp::from_second(1_800_000_000).unwrap();
    let bench = Bench::with(|job| {
        job.filter.unread_only = true;
        job.filter.newer_than = Some(NewerThan::Moment(edge));
    })
    .await;
    bench.mailbox.put("In", "old");
    bench.mailbox.put_with("In", "read", |mail| (mail.read, mail.received) = (true, 1_800_000_001));
    bench.mailbox.put_with("In", "edge", |mail| mail.received = 1_800_000_000);
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["edge"]);
}

#[tokio::test]
async fn two_accounts_whose_messages_bear_the_same_ids_are_kept_apart() {
    let bench = Bench::new().await;
    let twin = account("Tweede", "alpha");
    bench.shop.store.add_account(&twin, &[]).await.unwrap();
    let other = crate::support::Mailbox::new().with_folders(&["In", "In/Sub", "In/Done"]);
    bench.fakes.others.lock().unwrap().insert("Tweede".to_owned(), other.clone());
    let mut job = bench.shop.store.job(bench.job.id).await.unwrap();
    job.accounts.push(wissel_model::JobAccount { account: twin.id, ..job.accounts[0].clone() });
    bench.shop.store.update_job(&job).await.unwrap();
    bench.mailbox.put("In", "first");
    other.put("In", "second");
    bench.script().fetch.insert("first".to_owned(), (crate::support::Wrong::Busy, 1));
    let report = bench.run().await;
    assert_eq!(
        (report.imported, report.failed),
        (1, 1),
        "one account's failure does not hide the other's message"
    );
    bench.assert_delivered_once(&["second"]);
}

#[tokio::test]
async fn ids_that_were_renumbered_bring_nothing_twice() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 5);
    bench.mailbox.put_with("In", "nameless", |mail| mail.message_id = None);
    assert_eq!(bench.import().await, 6);
    bench.mailbox.renumber();
    bench.mailbox.put("In", "after");
    assert_eq!(bench.import().await, 1);
    assert_eq!(bench.import().await, 0);
    bench.assert_delivered_once(&["after", "nameless", "t1", "t2", "t3", "t4", "t5"]);
}

#[tokio::test]
async fn a_listing_that_never_ends_or_repeats_itself_does_no_harm() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 5);
    bench.script().twice_listed = true;
    assert_eq!(bench.import().await, 5);
    assert_eq!(bench.script().fetched.len(), 5, "what was fetched and is not recorded yet is not new");
    bench.script().endless = true;
    let errors = bench.run().await.errors;
    assert!(errors[0].to_string().contains("does not come to an end"), "{:?}", errors);
    bench.assert_delivered_once(&["t1", "t2", "t3", "t4", "t5"]);
}
