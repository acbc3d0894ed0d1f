//! A connector over the fake mailbox. `alpha` names messages by folder, validity and uid, `beta` by a serial that stays;
//! `beta` also writes messages anew. What it does wrong is [scripted](super::script).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use wissel_model::connector::{Envelope, Receipt, Result, SendError, Wake};
use wissel_model::message::ChangeSet;
use wissel_model::{
    Account, ConnectorError, Connectors, Delivery, DeliveryInfo, Description, ErrorKind, Folder,
    FolderAddress, FolderId, Identity, MessageId, MessagePage, MessageSummary, OpenOptions, Outcome,
    PageRequest, Session, Source,
};

use super::{Mail, Mailbox, Script, World, Wrong};

#[derive(Clone)]
pub struct Fakes {
    pub mailbox: Mailbox,
    /// By account name, for accounts on another mailbox.
    pub others: Arc<Mutex<HashMap<String, Mailbox>>>,
    pub script: Arc<Mutex<Script>>,
}

impl Fakes {
    pub fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, others: Arc::default(), script: Arc::default() }
    }
}

#[async_trait]
impl Connectors for Fakes {
    async fn description(&self, connector: &str) -> Result<Arc<Description>> {
        let script = self.script.lock().unwrap();
        let operations = "check folders find-folder create-folder list-messages changes fetch move-messages \
                          mark-messages delete-messages wait";
        let mut operations: Vec<&str> = operations.split(' ').collect();
        operations.retain(|operation| !(script.no_changes && *operation == "changes"));
        let limits =
            serde_json::json!({"fetchBatch": script.batch, "parallelSessions": script.parallel_sessions});
        Ok(Arc::new(
            serde_json::from_value(serde_json::json!({
                "schema": 1, "name": connector, "version": "1", "title": {"en": "X", "nl": "X"}, "settings": [],
                "endpoints": [], "auth": [], "operations": operations, "limits": limits,
                "exactCursors": script.exact_cursors
            }))
            .unwrap(),
        ))
    }

    async fn open(&self, account: &Account, options: OpenOptions) -> Result<Box<dyn Session>> {
        let mut script = self.script.lock().unwrap();
        script.opened += 1;
        if script.dead.contains(&account.name) {
            return Err(ConnectorError::new(ErrorKind::AuthorizationNeeded, "signing in was refused")
                .with_code("535"));
        }
        let mailbox = self.others.lock().unwrap().get(&account.name).unwrap_or(&self.mailbox).clone();
        let script = Arc::clone(&self.script);
        let beta = account.connector == "beta";
        let interrupt = options.interrupt;
        Ok(Box::new(FakeSession { mailbox, script, beta, broken: false, interrupt, seen: None }))
    }
}

struct FakeSession {
    mailbox: Mailbox,
    script: Arc<Mutex<Script>>,
    beta: bool,
    broken: bool,
    interrupt: CancellationToken,
    /// How the mailbox stood when a wait returned last.
    seen: Option<World>,
}

fn lost() -> ConnectorError {
    ConnectorError::new(ErrorKind::Temporary, "the connection was lost").lost()
}

fn not_found(what: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::NotFound, format!("there is no {what}"))
}

impl FakeSession {
    fn usable(&self) -> Result<()> {
        assert!(!self.broken, "a broken session was used again");
        Ok(())
    }

