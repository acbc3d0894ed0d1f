//! Opening bad files, and the writer's groups: what needs the inside of the store.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use wissel_model::{AccountId, JobId, LedgerState, MessageKey};

use crate::ledger::deliver_query;
use crate::relocated::named_query;
use crate::{AuditRecord, DeliverTo, Delivered, Store, StoreError};

fn record(subject: &str) -> AuditRecord {
    AuditRecord {
        at: "2026-11-22T09:00:00Z".parse().unwrap(),
        actor: "operator".to_owned(),
        action: "test".to_owned(),
        subject: subject.to_owned(),
        detail: serde_json::Value::Null,
    }
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

#[tokio::test]
async fn writes_that_wait_share_a_commit_and_one_that_fails_takes_no_other_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("wissel.db")).await.unwrap();
    let writes = (0..200).map(|n| {
        let store = store.clone();
        async move {
            if n % 10 == 0 {
                // Its first statement succeeds: the savepoint has something to undo.
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            crate::audit::insert(tx, &record("undone")).await?;
                            Err::<(), _>(StoreError::NameTaken { name: "own failure".to_owned() }.into())
                        })
                    })
                    .await
            } else {
                store.audit(&record("kept")).await
            }
        }
    });
    let results = futures::future::join_all(writes).await;
    for (n, result) in results.iter().enumerate() {
        match result {
            Ok(()) => assert_ne!(n % 10, 0),
            Err(StoreError::NameTaken { .. }) => assert_eq!(n % 10, 0),
            Err(other) => panic!("{other}"),
        }
    }
    let trail = store.audit_trail(999).await.unwrap();
    assert_eq!(trail.len(), 180);
    assert!(trail.iter().all(|r| r.subject == "kept"));
    let counters = store.counters();
    assert_eq!(counters.writes, 200);
    assert!(counters.commits <= 20, "200 writes took {} commits", counters.commits);
}

#[tokio::test]
async fn a_closed_store_has_kept_what_was_queued_and_takes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    let store = Store::open(&path).await.unwrap();
    let other = store.clone();
    let queued = tokio::spawn(async move { other.audit(&record("queued")).await });
    tokio::task::yield_now().await;
    store.close().await;
    assert!(matches!(store.audit(&record("late")).await, Err(StoreError::Closed)));
    assert!(matches!(store.accounts().await, Err(StoreError::Closed)));
    let accepted = queued.await.unwrap().is_ok();
    let trail = Store::open(&path).await.unwrap().audit_trail(9).await.unwrap();
    assert_eq!(trail.len(), usize::from(accepted));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("wissel.db")).await.unwrap();
    store.audit(&record("x")).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap()).collect();
    assert!(files.len() >= 2, "the log stands beside the database");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("notes.txt");
    std::fs::write(&text, "dit is geen database, maar een lijstje. ".repeat(200)).unwrap();
    let error = Store::open(&text).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotADatabase { path } if *path == text), "{error}");
    let foreign = directory.path().join("other.db");
    let mut connection = SqliteConnection::connect_with(
        &SqliteConnectOptions::new().filename(&foreign).create_if_missing(true),
    )
    .await
    .unwrap();
    sqlx::query("CREATE TABLE customers (id)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = Store::open(&foreign).await.unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
    let missing = Store::open(&directory.path().join("no/such/wissel.db")).await.unwrap_err();
    assert!(matches!(missing, StoreError::DirectoryMissing { .. }), "{missing}");
}

#[tokio::test]
async fn damage_in_the_middle_of_the_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    let store = Store::open(&path).await.unwrap();
    for n in 0..400 {
        store.audit(&record(&format!("{n} {}", "x".repeat(200)))).await.unwrap();
    }
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let found = match Store::open(&path).await {
        Ok(store) => store.check().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(found, StoreError::Corrupt { .. }), "{found}");
    assert!(found.to_string().contains("wissel.db"), "{found}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    Store::open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'later', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[tokio::test]
async fn a_lock_of_another_process_is_named_and_waited_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    let store = Store::open_within(&path, Duration::from_millis(50)).await.unwrap();
    let mut other = raw(&path).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = store.audit(&record("x")).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    let error = Store::open_within(&path, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(store.accounts().await.unwrap().is_empty(), "readers go on");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.audit(&record("x")).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_fails_the_write_and_nothing_is_half_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("wissel.db")).await.unwrap();
    let limit = async |pages: &'static str| {
        store
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(pages).execute(tx).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    };
    limit("PRAGMA max_page_count = 1").await; // SQLite takes the present size when it is larger.
    let big = "x".repeat(200_000);
    let (small, large) = (record("small, same group"), record(&big));
    let results = futures::future::join_all([store.audit(&small), store.audit(&large)]).await;
    let failures: Vec<_> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(failures.iter().any(|e| matches!(e, StoreError::DiskFull { .. })), "{results:?}");
    let acknowledged = results.iter().filter(|r| r.is_ok()).count();
    assert_eq!(store.audit_trail(9).await.unwrap().len(), acknowledged);
    limit("PRAGMA max_page_count = 100000").await;
    store.audit(&record(&big)).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn two_processes_that_open_a_new_database_together_both_succeed() {
    for _ in 0..30 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wissel.db");
        let (one, two) = tokio::join!(Store::open(&path), Store::open(&path));
        one.unwrap().audit(&record("one")).await.unwrap();
        assert_eq!(two.unwrap().audit_trail(9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn messages_are_delivered_without_a_look_at_the_rest_of_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    Store::open(&path).await.unwrap().close().await;
    let chunk: Vec<Delivered> = (0..50)
        .map(|_| Delivered {
            key: MessageKey::generate(),
            digest: None,
            size: None,
            internet_message_id: None,
            subject: None,
        })
        .collect();
    for to in [DeliverTo::Delivered, DeliverTo::Done] {
        let query = deliver_query(JobId::generate(), &chunk, to);
        let plan = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(plan)).fetch_all(&mut raw(&path).await).await.unwrap();
        assert!(
            plan.iter().any(|step| step.3.starts_with("SEARCH ledger ") && step.3.ends_with("(key=?)")),
            "{plan:?}"
        );
    }
}

#[tokio::test]
async fn entries_are_found_by_message_id_without_a_look_at_the_rest_of_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wissel.db");
    Store::open(&path).await.unwrap().close().await;
    let ids: Vec<String> = (0..500).map(|n| format!("{n}@example.com")).collect();
    let query = named_query(JobId::generate(), AccountId::generate(), &ids, &[LedgerState::Done]);
    let plan = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(plan)).fetch_all(&mut raw(&path).await).await.unwrap();
    let searched = |table: &str, by: &str| {
        plan.iter().any(|step| step.3.starts_with(&format!("SEARCH {table} ")) && step.3.ends_with(by))
    };
    assert!(searched("g", "(internet_message_id=?)") && searched("l", "(key=? AND account=?)"), "{plan:?}");
}
