//! A session of the mailbox in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use wissel_model::connector::{Envelope, Receipt, Result, SendError, Wake};
use wissel_model::message::ChangeSet;
use wissel_model::{
    ConnectorError, Delivery, DeliveryInfo, ErrorKind, Folder, FolderAddress, FolderId, FolderRole, Identity,
    MessageId, MessagePage, MessageSummary, OpenOptions, Outcome, PageRequest, Session, Source,
};

use crate::memory::{self, Flaw, Mail, Memory, error};

pub(crate) struct MemorySession {
    pub(crate) memory: Memory,
    pub(crate) options: OpenOptions,
    pub(crate) number: u32,
    /// Counts of folders as they were first seen.
    pub(crate) counts: BTreeMap<String, usize>,
}

fn not_found(what: &str) -> ConnectorError {
    let what: String = what.chars().filter(|c| !c.is_control()).collect();
    error(ErrorKind::NotFound, format!("there is no {what}"))
}

impl MemorySession {
    fn is(&self, flaw: Flaw) -> bool {
        self.memory.is(flaw)
    }

    fn declared(&self, operation: &str) -> Result<()> {
        match self.memory.undeclared.iter().any(|other| other == operation) {
            true => Err(error(ErrorKind::Unsupported, format!("no {operation}"))),
            false => Ok(()),
        }
    }

    fn show(&self, key: &str) -> Folder {
        let world = self.memory.world();
        let folder = &world.folders[key];
        let above = |other: &memory::Folder| folder.path.split_last().unwrap().1 == other.path;
        let prefix = if self.is(Flaw::IdsOfTheSession) { format!("{}-", self.number) } else { String::new() };
        let parent = world.folders.iter().find(|(_, other)| above(other)).map(|(key, _)| key.clone());
        let total = match self.is(Flaw::CountsAreOld) {
            true => self.counts.get(key).copied().unwrap_or(folder.mails.len()),
            false => folder.mails.len(),
        };
        Folder {
            id: format!("{prefix}{key}").into(),
            parent: parent.map(|key| format!("{prefix}{key}").into()),
            path: folder.path.clone(),
            role: folder.role.filter(|role| *role != FolderRole::Inbox || !self.is(Flaw::NoInbox)),
            total: Some(total as u32),
            unread: Some(folder.mails.iter().filter(|mail| !mail.read).count() as u32),
            holds_messages: true,
            has_children: world
                .folders
                .values()
                .any(|other| other.path.len() > folder.path.len() && other.path.starts_with(&folder.path)),
            denied: Vec::new(),
        }
    }

    fn key(&self, id: &FolderId) -> Result<String> {
        let prefix = if self.is(Flaw::IdsOfTheSession) { format!("{}-", self.number) } else { String::new() };
        let key = id.as_str().strip_prefix(&prefix).unwrap_or_default().to_owned();
        let there = self.memory.world().folders.contains_key(&key);
        there.then_some(key).ok_or_else(|| not_found(id.as_str()))
    }

    fn key_of_path(&self, path: &[String]) -> Option<String> {
        let case = self.is(Flaw::CaseCounts);
        let same = |a: &str, b: &str| a == b || !case && a.to_lowercase() == b.to_lowercase();
        let fits = |folder: &memory::Folder| {
            folder.path.len() == path.len() && folder.path.iter().zip(path).all(|(a, b)| same(a, b))
        };
        self.memory.world().folders.iter().find(|(_, folder)| fits(folder)).map(|(key, _)| key.clone())
    }

    /// Where a message is: the folder's key and its place.
    fn place(&self, id: &MessageId) -> Option<(String, usize)> {
        let (key, uid) = id.as_str().split_once('/')?;
        let uid: u32 = uid.parse().ok()?;
        let world = self.memory.world();
        let at = world.folders.get(key)?.mails.iter().position(|mail| mail.uid == uid)?;
        Some((key.to_owned(), at))
    }

