//! What has to happen before work begins: the program's start, a connector's compilation or its look-up, a sandbox, a call
//! into it. The sandbox is that of the tests' probe, which answers without a network.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Map, Value};
use wissel_host::{Catalogue, CatalogueOptions, SessionLimits};
use wissel_model::secrets::{SecretError, Secrets};
use wissel_model::tokens::NoTokens;
use wissel_model::{
    Account, AccountId, ConnectionPolicy, Connectors, Delivery, DeliveryInfo, MessageId, OpenOptions,
    Session, connector,
};
use wissel_tests::dovecot::{Dovecot, Options};
use wissel_tests::paths;
use wissel_tests::scene::Entry;

use crate::hop;
use crate::installation::{Installation, LEAVING};
use crate::measure::{self, memory, mib};
use crate::report::Section;
use crate::service::Service;
use crate::statistics::Sample;

/// Starts of a program that one measurement is the mean of.
const STARTS: u32 = 20;
/// Sandboxes that are open at the same time while their memory is looked at.
const SANDBOXES: usize = 500;
/// Calls that one measurement is the mean of.
const CALLS: u32 = 5_000;
/// Messages of the fetch.
const MESSAGES: u32 = 10_000;

/// The table as it grows.
#[derive(Default)]
struct Findings {
    rows: Vec<Vec<String>>,
    data: Map<String, Value>,
}

impl Findings {
    /// A time, from seconds, in the unit that suits it.
    fn time(&mut self, what: &str, seconds: Sample) {
        let median = seconds.median();
        let (unit, factor) = if median < 1e-3 { ("µs", 1e6) } else { ("ms", 1e3) };
        let shown: Sample = seconds.values().iter().map(|value| value * factor).collect();
        self.rows.push(vec![what.to_owned(), format!("{} {unit}", shown.shown(1))]);
        self.data.insert(format!("{what}, seconds"), seconds.json());
    }

    fn memory(&mut self, what: &str, mib: Sample) {
        self.rows.push(vec![what.to_owned(), format!("{} MiB", mib.shown(2))]);
        self.data.insert(format!("{what}, MiB"), mib.json());
    }
}

/// Measures everything `runs` times.
pub(crate) fn bench(folder: &Path, runs: usize) -> Result<Section> {
    let mut found = Findings::default();
    programs(folder, runs, &mut found)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(sandboxes(folder, runs, &mut found))?;
    for (way, hop) in
        ["through the host", "without it"].iter().zip(runtime.block_on(hop::bench(folder, runs))?)
    {
        found.time(&format!("an HTTP request {way}"), hop.wall);
        found.time(&format!("an HTTP request {way}, CPU"), hop.cpu);
    }
    Ok(Section {
        title: "what has to happen before work begins".to_owned(),
        head: vec!["", "median (smallest - largest)"],
        rows: found.rows,
        notes: vec![
            "`ready`: from the start of the process until it looks after its jobs, before it loads a connector; cold: without a cache.".into(),
            "A sandbox is looked up, instantiated and its session opened; the connector is the tests' probe.".into(),
            "An HTTP request: a message of 2 kB over TLS and HTTP/2 from the test bed, one after the other; its CPU with four at once, the".into(),
            "client's alone. Through the host: the Graph connector in its sandbox asks, and the host moves what comes; without it: reqwest.".into(),
        ],
        data: Value::Object(found.data),
        ..Section::default()
    })
}

/// Starts of the program, seen from outside.
fn programs(folder: &Path, runs: usize, found: &mut Findings) -> Result<()> {
    let server = Dovecot::start(&Options::default());
    let wissel = Installation::make(folder, &Entry::of(&server), &[LEAVING, &["--every", "1d"]].concat())?;
    wissel.fresh()?;
    // What runs first is not measured: it fills the caches.
    Service::start(&mut wissel.command(&[]), folder)?.stop()?;
    let (mut version, mut list, mut warm, mut cold, mut resident) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        version
            .push(measure::mean(STARTS, Command::new(paths::wissel()).arg("--version"), server.pid())?.wall);
        list.push(measure::mean(STARTS, &mut wissel.command(&["job", "list", "--json"]), server.pid())?.wall);
        let service = Service::start(&mut wissel.command(&[]), folder)?;
        warm.push(service.ready);
        std::thread::sleep(Duration::from_secs(1));
        resident.push(service.memory()?);
        service.stop()?;
        let cache = wissel.home().join("cache");
        fs::remove_dir_all(&cache).with_context(|| cache.display().to_string())?;
        let service = Service::start(&mut wissel.command(&[]), folder)?;
        cold.push(service.ready);
        // The cache is written by a thread of its own.
        std::thread::sleep(Duration::from_secs(1));
        service.stop()?;
    }
    found.time("wissel --version", version.into_iter().collect());
    found.time("wissel job list", list.into_iter().collect());
    found.time("wissel run, ready", warm.into_iter().collect());
    found.time("wissel run, ready, cold", cold.into_iter().collect());
    found.memory("wissel run, waiting", resident.into_iter().collect());
    Ok(())
}

