//! A person moves messages between the folders of a job: they are imported once, and copies are messages of their own.

use tokio_util::sync::CancellationToken;
use wissel_jobs::{ImportOptions, NoProgress, baseline, import};
use wissel_model::{LedgerState, ProcessedAction};

use crate::support::Bench;

async fn doing(action: ProcessedAction) -> Bench {
    Bench::with(|job| job.action = action).await
}

#[tokio::test]
async fn where_messages_stay_one_that_is_moved_to_another_folder_is_known_and_a_copy_is_new() {
    for action in [ProcessedAction::Leave, ProcessedAction::MarkRead] {
        let bench = doing(action).await;
        let (mailbox, job) = (&bench.mailbox, &bench.job);
        mailbox.put("In", "marked before");
        baseline(&bench.shop, job, false, "test", &NoProgress, &CancellationToken::new()).await.unwrap();
        mailbox.put_many("In", 7);
        assert_eq!(bench.import().await, 7);
        mailbox.drag("marked before", "In", "In/Sub");
        mailbox.drag("t1", "In", "In/Sub");
        mailbox.copy("t2", "In", "In/Sub");
        mailbox.put("In/Sub", "new");
        bench.script().fetched.clear();
        let dry = ImportOptions { dry_run: true };
        let dry = import(&bench.shop, job, dry, &NoProgress, &CancellationToken::new()).await.unwrap();
        assert_eq!(dry.candidates.len(), 2, "{action:?}: {:?}", dry.candidates);
        assert_eq!(bench.import().await, 2, "{action:?}");
        assert_eq!(
            bench.script().fetched,
            // In the dry run, and in the run: what tells whether it is the same. What has no digest goes by Message-ID and
            // second.
            ["t1", "t1", "t2", "new"],
            "{action:?}"
        );
        // Back, and there again by way of a folder that is not the job's.
        mailbox.drag("t1", "In/Sub", "In");
        assert_eq!(bench.import().await, 0, "{action:?}");
        mailbox.drag("t1", "In", "Other");
        assert_eq!(bench.import().await, 0, "{action:?}");
        mailbox.drag("t1", "Other", "In/Sub");
        assert_eq!((bench.import().await, bench.import().await), (0, 0), "{action:?}");
        let delivered = bench.delivered();
        assert_eq!((delivered["t1"], delivered["t2"], delivered["new"]), (1, 2, 1), "{action:?}");
    }
}

#[tokio::test]
async fn another_message_with_the_message_id_of_one_that_is_gone_is_imported() {
    let bench = doing(ProcessedAction::Leave).await;
    bench.mailbox.put("In", "first");
    let first = bench.mailbox.world().folders["In"][0].clone();
    assert_eq!(bench.import().await, 1);
    bench.mailbox.drag("first", "In", "Other");
    bench.mailbox.put_with("In/Sub", "second", |mail| mail.message_id = first.message_id);
    assert_eq!(bench.import().await, 1);
    bench.assert_delivered_once(&["first", "second"]);
}

#[tokio::test]
async fn another_message_of_the_same_second_with_the_same_message_id_is_imported() {
    let bench = doing(ProcessedAction::Leave).await;
    bench.mailbox.put("In", "first");
    let first = bench.mailbox.world().folders["In"][0].clone();
    bench.mailbox.put_with("Other", "second", |mail| {
        (mail.message_id, mail.received) = (first.message_id, first.received);
    });
    assert_eq!(bench.import().await, 1);
    bench.mailbox.drag("first", "In", "Other");
    bench.mailbox.drag("second", "Other", "In/Sub");
    assert_eq!((bench.import().await, bench.import().await), (1, 0));
    bench.assert_delivered_once(&["first", "second"]);
}

#[tokio::test]
async fn what_lay_in_a_folder_that_a_person_renamed_is_known() {
    let bench = doing(ProcessedAction::Leave).await;
    for token in ["a", "b"] {
        bench.mailbox.put("In/Sub", token);
    }
    bench.mailbox.put("In", "c");
    assert_eq!(bench.import().await, 3);
    bench.mailbox.world().folders.insert("In/Renamed".to_owned(), Vec::new());
    for token in ["a", "b"] {
        bench.mailbox.drag(token, "In/Sub", "In/Renamed");
    }
    bench.mailbox.world().folders.remove("In/Sub");
    bench.mailbox.put("In/Renamed", "d");
    assert_eq!((bench.import().await, bench.import().await), (1, 0));
    bench.assert_delivered_once(&["a", "b", "c", "d"]);
}

#[tokio::test]
async fn one_that_is_moved_to_another_folder_before_we_move_it_is_moved_from_there() {
    // Into a folder that is looked at later in the same run, and into one that was looked at before.
    for (from, to) in [("In", "In/Sub"), ("In/Sub", "In")] {
        let bench = Bench::new().await;
        bench.mailbox.put(from, "taken");
        bench.mailbox.put(from, "other");
        bench.script().drag_before_move = Some(("taken".to_owned(), from.to_owned(), to.to_owned()));
        assert_eq!((bench.import().await, bench.import().await), (2, 0), "to {to}");
        bench.assert_delivered_once(&["other", "taken"]);
        assert_eq!(bench.mailbox.tokens("In/Done"), ["other", "taken"], "to {to}");
        assert_eq!(bench.states().await, [LedgerState::Done; 2], "to {to}");
    }
}

