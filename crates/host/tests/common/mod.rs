//! What the host's tests share: the probe (see `tests/guests/probe`), a catalogue with it, accounts and receivers.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test program uses a part of it")]

pub mod server;
pub mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tempfile::TempDir;
use wissel_host::{Catalogue, CatalogueOptions, SessionLimits};
use wissel_model::connector::Result;
use wissel_model::secrets::{SecretError, Secrets};
use wissel_model::tokens::{NoTokens, Tokens};
use wissel_model::{
    Account, AccountId, ConnectionPolicy, ConnectorError, Connectors, Delivery, DeliveryInfo, MessageId,
    OpenOptions, Session,
};

pub const PASSWORD: &str = "correct horse battery";
pub const TOKEN: &str = "ya29.token";
pub const PROXY_PASSWORD: &str = "proxy staple";

/// The bytes of the probe.
pub fn probe() -> Vec<u8> {
    let folder = std::env::var_os("WISSEL_GUESTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests"), PathBuf::from);
    let file = folder.join("probe.wasm");
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask connectors` first", file.display()))
}

/// The probe with every `from` replaced by `to`, which is as long.
pub fn probe_with(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = probe();
    let mut replaced = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            replaced += 1;
        }
    }
    assert!(replaced > 0, "'{from}' is not in the probe");
    bytes
}

struct StoredSecrets;

#[async_trait]
impl Secrets for StoredSecrets {
    async fn secret(
        &self,
        _account: AccountId,
        field: &str,
    ) -> std::result::Result<SecretString, SecretError> {
        match field {
            "password" => Ok(SecretString::from(PASSWORD)),
            "proxy-password" => Ok(SecretString::from(PROXY_PASSWORD)),
            "access-token" => Ok(SecretString::from(TOKEN)),
            other => Err(SecretError::Missing(other.to_owned())),
        }
    }
}

/// A catalogue over a directory of its own.
pub struct Installed {
    pub catalogue: Arc<Catalogue>,
    pub directory: TempDir,
}

impl Installed {
    pub async fn with(files: &[(&str, &[u8])]) -> Self {
        Self::with_tokens(files, Arc::new(NoTokens)).await
    }

    /// As [`Self::with`], with somebody who gives access tokens.
    pub async fn with_tokens(files: &[(&str, &[u8])], tokens: Arc<dyn Tokens>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(directory.path().join(name), bytes).unwrap();
        }
        let catalogue = Catalogue::open(CatalogueOptions {
            connectors_dir: directory.path().to_owned(),
            // Shared by all tests: each file is compiled once.
            cache_dir: Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-cache"),
            secrets: Arc::new(StoredSecrets),
            tokens,
            limits: SessionLimits { memory: 64 << 20, ..SessionLimits::default() },
        })
        .await
        .unwrap();
        Self { catalogue, directory }
    }

    pub async fn probe() -> Self {
        Self::with(&[("probe.wasm", &probe())]).await
    }

    /// Puts a file into the directory at once, as an installation does.
    pub fn install(&self, name: &str, bytes: &[u8]) {
        let file = self.directory.path().join(name);
        std::fs::write(file.with_extension("partial"), bytes).unwrap();
        std::fs::rename(file.with_extension("partial"), file).unwrap();
    }

    pub async fn open(&self, account: &Account) -> Result<Box<dyn Session>> {
        self.catalogue.open(account, OpenOptions::default()).await
    }

    /// A session in which the probe behaves as `behaviour` says.
    pub async fn session(&self, behaviour: &str) -> Box<dyn Session> {
        self.open(&account(behaviour)).await.unwrap()
    }
}

/// The same, but a call may take one second only: for what does not end by itself.
pub fn hasty(behaviour: &str) -> Account {
    let mut account = account(behaviour);
    account.connection.call_timeout_seconds = 1;
    account
}

/// An account by password whose probe behaves as `behaviour` says. A call may take an hour.
pub fn account(behaviour: &str) -> Account {
    Account {
        id: AccountId::generate(),
        name: "Facturen".to_owned(),
        connector: "probe".to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: BTreeMap::from([("behaviour".to_owned(), behaviour.to_owned())]),
        connection: ConnectionPolicy {
            call_timeout_seconds: 3600,
            connect_timeout_seconds: 30,
            ..ConnectionPolicy::default()
        },
        is_default: false,
    }
}

/// The account with more settings.
pub fn with_settings(mut account: Account, settings: &[(&str, &str)]) -> Account {
    account.settings.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    account
}

/// What a receiver was given.
#[derive(Debug, Default, Clone)]
pub struct Received {
    pub ended: Vec<(String, Vec<u8>)>,
    pub failed: Vec<(String, ConnectorError)>,
    pub open: Option<(String, Vec<u8>)>,
}

/// A delivery that remembers.
#[derive(Debug, Default, Clone)]
pub struct Inbox(Arc<Mutex<Received>>);

impl Inbox {
    pub fn received(&self) -> Received {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Delivery for Inbox {
    async fn begin(&mut self, message: &MessageId, _info: DeliveryInfo) -> Result<()> {
        self.0.lock().unwrap().open = Some((message.to_string(), Vec::new()));
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.lock().unwrap().open.as_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<()> {
        let mut received = self.0.lock().unwrap();
        let ended = received.open.take().unwrap();
        received.ended.push(ended);
        Ok(())
    }

    async fn fail(&mut self, message: &MessageId, reason: ConnectorError) {
        let mut received = self.0.lock().unwrap();
        received.open = None;
        received.failed.push((message.to_string(), reason));
    }
}

pub fn ids(ids: &[&str]) -> Vec<MessageId> {
    ids.iter().map(|id| MessageId::from(*id)).collect()
}

/// Fetches messages `1`, `2` and `3`.
pub async fn fetch_three(session: &mut dyn Session) -> (Result<()>, Received) {
    let inbox = Inbox::default();
    let result = session.fetch(&ids(&["1", "2", "3"]), Box::new(inbox.clone())).await;
    (result, inbox.received())
}

/// `work`, or a failure when it does not end in the time that the slowest machine needs.
pub async fn ends<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(180), work).await.expect("it does not end")
}
