//! A mailbox in memory that may survive in a file, so that it outlives a process that crashes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wissel_model::{MessageId, MessageSummary};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// By path, such as `In/Sub`.
    pub folders: BTreeMap<String, Vec<Mail>>,
    /// Part of every id of the scheme `alpha`: another value means that all ids are new.
    pub validity: u32,
    pub last: u32,
    /// How often each operation that changes something was asked for.
    pub changes: u32,
}

impl World {
    /// Moves the message at this place of a folder: it gets a new id.
    pub fn put_elsewhere(&mut self, from: &str, index: usize, to: &str) {
        let mut mail = self.folders.get_mut(from).unwrap().remove(index);
        self.last += 1;
        mail.uid = self.last;
        self.folders.get_mut(to).unwrap().push(mail);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// New after each move, as in many services.
    pub uid: u32,
    /// Stays for ever.
    pub serial: u32,
    pub token: String,
    pub message_id: Option<String>,
    pub text: String,
    pub received: i64,
    pub read: bool,
    /// Listed without the Message-ID that its content has; without its time of reception.
    pub unnamed: bool,
    pub undated: bool,
}

impl Mail {
    /// As a listing shows it.
    pub fn summary(&self, id: MessageId, late: i64) -> MessageSummary {
        MessageSummary {
            id,
            internet_message_id: self.message_id.clone().filter(|_| !self.unnamed),
            subject: Some("Factuur".to_owned()),
            sender: None,
            received: Timestamp::from_second(self.received + late).ok().filter(|_| !self.undated),
            size: Some(100),
            read: Some(self.read),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let id = self.message_id.as_ref().map(|id| format!("Message-ID: {id}\r\n")).unwrap_or_default();
        format!(
            "From: Crediteuren <a@example.com>\r\nSubject: Factuur\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n{id}\r\n{}\r\n",
            self.text
        )
        .into_bytes()
    }
}

#[derive(Clone)]
pub struct Mailbox {
    world: Arc<Mutex<World>>,
    file: Option<PathBuf>,
}

impl Mailbox {
    pub fn new() -> Self {
        let world = World { validity: 1, ..World::default() };
        Self { world: Arc::new(Mutex::new(world)), file: None }
    }

    /// The mailbox in the file, empty when there is none.
    pub fn in_file(file: PathBuf) -> Self {
        let mailbox = Self { file: Some(file), ..Self::new() };
        if let Ok(text) = std::fs::read(mailbox.file.as_ref().unwrap()) {
            *mailbox.world() = serde_json::from_slice(&text).unwrap();
        }
        mailbox
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn save(&self) {
        if let Some(file) = &self.file {
            let beside = file.with_extension("new");
            std::fs::write(&beside, serde_json::to_vec(&*self.world()).unwrap()).unwrap();
            std::fs::rename(beside, file).unwrap();
        }
    }

    pub fn with_folders(self, paths: &[&str]) -> Self {
        for path in paths {
            self.world().folders.entry((*path).to_owned()).or_default();
        }
        self.save();
        self
    }

    /// Puts a message with this token into the folder.
    pub fn put(&self, folder: &str, token: &str) -> u32 {
        self.put_with(folder, token, |_| {})
    }

    pub fn put_with(&self, folder: &str, token: &str, change: impl FnOnce(&mut Mail)) -> u32 {
        let mut world = self.world();
        world.last += 1;
        let serial = world.last;
        let mut mail = Mail {
            uid: serial,
            serial,
            token: token.to_owned(),
            message_id: Some(format!("<{token}@example.com>")),
            text: format!("Token: {token};"),
            received: 1_790_000_000 + i64::from(serial),
            read: false,
            unnamed: false,
            undated: false,
        };
        change(&mut mail);
        world.folders.get_mut(folder).unwrap().push(mail);
        drop(world);
        self.save();
        serial
    }

    pub fn put_many(&self, folder: &str, count: usize) -> Vec<String> {
        let tokens: Vec<String> = (1..=count).map(|n| format!("t{n}")).collect();
        tokens.iter().for_each(|token| _ = self.put(folder, token));
        tokens
    }

    /// A person moves a message.
    pub fn drag(&self, token: &str, from: &str, to: &str) {
        let mut world = self.world();
        let index = world.folders[from].iter().position(|mail| mail.token == token).unwrap();
        world.put_elsewhere(from, index, to);
        drop(world);
        self.save();
    }

    /// A person copies a message.
    pub fn copy(&self, token: &str, from: &str, to: &str) {
        let mut world = self.world();
        let mut mail = world.folders[from].iter().find(|mail| mail.token == token).unwrap().clone();
        world.last += 1;
        mail.uid = world.last;
        world.folders.get_mut(to).unwrap().push(mail);
        drop(world);
        self.save();
    }

    /// The tokens in a folder, sorted.
    pub fn tokens(&self, folder: &str) -> Vec<String> {
        let world = self.world();
        let mut tokens: Vec<String> =
            world.folders.get(folder).into_iter().flatten().map(|mail| mail.token.clone()).collect();
        tokens.sort();
        tokens
    }

    /// Gives all messages new ids, as a service does that was restored from a backup.
    pub fn renumber(&self) {
        let mut world = self.world();
        world.validity += 1;
        let World { folders, last, .. } = &mut *world;
        for mail in folders.values_mut().flatten() {
            *last += 1;
            mail.uid = *last;
        }
        drop(world);
        self.save();
    }
}
