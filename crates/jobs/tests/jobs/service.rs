//! The service: runs what is due, notices what changed, stops soon.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wissel_jobs::{ServiceOptions, serve};
use wissel_model::Schedule;

use crate::support::{Bench, job};

/// How long a wait may last before it is given up, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `reached`; false when it never is.
async fn comes(reached: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if reached() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    reached()
}

#[tokio::test]
async fn it_runs_jobs_at_their_interval_notices_new_ones_and_stops_soon() {
    let bench = Bench::with(|job| job.schedule = Some(Schedule::Every(1))).await;
    bench.mailbox.put("In", "first");
    let stop = CancellationToken::new();
    let (shop, token) = (bench.shop.clone(), stop.clone());
    let service = tokio::spawn(async move { serve(&shop, ServiceOptions::default(), &token).await });
    assert!(comes(|| bench.mailbox.tokens("In/Done") == ["first"]).await, "the job is due at once");
    bench.mailbox.put("In", "second");
    assert!(comes(|| bench.mailbox.tokens("In/Done").len() == 2).await, "and again after its interval");

    let mut added = job("Later", &bench.home, bench.new.id);
    added.accounts[0].folder = wissel_model::FolderAddress::parse("Other").unwrap();
    added.schedule = Some(Schedule::Every(1));
    bench.mailbox.put("Other", "third");
    bench.shop.store.add_job(&added).await.unwrap();
    assert!(comes(|| bench.mailbox.tokens("Other").is_empty()).await, "a job that was added meanwhile");

    bench.script().slow_ms = 200;
    (0..40).for_each(|n| _ = bench.mailbox.put("In", &format!("slow{n}")));
    assert!(comes(|| bench.script().fetched.iter().any(|token| token.starts_with("slow"))).await);
    stop.cancel();
    service.await.unwrap().unwrap();
    assert!(!bench.mailbox.tokens("In").is_empty(), "it did not stop before everything was fetched");
    let delivered: Vec<String> = bench.delivered().into_keys().collect();
    assert_eq!(delivered, bench.mailbox.tokens("In/Done"), "nothing half done");
}
