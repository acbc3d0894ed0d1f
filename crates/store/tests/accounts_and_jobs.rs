//! Accounts, jobs, runs and the switch of a job's account.

mod support;

use support::{World, account, folder, job, job_account, messages};
use wissel_model::{FolderAddress, Pin};
use wissel_store::{
    AuditRecord, DeliverTo, Mapping, PinKind, RunOutcome, RunReport, Store, StoreError, Switch,
};

#[tokio::test]
async fn everything_comes_back_as_it_was_stored() {
    let w = World::new().await;
    assert_eq!(w.store.account_named("INKOOP").await.unwrap(), w.password);
    let pin = Pin { id: folder("f-1"), path: vec!["Postvak IN".to_owned(), "In/Uit".to_owned()] };
    w.store.pin_folder(w.job.id, w.password.id, PinKind::Import, &pin).await.unwrap();
    let found = w.store.job_named("inkoopFACTUREN").await.unwrap();
    let mut expected = job("Inkoopfacturen", w.password.id);
    expected.id = w.job.id;
    expected.accounts[0].pin = Some(pin);
    assert_eq!(found, expected);
    assert_eq!(w.store.jobs().await.unwrap(), [expected]);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_answered_with_those_that_do() {
    let w = World::new().await;
    let error = w.store.account_named("Verkoop").await.unwrap_err().to_string();
    assert!(error.contains("Verkoop") && error.contains("Inkoop, Inkoop OAuth"), "{error}");
    let error = w.store.job_named("Bestellingen").await.unwrap_err().to_string();
    assert!(error.contains("Inkoopfacturen"), "{error}");
    let error = w.store.add_account(&account("INKOOP"), &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { .. }), "{error}");
    let error = w.store.add_job(&job("inkoopfacturen", w.token.id)).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { .. }), "{error}");
    let error = w.store.add_job(&job("X", account("gone").id)).await.unwrap_err();
    assert!(matches!(error, StoreError::AccountNotFound { .. }), "{error}");
    assert_eq!(w.store.jobs().await.unwrap().len(), 1, "a job that was refused leaves nothing behind");
}

#[tokio::test]
async fn there_is_one_default_at_most() {
    let w = World::new().await;
    let defaults = async |store: &Store| -> Vec<String> {
        store.accounts().await.unwrap().into_iter().filter(|a| a.is_default).map(|a| a.name).collect()
    };
    w.store.set_default_account(Some(w.password.id)).await.unwrap();
    let mut third = account("Verkoop");
    third.is_default = true;
    w.store.add_account(&third, &[]).await.unwrap();
    assert_eq!(defaults(&w.store).await, ["Verkoop"]);
    let mut token = w.token.clone();
    token.is_default = true;
    w.store.update_account(&token, &[]).await.unwrap();
    assert_eq!(defaults(&w.store).await, ["Inkoop OAuth"]);
    let gone = w.store.set_default_account(Some(account("x").id)).await.unwrap_err();
    assert!(matches!(gone, StoreError::AccountNotFound { .. }));
    assert_eq!(defaults(&w.store).await, ["Inkoop OAuth"], "a refused change takes no default away");
    w.store.set_default_account(None).await.unwrap();
    assert!(defaults(&w.store).await.is_empty());
}

#[tokio::test]
async fn an_account_that_a_job_uses_stays_and_its_secrets_go_with_it() {
    let w = World::new().await;
    assert!(!w.store.any_secret().await.unwrap());
    w.store.put_secret(w.password.id, "password", b"sealed").await.unwrap();
    w.store.update_account(&w.password, &[("note".to_owned(), vec![1])]).await.unwrap();
    assert_eq!(w.store.secret_fields(w.password.id).await.unwrap(), ["note", "password"]);
    assert_eq!(w.store.secret(w.password.id, "password").await.unwrap().as_deref(), Some(&b"sealed"[..]));
    let error = w.store.remove_account(w.password.id).await.unwrap_err();
    assert!(error.to_string().contains("Inkoopfacturen"), "{error}");
    w.store.remove_job(w.job.id).await.unwrap();
    w.store.remove_account(w.password.id).await.unwrap();
    assert!(!w.store.any_secret().await.unwrap());
}

#[tokio::test]
async fn the_password_of_a_proxy_goes_with_the_proxy() {
    let w = World::new().await;
    let mut behind = w.password.clone();
    behind.connection.proxy = Some("http://wissel@proxy.example:3128".parse().unwrap());
    let secrets = [("password", b"a"), ("proxy-password", b"b")];
    let secrets = secrets.map(|(field, sealed)| (field.to_owned(), sealed.to_vec()));
    w.store.update_account(&behind, &secrets).await.unwrap();
    w.store.update_account(&behind, &[]).await.unwrap();
    assert_eq!(w.store.secret_fields(behind.id).await.unwrap(), ["password", "proxy-password"]);
    behind.connection.proxy = Some("http://proxy.example:3128".parse().unwrap());
    w.store.update_account(&behind, &[]).await.unwrap();
    assert_eq!(w.store.secret_fields(behind.id).await.unwrap(), ["password"]);
}

#[tokio::test]
async fn of_two_changes_to_one_revision_the_second_is_refused() {
    let w = World::new().await;
    let mut change = w.job.clone();
    change.enabled = false;
    change.accounts.push(job_account(w.token.id));
    assert_eq!(w.store.update_job(&change).await.unwrap(), 2);
    let error = w.store.update_job(&w.job).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { expected: 1, found: 2, .. }), "{error}");
    let found = w.store.job(w.job.id).await.unwrap();
    assert!(!found.enabled && found.accounts.len() == 2);
}

