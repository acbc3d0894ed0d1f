//! The ledger under its lease: steps can be repeated, cannot be skipped, and an overtaken worker cannot write.

mod support;

use std::time::Duration;

use support::{World, folder, messages};
use wissel_model::{LedgerState, MessageKey};
use wissel_store::{DeliverTo, Delivered, LedgerQuery, Mapping, QuarantineItem, Store, StoreError};

fn delivered(keys: &[MessageKey]) -> Vec<Delivered> {
    keys.iter()
        .map(|key| Delivered {
            key: *key,
            digest: Some(format!("digest-{key}")),
            size: Some(1234),
            internet_message_id: None,
            subject: Some("Factuur, gelezen".to_owned()),
        })
        .collect()
}

#[tokio::test]
async fn a_message_keeps_its_key_through_every_repeated_step() {
    let w = World::new().await;
    let lease = w.lease().await;
    let inbox = folder("inbox");
    let (account, job) = (w.password.id, w.job.id);

    let keys = w.store.reserve(&lease, account, &inbox, &messages(0..3)).await.unwrap();
    let more = w.store.reserve(&lease, account, &inbox, &messages(1..5)).await.unwrap();
    assert_eq!(keys[1..], more[..2], "known messages get their key again, in the order asked for");
    assert_eq!(w.store.unfinished(job, account).await.unwrap().len(), 5);

    for _ in 0..2 {
        w.store.deliver(&lease, &delivered(&keys), DeliverTo::Delivered).await.unwrap();
    }
    for _ in 0..2 {
        w.store.finish(&lease, &keys[..2]).await.unwrap();
    }
    w.store.deliver(&lease, &delivered(&keys), DeliverTo::Delivered).await.unwrap();
    w.store.deliver(&lease, &delivered(&more[2..3]), DeliverTo::Done).await.unwrap();

    let ids: Vec<_> = messages(0..9).into_iter().map(|m| m.id).collect();
    let known = w.store.known(job, account, &inbox, &ids).await.unwrap();
    let states: Vec<_> = ids.iter().map(|id| known.get(id).map(|(_, state)| *state)).collect();
    use LedgerState::{Delivered, Done, Reserved};
    assert_eq!(states[..5], [Some(Done), Some(Done), Some(Delivered), Some(Done), Some(Reserved)]);
    assert_eq!(states[5..], [None; 4]);
    let left = w.store.unfinished(job, account).await.unwrap();
    assert_eq!(left.len(), 2);
    assert_eq!(left[0].subject.as_deref(), Some("Factuur, gelezen"));
    assert_eq!(left[0].internet_message_id.as_deref(), Some("<2@example.com>"));
    assert_eq!(left[0].received, Some("2026-11-22T09:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_step_out_of_order_changes_nothing_at_all() {
    let w = World::new().await;
    let lease = w.lease().await;
    let keys = w.store.reserve(&lease, w.password.id, &folder("inbox"), &messages(0..2)).await.unwrap();
    w.store.deliver(&lease, &delivered(&keys[..1]), DeliverTo::Delivered).await.unwrap();
    let error = w.store.finish(&lease, &keys).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongState { found: "reserved", wanted: "done", .. }), "{error}");
    let unknown = delivered(&[keys[1], MessageKey::generate()]);
    let error = w.store.deliver(&lease, &unknown, DeliverTo::Delivered).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongState { found: "missing", .. }), "{error}");
    let states: Vec<_> =
        w.store.unfinished(w.job.id, w.password.id).await.unwrap().iter().map(|e| e.state).collect();
    assert_eq!(states, [LedgerState::Delivered, LedgerState::Reserved]);
    w.store.forget(&lease, &keys).await.unwrap();
    let left = w.store.unfinished(w.job.id, w.password.id).await.unwrap();
    assert_eq!(left.len(), 1, "only what was never delivered is forgotten");
    assert_eq!(left[0].key, keys[0]);
}