    fn mail(&self, id: &MessageId) -> Option<Mail> {
        let (key, at) = self.place(id)?;
        Some(self.memory.world().folders[&key].mails[at].clone())
    }

    fn outcomes(
        &self,
        messages: &[MessageId],
        mut work: impl FnMut(&str, usize) -> Option<MessageId>,
    ) -> Vec<Outcome> {
        let outcomes = messages.iter().map(|id| {
            // What this connector made and is gone counts as done.
            let ours = id.as_str().split_once('/').is_some_and(|(_, uid)| uid.parse::<u32>().is_ok());
            let failure = (!ours).then(|| not_found("such message"));
            let new_id = self.place(id).and_then(|(key, at)| work(&key, at));
            Outcome { message: id.clone(), new_id, failure }
        });
        let outcomes = outcomes.collect();
        self.memory.changed.notify_waiters();
        outcomes
    }
}

#[async_trait]
impl Session for MemorySession {
    async fn check(&mut self) -> Result<Identity> {
        self.declared("check")?;
        match self.memory.flaw {
            Some(Flaw::Panics) => panic!("a flaw"),
            // Once: the rest of the run need not wait as well.
            Some(Flaw::Hangs) if !self.memory.hung.swap(true, Ordering::Relaxed) => {
                std::future::pending().await
            }
            Some(Flaw::CheckMakesAFolder) => {
                let name = format!("checked {}", self.memory.world().last);
                self.create_folder(&[name]).await?;
                self.memory.world().last += 1;
            }
            _ => {}
        }
        let hostile = if self.is(Flaw::HostileText) { "\u{1b}[31m<script>\"&'</script>" } else { "1" };
        let facts = vec![("Server".to_owned(), hostile.to_owned())];
        Ok(Identity { mailbox: "someone@example.invalid".to_owned(), facts, ..Identity::default() })
    }

    async fn folders(&mut self, under: Option<&FolderId>, recursive: bool) -> Result<Vec<Folder>> {
        self.declared("folders")?;
        let top = match under {
            Some(id) => {
                let key = self.key(id)?;
                self.memory.world().folders[&key].path.clone()
            }
            None => Vec::new(),
        };
        let recursive = recursive && !(self.is(Flaw::FoldersOfOneLevelOnly) && under.is_some());
        let below = |folder: &memory::Folder| {
            folder.path.starts_with(&top)
                && folder.path.len() > top.len()
                && (recursive || folder.path.len() == top.len() + 1)
        };
        let keys: Vec<String> = {
            let world = self.memory.world();
            world.folders.iter().filter(|(_, folder)| below(folder)).map(|(key, _)| key.clone()).collect()
        };
        Ok(keys.iter().map(|key| self.show(key)).collect())
    }

    async fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder> {
        self.declared("find-folder")?;
        let key = match at {
            FolderAddress::Id(id) => self.key(id)?,
            FolderAddress::Role(role) => {
                let world = self.memory.world();
                let found = world.folders.iter().find(|(_, folder)| folder.role == Some(*role));
                found.map(|(key, _)| key.clone()).ok_or_else(|| not_found(role.as_str()))?
            }
            FolderAddress::Path(path) => match self.key_of_path(path) {
                Some(key) => key,
                None if self.is(Flaw::NotFoundIsTemporary) => {
                    return Err(error(ErrorKind::Temporary, "no such folder"));
                }
                None => {
                    let missing = (1..=path.len()).find(|n| self.key_of_path(&path[..*n]).is_none());
                    return Err(not_found(&path[missing.unwrap_or(1) - 1]));
                }
            },
        };
        let count = self.memory.world().folders[&key].mails.len();
        self.counts.entry(key.clone()).or_insert(count);
        Ok(self.show(&key))
    }

