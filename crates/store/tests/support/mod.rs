//! A store in a directory of its own, with accounts and a job to play with.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use wissel_model::{
    Account, AccountId, Cron, FolderAddress, FolderId, ImportJob, JobAccount, JobId, MessageSummary,
    ProcessedAction, Schedule, job::DirectoryTarget,
};
use wissel_store::{Lease, Store};

pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) password: Account,
    pub(crate) token: Account,
    pub(crate) job: ImportJob,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("wissel.db")).await.unwrap();
        let (password, token) = (account("Inkoop"), account("Inkoop OAuth"));
        store.add_account(&password, &[]).await.unwrap();
        store.add_account(&token, &[]).await.unwrap();
        let job = job("Inkoopfacturen", password.id);
        store.add_job(&job).await.unwrap();
        let job = store.job(job.id).await.unwrap();
        Self { directory, store, password, token, job }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("wissel.db")
    }

    pub(crate) async fn lease(&self) -> Lease {
        self.store.acquire_lease(self.job.id, "test", Duration::from_secs(60)).await.unwrap()
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: AccountId::generate(),
        name: name.to_owned(),
        connector: "any".to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: BTreeMap::from([("host".to_owned(), "mail.example.com".to_owned())]),
        connection: Default::default(),
        is_default: false,
    }
}

pub(crate) fn job_account(account: AccountId) -> JobAccount {
    JobAccount {
        account,
        // A name with a slash in it: must come back whole.
        folder: FolderAddress::Path(vec!["Postvak IN".to_owned(), "In/Uit".to_owned()]),
        processed: FolderAddress::parse("Verwerkt"),
        pin: None,
        processed_pin: None,
    }
}

pub(crate) fn job(name: &str, account: AccountId) -> ImportJob {
    ImportJob {
        id: JobId::generate(),
        name: name.to_owned(),
        accounts: vec![job_account(account)],
        include_subfolders: true,
        action: ProcessedAction::Move,
        create_processed_folder: true,
        filter: Default::default(),
        target: DirectoryTarget { directory: PathBuf::from("facturen"), extract_attachments: true },
        schedule: Some(Schedule::Cron(Cron::stored("0 7 * * 1-5".to_owned(), "Europe/Amsterdam".to_owned()))),
        watch: false,
        enabled: true,
        revision: 1,
    }
}

pub(crate) fn folder(id: &str) -> FolderId {
    id.into()
}

pub(crate) fn messages(ids: std::ops::Range<u32>) -> Vec<MessageSummary> {
    ids.map(|n| MessageSummary {
        id: format!("uid-{n}").into(),
        internet_message_id: Some(format!("<{n}@example.com>")),
        subject: Some(format!("Factuur {n}")),
        sender: None,
        received: Some("2026-11-22T09:00:00Z".parse().unwrap()),
        size: None,
        read: None,
    })
    .collect()
}
