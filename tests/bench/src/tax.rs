//! What the sandbox costs: the connector as a component in the host, and the same code compiled natively (`native/`), list
//! and fetch the same messages, which are read for their metadata and digest and thrown away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use wissel_host::{Catalogue, CatalogueOptions, SessionLimits};
use wissel_mime::{Inspector, Options};
use wissel_model::secrets::{SecretError, Secrets};
use wissel_model::tokens::NoTokens;
use wissel_model::{
    Account, AccountId, ConnectionPolicy, ConnectorError, Connectors, Delivery, DeliveryInfo, FolderAddress,
    MessageId, OpenOptions, PageRequest, connector,
};
use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, PASSWORD};
use wissel_tests::paths;
use wissel_tests::scene::Entry;

use crate::installation::{Installation, JOB, LEAVING};
use crate::measure::{self, Runs, Usage};
use crate::post::Post;
use crate::report::{Bound, Goal, Section};
use crate::statistics::Sample;

/// The corpus is the same on every machine.
const SEED: u64 = 1;
/// Messages of a page of the listing, as the host asks for them.
const PAGE: u32 = 500;
/// Messages that are fetched with one call.
const BATCH: usize = 100;
/// Runs that one measurement is the mean of.
const TIMES: u32 = 3;
/// Names the program that is the connector without its sandbox.
const NATIVE: &str = "WISSEL_NATIVE";
/// A folder without messages: what is left is the start of the program, the sandbox and the sign-in.
const EMPTY: &str = "Leeg";

/// Where the messages are, for the way through the sandbox.
#[derive(clap::Args)]
pub(crate) struct Place {
    port: u16,
    ca: PathBuf,
    /// For compiled components.
    cache: PathBuf,
    folder: String,
}

/// Measures both ways and an import in turn, `runs` times.
pub(crate) fn bench(folder: &Path, runs: usize, messages: usize) -> Result<Section> {
    let corpus = corpus::messages(SEED, messages as u64);
    let post = Post::open(&corpus)?;
    drop(corpus);
    post.server.create_folder(ALICE, EMPTY);
    let wissel = Installation::make(folder, &Entry::of(&post.server), LEAVING)?;
    let port = post.server.tls_port.to_string();
    let once = |sandbox: bool, from: &str| {
        let ca = &post.server.certificates().ca;
        let mut command = if sandbox {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["tax", &port]).arg(ca).arg(folder.join("tax-cache")).arg(from);
            command
        } else {
            let mut command =
                Command::new(std::env::var_os(NATIVE).with_context(|| format!("{NATIVE} is not set"))?);
            command.arg(&port).arg(ca).args([ALICE, PASSWORD, from]);
            command
        };
        // Not timed: fills the caches and counts.
        let output = command.output()?;
        let counted = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let expected = if from == EMPTY { 0 } else { messages };
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(counted == expected.to_string(), "{command:?} read '{counted}' messages of {from}: {said}");
        measure::mean(TIMES, &mut command, post.server.pid())
    };
    let (mut ways, mut import) = ([(); 2].map(|()| (Runs::default(), Runs::default())), Runs::default());
    for _ in 0..runs {
        for (sandbox, (all, none)) in [true, false].into_iter().zip(&mut ways) {
            all.0.push(once(sandbox, "INBOX")?);
            none.0.push(once(sandbox, EMPTY)?);
        }
        wissel.fresh()?;
        let command = &mut wissel.command(&["job", "run", JOB, "--json"]);
        import.0.push(measure::run(command, post.server.pid(), &[])?.0);
    }
    Ok(report(messages, &ways, &import))
}

