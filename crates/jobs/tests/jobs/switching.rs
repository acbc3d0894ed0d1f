//! A job is switched to another account and back: nothing twice, nothing lost.

use tokio_util::sync::CancellationToken;
use wissel_jobs::{Doubtful, JobError, NoProgress, baseline};
use wissel_model::{FolderAddress, ProcessedAction};

use crate::support::{Bench, Mail, Mailbox};

/// Puts a message that is equal to another one in all that a connector shows.
fn copy(mailbox: &Mailbox, token: &str, same: &str, change: impl FnOnce(&mut Mail)) {
    mailbox.put_with("In", token, |mail| {
        mail.message_id = Some(format!("<{same}@example.com>"));
        change(mail);
    });
}

async fn there_and_back(action: ProcessedAction) {
    let bench = Bench::with(|job| job.action = action).await;
    bench.mailbox.put_many("In", 5);
    assert_eq!(bench.import().await, 5);
    bench.mailbox.put("In", "meanwhile");
    let report = bench.switch(&bench.old, &bench.new).await;
    assert_eq!(report.to_import, 1);
    assert_eq!(bench.import().await, 1);
    bench.mailbox.put("In", "after");
    assert_eq!(bench.import().await, 1);
    bench.switch(&bench.new, &bench.old).await;
    bench.mailbox.put("In", "back");
    assert_eq!(bench.import().await, 1);
    assert_eq!(bench.import().await, 0);
    bench.switch(&bench.old, &bench.new).await;
    assert_eq!(bench.import().await, 0, "a second time is as good as the first");
    bench.assert_delivered_once(&["after", "back", "meanwhile", "t1", "t2", "t3", "t4", "t5"]);
    let trail = bench.shop.store.audit_trail(10).await.unwrap();
    assert_eq!(trail.iter().filter(|record| record.action == "job.switch").count(), 3);
}

#[tokio::test]
async fn there_and_back_with_messages_that_are_moved() {
    there_and_back(ProcessedAction::Move).await;
}

#[tokio::test]
async fn there_and_back_with_messages_that_stay() {
    there_and_back(ProcessedAction::Leave).await;
}

#[tokio::test]
async fn copies_and_missing_or_shared_message_ids_are_told_apart() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_with("In", "twin", |mail| mail.received = 1_800_000_000);
    copy(&bench.mailbox, "twin", "twin", |mail| mail.received = 1_800_000_000);
    copy(&bench.mailbox, "other text", "twin", |mail| mail.received = 1_800_000_000);
    bench.mailbox.put_with("In", "nameless", |mail| mail.message_id = None);
    assert_eq!(bench.import().await, 4);
    // A third copy and another text under the same Message-ID arrive before the switch, one more after it.
    copy(&bench.mailbox, "twin", "twin", |mail| mail.received = 1_800_000_000);
    copy(&bench.mailbox, "new text", "twin", |mail| mail.received = 1_800_000_000);
    bench.mailbox.put_with("In", "nameless too", |mail| mail.message_id = None);
    let report = bench.switch(&bench.old, &bench.new).await;
    assert_eq!((report.recognised, report.to_import, report.doubtful), (4, 3, 0));
    assert_eq!(bench.import().await, 3);
    assert_eq!(bench.import().await, 0);
    let delivered = bench.delivered();
    assert_eq!(delivered["twin"], 3, "three copies lie in the mailbox, and so in the directory");
    assert!(
        ["other text", "new text", "nameless", "nameless too"].iter().all(|token| delivered[*token] == 1)
    );
}

#[tokio::test]
async fn another_time_of_reception_does_not_make_a_message_new() {
    for dead in [false, true] {
        let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
        bench.mailbox.put_many("In", 4);
        assert_eq!(bench.import().await, 4);
        bench.script().beta_late = 3600;
        if dead {
            bench.script().dead.insert("Oud".to_owned());
        }
        let report = bench.switch(&bench.old, &bench.new).await;
        assert_eq!((report.recognised, report.to_import), (4, 0), "old account dead: {dead}");
        assert_eq!(report.old_problem.is_some(), dead);
        bench.mailbox.put("In", "new");
        assert_eq!(bench.import().await, 1);
    }
}

#[tokio::test]
async fn what_the_old_account_could_not_move_is_moved_through_the_new_one() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    bench.script().move_denied = true;
    assert_eq!(bench.run().await.imported, 3);
    bench.script().dead.insert("Oud".to_owned());
    let report = bench.switch(&bench.old, &bench.new).await;
    assert!(report.old_problem.unwrap().contains("signing in was refused"));
    bench.script().move_denied = false;
    assert_eq!(bench.import().await, 0);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["t1", "t2", "t3"]);
    bench.assert_delivered_once(&["t1", "t2", "t3"]);
}

