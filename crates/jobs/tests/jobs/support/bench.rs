//! A home directory with a real store, two accounts on one mailbox, and a target directory that is looked at by
//! reading its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wissel_jobs::{
    Doubtful, ImportOptions, ImportReport, JobError, NoProgress, SwitchOptions, SwitchReport, Workshop,
    import, switch,
};
use wissel_model::job::DirectoryTarget;
use wissel_model::{
    Account, AccountId, ConnectionPolicy, Filter, FolderAddress, ImportJob, JobAccount, JobId, LedgerState,
    ProcessedAction,
};
use wissel_store::{LedgerQuery, Store};

use super::{Fakes, Mailbox, Script};

pub struct Bench {
    _dir: Option<TempDir>,
    pub home: PathBuf,
    pub shop: Workshop,
    pub fakes: Fakes,
    pub mailbox: Mailbox,
    /// Of the connector `alpha`.
    pub old: Account,
    /// Of the connector `beta`.
    pub new: Account,
    pub job: ImportJob,
}

impl Bench {
    /// A job that moves from `In` to `In/Done`, subfolders included.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ImportJob)) -> Self {
        let dir = TempDir::new().unwrap();
        let home = dir.path().to_owned();
        let mailbox = Mailbox::new().with_folders(&["In", "In/Sub", "In/Done", "Other"]);
        let mut bench = Self::at(home, mailbox, change).await;
        bench._dir = Some(dir);
        bench
    }

    /// In an existing directory; what is there already is used.
    pub async fn at(home: PathBuf, mailbox: Mailbox, change: impl FnOnce(&mut ImportJob)) -> Self {
        let store = Store::open(&home.join("wissel.db")).await.unwrap();
        if store.accounts().await.unwrap().is_empty() {
            let (old, new) = (account("Oud", "alpha"), account("Nieuw", "beta"));
            let mut job = job("Facturen", &home, old.id);
            change(&mut job);
            store.add_account(&old, &[]).await.unwrap();
            store.add_account(&new, &[]).await.unwrap();
            store.add_job(&job).await.unwrap();
        }
        let fakes = Fakes::new(mailbox.clone());
        let shop = Workshop { store: store.clone(), connectors: Arc::new(fakes.clone()), home: home.clone() };
        let old = store.account_named("Oud").await.unwrap();
        let new = store.account_named("Nieuw").await.unwrap();
        let job = store.job_named("Facturen").await.unwrap();
        Self { _dir: None, home, shop, fakes, mailbox, old, new, job }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.fakes.script.lock().unwrap()
    }

    pub async fn try_run(&self) -> Result<ImportReport, JobError> {
        let job = self.shop.store.job(self.job.id).await.unwrap();
        import(&self.shop, &job, ImportOptions::default(), &NoProgress, &CancellationToken::new()).await
    }

    /// Runs the job; errors stay in the report.
    pub async fn run(&self) -> ImportReport {
        self.try_run().await.unwrap()
    }

    /// Runs the job, which must succeed, and returns how many messages were imported.
    pub async fn import(&self) -> u64 {
        let report = self.run().await;
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        report.imported
    }

    pub fn switch_options(&self, from: &Account, to: &Account) -> SwitchOptions {
        SwitchOptions {
            from: from.id,
            to: to.id,
            folder: None,
            processed: None,
            doubtful: Doubtful::Refuse,
            dry_run: false,
            actor: "test".to_owned(),
        }
    }

    pub async fn try_switch(&self, options: SwitchOptions) -> Result<SwitchReport, JobError> {
        let job = self.shop.store.job(self.job.id).await.unwrap();
        switch(&self.shop, &job, &options, &CancellationToken::new()).await
    }

    pub async fn switch(&self, from: &Account, to: &Account) -> SwitchReport {
        self.try_switch(self.switch_options(from, to)).await.unwrap()
    }

    pub fn target(&self) -> PathBuf {
        self.home.join("target")
    }

    /// How often each token lies in the target directory.
    pub fn delivered(&self) -> BTreeMap<String, u32> {
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(self.target()).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "eml") {
                assert!(path.with_extension("json").exists(), "a message without its metadata");
                let text = std::fs::read_to_string(&path).unwrap();
                let token = text.split("Token: ").nth(1).unwrap().split(';').next().unwrap();
                *found.entry(token.to_owned()).or_insert(0) += 1;
            }
        }
        found
    }

    /// Fails unless exactly these tokens lie in the target directory, each once.
    pub fn assert_delivered_once(&self, tokens: &[impl AsRef<str>]) {
        let wanted: BTreeMap<String, u32> = tokens.iter().map(|t| (t.as_ref().to_owned(), 1)).collect();
        assert_eq!(self.delivered(), wanted);
    }

    pub async fn states(&self) -> Vec<LedgerState> {
        let query = LedgerQuery { limit: 1000, ..LedgerQuery::default() };
        let mut rows = self.shop.store.ledger(&query).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.state).collect()
    }
}

pub fn account(name: &str, connector: &str) -> Account {
    Account {
        id: AccountId::generate(),
        name: name.to_owned(),
        connector: connector.to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: BTreeMap::new(),
        connection: ConnectionPolicy::default(),
        is_default: false,
    }
}

pub fn job(name: &str, home: &Path, account: AccountId) -> ImportJob {
    ImportJob {
        id: JobId::generate(),
        name: name.to_owned(),
        accounts: vec![JobAccount {
            account,
            folder: FolderAddress::parse("In").unwrap(),
            processed: FolderAddress::parse("In/Done"),
            pin: None,
            processed_pin: None,
        }],
        include_subfolders: true,
        action: ProcessedAction::Move,
        create_processed_folder: false,
        filter: Filter::default(),
        target: DirectoryTarget { directory: home.join("target"), extract_attachments: false },
        schedule: None,
        watch: false,
        enabled: true,
        revision: 1,
    }
}
