//! What a command works with, opened when it is first needed: home, store, vault, connectors.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use wissel_auth::Authority;
use wissel_host::{Catalogue, CatalogueOptions, SessionLimits};
use wissel_jobs::{JobError, Workshop};
use wissel_model::{Account, ConnectorError, Connectors, Description, ImportJob, OpenOptions, Session};
use wissel_store::{AuditRecord, Store};

use crate::args::Global;
use crate::exit::{Shown, show_job};
use crate::home::Home;
use crate::home_lock;
use crate::problem::{INSTALL, Problem};
use crate::secrets::StoredSecrets;
use crate::text::{Language, quoted};
use crate::{form, signal, tokens};

/// What a command works with.
pub(crate) struct Context {
    /// The directory of this installation.
    pub(crate) home: Home,
    /// The language of sentences.
    pub(crate) language: Language,
    /// Print JSON.
    pub(crate) json: bool,
    /// A progress bar may be shown.
    pub(crate) progress: bool,
    /// Cancelled when a person or the system asks to stop.
    pub(crate) stop: CancellationToken,
    /// Tells a restore that the home is in use.
    lock: std::sync::OnceLock<home_lock::Shared>,
    store: OnceCell<Store>,
    secrets: OnceCell<Arc<StoredSecrets>>,
    authority: OnceCell<Arc<Authority>>,
    catalogue: OnceCell<Arc<Catalogue>>,
}

impl Context {
    /// Prepares, and opens nothing yet.
    pub(crate) fn new(global: Global) -> anyhow::Result<Self> {
        Ok(Self {
            home: Home::at(global.home, global.connectors)?,
            language: global.language.unwrap_or_else(Language::of_system),
            json: global.json,
            progress: !global.no_progress && !global.json,
            stop: signal::stop_on_request(),
            lock: std::sync::OnceLock::new(),
            store: OnceCell::new(),
            secrets: OnceCell::new(),
            authority: OnceCell::new(),
            catalogue: OnceCell::new(),
        })
    }

    /// Whether a person can be asked.
    pub(crate) fn interactive(&self) -> bool {
        !self.json && form::can_ask()
    }

    /// The language to ask a person in; none where nobody can be asked.
    pub(crate) fn ask(&self) -> Option<Language> {
        self.interactive().then_some(self.language)
    }

    /// The database.
    pub(crate) async fn store(&self) -> anyhow::Result<&Store> {
        self.store
            .get_or_try_init(|| async {
                self.home.create()?;
                let _ = self.lock.set(home_lock::share(&self.home).await?);
                Ok(Store::open(&self.home.database()).await?)
            })
            .await
    }

    /// The secrets of the accounts.
    pub(crate) async fn secrets(&self) -> anyhow::Result<&Arc<StoredSecrets>> {
        self.secrets
            .get_or_try_init(|| async {
                let store = self.store().await?.clone();
                Ok(Arc::new(StoredSecrets::new(store, self.home.vault_key(), self.home.locks())))
            })
            .await
    }

    /// What gives out tokens.
    pub(crate) async fn authority(&self) -> anyhow::Result<&Arc<Authority>> {
        self.authority
            .get_or_try_init(|| async {
                let secrets = Arc::clone(self.secrets().await?);
                Ok(Arc::new(tokens::authority(secrets, self.home.locks())))
            })
            .await
    }

    /// The connectors.
    pub(crate) async fn catalogue(&self) -> anyhow::Result<&Arc<Catalogue>> {
        self.catalogue
            .get_or_try_init(|| async {
                let secrets = Arc::clone(self.secrets().await?);
                Ok(Catalogue::open(CatalogueOptions {
                    connectors_dir: self.home.connectors().to_owned(),
                    cache_dir: self.home.cache(),
                    secrets,
                    tokens: Arc::<Authority>::clone(self.authority().await?),
                    limits: SessionLimits::default(),
                })
                .await?)
            })
            .await
    }

    /// What jobs work with.
    pub(crate) async fn shop(&self) -> anyhow::Result<Workshop> {
        Ok(Workshop {
            store: self.store().await?.clone(),
            connectors: Arc::<Catalogue>::clone(self.catalogue().await?),
            home: self.home.root().to_owned(),
        })
    }

    /// The description of a connector.
    pub(crate) async fn description(&self, connector: &str) -> anyhow::Result<Arc<Description>> {
        let catalogue = self.catalogue().await?;
        catalogue
            .description(connector)
            .await
            .map_err(|error| Problem::not_found(error.to_string(), INSTALL).into())
    }

    /// Opens a session of the account.
    pub(crate) async fn open(&self, account: &Account, purpose: &str) -> anyhow::Result<Box<dyn Session>> {
        let options =
            OpenOptions { cancel: self.stop.clone(), purpose: purpose.to_owned(), ..OpenOptions::default() };
        match self.catalogue().await?.open(account, options).await {
            Ok(session) => Ok(session),
            Err(error) => Err(self.explain(account, &error).await.into()),
        }
    }

    /// What went wrong in an account, with the connector's own advice where it has one for the code.
    pub(crate) async fn explain(&self, account: &Account, error: &ConnectorError) -> Problem {
        self.explain_in(account, None, error).await
    }

    /// What went wrong in a job, as it is shown: with the connector's own advice where a mailbox is the reason, and
    /// with the way to create a processed folder that is missing.
    pub(crate) async fn explain_job(&self, job: &ImportJob, error: &JobError) -> Shown {
        if let JobError::Mailbox { account, folder, source, .. } = error
            && let Ok(store) = self.store().await
            && let Ok(account) = store.account_named(account).await
        {
            return Shown::from(&self.explain_in(&account, folder.as_deref(), source).await);
        }
        let is_processed = |missing: &str| {
            let mut processed = job.accounts.iter().filter_map(|place| place.processed.as_ref());
            processed.any(|folder| folder.to_string() == missing)
        };
        let shown = show_job(error);
        match error {
            JobError::FolderNotFound { folder, .. } if is_processed(folder) => shown.or_else_do(&format!(
                "let the first run create it with `wissel job edit {} --create-processed`",
                quoted(&job.name)
            )),
            _ => shown,
        }
    }

    async fn explain_in(&self, account: &Account, folder: Option<&str>, error: &ConnectorError) -> Problem {
        let description = self.description(&account.connector).await.ok();
        let method = description.as_deref().and_then(|description| description.auth_method(&account.auth));
        let shell = quoted(&account.name);
        let advice = method.and_then(|method| method.advise(error, &shell, self.language.tag()));
        Problem::mailbox(&account.name, folder, error, advice.as_deref())
    }

    /// What is remembered of a deed.
    pub(crate) fn record(action: &str, subject: &str, detail: Value) -> AuditRecord {
        AuditRecord {
            at: jiff::Timestamp::now(),
            actor: actor(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail,
        }
    }

    /// Remembers who did what.
    pub(crate) async fn audit(&self, action: &str, subject: &str, detail: Value) -> anyhow::Result<()> {
        Ok(self.store().await?.audit(&Self::record(action, subject, detail)).await?)
    }

    /// Waits for what was accepted to be written.
    pub(crate) async fn close(&self) {
        // Before the store is closed: what a provider gives in place of a token that it takes back has to be stored.
        if let Some(authority) = self.authority.get() {
            authority.settle().await;
        }
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }
}

/// Who sits at the command line, for the audit trail.
pub(crate) fn actor() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    format!("{} (command line)", user.unwrap_or_else(|| "unknown user".to_owned()))
}