#[tokio::test]
async fn a_switch_and_the_way_back_know_every_message_in_both_accounts() {
    let w = World::new().await;
    let lease = w.lease().await;
    let (a, b) = (w.password.id, w.token.id);
    let keys = w.store.reserve(&lease, a, &folder("a-in"), &messages(0..3)).await.unwrap();
    let first = w.store.entries_for_matching(w.job.id, a, None, 2).await.unwrap();
    let rest = w.store.entries_for_matching(w.job.id, a, Some(first[1].key), 2).await.unwrap();
    assert_eq!(first.iter().chain(&rest).map(|e| e.key).collect::<Vec<_>>(), keys);
    assert!(w.store.entries_for_matching(w.job.id, b, None, 2).await.unwrap().is_empty());

    let mut to = job_account(b);
    to.folder = FolderAddress::parse("@inbox").unwrap();
    let there = Switch {
        from: a,
        to,
        expected_revision: 1,
        mappings: (0..3)
            .map(|n| Mapping { key: keys[n], folder: folder("b-in"), message: format!("b-{n}").into() })
            .collect(),
        actor: "operator".to_owned(),
        detail: serde_json::json!({"matched": 3}),
    };
    assert_eq!(w.store.switch_account(&lease, there.clone()).await.unwrap(), 2);
    let stale = w.store.switch_account(&lease, there).await.unwrap_err();
    assert!(matches!(stale, StoreError::Conflict { .. }), "{stale}");
    let job = w.store.job(w.job.id).await.unwrap();
    assert_eq!((job.accounts.len(), job.accounts[0].account), (1, b));
    let seen = w.store.known(w.job.id, b, &folder("b-in"), &["b-1".into()]).await.unwrap();
    assert_eq!(seen[&"b-1".into()].0, keys[1]);

    // A message arrives in the new account; back in the old one it is new there, the others are known.
    w.store.reserve(&lease, b, &folder("b-in"), &messages(3..4)).await.unwrap();
    let back = Switch {
        from: b,
        to: job_account(a),
        expected_revision: 2,
        mappings: vec![Mapping { key: keys[0], folder: folder("a-in"), message: "uid-1".into() }],
        actor: "operator".to_owned(),
        detail: serde_json::json!({}),
    };
    assert_eq!(w.store.switch_account(&lease, back).await.unwrap(), 3);
    let ids: Vec<_> = messages(0..4).into_iter().map(|m| m.id).collect();
    let known = w.store.known(w.job.id, a, &folder("a-in"), &ids).await.unwrap();
    assert_eq!(known.len(), 3);
    assert_eq!(known[&ids[1]].0, keys[1], "a location that exists is kept");
    let rows = w.store.ledger(&wissel_store::LedgerQuery { limit: 9, ..Default::default() }).await.unwrap();
    assert_eq!(rows.last().unwrap().locations.len(), 2);
    let trail: Vec<AuditRecord> = w.store.audit_trail(5).await.unwrap();
    assert_eq!(trail.len(), 2, "a switch that was refused leaves no record");
    assert_eq!((trail[1].action.as_str(), &trail[1].detail["matched"]), ("job.switch", &3.into()));
}

#[tokio::test]
async fn a_switch_that_fails_half_way_changes_nothing() {
    let w = World::new().await;
    let lease = w.lease().await;
    let keys = w.store.reserve(&lease, w.password.id, &folder("in"), &messages(0..1)).await.unwrap();
    let gone = wissel_model::MessageKey::generate();
    let switch = Switch {
        from: w.password.id,
        to: job_account(w.token.id),
        expected_revision: 1,
        mappings: [keys[0], gone]
            .map(|key| Mapping { key, folder: folder("b"), message: key.to_string().into() })
            .into(),
        actor: "operator".to_owned(),
        detail: serde_json::Value::Null,
    };
    w.store.switch_account(&lease, switch).await.unwrap_err();
    assert_eq!(w.store.job(w.job.id).await.unwrap(), w.job);
    assert!(w.store.entries_for_matching(w.job.id, w.token.id, None, 9).await.unwrap().is_empty());
    assert!(w.store.audit_trail(9).await.unwrap().is_empty());
    // The failed write took nothing of the store with it.
    w.store.deliver(&lease, &[], DeliverTo::Delivered).await.unwrap();
}

#[tokio::test]
async fn health_says_since_when_and_why_a_job_fails() {
    let w = World::new().await;
    let report = |outcome, error: Option<&str>| RunReport {
        outcome,
        imported: 2,
        skipped: 1,
        quarantined: 0,
        failed: 0,
        error: error.map(str::to_owned),
    };
    let run = async |report: RunReport| {
        let id = w.store.start_run(w.job.id).await.unwrap();
        w.store.finish_run(id, &report).await.unwrap();
        w.store.health(w.job.id).await.unwrap()
    };
    let well = run(report(RunOutcome::Succeeded, None)).await;
    assert!(well.last_success.is_some() && well.failing_since.is_none());
    let ill = run(report(RunOutcome::Failed, Some("no network"))).await;
    let worse = run(report(RunOutcome::Failed, Some("password expired"))).await;
    assert_eq!(worse.failing_since, ill.failing_since);
    assert_eq!((worse.last_success, worse.reason.as_deref()), (well.last_success, Some("password expired")));
    assert_eq!(run(report(RunOutcome::Stopped, None)).await, worse);
    let again = run(report(RunOutcome::Succeeded, None)).await;
    assert!(again.failing_since.is_none() && again.reason.is_none());
    w.store.start_run(w.job.id).await.unwrap();
    let runs = w.store.runs(w.job.id, 3).await.unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs[0].report.is_none() && runs[1].report.as_ref().unwrap().imported == 2);
}