    /// Lets a message take its time.
    async fn take_time(&self) {
        self.script.lock().unwrap().fetching += 1;
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < self.script.lock().unwrap().slow_ms.into() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    fn id(&self, mail: &Mail) -> MessageId {
        if self.beta {
            return format!("b{}", mail.serial).into();
        }
        format!("{}.{}", self.mailbox.world().validity, mail.uid).into()
    }

    fn path(&self, id: &FolderId) -> String {
        id.as_str().trim_start_matches("b:").to_owned()
    }

    fn folder(&self, path: &str) -> Result<Folder> {
        let world = self.mailbox.world();
        let found = world.folders.keys().find(|key| key.eq_ignore_ascii_case(path));
        let Some(path) = found else { return Err(not_found(path)) };
        let id = |path: &str| FolderId::from(if self.beta { format!("b:{path}") } else { path.to_owned() });
        let mails = &world.folders[path];
        Ok(Folder {
            id: id(path),
            parent: path.rsplit_once('/').map(|(parent, _)| id(parent)),
            path: path.split('/').map(str::to_owned).collect(),
            role: None,
            total: Some(mails.len() as u32),
            unread: Some(mails.iter().filter(|mail| !mail.read).count() as u32),
            holds_messages: true,
            has_children: world.folders.keys().any(|other| other.starts_with(&format!("{path}/"))),
            denied: Vec::new(),
        })
    }

    fn find(&self, id: &MessageId) -> Option<(String, Mail)> {
        let all: Vec<(String, Mail)> = {
            let world = self.mailbox.world();
            let all = world
                .folders
                .iter()
                .flat_map(|(path, mails)| mails.iter().map(move |m| (path.clone(), m.clone())));
            all.collect()
        };
        all.into_iter().find(|(_, mail)| self.id(mail) == *id)
    }

    /// Changes one message where it is; true when it is there.
    fn change(&self, id: &MessageId, change: impl Fn(&mut World, &str, usize)) -> bool {
        let Some((path, mail)) = self.find(id) else { return false };
        let mut world = self.mailbox.world();
        let index = world.folders[&path].iter().position(|other| other.uid == mail.uid).unwrap();
        change(&mut world, &path, index);
        world.changes += 1;
        drop(world);
        self.mailbox.save();
        true
    }

    /// What the script says about this message, used up.
    fn wrong(&self, token: &str) -> Option<Wrong> {
        let mut script = self.script.lock().unwrap();
        if script.all_trap {
            return Some(Wrong::Trap);
        }
        let (wrong, left) = script.fetch.get_mut(token)?;
        if *left == 0 {
            return None;
        }
        *left -= 1;
        Some(*wrong)
    }

    fn outcomes(&self, messages: &[MessageId], done: impl Fn(&MessageId)) -> Vec<Outcome> {
        messages
            .iter()
            .map(|id| {
                done(id);
                Outcome { message: id.clone(), new_id: None, failure: None }
            })
            .collect()
    }
}

#[async_trait]
impl Session for FakeSession {
    async fn check(&mut self) -> Result<Identity> {
        let denied = self.script.lock().unwrap().denied.clone();
        Ok(Identity { mailbox: "shared@example.com".to_owned(), denied, ..Identity::default() })
    }

    async fn folders(&mut self, under: Option<&FolderId>, _recursive: bool) -> Result<Vec<Folder>> {
        let under = under.map(|id| format!("{}/", self.path(id))).unwrap_or_default();
        let paths: Vec<String> =
            self.mailbox.world().folders.keys().filter(|path| path.starts_with(&under)).cloned().collect();
        paths.iter().map(|path| self.folder(path)).collect()
    }

    async fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder> {
        self.usable()?;
        match at {
            FolderAddress::Id(id) => self.folder(&self.path(id)),
            FolderAddress::Path(names) => self.folder(&names.join("/")),
            FolderAddress::Role(_) => self.folder("In"),
        }
    }

    async fn create_folder(&mut self, path: &[String]) -> Result<Folder> {
        let path = path.join("/");
        self.mailbox.world().folders.entry(path.clone()).or_default();
        self.mailbox.world().changes += 1;
        self.mailbox.save();
        self.folder(&path)
    }