#[tokio::test]
async fn doubt_holds_a_switch_back_until_the_operator_decides() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_with("In", "nameless", |mail| mail.message_id = None);
    baseline(&bench.shop, &bench.job, false, "test", &NoProgress, &CancellationToken::new()).await.unwrap();
    bench.script().dead.insert("Oud".to_owned());
    let mut options = bench.switch_options(&bench.old, &bench.new);
    let error = bench.try_switch(options.clone()).await.unwrap_err();
    assert!(matches!(&error, JobError::Ambiguous { count: 1, .. }), "{error}");
    assert!(error.to_string().contains("--doubtful import"), "{error}");
    assert_eq!(bench.shop.store.job(bench.job.id).await.unwrap(), bench.job, "nothing was changed");
    options.doubtful = Doubtful::Import;
    assert_eq!(bench.try_switch(options).await.unwrap().doubtful, 1);
    assert_eq!(bench.import().await, 1);
}

#[tokio::test]
async fn a_switch_to_an_account_that_cannot_do_the_work_is_refused() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 2);
    bench.script().denied = vec!["move-messages".to_owned()];
    let error = bench.try_switch(bench.switch_options(&bench.old, &bench.new)).await.unwrap_err();
    assert!(matches!(&error, JobError::Denied { operation, .. } if operation == "move-messages"), "{error}");
    bench.script().denied.clear();
    let mut options = bench.switch_options(&bench.old, &bench.new);
    options.folder = FolderAddress::parse("Inn");
    let error = bench.try_switch(options).await.unwrap_err();
    assert!(matches!(&error, JobError::FolderNotFound { nearest, .. } if nearest[0] == "In"), "{error}");
    let error = bench.try_switch(bench.switch_options(&bench.new, &bench.old)).await.unwrap_err();
    assert!(matches!(error, JobError::Switch { .. }), "{error}");
    assert_eq!(bench.shop.store.job(bench.job.id).await.unwrap().accounts[0].account, bench.old.id);
    assert_eq!(bench.import().await, 2);
}

#[tokio::test]
async fn ids_that_change_right_after_a_switch_bring_nothing_twice() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    let mut job = bench.shop.store.job(bench.job.id).await.unwrap();
    job.accounts[0].account = bench.new.id;
    bench.shop.store.update_job(&job).await.unwrap();
    bench.mailbox.put_many("In", 4);
    assert_eq!(bench.import().await, 4);
    bench.switch(&bench.new, &bench.old).await;
    bench.mailbox.renumber();
    assert_eq!(bench.import().await, 0);
}

#[tokio::test]
async fn a_listing_without_message_ids_or_dates_makes_no_message_new() {
    for (undated, dead, late) in [(false, false, 0), (true, false, 0), (true, true, 0), (false, true, 3600)] {
        let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
        bench.script().beta_late = late;
        let odd = |mail: &mut Mail| (mail.unnamed, mail.undated) = (true, undated);
        bench.mailbox.put("In", "plain");
        for token in ["odd 1", "odd 2"] {
            bench.mailbox.put_with("In", token, odd);
        }
        bench.mailbox.put_with("In", "nameless", |mail| mail.message_id = None);
        assert_eq!(bench.import().await, 4);
        bench.mailbox.put_with("In", "odd new", odd);
        if dead {
            bench.script().dead.insert("Oud".to_owned());
        }
        let report = bench.switch(&bench.old, &bench.new).await;
        let counts = (report.recognised, report.to_import, report.doubtful);
        assert_eq!(counts, (4, 1, 0), "undated: {undated}, old account dead: {dead}, late: {late}");
        assert_eq!(bench.import().await, 1);
        bench.assert_delivered_once(&["nameless", "odd 1", "odd 2", "odd new", "plain"]);
    }
}

#[tokio::test]
async fn what_was_never_downloaded_and_is_listed_with_other_facts_is_left_to_the_operator() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_with("In", "odd", |mail| mail.unnamed = true);
    bench.mailbox.put_with("In", "nameless", |mail| mail.message_id = None);
    baseline(&bench.shop, &bench.job, false, "test", &NoProgress, &CancellationToken::new()).await.unwrap();
    bench.script().dead.insert("Oud".to_owned());
    bench.mailbox.world().folders.get_mut("In").unwrap()[0].unnamed = false;
    bench.mailbox.put("In", "new");
    let error = bench.try_switch(bench.switch_options(&bench.old, &bench.new)).await.unwrap_err();
    assert!(
        matches!(&error, JobError::Ambiguous { count: 2, .. }),
        "not downloaded yet, so nobody can tell: {error}"
    );
}