#[tokio::test]
async fn one_that_is_moved_out_of_the_job_before_we_move_it_stays_there_and_is_done_with() {
    let bench = Bench::new().await;
    bench.mailbox.put("In", "taken");
    bench.script().drag_before_move = Some(("taken".to_owned(), "In".to_owned(), "Other".to_owned()));
    assert_eq!(bench.import().await, 1);
    assert_eq!(bench.states().await, [LedgerState::Delivered], "it may turn up in another folder of the job");
    assert_eq!(bench.import().await, 0);
    assert_eq!(bench.states().await, [LedgerState::Done]);
    assert_eq!(bench.mailbox.tokens("Other"), ["taken"]);
}

#[tokio::test]
async fn one_that_could_not_be_moved_and_is_moved_by_a_person_is_moved_from_there() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 2);
    bench.script().move_denied = true;
    assert_eq!(bench.run().await.imported, 2);
    bench.script().move_denied = false;
    bench.mailbox.drag("t1", "In", "In/Sub");
    bench.mailbox.copy("t2", "In", "In/Sub");
    // The copy is new, as the message itself is found where it was and moved.
    assert_eq!((bench.import().await, bench.import().await), (1, 0));
    assert_eq!(bench.delivered()["t1"], 1);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["t1", "t2", "t2"]);
    assert_eq!(bench.states().await, [LedgerState::Done; 3]);
}

#[tokio::test]
async fn one_that_is_moved_into_a_folder_that_was_found_unchanged_is_looked_for_there_too() {
    let bench = Bench::new().await;
    bench.script().exact_cursors = true;
    bench.mailbox.put("In/Sub", "marked before");
    baseline(&bench.shop, &bench.job, false, "test", &NoProgress, &CancellationToken::new()).await.unwrap();
    assert_eq!((bench.import().await, bench.import().await), (0, 0));
    bench.mailbox.put("In", "taken");
    bench.script().move_denied = true;
    assert_eq!(bench.run().await.imported, 1);
    bench.script().move_denied = false;
    bench.script().drag_before_move = Some(("taken".to_owned(), "In".to_owned(), "In/Sub".to_owned()));
    assert_eq!((bench.import().await, bench.import().await), (0, 0));
    bench.assert_delivered_once(&["taken"]);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["taken"]);
}

#[tokio::test]
async fn where_the_processed_folder_may_not_be_listed_nothing_is_held_up() {
    let bench = Bench::new().await;
    bench.mailbox.put("In", "t1");
    bench.script().move_denied = true;
    assert_eq!(bench.run().await.imported, 1);
    bench.script().move_denied = false;
    bench.script().unlistable = Some("In/Done".to_owned());
    bench.mailbox.drag("t1", "In", "In/Sub");
    bench.mailbox.put_many("In/Sub", 5);
    // Twice is the smaller harm.
    assert_eq!((bench.import().await, bench.import().await), (6, 0));
    assert_eq!(bench.mailbox.tokens("In/Done").len(), 6);
    assert!(bench.states().await.iter().all(|state| *state == LedgerState::Done));
}

#[tokio::test]
async fn many_that_are_moved_at_once_cost_about_a_look_a_page() {
    let bench = doing(ProcessedAction::Leave).await;
    bench.mailbox.put_many("In", 60);
    assert_eq!(bench.import().await, 60);
    for number in 1..=30 {
        bench.mailbox.drag(&format!("t{number}"), "In", "In/Sub");
    }
    bench.script().listed_folders.clear();
    assert_eq!(bench.import().await, 0);
    // Ten pages of each folder for the import, and of the one that they left for each ten pages of the other.
    let pages = bench.script().listed_folders.len();
    assert!(pages <= 40, "{pages} pages");
}

#[tokio::test]
async fn what_we_moved_and_a_person_puts_back_is_imported_again() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 2);
    assert_eq!(bench.import().await, 2);
    bench.mailbox.drag("t1", "In/Done", "In/Sub");
    bench.mailbox.drag("t2", "In/Done", "In");
    assert_eq!(bench.import().await, 2);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["t1", "t2"]);
}

#[tokio::test]
async fn copies_are_counted_also_where_new_ids_are_not_told() {
    let bench = Bench::new().await;
    bench.script().move_untold = true;
    bench.mailbox.put("In", "twice");
    bench.mailbox.copy("twice", "In", "In/Sub");
    assert_eq!((bench.import().await, bench.import().await), (2, 0));
    assert_eq!(bench.delivered()["twice"], 2);
    assert_eq!(bench.mailbox.tokens("In/Done"), ["twice", "twice"]);
    assert_eq!(bench.states().await, [LedgerState::Done; 2]);
}

#[tokio::test]
async fn without_other_folders_nothing_is_looked_for() {
    let bench = Bench::with(|job| job.include_subfolders = false).await;
    bench.script().move_untold = true;
    bench.mailbox.put_many("In", 2);
    assert_eq!(bench.import().await, 2);
    assert_eq!(bench.states().await, [LedgerState::Done; 2]);
}