#[tokio::test]
async fn a_worker_that_was_overtaken_cannot_commit() {
    let w = World::new().await;
    let inbox = folder("inbox");
    let old = w.store.acquire_lease(w.job.id, "one", Duration::ZERO).await.unwrap();
    let keys = w.store.reserve(&old, w.password.id, &inbox, &messages(0..1)).await.unwrap();

    let new = w.store.acquire_lease(w.job.id, "two", Duration::from_secs(60)).await.unwrap();
    assert!(new.epoch > old.epoch);
    let lost = |error: StoreError| assert!(matches!(error, StoreError::LeaseLost { .. }), "{error}");
    lost(w.store.reserve(&old, w.password.id, &inbox, &messages(1..2)).await.unwrap_err());
    lost(w.store.deliver(&old, &delivered(&keys), DeliverTo::Delivered).await.unwrap_err());
    lost(w.store.save_cursor(&old, w.password.id, &inbox, "7", vec![], vec![]).await.unwrap_err());
    lost(w.store.renew_lease(&old, Duration::from_secs(60)).await.unwrap_err());
    lost(w.store.release_lease(&old).await.unwrap_err());

    let held = w.store.acquire_lease(w.job.id, "three", Duration::from_secs(60)).await.unwrap_err();
    assert!(held.to_string().contains("two") && held.to_string().contains("Inkoopfacturen"), "{held}");
    let held = w.store.remove_job(w.job.id).await.unwrap_err();
    assert!(matches!(held, StoreError::LeaseHeld { .. }), "{held}");

    w.store.deliver(&new, &delivered(&keys), DeliverTo::Delivered).await.unwrap();
    w.store.release_lease(&new).await.unwrap();
    lost(w.store.finish(&new, &keys).await.unwrap_err());
    let third = w.store.acquire_lease(w.job.id, "three", Duration::from_secs(60)).await.unwrap();
    assert!(third.epoch > new.epoch);
}

#[tokio::test]
async fn a_dead_holder_is_relieved_at_once_but_only_that_one() {
    let w = World::new().await;
    let ttl = Duration::from_secs(60);
    let dead = w.store.acquire_lease(w.job.id, "dead", ttl).await.unwrap();
    let held = w.store.take_over_lease(w.job.id, "somebody else", "next", ttl).await.unwrap_err();
    assert!(matches!(held, StoreError::LeaseHeld { .. }), "{held}");
    let next = w.store.take_over_lease(w.job.id, "dead", "next", ttl).await.unwrap();
    let late = w.store.reserve(&dead, w.password.id, &folder("inbox"), &messages(0..1)).await.unwrap_err();
    assert!(matches!(late, StoreError::LeaseLost { .. }), "{late}");
    w.store.renew_lease(&next, ttl).await.unwrap();
}

#[tokio::test]
async fn messages_found_again_under_new_ids_are_known_by_both() {
    let w = World::new().await;
    let lease = w.lease().await;
    let inbox = folder("inbox");
    let keys = w.store.reserve(&lease, w.password.id, &inbox, &messages(0..1)).await.unwrap();
    let again = Mapping { key: keys[0], folder: inbox.clone(), message: "new-1".into() };
    w.store.save_cursor(&lease, w.password.id, &inbox, "8", vec![], vec![again]).await.unwrap();
    let ids = ["uid-0".into(), "new-1".into()];
    let known = w.store.known(w.job.id, w.password.id, &inbox, &ids).await.unwrap();
    assert_eq!((known[&ids[0]].0, known[&ids[1]].0), (keys[0], keys[0]));
    let entries = w.store.unfinished(w.job.id, w.password.id).await.unwrap();
    assert_eq!(entries.len(), 1, "two ids are still one message");
    assert_eq!(entries[0].message, ids[1], "the id found last is the one to work with");
}

