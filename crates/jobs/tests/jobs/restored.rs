//! Ids that a service gave out a second time, as one does that was restored from a backup, and messages that look like
//! ones that were imported before: what is new comes in, and nothing comes twice.

use wissel_model::{LedgerState, ProcessedAction};
use wissel_store::LedgerQuery;

use crate::support::Bench;

#[tokio::test]
async fn new_mail_under_the_id_of_a_lost_message_is_imported() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 3);
    let backup = bench.mailbox.world().clone();
    for token in ["lost", "back later", "back at once"] {
        bench.mailbox.put("In", token);
    }
    let back = bench.mailbox.world().folders["In"][5].clone();
    assert_eq!(bench.import().await, 6);

    *bench.mailbox.world() = backup;
    bench.mailbox.put("In", "new");
    // Somebody puts a lost message back: its id is that of another lost one.
    bench.mailbox.put_with("In", "back at once", |mail| mail.received = back.received);
    assert_eq!(bench.import().await, 1, "only what is new");
    assert_eq!(bench.import().await, 0);
    bench.assert_delivered_once(&["back at once", "back later", "lost", "new", "t1", "t2", "t3"]);
}

#[tokio::test]
async fn messages_that_come_back_from_a_backup_after_they_were_moved_stay_known() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    let backup = bench.mailbox.world().clone();
    bench.mailbox.put("In", "lost");
    assert_eq!(bench.import().await, 4);

    *bench.mailbox.world() = backup;
    bench.mailbox.put_with("In", "new", |mail| mail.received += 60);
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["lost", "new", "t1", "t2", "t3"]);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["new"]);
    assert_eq!(
        bench.mailbox.tokens("In"),
        ["t1", "t2", "t3"],
        "who restores them decides what becomes of them"
    );
}

#[tokio::test]
async fn a_message_that_waits_to_be_moved_is_not_taken_for_the_one_that_has_its_id_now() {
    let bench = Bench::new().await;
    let backup = bench.mailbox.world().clone();
    bench.mailbox.put("In", "lost 1");
    bench.mailbox.put("In", "lost 2");
    bench.script().move_denied = true;
    assert_eq!(bench.run().await.imported, 2);

    *bench.mailbox.world() = backup;
    bench.script().move_denied = false;
    bench.mailbox.put_with("In", "new", |mail| mail.received += 60);
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["lost 1", "lost 2", "new"]);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["new"]);
    let open = LedgerQuery { state: Some(LedgerState::Delivered), limit: 9, ..LedgerQuery::default() };
    assert_eq!(bench.shop.store.ledger(&open).await.unwrap().len(), 0, "nothing waits for ever");
}

#[tokio::test]
async fn as_many_new_messages_as_were_lost_are_told_from_them_by_the_listing() {
    let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 3);
    let backup = bench.mailbox.world().clone();
    bench.mailbox.put("In", "lost 1");
    bench.mailbox.put("In", "lost 2");
    assert_eq!(bench.import().await, 5);

    *bench.mailbox.world() = backup;
    for token in ["new 1", "new 2", "new 3"] {
        bench.mailbox.put_with("In", token, |mail| mail.received += 60);
    }
    assert_eq!(bench.import().await, 3, "the numbers that were given out have not fallen");
    assert_eq!(bench.import().await, 0);
    bench.assert_delivered_once(&["lost 1", "lost 2", "new 1", "new 2", "new 3", "t1", "t2", "t3"]);
}

#[tokio::test]
async fn another_message_with_the_same_message_id_and_second_as_a_moved_one_is_imported() {
    let bench = Bench::new().await;
    bench.mailbox.put("In", "first");
    let first = bench.mailbox.world().folders["In"][0].clone();
    assert_eq!(bench.import().await, 1);
    bench.mailbox.renumber();
    bench.mailbox.put_with("In", "second", |mail| {
        mail.message_id.clone_from(&first.message_id);
        mail.received = first.received;
    });
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["first", "second"]);
}

#[tokio::test]
async fn a_moved_message_that_comes_back_under_new_ids_is_recognised_by_its_digest() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 3);
    let backup = bench.mailbox.world().clone();
    assert_eq!(bench.import().await, 3);
    *bench.mailbox.world() = backup;
    bench.mailbox.renumber();
    bench.mailbox.put("In", "new");
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["new", "t1", "t2", "t3"]);
}

#[tokio::test]
async fn messages_that_are_listed_without_message_id_or_date_are_recognised_under_new_ids() {
    for (unnamed, undated) in [(true, false), (false, true), (true, true)] {
        let bench = Bench::with(|job| job.action = ProcessedAction::Leave).await;
        bench.mailbox.put_many("In", 3);
        for token in ["odd 1", "odd 2"] {
            bench.mailbox.put_with("In", token, |mail| (mail.unnamed, mail.undated) = (unnamed, undated));
        }
        assert_eq!(bench.import().await, 5);
        bench.mailbox.renumber();
        bench.mailbox.put_with("In", "odd new", |mail| (mail.unnamed, mail.undated) = (unnamed, undated));
        bench.mailbox.put("In", "new");
        assert_eq!(bench.import().await, 2, "without id: {unnamed}, without date: {undated}");
        bench.assert_delivered_once(&["new", "odd 1", "odd 2", "odd new", "t1", "t2", "t3"]);
    }
}