fn report(messages: usize, ways: &[(Runs, Runs); 2], import: &Runs) -> Section {
    let net = |(all, none): &(Runs, Runs)| -> Vec<f64> {
        all.0.iter().zip(&none.0).map(|(all, none)| all.cpu() - none.cpu()).collect()
    };
    let [sandbox, native] = ways.each_ref().map(net);
    let tax: Vec<f64> = sandbox.iter().zip(&native).map(|(ours, theirs)| ours - theirs).collect();
    let share: Sample =
        tax.iter().zip(&import.0).map(|(tax, import)| 100.0 * tax / (import.cpu() - tax)).collect();
    let sample = |values: &[f64]| values.iter().copied().collect::<Sample>();
    let mut section = Section {
        title: format!("what the sandbox costs, over {messages} messages"),
        head: vec!["", "CPU s", "of which to start", "peak MiB"],
        ..Section::default()
    };
    for (name, (all, none)) in
        ["sandbox: list, fetch, read", "native: list, fetch, read"].into_iter().zip(ways)
    {
        section.rows.push(vec![
            name.to_owned(),
            all.sample(Usage::cpu).shown(3),
            none.sample(Usage::cpu).shown(3),
            all.sample(|usage| usage.peak).shown(0),
        ]);
    }
    section.rows.push(vec![
        "wissel job run".to_owned(),
        import.sample(Usage::cpu).shown(3),
        String::new(),
        import.sample(|usage| usage.peak).shown(0),
    ]);
    section.goals.push(Goal {
        what: "% of CPU that the sandbox adds to an import".to_owned(),
        bound: Bound::AtMost(5.0),
        seen: share.median(),
    });
    section.notes = vec![
        "Both ways are the same connector's source. The native one runs on blocking sockets with the same TLS and without the host's".into(),
        "limits and time keeping, so all of the host's overhead counts as the sandbox's. Starts are subtracted: they are in `start`.".into(),
    ];
    section.data = json!({
        "sandbox_cpu_seconds": sample(&sandbox).json(), "native_cpu_seconds": sample(&native).json(),
        "tax_cpu_seconds": sample(&tax).json(), "import": import.json(), "percent_of_an_import": share.json(),
    });
    section
}

/// Lists, fetches and reads all messages of the folder through the sandbox, and returns how many.
pub(crate) fn run(place: Place) -> Result<usize> {
    tokio::runtime::Runtime::new()?.block_on(sandboxed(place))
}

async fn sandboxed(place: Place) -> Result<usize> {
    let catalogue = Catalogue::open(CatalogueOptions {
        connectors_dir: paths::connectors(),
        cache_dir: place.cache,
        secrets: Arc::new(Password),
        tokens: Arc::new(NoTokens),
        limits: SessionLimits::default(),
    })
    .await?;
    let account = Account {
        id: AccountId::generate(),
        name: "tax".to_owned(),
        connector: "imap".to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: settings(place.port),
        connection: ConnectionPolicy { ca_file: Some(place.ca), ..ConnectionPolicy::default() },
        is_default: false,
    };
    let mut session = catalogue.open(&account, OpenOptions::default()).await?;
    let folder = session.find_folder(&FolderAddress::Path(vec![place.folder])).await?;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { size: PAGE, after, unread_only: false, received_since: None };
        let page = session.list_messages(&folder.id, &request).await?;
        ids.extend(page.messages.into_iter().map(|message| message.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let reader = Arc::<Mutex<Reader>>::default();
    for some in ids.chunks(BATCH) {
        session.fetch(some, Box::new(Reading(Arc::clone(&reader)))).await?;
    }
    session.close().await;
    let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(reader.messages)
}

fn settings(port: u16) -> BTreeMap<String, String> {
    let settings =
        [("host", "localhost"), ("port", &port.to_string()), ("security", "implicit"), ("user", ALICE)];
    settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Reads messages for their metadata and digest, as an import does, and keeps nothing of them.
#[derive(Default)]
struct Reader {
    open: Option<Inspector>,
    messages: usize,
}

struct Reading(Arc<Mutex<Reader>>);

impl Reading {
    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Delivery for Reading {
    async fn begin(&mut self, _: &MessageId, _: DeliveryInfo) -> connector::Result<()> {
        self.reader().open = Some(Inspector::new(Options::default()));
        Ok(())
    }
    async fn write(&mut self, octets: &[u8]) -> connector::Result<()> {
        if let Some(inspector) = &mut self.reader().open {
            inspector.write(octets);
        }
        Ok(())
    }
    async fn end(&mut self) -> connector::Result<()> {
        let mut reader = self.reader();
        if let Some(inspector) = reader.open.take() {
            std::hint::black_box(inspector.finish());
            reader.messages += 1;
        }
        Ok(())
    }
    async fn fail(&mut self, _: &MessageId, _: ConnectorError) {}
}

struct Password;

#[async_trait]
impl Secrets for Password {
    async fn secret(&self, _: AccountId, _: &str) -> std::result::Result<SecretString, SecretError> {
        Ok(SecretString::from(PASSWORD))
    }
}