#[tokio::test]
async fn a_message_that_was_moved_is_known_at_both_places_and_found_by_its_message_id() {
    let w = World::new().await;
    let lease = w.lease().await;
    let (inbox, below) = (folder("inbox"), folder("below"));
    let list = messages(0..2);
    let keys = w.store.reserve(&lease, w.password.id, &inbox, &list).await.unwrap();
    w.store.deliver(&lease, &delivered(&keys[..1]), DeliverTo::Done).await.unwrap();
    let reserved = w.store.reserve(&lease, w.password.id, &below, &messages(7..8)).await.unwrap();
    let found = Mapping { key: keys[0], folder: below.clone(), message: messages(7..8)[0].id.clone() };
    w.store.relocate(&lease, w.password.id, vec![found.clone()]).await.unwrap();
    let known =
        w.store.known(w.job.id, w.password.id, &below, std::slice::from_ref(&found.message)).await.unwrap();
    assert_eq!(known[&found.message].0, keys[0], "what was only reserved there gave way");
    let open = w.store.unfinished(w.job.id, w.password.id).await.unwrap();
    assert!(open.iter().all(|entry| entry.key != reserved[0]));

    let names = ["0@example.com".to_owned(), "1@example.com".to_owned()];
    let named = |account, states: &'static [LedgerState]| {
        let (store, job, names) = (&w.store, w.job.id, &names);
        async move { store.entries_named(job, account, names, states).await.unwrap() }
    };
    let places: Vec<_> = named(w.password.id, &[LedgerState::Done]).await;
    let places: Vec<_> = places.into_iter().map(|entry| (entry.key, entry.folder)).collect();
    assert_eq!(places, [(keys[0], inbox), (keys[0], below)], "the last place comes last");
    assert_eq!(named(w.password.id, &[LedgerState::Reserved]).await.len(), 1);
    assert!(named(w.token.id, &[LedgerState::Done, LedgerState::Reserved]).await.is_empty());
    w.store.take_over_lease(w.job.id, "test", "next", Duration::from_secs(60)).await.unwrap();
    let late = w.store.relocate(&lease, w.password.id, vec![found]).await.unwrap_err();
    assert!(matches!(late, StoreError::LeaseLost { .. }), "{late}");
}