    async fn list_messages(&mut self, folder: &FolderId, page: &PageRequest) -> Result<MessagePage> {
        self.usable()?;
        let path = self.path(folder);
        let (late, endless, twice) = {
            let mut script = self.script.lock().unwrap();
            script.listed_folders.push(path.clone());
            if script.unlistable.as_ref() == Some(&path) {
                return Err(ConnectorError::new(ErrorKind::PermissionMissing, "you may not look"));
            }
            if script.throttle_listings > 0 {
                script.throttle_listings -= 1;
                let mut error = ConnectorError::new(ErrorKind::Throttled, "slow down");
                error.retry_after_ms = Some(20);
                return Err(error);
            }
            (script.beta_late, script.endless, script.twice_listed)
        };
        // By uid: what leaves while paging must not hide what stays.
        let start: u32 = page.after.as_ref().map_or(0, |after| after.parse().unwrap());
        let all = self.mailbox.world().folders.get(&path).cloned().ok_or_else(|| not_found(&path))?;
        let mut messages: Vec<MessageSummary> = all
            .iter()
            .filter(|mail| mail.uid > start)
            .take(3)
            .map(|mail| mail.summary(self.id(mail), if self.beta { late } else { 0 }))
            .collect();
        if twice {
            messages.extend(messages.clone());
        }
        let later = all.iter().filter(|mail| mail.uid > start);
        let more = later.clone().nth(3).is_some();
        let next =
            later.clone().nth(if twice { 1 } else { 2 }).filter(|_| more).map(|mail| mail.uid.to_string());
        let next = next.or_else(|| endless.then(|| "0".to_owned()));
        Ok(MessagePage { messages, next })
    }

    async fn changes(&mut self, folder: &FolderId, since: Option<&str>) -> Result<ChangeSet> {
        // As IMAP does: which numbering, and the last number that was given out.
        let (validity, last) = {
            let world = self.mailbox.world();
            if self.beta { (0, 0) } else { (world.validity, world.last) }
        };
        let mut now = format!("{validity}.{last}");
        if self.script.lock().unwrap().exact_cursors {
            let state = serde_json::to_string(&self.mailbox.world().folders[&self.path(folder)]).unwrap();
            // Of this folder alone: what comes into others changes nothing.
            now = format!("{validity}.0.{state}");
        }
        let mut since = since.map(|since| since.split('.'));
        let mut part = || since.as_mut().and_then(|since| since.next()?.parse::<u32>().ok());
        let stands = part() == Some(validity) && part().is_some_and(|then| then <= last);
        let list_again = !stands;
        Ok(ChangeSet { changed: Vec::new(), removed: Vec::new(), next: now, more: false, list_again })
    }

    async fn fetch(&mut self, messages: &[MessageId], mut into: Box<dyn Delivery>) -> Result<()> {
        self.usable()?;
        for id in messages {
            let Some((_, mail)) = self.find(id) else {
                into.fail(id, not_found("message")).await;
                continue;
            };
            self.take_time().await;
            let wrong = self.wrong(&mail.token);
            let mut bytes = mail.bytes();
            if self.beta {
                bytes = [b"X-Written-Anew: yes\r\n".as_slice(), &bytes].concat();
            }
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            match wrong {
                Some(Wrong::LostBefore) => {
                    self.broken = true;
                    return Err(lost());
                }
                Some(Wrong::Gone) => {
                    into.fail(id, not_found("message")).await;
                    continue;
                }
                Some(Wrong::PassedOver) => continue,
                _ => {}
            }
            let begun =
                into.begin(id, DeliveryInfo { size: None, received: None, read: Some(mail.read) }).await;
            if let Err(error) = begun {
                self.broken = self.script.lock().unwrap().lost_when_refused;
                return Err(if self.broken { error.lost() } else { error });
            }
            if wrong == Some(Wrong::Empty) {
                into.end().await?;
                continue;
            }
            into.write(first).await?;
            match wrong {
                Some(Wrong::LostMidway) => {
                    self.broken = true;
                    return Err(lost());
                }
                Some(Wrong::Trap) => {
                    self.broken = true;
                    return Err(ConnectorError::new(ErrorKind::Fault, "the connector trapped").lost());
                }
                Some(Wrong::Bad) => {
                    into.write(rest).await?;
                    into.fail(id, ConnectorError::new(ErrorKind::BadMessage, "cannot be converted")).await;
                    continue;
                }
                Some(Wrong::Busy) => {
                    into.fail(id, ConnectorError::new(ErrorKind::Temporary, "the server is busy")).await;
                    continue;
                }
                Some(Wrong::NeverEnds) => return Ok(()),
                _ => {}
            }
            into.write(rest).await?;
            into.end().await?;
            let mut script = self.script.lock().unwrap();
            script.fetched.push(mail.token.clone());
            if let Some((count, stop)) = &script.stop_after
                && script.fetched.len() >= *count
            {
                stop.cancel();
            }
        }
        Ok(())
    }

