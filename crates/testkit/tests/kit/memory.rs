//! A mailbox in memory and the connector that opens it, faultless or with one flaw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use wissel_model::connector::Result;
use wissel_model::{
    Account, AccountId, ConnectionPolicy, ConnectorError, Connectors, Description, ErrorKind, FolderRole,
    OpenOptions, Session,
};

use crate::session::MemorySession;

/// One thing that the connector does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    DutchIsMissing,
    DescribesAnew,
    NoInbox,
    CheckMakesAFolder,
    FoldersOfOneLevelOnly,
    IdsOfTheSession,
    CaseCounts,
    NotFoundIsTemporary,
    CountsAreOld,
    SlashMakesTwoFolders,
    AmpersandIsLost,
    ExistingIsAnError,
    PagesOverlap,
    PagesByNumber,
    EndlessPages,
    NewestFirst,
    FilterOnTheFirstPageAlone,
    SinceIsExclusive,
    ReportsWhatStays,
    ForgetsWhatIsNew,
    GarbageCursorIsCurrent,
    LineEndsAreMended,
    BeginsStrangers,
    StopsAtAnUnknownId,
    NeverEnds,
    LargeIsCut,
    FetchingMarks,
    MoveCopies,
    AgainDoubles,
    MovesIntoNothing,
    MarksAll,
    DeletesTheNeighbour,
    GuessesIds,
    SendForgetsTheId,
    FindsWhatWasNeverSent,
    TranslatesInAnotherOrder,
    WaitsTooShort,
    DeafToInterrupts,
    DeafToCancels,
    NeverWakes,
    RefusalIsTemporary,
    SessionsShareTheListing,
    HostileText,
    Panics,
    Hangs,
}

#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) uid: u32,
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) received: Timestamp,
    pub(crate) read: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: Vec<String>,
    pub(crate) role: Option<FolderRole>,
    pub(crate) mails: Vec<Mail>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) last: u32,
    pub(crate) sent: BTreeSet<String>,
    pub(crate) opened: u32,
    pub(crate) described: u32,
    pub(crate) shared_listing: u32,
}

/// The connector.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) flaw: Option<Flaw>,
    pub(crate) undeclared: Vec<String>,
    pub(crate) unreachable: bool,
    pub(crate) refuses: bool,
    /// The flaw of that name has had its turn.
    pub(crate) hung: Arc<AtomicBool>,
}

pub(crate) fn error(kind: ErrorKind, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(kind, message)
}

/// The account of every test.
pub(crate) fn account() -> Account {
    Account {
        id: AccountId::generate(),
        name: "memory".to_owned(),
        connector: "memory".to_owned(),
        auth: "password".to_owned(),
        client: None,
        settings: BTreeMap::new(),
        connection: ConnectionPolicy::default(),
        is_default: false,
    }
}

impl Memory {
    pub(crate) fn good() -> Self {
        let mut world = World::default();
        for (name, role) in [("Inbox", FolderRole::Inbox), ("Sent", FolderRole::Sent)] {
            let folder = Folder { path: vec![name.to_owned()], role: Some(role), mails: Vec::new() };
            world.folders.insert(format!("f{name}"), folder);
        }
        let world = Arc::new(Mutex::new(world));
        Self {
            world,
            changed: Arc::default(),
            flaw: None,
            undeclared: Vec::new(),
            unreachable: false,
            refuses: false,
            hung: Arc::default(),
        }
    }

    pub(crate) fn without(mut self, operations: &[&str]) -> Self {
        self.undeclared = operations.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// How many messages all folders hold.
    pub(crate) fn messages(&self) -> usize {
        self.world().folders.values().map(|folder| folder.mails.len()).sum()
    }

    pub(crate) fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

#[async_trait]
impl Connectors for Memory {
    async fn description(&self, _connector: &str) -> Result<Arc<Description>> {
        let mut operations = vec![
            "check",
            "folders",
            "find-folder",
            "create-folder",
            "list-messages",
            "changes",
            "fetch",
            "move-messages",
            "mark-messages",
            "delete-messages",
            "append",
            "send",
            "find-sent",
            "translate",
            "wait",
        ];
        operations.retain(|operation| !self.undeclared.iter().any(|other| other == operation));
        let described = {
            let mut world = self.world();
            world.described += 1;
            world.described
        };
        let version = if self.is(Flaw::DescribesAnew) { described } else { 1 };
        let dutch = if self.is(Flaw::DutchIsMissing) { "" } else { "Geheugen" };
        let description = serde_json::json!({
            "schema": 1, "name": "memory", "version": version.to_string(), "title": {"en": "Memory", "nl": dutch},
            "settings": [], "endpoints": [{"name": "web", "kind": "http", "url": "https://mail.invalid", "authenticate": ["password"]}],
            "auth": [{"id": "password", "type": "password", "label": {"en": "Password", "nl": "Wachtwoord"}, "user": "someone"}],
            "operations": operations, "idForms": ["plain", "other"], "limits": {"largestMessage": 2_400_000}
        });
        Ok(Arc::new(serde_json::from_value(description).unwrap()))
    }

    async fn open(&self, _account: &Account, options: OpenOptions) -> Result<Box<dyn Session>> {
        if self.unreachable {
            return Err(error(ErrorKind::PermissionMissing, "no endpoint is granted"));
        }
        if self.refuses {
            let kind = match self.is(Flaw::RefusalIsTemporary) {
                true => ErrorKind::Temporary,
                false => ErrorKind::AuthorizationNeeded,
            };
            return Err(error(kind, "the password is refused"));
        }
        let number = {
            let mut world = self.world();
            world.opened += 1;
            world.opened
        };
        Ok(Box::new(MemorySession { memory: self.clone(), options, number, counts: BTreeMap::new() }))
    }
}