    async fn create_folder(&mut self, path: &[String]) -> Result<Folder> {
        self.declared("create-folder")?;
        let mut path = path.to_vec();
        if self.is(Flaw::SlashMakesTwoFolders) {
            path = path.iter().flat_map(|name| name.split('/')).map(str::to_owned).collect();
        }
        if self.is(Flaw::AmpersandIsLost) {
            path = path.iter().map(|name| name.replace('&', "")).collect();
        }
        if let Some(key) = self.key_of_path(&path) {
            if self.is(Flaw::ExistingIsAnError) {
                return Err(error(ErrorKind::PermissionMissing, "it exists"));
            }
            return Ok(self.show(&key));
        }
        for depth in 1..=path.len() {
            if self.key_of_path(&path[..depth]).is_none() {
                let mut world = self.memory.world();
                world.last += 1;
                let key = format!("f{}", world.last);
                let folder = memory::Folder { path: path[..depth].to_vec(), role: None, mails: Vec::new() };
                world.folders.insert(key, folder);
            }
        }
        let key = self.key_of_path(&path).unwrap();
        Ok(self.show(&key))
    }

    async fn list_messages(&mut self, folder: &FolderId, page: &PageRequest) -> Result<MessagePage> {
        self.declared("list-messages")?;
        let key = self.key(folder)?;
        let mut mails = self.memory.world().folders[&key].mails.clone();
        if self.is(Flaw::NewestFirst) {
            mails.reverse();
        }
        let filtered = !self.is(Flaw::FilterOnTheFirstPageAlone) || page.after.is_none();
        let since = page.received_since;
        let late = |mail: &Mail| match self.memory.is(Flaw::SinceIsExclusive) {
            true => since.is_none_or(|since| mail.received > since),
            false => since.is_none_or(|since| mail.received >= since),
        };
        mails.retain(|mail| !filtered || (!(page.unread_only && mail.read) && late(mail)));
        let after: u32 = page.after.as_deref().and_then(|token| token.parse().ok()).unwrap_or(0);
        let size = (page.size as usize).clamp(1, 1_000);
        let by_number = self.is(Flaw::PagesByNumber) || self.is(Flaw::NewestFirst);
        let start = match self.memory.flaw {
            _ if by_number => after as usize,
            Some(Flaw::PagesOverlap) => {
                mails.iter().position(|mail| mail.uid >= after).unwrap_or(mails.len())
            }
            _ => mails.iter().position(|mail| mail.uid > after).unwrap_or(mails.len()),
        };
        let shown: Vec<Mail> = mails.iter().skip(start).take(size).cloned().collect();
        let last =
            if by_number { (start + size) as u32 } else { shown.last().map_or(after, |mail| mail.uid) };
        let more = mails.len() > start + size && !shown.is_empty();
        let mut next = more.then(|| last.to_string());
        if self.is(Flaw::EndlessPages) {
            next = Some(last.to_string());
        }
        if self.is(Flaw::SessionsShareTheListing) {
            let mut world = self.memory.world();
            if page.after.is_some() && world.shared_listing != self.number {
                return Err(error(ErrorKind::NotFound, "the listing is another session's"));
            }
            world.shared_listing = self.number;
        }
        let messages = shown.into_iter().map(|mail| MessageSummary {
            id: format!("{key}/{}", mail.uid).into(),
            internet_message_id: header(&mail.bytes, "Message-ID"),
            subject: None,
            sender: header(&mail.bytes, "From"),
            received: Some(mail.received),
            size: Some(mail.bytes.len() as u32),
            read: Some(mail.read),
        });
        Ok(MessagePage { messages: messages.collect(), next })
    }