    async fn move_messages(
        &mut self,
        messages: &[MessageId],
        target: &FolderId,
        _again: bool,
    ) -> Result<Vec<Outcome>> {
        self.usable()?;
        let script = self.script.lock().unwrap().clone();
        if script.move_denied {
            return Err(ConnectorError::new(ErrorKind::PermissionMissing, "moving is not allowed")
                .with_code("NOPERM"));
        }
        let target = self.path(target);
        if let Some((token, from, to)) = script.drag_before_move {
            self.script.lock().unwrap().drag_before_move = None;
            self.mailbox.drag(&token, &from, &to);
        }
        let mut outcomes = self.outcomes(messages, |_| {});
        for outcome in &mut outcomes {
            if self.change(&outcome.message, |world, path, index| world.put_elsewhere(path, index, &target)) {
                let mail = self.mailbox.world().folders[&target].last().cloned();
                outcome.new_id = mail.filter(|_| !script.move_untold).map(|mail| self.id(&mail));
            }
        }
        if script.move_unsaid {
            outcomes.pop();
        }
        Ok(outcomes)
    }

    async fn mark_messages(&mut self, messages: &[MessageId], read: bool) -> Result<Vec<Outcome>> {
        Ok(self.outcomes(messages, |id| {
            self.change(id, |world, path, index| world.folders.get_mut(path).unwrap()[index].read = read);
        }))
    }

    async fn delete_messages(&mut self, messages: &[MessageId]) -> Result<Vec<Outcome>> {
        Ok(self.outcomes(messages, |id| {
            self.change(id, |world, path, index| drop(world.folders.get_mut(path).unwrap().remove(index)));
        }))
    }

    async fn append(
        &mut self,
        _: &FolderId,
        _: Arc<dyn Source>,
        _: DeliveryInfo,
    ) -> Result<Option<MessageId>> {
        unreachable!("an import job appends nothing")
    }

    async fn send(&mut self, _: &Envelope, _: Arc<dyn Source>) -> std::result::Result<Receipt, SendError> {
        unreachable!("an import job sends nothing")
    }

    async fn find_sent(&mut self, _: &str) -> Result<Option<MessageSummary>> {
        unreachable!("an import job sends nothing")
    }

    async fn translate(
        &mut self,
        messages: &[MessageId],
        _: &str,
        _: &str,
    ) -> Result<Vec<Option<MessageId>>> {
        Ok(messages.iter().map(|_| None).collect())
    }

    async fn wait(&mut self, _: &FolderId, timeout_ms: u32) -> Result<Wake> {
        self.usable()?;
        let seen = self.seen.get_or_insert_with(|| self.mailbox.world().clone()).clone();
        if timeout_ms == 0 {
            if let Some(held) = &mut self.script.lock().unwrap().held {
                *held += 1;
            }
            while self.script.lock().unwrap().held.is_some() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            return Ok(Wake::TimedOut);
        }
        {
            let mut script = self.script.lock().unwrap();
            script.waits += 1;
            if script.waits_broken > 0 {
                script.waits_broken -= 1;
                self.broken = true;
                return Err(lost());
            }
            script.waiting += 1;
        }
        let changed = async {
            while *self.mailbox.world() == seen {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let wake = tokio::select! {
            () = changed => Wake::Changed,
            () = self.interrupt.cancelled() => Wake::Interrupted,
        };
        self.seen = Some(self.mailbox.world().clone());
        self.script.lock().unwrap().waiting -= 1;
        Ok(wake)
    }

    async fn close(self: Box<Self>) {}
}
