//! What the sandbox costs. Run with `cargo test -p wissel-host --test numbers -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Inbox, account, ids, probe};
use wissel_model::{Connectors, OpenOptions};

struct NoSecrets;

#[async_trait::async_trait]
impl wissel_model::secrets::Secrets for NoSecrets {
    async fn secret(
        &self,
        _account: wissel_model::AccountId,
        field: &str,
    ) -> Result<secrecy::SecretString, wissel_model::secrets::SecretError> {
        Err(wissel_model::secrets::SecretError::Missing(field.to_owned()))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
#[ignore = "measures, and asserts nothing"]
async fn numbers() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("probe.wasm"), probe()).unwrap();
    let options = wissel_host::CatalogueOptions {
        connectors_dir: directory.path().to_owned(),
        cache_dir: directory.path().join("cache"),
        secrets: Arc::new(NoSecrets),
        limits: wissel_host::SessionLimits::default(),
    };
    for temperature in ["cold", "warm"] {
        let begun = Instant::now();
        let catalogue = wissel_host::Catalogue::open(options.clone()).await.unwrap();
        println!("catalogue of one connector, {temperature}: {:?}", begun.elapsed());
        // The cache is written by a thread of its own.
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(catalogue);
    }
    let catalogue = wissel_host::Catalogue::open(options).await.unwrap();
    let account = account("ok");
    let mut opened = Vec::new();
    for _ in 0..500 {
        let begun = Instant::now();
        let session = catalogue.open(&account, OpenOptions::default()).await.unwrap();
        opened.push(begun.elapsed());
        session.close().await;
    }
    println!("look-up, instantiate and open: {:?}", median(opened));
    let mut session = catalogue.open(&account, OpenOptions::default()).await.unwrap();
    let mut called = Vec::new();
    for _ in 0..2_000 {
        let begun = Instant::now();
        session.mark_messages(&[], true).await.unwrap();
        called.push(begun.elapsed());
    }
    println!("an empty call: {:?}", median(called));
    let names: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let begun = Instant::now();
    session.fetch(&ids(&names), Box::new(Inbox::default())).await.unwrap();
    println!("1,000 small messages in one fetch: {:?}", begun.elapsed());
}