    async fn changes(&mut self, folder: &FolderId, since: Option<&str>) -> Result<ChangeSet> {
        self.declared("changes")?;
        let key = self.key(folder)?;
        let world = self.memory.world();
        let next = format!("cursor-{}", world.last);
        let before: Option<u32> =
            since.and_then(|cursor| cursor.strip_prefix("cursor-")).and_then(|n| n.parse().ok());
        let id = |mail: &Mail| MessageId::from(format!("{key}/{}", mail.uid));
        let mails = &world.folders[&key].mails;
        let forgets = self.memory.is(Flaw::ForgetsWhatIsNew);
        let new = |mail: &&Mail| before.is_some_and(|before| mail.uid > before && !forgets);
        let changed = mails.iter().filter(new).map(id).collect();
        let stays =
            if self.memory.is(Flaw::ReportsWhatStays) { mails.iter().map(id).collect() } else { Vec::new() };
        let list_again = before.is_none() && !self.memory.is(Flaw::GarbageCursorIsCurrent);
        Ok(ChangeSet { changed, removed: stays, next, more: false, list_again })
    }

    async fn fetch(&mut self, messages: &[MessageId], mut into: Box<dyn Delivery>) -> Result<()> {
        self.declared("fetch")?;
        if self.is(Flaw::BeginsStrangers) {
            let _ = into.begin(&MessageId::from("stranger"), DeliveryInfo::default()).await;
        }
        for id in messages {
            let Some(mail) = self.mail(id) else {
                if self.is(Flaw::StopsAtAnUnknownId) {
                    return Err(not_found("such message"));
                }
                into.fail(id, not_found("such message")).await;
                continue;
            };
            let info = DeliveryInfo { size: None, received: Some(mail.received), read: Some(mail.read) };
            into.begin(id, info).await?;
            let mut bytes = mail.bytes.to_vec();
            if self.is(Flaw::LineEndsAreMended) && !bytes.ends_with(b"\r\n") {
                bytes.extend_from_slice(b"\r\n");
            }
            if self.is(Flaw::LargeIsCut) {
                bytes.truncate(1 << 20);
            }
            for chunk in bytes.chunks(4096) {
                into.write(chunk).await?;
            }
            if self.is(Flaw::NeverEnds) {
                return Ok(());
            }
            into.end().await?;
            if self.is(Flaw::FetchingMarks) {
                let (key, at) = self.place(id).unwrap();
                self.memory.world().folders.get_mut(&key).unwrap().mails[at].read = true;
            }
        }
        Ok(())
    }

    async fn move_messages(
        &mut self,
        messages: &[MessageId],
        target: &FolderId,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        self.declared("move-messages")?;
        let target = match self.key(target) {
            Err(_) if self.is(Flaw::MovesIntoNothing) => {
                return Ok(self.outcomes(messages, |key, at| {
                    self.memory.world().folders.get_mut(key).unwrap().mails.remove(at);
                    None
                }));
            }
            target => target?,
        };
        Ok(self.outcomes(messages, |key, at| {
            let mut world = self.memory.world();
            let mail = world.folders[key].mails[at].clone();
            let doubles = self.memory.is(Flaw::AgainDoubles) && !again;
            if !self.memory.is(Flaw::MoveCopies) && !doubles {
                world.folders.get_mut(key).unwrap().mails.remove(at);
            }
            world.last += 1;
            let uid = world.last;
            world.folders.get_mut(&target).unwrap().mails.push(Mail { uid, ..mail });
            Some(format!("{target}/{uid}").into())
        }))
    }

    async fn mark_messages(&mut self, messages: &[MessageId], read: bool) -> Result<Vec<Outcome>> {
        self.declared("mark-messages")?;
        let all = self.is(Flaw::MarksAll);
        Ok(self.outcomes(messages, |key, at| {
            let mut world = self.memory.world();
            let mails = &mut world.folders.get_mut(key).unwrap().mails;
            for (index, mail) in mails.iter_mut().enumerate() {
                if all || index == at {
                    mail.read = read;
                }
            }
            None
        }))
    }

