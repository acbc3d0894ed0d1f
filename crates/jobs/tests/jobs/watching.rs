//! Push beside the poll: a change wakes the job, and whatever happens to the waiting, the job's interval stays.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wissel_jobs::{JobError, ServiceOptions, is_watching, serve};
use wissel_model::{ImportJob, Schedule};

use crate::support::{Bench, job};

/// No poll falls into a test.
const LONG: Option<Schedule> = Some(Schedule::Every(86_400));
const PATIENCE: Duration = Duration::from_secs(60);
const JOBS: u32 = 100;

struct Service {
    stop: CancellationToken,
    task: JoinHandle<Result<(), JobError>>,
}

impl Service {
    fn start(bench: &Bench) -> Self {
        let stop = CancellationToken::new();
        let (shop, token) = (bench.shop.clone(), stop.clone());
        let task = tokio::spawn(async move { serve(&shop, ServiceOptions::default(), &token).await });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the service does not stop").unwrap().unwrap();
    }
}

async fn bench(change: impl FnOnce(&mut ImportJob)) -> Bench {
    Bench::with(|job| {
        job.schedule = LONG;
        job.watch = true;
        change(job);
    })
    .await
}

/// Waits until it is so; fails when that takes too long.
async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_waiting(bench: &Bench, sessions: u32) {
    until("sessions wait", async || bench.script().waiting == sessions).await;
}

async fn until_imported(bench: &Bench, token: &str) {
    until(token, async || bench.mailbox.tokens("In/Done").iter().any(|other| other == token)).await;
}

#[tokio::test]
async fn a_change_wakes_the_job_long_before_its_interval() {
    let bench = bench(|_| {}).await;
    let service = Service::start(&bench);
    until_waiting(&bench, 1).await;
    assert!(is_watching(&bench.home).unwrap());
    let states = bench.shop.store.watches(bench.job.id).await.unwrap();
    assert_eq!(
        states.iter().map(|s| (s.account, s.problem.clone())).collect::<Vec<_>>(),
        [(bench.old.id, None)]
    );
    bench.mailbox.put("In", "pushed");
    until_imported(&bench, "pushed").await;
    service.stop().await;
    assert_eq!(bench.script().waiting, 0, "the session was ended properly");
    assert!(!is_watching(&bench.home).unwrap());
    assert_eq!(bench.shop.store.watches(bench.job.id).await.unwrap(), []);
}

#[tokio::test]
async fn a_broken_waiting_is_begun_again_and_what_came_meanwhile_is_imported() {
    let bench = bench(|_| {}).await;
    bench.script().waits_broken = 1;
    let service = Service::start(&bench);
    until("the waiting broke", async || {
        let states = bench.shop.store.watches(bench.job.id).await.unwrap();
        states.iter().any(|state| state.problem.as_ref().is_some_and(|problem| problem.contains("'Oud'")))
    })
    .await;
    bench.mailbox.put("In", "meanwhile");
    until_imported(&bench, "meanwhile").await;
    until_waiting(&bench, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn a_job_that_is_changed_or_removed_is_not_watched_any_more() {
    let bench = bench(|_| {}).await;
    let service = Service::start(&bench);
    until_waiting(&bench, 1).await;
    let mut job = bench.shop.store.job(bench.job.id).await.unwrap();
    job.watch = false;
    job.revision = bench.shop.store.update_job(&job).await.unwrap();
    until_waiting(&bench, 0).await;
    job.watch = true;
    job.revision = bench.shop.store.update_job(&job).await.unwrap();
    until_waiting(&bench, 1).await;
    until("the job is free", async || bench.shop.store.remove_job(job.id).await.is_ok()).await;
    until_waiting(&bench, 0).await;
    service.stop().await;
}

#[tokio::test]
async fn a_mailbox_keeps_a_session_free_for_runs() {
    let bench = bench(|_| {}).await;
    bench.script().parallel_sessions = Some(2);
    let mut other = job("Later", &bench.home, bench.old.id);
    other.accounts[0].folder = wissel_model::FolderAddress::parse("Other").unwrap();
    (other.schedule, other.watch) = (LONG, true);
    bench.shop.store.add_job(&other).await.unwrap();
    let service = Service::start(&bench);
    until("one of both has no room", async || {
        let mut states = bench.shop.store.watches(bench.job.id).await.unwrap();
        states.extend(bench.shop.store.watches(other.id).await.unwrap());
        let without = states.iter().filter(|state| state.problem.is_some()).count();
        (states.len(), without, bench.script().waiting) == (2, 1, 1)
    })
    .await;
    service.stop().await;
}

#[tokio::test]
async fn a_refused_sign_in_is_not_tried_again_by_itself() {
    let bench = bench(|_| {}).await;
    bench.script().dead.insert("Oud".to_owned());
    let service = Service::start(&bench);
    until("both the run and the waiting were refused", async || {
        let states = bench.shop.store.watches(bench.job.id).await.unwrap();
        let health = bench.shop.store.health(bench.job.id).await.unwrap();
        states.iter().any(|state| state.problem.is_some()) && health.failing_since.is_some()
    })
    .await;
    assert_eq!(bench.script().opened, 2);
    bench.mailbox.put("In", "unseen");
    // Longer than the first pause after a failure that may pass.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(bench.script().opened, 2, "accounts are locked by that");
    service.stop().await;
}

#[tokio::test]
async fn a_wake_up_does_not_hurry_a_job_whose_run_then_fails() {
    let bench = bench(|_| {}).await;
    bench.mailbox.put("In", "stays");
    bench.script().move_denied = true;
    bench.script().slow_ms = 60_000;
    let service = Service::start(&bench);
    // The waiting is told of right before it wakes the job, which the run is still at.
    until("woken while it runs", async || {
        let told = bench.shop.store.watches(bench.job.id).await.unwrap().len();
        (told, bench.script().fetching) == (1, 1)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    bench.script().slow_ms = 0;
    until("the run failed", async || {
        bench.shop.store.health(bench.job.id).await.unwrap().failing_since.is_some()
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.script().opened, 2, "one session of the waiting, one of the run");
    service.stop().await;
}

#[tokio::test]
async fn the_service_stops_while_more_jobs_are_woken_than_it_has_looked_at() {
    let bench = bench(|_| {}).await;
    for number in 0..JOBS {
        let mut other = job(&format!("Job {number}"), &bench.home, bench.old.id);
        (other.schedule, other.watch) = (LONG, true);
        bench.shop.store.add_job(&other).await.unwrap();
    }
    bench.script().held = Some(0);
    let service = Service::start(&bench);
    until("all are about to wait", async || bench.script().held == Some(JOBS + 1)).await;
    service.stop.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Now each of them wakes its job, and the service does not look any more.
    bench.script().held = None;
    service.stop().await;
    assert_eq!(bench.script().waiting, 0, "all sessions were ended");
}

#[tokio::test]
async fn of_two_services_one_watches() {
    let bench = bench(|_| {}).await;
    let (first, second) = (Service::start(&bench), Service::start(&bench));
    until_waiting(&bench, 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.script().waiting, 1);
    first.stop().await;
    second.stop().await;
}