#[tokio::test]
async fn of_two_workers_that_start_together_one_gets_the_lease() {
    let w = World::new().await;
    let other = Store::open(&w.path()).await.unwrap();
    let ttl = Duration::from_secs(60);
    for _ in 0..10 {
        let (one, two) = tokio::join!(
            w.store.acquire_lease(w.job.id, "one", ttl),
            other.acquire_lease(w.job.id, "two", ttl)
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        w.store.release_lease(&one.or(two).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_quarantined_message_is_known_until_it_is_released() {
    let w = World::new().await;
    let lease = w.lease().await;
    let inbox = folder("inbox");
    let list = messages(0..1);
    let keys = w.store.reserve(&lease, w.password.id, &inbox, &list).await.unwrap();
    let item = QuarantineItem {
        key: keys[0],
        account: w.password.id,
        folder: inbox.clone(),
        message: list[0].id.clone(),
        reason: "no end of a MIME part".to_owned(),
        code: Some("BAD".to_owned()),
        file: Some("quarantine/1.eml".into()),
        size: Some(5_000_000_000),
    };
    w.store.quarantine(&lease, &item).await.unwrap();
    assert_eq!(w.store.quarantined(Some(w.job.id)).await.unwrap()[0].item, item);
    let ids = [list[0].id.clone()];
    let known = w.store.known(w.job.id, w.password.id, &inbox, &ids).await.unwrap();
    assert_eq!(known[&ids[0]].1, LedgerState::Quarantined);
    assert!(w.store.unfinished(w.job.id, w.password.id).await.unwrap().is_empty());

    assert_eq!(w.store.release_from_quarantine(keys[0]).await.unwrap().item, item);
    assert!(w.store.known(w.job.id, w.password.id, &inbox, &ids).await.unwrap().is_empty());
    let again = w.store.release_from_quarantine(keys[0]).await.unwrap_err();
    assert!(matches!(again, StoreError::NotQuarantined { .. }), "{again}");
}

#[tokio::test]
async fn a_baseline_counts_only_what_is_new_and_pages_show_all_of_it() {
    let w = World::new().await;
    let lease = w.lease().await;
    let inbox = folder("inbox");
    let keys = w.store.reserve(&lease, w.password.id, &inbox, &messages(0..2)).await.unwrap();
    assert_eq!(w.store.baseline(&lease, w.password.id, &inbox, &messages(0..1200)).await.unwrap(), 1198);
    assert_eq!(w.store.baseline(&lease, w.password.id, &inbox, &messages(0..1200)).await.unwrap(), 0);
    let ids: Vec<_> = messages(0..1200).into_iter().map(|m| m.id).collect();
    let known = w.store.known(w.job.id, w.password.id, &inbox, &ids).await.unwrap();
    assert_eq!(known.len(), 1200);
    assert_eq!(known[&ids[0]], (keys[0], LedgerState::Reserved), "baseline leaves what is known as it was");

    let mut query = LedgerQuery { job: Some(w.job.id), limit: 700, ..Default::default() };
    let first = w.store.ledger(&query).await.unwrap();
    query.after = first.last().map(|row| row.key);
    let second = w.store.ledger(&query).await.unwrap();
    assert_eq!((first.len(), second.len()), (700, 500));
    assert_eq!(second[499].locations[0].message, ids[0], "the newest come first");
    let found = |text: &str| LedgerQuery { text: Some(text.to_owned()), limit: 10, ..Default::default() };
    assert_eq!(w.store.ledger(&found("FACTUUR 1199")).await.unwrap().len(), 1);
    assert_eq!(w.store.ledger(&found("%")).await.unwrap().len(), 0, "a wildcard is a letter like any other");
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let w = World::new().await;
    let lease = w.lease().await;
    let keys = w.store.reserve(&lease, w.password.id, &folder("inbox"), &messages(0..100)).await.unwrap();
    w.store.save_cursor(&lease, w.password.id, &folder("inbox"), "42", vec![], vec![]).await.unwrap();
    // The files as a dead process leaves them: copied while the store is open, its log not folded in.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(w.directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let store = Store::open(&copy.path().join("wissel.db")).await.unwrap();
    let found = store.unfinished(w.job.id, w.password.id).await.unwrap();
    assert_eq!(found.iter().map(|e| e.key).collect::<Vec<_>>(), keys);
    let cursor = store.cursor(w.job.id, w.password.id, &folder("inbox")).await.unwrap().unwrap();
    assert_eq!((cursor.cursor.as_str(), cursor.settled), ("42", None));
    store.check().await.unwrap();
}

/// Not a test of right or wrong: prints how fast the three steps are. Run with `--run-ignored all --no-capture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn speed_of_reserve_deliver_finish() {
    let w = World::new().await;
    let lease = w.lease().await;
    let inbox = folder("inbox");
    let begun = std::time::Instant::now();
    for group in 0..157 {
        let list = messages(group * 64..(group * 64 + 64).min(10_000));
        let keys = w.store.reserve(&lease, w.password.id, &inbox, &list).await.unwrap();
        w.store.deliver(&lease, &delivered(&keys), DeliverTo::Delivered).await.unwrap();
        w.store.finish(&lease, &keys).await.unwrap();
    }
    let took = begun.elapsed();
    println!("10,000 messages through 3 steps in {took:?}: {:.0}/s", 10_000.0 / took.as_secs_f64());
    println!("{:?}", w.store.counters());
}

#[tokio::test]
async fn ids_that_name_other_messages_now_are_taken_from_those_that_had_them() {
    let w = World::new().await;
    let lease = w.lease().await;
    let (inbox, account) = (folder("inbox"), w.password.id);
    let keys = w.store.reserve(&lease, account, &inbox, &messages(0..4)).await.unwrap();
    w.store.deliver(&lease, &delivered(&keys[1..]), DeliverTo::Delivered).await.unwrap();
    w.store.finish(&lease, &keys[3..]).await.unwrap();
    let ids: Vec<_> = messages(0..4).into_iter().map(|m| m.id).collect();
    let moved = Mapping { key: keys[2], folder: inbox.clone(), message: "elsewhere".into() };
    w.store.save_cursor(&lease, account, &inbox, "9", ids.clone(), vec![moved]).await.unwrap();
    assert!(w.store.known(w.job.id, account, &inbox, &ids).await.unwrap().is_empty());
    let left = w.store.unfinished(w.job.id, account).await.unwrap();
    assert_eq!((left.len(), left[0].key, left[0].message.as_str()), (1, keys[2], "elsewhere"));
    let rows = w.store.ledger(&LedgerQuery { limit: 9, ..LedgerQuery::default() }).await.unwrap();
    let states: Vec<_> = rows.iter().map(|row| (row.key, row.state)).collect();
    use LedgerState::{Delivered, Done};
    assert_eq!(
        states,
        [(keys[3], Done), (keys[2], Delivered), (keys[1], Done)],
        "reserved ones are forgotten"
    );
}
