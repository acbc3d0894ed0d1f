//! What only looks must not change anything: the mailbox, the target directory and the ledger stay as they are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;
use wissel_jobs::{Doubtful, ImportOptions, NoProgress, SwitchOptions, baseline, import, probe};
use wissel_model::FolderAddress;
use wissel_store::{LedgerQuery, LedgerRow};

use crate::support::{Bench, World, Wrong};

type State = (World, BTreeMap<PathBuf, Vec<u8>>, Vec<LedgerRow>, wissel_model::ImportJob, usize);

async fn state(bench: &Bench) -> State {
    let mut files = BTreeMap::new();
    let mut directories = vec![bench.target()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path)
            } else {
                drop(files.insert(path.clone(), std::fs::read(path).unwrap()))
            }
        }
    }
    let query = LedgerQuery { limit: 1000, ..LedgerQuery::default() };
    let store = &bench.shop.store;
    let ledger = store.ledger(&query).await.unwrap();
    let runs = store.runs(bench.job.id, 100).await.unwrap().len();
    let world = bench.mailbox.world().clone();
    (world, files, ledger, store.job(bench.job.id).await.unwrap(), runs)
}

async fn look_at_everything(bench: &Bench) {
    let (shop, stop) = (&bench.shop, CancellationToken::new());
    let job = shop.store.job(bench.job.id).await.unwrap();
    let options = ImportOptions { dry_run: true };
    let report = import(shop, &job, options, &NoProgress, &stop).await.unwrap();
    assert!(report.errors.is_empty() && !report.candidates.is_empty(), "{:?}", report.errors);
    assert!(probe(shop, &job, &stop).await.unwrap().is_ready());
    assert!(baseline(shop, &job, true, "test", &NoProgress, &stop).await.unwrap().total() > 0);
    let options = SwitchOptions {
        dry_run: true,
        doubtful: Doubtful::Refuse,
        ..bench.switch_options(&bench.old, &bench.new)
    };
    assert!(bench.try_switch(options).await.unwrap().to_import > 0);
}

#[tokio::test]
async fn dry_runs_and_tests_change_nothing_before_the_first_run() {
    let bench = Bench::with(|job| {
        job.create_processed_folder = true;
        job.accounts[0].processed = FolderAddress::parse("In/Later");
    })
    .await;
    bench.mailbox.put_many("In", 4);
    let before = state(&bench).await;
    look_at_everything(&bench).await;
    assert_eq!(state(&bench).await, before);
    assert!(!bench.target().exists(), "not even an empty directory");
}

#[tokio::test]
async fn dry_runs_and_tests_change_nothing_while_messages_are_half_way() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 4);
    bench.script().move_denied = true;
    bench.script().fetch.insert("t2".to_owned(), (Wrong::Busy, 1));
    bench.run().await;
    bench.script().move_denied = false;
    bench.mailbox.put("In", "later");
    let before = state(&bench).await;
    look_at_everything(&bench).await;
    assert_eq!(state(&bench).await, before);
}

#[tokio::test]
async fn a_test_tells_of_the_folder_that_the_job_really_uses() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 4);
    bench.mailbox.put_with("In", "read", |mail| mail.read = true);
    let report = probe(&bench.shop, &bench.job, &CancellationToken::new()).await.unwrap();
    let import = report.accounts[0].import.as_ref().unwrap();
    assert_eq!((import.path.as_str(), import.total, import.unread), ("In", Some(5), Some(4)));
    bench.script().denied = vec!["move-messages".to_owned()];
    let report = probe(&bench.shop, &bench.job, &CancellationToken::new()).await.unwrap();
    assert!(!report.is_ready());
    assert!(report.accounts[0].problem.as_ref().unwrap().to_string().contains("move-messages"));
}

#[tokio::test]
async fn a_test_warns_of_two_accounts_that_open_the_same_folder() {
    let mut bench = Bench::new().await;
    let mut second = bench.job.accounts[0].clone();
    second.account = bench.new.id;
    bench.job.accounts.push(second);
    let report = probe(&bench.shop, &bench.job, &CancellationToken::new()).await.unwrap();
    assert!(report.accounts[0].problem.is_none());
    let problem = report.accounts[1].problem.as_ref().unwrap().to_string();
    assert!(problem.contains("'Oud'") && problem.contains("wissel job switch"), "{problem}");
}

#[tokio::test]
async fn a_target_that_vanished_after_an_import_is_not_made_again() {
    let bench = Bench::new().await;
    bench.mailbox.put_many("In", 2);
    assert_eq!(bench.import().await, 2);
    std::fs::rename(bench.target(), bench.home.join("unmounted")).unwrap();
    // What an unmounted file system leaves behind.
    std::fs::create_dir(bench.target()).unwrap();
    bench.mailbox.put("In", "late");
    let error = bench.try_run().await.unwrap_err().to_string();
    assert!(error.contains("'Facturen'") && error.contains("mount"), "{error}");
    let report = probe(&bench.shop, &bench.job, &CancellationToken::new()).await.unwrap();
    assert!(report.target_problem.is_some());
    std::fs::remove_dir(bench.target()).unwrap();
    std::fs::rename(bench.home.join("unmounted"), bench.target()).unwrap();
    assert_eq!(bench.import().await, 1);
}