    async fn delete_messages(&mut self, messages: &[MessageId]) -> Result<Vec<Outcome>> {
        self.declared("delete-messages")?;
        let neighbour = self.is(Flaw::DeletesTheNeighbour);
        Ok(self.outcomes(messages, |key, at| {
            let mut world = self.memory.world();
            let mails = &mut world.folders.get_mut(key).unwrap().mails;
            mails.remove(if neighbour { (at + 1) % mails.len() } else { at });
            None
        }))
    }

    async fn append(
        &mut self,
        folder: &FolderId,
        content: Arc<dyn Source>,
        info: DeliveryInfo,
    ) -> Result<Option<MessageId>> {
        self.declared("append")?;
        let key = self.key(folder)?;
        let bytes = Arc::new(content.read(0, content.size()).await?);
        let uid = {
            let mut world = self.memory.world();
            world.last += 1;
            let uid = world.last;
            let received = info.received.unwrap_or_default();
            let mail = Mail { uid, bytes, received, read: info.read == Some(true) };
            world.folders.get_mut(&key).unwrap().mails.push(mail);
            uid
        };
        self.memory.changed.notify_waiters();
        let told = if self.is(Flaw::GuessesIds) { uid + 1 } else { uid };
        Ok(Some(format!("{key}/{told}").into()))
    }

    async fn send(
        &mut self,
        envelope: &Envelope,
        _content: Arc<dyn Source>,
    ) -> std::result::Result<Receipt, SendError> {
        self.memory.world().sent.insert(envelope.internet_message_id.clone());
        let forgotten = self.is(Flaw::SendForgetsTheId);
        Ok(Receipt {
            message: None,
            answer: "taken".to_owned(),
            refused: Vec::new(),
            internet_message_id: if forgotten { String::new() } else { envelope.internet_message_id.clone() },
        })
    }

    async fn find_sent(&mut self, internet_message_id: &str) -> Result<Option<MessageSummary>> {
        self.declared("find-sent")?;
        let sent = self.memory.world().sent.contains(internet_message_id);
        Ok((sent || self.is(Flaw::FindsWhatWasNeverSent)).then(|| MessageSummary {
            id: "sent/1".into(),
            internet_message_id: Some(internet_message_id.to_owned()),
            subject: None,
            sender: None,
            received: None,
            size: None,
            read: None,
        }))
    }

    async fn translate(
        &mut self,
        messages: &[MessageId],
        source_form: &str,
        _target_form: &str,
    ) -> Result<Vec<Option<MessageId>>> {
        self.declared("translate")?;
        let translated = messages.iter().map(|id| match source_form {
            "plain" => self.place(id).map(|_| format!("other:{id}").into()),
            _ => id.as_str().strip_prefix("other:").map(MessageId::from),
        });
        let mut translated: Vec<_> = translated.collect();
        if self.is(Flaw::TranslatesInAnotherOrder) && source_form == "plain" {
            translated[..messages.len() - 1].reverse();
        }
        Ok(translated)
    }

    async fn wait(&mut self, folder: &FolderId, timeout_ms: u32) -> Result<Wake> {
        self.declared("wait")?;
        self.key(folder)?;
        let short = if self.is(Flaw::WaitsTooShort) { 10 } else { 1 };
        let timeout = Duration::from_millis(u64::from(timeout_ms / short));
        let (deaf, stubborn) = (self.is(Flaw::DeafToInterrupts), self.is(Flaw::DeafToCancels));
        let asleep = self.is(Flaw::NeverWakes);
        tokio::select! {
            () = self.memory.changed.notified(), if !asleep => Ok(Wake::Changed),
            () = self.options.interrupt.cancelled(), if !deaf => Ok(Wake::Interrupted),
            () = self.options.cancel.cancelled(), if !stubborn => Err(error(ErrorKind::Cancelled, "ended")),
            () = tokio::time::sleep(timeout) => Ok(Wake::TimedOut),
        }
    }

    async fn close(self: Box<Self>) {}
}

/// The value of a header field on one line.
fn header(bytes: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let prefix = format!("{name}: ");
    text.lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
}