/// Sandboxes in this process.
async fn sandboxes(folder: &Path, runs: usize, found: &mut Findings) -> Result<()> {
    let connectors = folder.join("probe");
    fs::create_dir(&connectors)?;
    fs::copy(paths::guests().join("probe.wasm"), connectors.join("probe.wasm"))
        .context("the tests' probe")?;
    let options = CatalogueOptions {
        connectors_dir: connectors,
        cache_dir: folder.join("probe-cache"),
        secrets: Arc::new(NoSecrets),
        tokens: Arc::new(NoTokens),
        limits: SessionLimits::default(),
    };
    let catalogue = Catalogue::open(options).await?;
    let account = account();
    let open = || catalogue.open(&account, OpenOptions::default());
    open().await?.close().await;
    let (mut opened, mut called, mut fetched, mut held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let before = memory(std::process::id(), "VmRSS").unwrap_or_default();
        let begun = Instant::now();
        let mut sessions = Vec::with_capacity(SANDBOXES);
        for _ in 0..SANDBOXES {
            sessions.push(open().await?);
        }
        opened.push(begun.elapsed().as_secs_f64() / f64::from(u32::try_from(SANDBOXES)?));
        let after = memory(std::process::id(), "VmRSS").unwrap_or_default();
        held.push(mib(after.saturating_sub(before)) / f64::from(u32::try_from(SANDBOXES)?));
        let mut session = sessions.pop().context("no session is open")?;
        for other in sessions {
            other.close().await;
        }
        called.push(mean(CALLS, &mut session).await?);
        let ids: Vec<MessageId> = (0..MESSAGES).map(|number| MessageId::from(number.to_string())).collect();
        let begun = Instant::now();
        session.fetch(&ids, Box::new(Discard)).await?;
        fetched.push(begun.elapsed().as_secs_f64() / f64::from(MESSAGES));
        session.close().await;
    }
    found.time("a sandbox, opened", opened.into_iter().collect());
    found.time("an empty call", called.into_iter().collect());
    found.time("a small message handed over", fetched.into_iter().collect());
    // What was freed before is used again: only the first time shows what a sandbox needs.
    found.memory("a sandbox, held", held.into_iter().take(1).collect());
    Ok(())
}

/// Seconds of a call that does nothing.
async fn mean(calls: u32, session: &mut Box<dyn Session>) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..calls {
        session.mark_messages(&[], true).await?;
    }
    Ok(begun.elapsed().as_secs_f64() / f64::from(calls))
}

fn account() -> Account {
    Account {
        id: AccountId::generate(),
        name: "probe".to_owned(),
        connector: "probe".to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: BTreeMap::from([("behaviour".to_owned(), "ok".to_owned())]),
        connection: ConnectionPolicy { call_timeout_seconds: 600, ..ConnectionPolicy::default() },
        is_default: false,
    }
}

/// The probe needs none.
pub(crate) struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn secret(&self, _: AccountId, field: &str) -> std::result::Result<SecretString, SecretError> {
        Err(SecretError::Missing(field.to_owned()))
    }
}

/// Throws every message away.
pub(crate) struct Discard;

#[async_trait]
impl Delivery for Discard {
    async fn begin(&mut self, _: &MessageId, _: DeliveryInfo) -> connector::Result<()> {
        Ok(())
    }
    async fn write(&mut self, _: &[u8]) -> connector::Result<()> {
        Ok(())
    }
    async fn end(&mut self) -> connector::Result<()> {
        Ok(())
    }
    async fn fail(&mut self, _: &MessageId, _: wissel_model::ConnectorError) {}
}
