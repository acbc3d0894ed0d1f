//! The operations of the contract, one call of the component each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wasmtime::Store;
use wasmtime::component::Resource;
use wissel_model::connector::{Certainty, Envelope, Receipt, Result, SendError, Wake};
use wissel_model::message::ChangeSet;
use wissel_model::{
    ConnectorError, Delivery, DeliveryInfo, Folder, FolderAddress, FolderId, Identity, MessageId,
    MessagePage, MessageSummary, Outcome, PageRequest, Session, Source,
};

use super::{Entry, WasmSession, guarded, stopped, with_reason};
use crate::bindings::exports::wissel::connector::email_account as wit;
use crate::capability::content::{DeliveryHandle, SourceHandle};
use crate::convert;
use crate::fault;
use crate::intake::Intake;
use crate::state::State;

/// How long a connector may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Calls `$method` of the session with these arguments.
macro_rules! method {
    ($method:ident $(, $arg:expr)*) => {
        async |store: &mut Store<State>, entry: &Entry| entry.guest.session().$method(store, entry.session $(, $arg)*).await
    };
}

fn texts(ids: &[MessageId]) -> Vec<String> {
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

#[async_trait]
impl Session for WasmSession {
    async fn check(&mut self) -> Result<Identity> {
        self.check_in().await
    }

    async fn folders(&mut self, under: Option<&FolderId>, recursive: bool) -> Result<Vec<Folder>> {
        let under = under.map(|id| id.as_str().to_owned());
        let run = method!(call_folders, under.as_ref(), recursive);
        self.call("folders", self.time, run, convert::folders).await
    }

    async fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder> {
        let at = convert::address(at);
        self.call("find-folder", self.time, method!(call_find_folder, &at), convert::folder).await
    }

    async fn create_folder(&mut self, path: &[String]) -> Result<Folder> {
        self.call("create-folder", self.time, method!(call_create_folder, path), convert::folder).await
    }

    async fn list_messages(&mut self, folder: &FolderId, page: &PageRequest) -> Result<MessagePage> {
        let (folder, page) = (folder.as_str().to_owned(), convert::page_request(page));
        let run = method!(call_list_messages, &folder, &page);
        self.call("list-messages", self.time, run, convert::page).await
    }

    async fn changes(&mut self, folder: &FolderId, since: Option<&str>) -> Result<ChangeSet> {
        let (folder, since) = (folder.as_str().to_owned(), since.map(str::to_owned));
        let run = method!(call_changes, &folder, since.as_ref());
        self.call("changes", self.time, run, convert::changes).await
    }

    async fn fetch(&mut self, messages: &[MessageId], into: Box<dyn Delivery>) -> Result<()> {
        let ids = texts(messages);
        let intake = Intake::new(into, messages);
        let run = async |store: &mut Store<State>, entry: &Entry| {
            let state = store.data_mut();
            state.intake = Some(intake);
            let handle = state.table.push(DeliveryHandle)?;
            let lent = Resource::new_borrow(handle.rep());
            let returned = entry.guest.session().call_fetch(&mut *store, entry.session, &ids, lent).await?;
            store.data_mut().table.delete(handle)?;
            Ok(returned)
        };
        self.call("fetch", self.time, run, Ok).await
    }

    async fn move_messages(
        &mut self,
        messages: &[MessageId],
        target: &FolderId,
        again: bool,
    ) -> Result<Vec<Outcome>> {
        let (ids, target) = (texts(messages), target.as_str().to_owned());
        let run = method!(call_move_messages, &ids, &target, again);
        self.call("move-messages", self.time, run, |o| convert::outcomes(o, messages)).await
    }

    async fn mark_messages(&mut self, messages: &[MessageId], read: bool) -> Result<Vec<Outcome>> {
        let ids = texts(messages);
        let run = method!(call_mark_messages, &ids, read);
        self.call("mark-messages", self.time, run, |o| convert::outcomes(o, messages)).await
    }

    async fn delete_messages(&mut self, messages: &[MessageId]) -> Result<Vec<Outcome>> {
        let ids = texts(messages);
        let run = method!(call_delete_messages, &ids);
        self.call("delete-messages", self.time, run, |o| convert::outcomes(o, messages)).await
    }

    async fn append(
        &mut self,
        folder: &FolderId,
        content: Arc<dyn Source>,
        info: DeliveryInfo,
    ) -> Result<Option<MessageId>> {
        let folder = folder.as_str().to_owned();
        let info = wit::DeliveryInfo {
            size: info.size,
            received: info.received.map(|moment| moment.to_string()),
            read: info.read,
        };
        let run = async |store: &mut Store<State>, entry: &Entry| {
            let handle = store.data_mut().table.push(SourceHandle(content))?;
            let lent = Resource::new_borrow(handle.rep());
            let session = entry.guest.session();
            let returned = session.call_append(&mut *store, entry.session, &folder, lent, &info).await?;
            store.data_mut().table.delete(handle)?;
            Ok(returned)
        };
        self.call("append", self.time, run, convert::optional_id).await
    }

    async fn send(
        &mut self,
        envelope: &Envelope,
        content: Arc<dyn Source>,
    ) -> std::result::Result<Receipt, SendError> {
        let envelope = wit::Envelope {
            sender: envelope.sender.clone(),
            recipients: envelope.recipients.clone(),
            internet_message_id: envelope.internet_message_id.clone(),
            save_copy: envelope.save_copy,
        };
        // Nothing was sent by a session that is lost already, or that cannot send at all.
        let entered = self.live.is_ok() && self.description.supports("send");
        let run = async |store: &mut Store<State>, entry: &Entry| {
            let handle = store.data_mut().table.push(SourceHandle(content))?;
            let lent = Resource::new_borrow(handle.rep());
            let returned =
                entry.guest.session().call_send(&mut *store, entry.session, &envelope, lent).await?;
            store.data_mut().table.delete(handle)?;
            Ok(returned)
        };
        let certainty = if entered { Certainty::Unknown } else { Certainty::NotSent };
        let failed = |reason: ConnectorError| SendError { certainty, reason, refused: Vec::new() };
        self.introduce().await.map_err(|reason| SendError {
            certainty: Certainty::NotSent,
            reason,
            refused: Vec::new(),
        })?;
        let (live, returned) = self.run("send", self.time, run).await.map_err(failed)?;
        let stopped = stopped(live.store.data());
        self.live = Ok(live);
        match returned {
            Ok(receipt) => convert::receipt(receipt).map_err(|breach| {
                let error = fault::breached(&self.description.name, "send", &breach);
                self.live = Err(error.clone());
                failed(error)
            }),
            Err(failure) => {
                let failure = convert::send_error(failure);
                Err(SendError { reason: with_reason(failure.reason, stopped), ..failure })
            }
        }
    }

    async fn find_sent(&mut self, internet_message_id: &str) -> Result<Option<MessageSummary>> {
        let id = internet_message_id.to_owned();
        let check = |found: Option<wit::Message>| found.map(convert::message).transpose();
        self.call("find-sent", self.time, method!(call_find_sent, &id), check).await
    }

    async fn translate(
        &mut self,
        messages: &[MessageId],
        source_form: &str,
        target_form: &str,
    ) -> Result<Vec<Option<MessageId>>> {
        let (ids, source, target) = (texts(messages), source_form.to_owned(), target_form.to_owned());
        let run = method!(call_translate, &ids, &source, &target);
        self.call("translate", self.time, run, |found| convert::translated(found, messages.len())).await
    }

    async fn wait(&mut self, folder: &FolderId, timeout_ms: u32) -> Result<Wake> {
        let folder = folder.as_str().to_owned();
        let time = self.time + Duration::from_millis(timeout_ms.into());
        self.call("wait", time, method!(call_wait, &folder, timeout_ms), |w| Ok(convert::wake(w))).await
    }

    async fn close(self: Box<Self>) {
        let Ok(mut live) = self.live else { return };
        let entry = live.entry.clone();
        let goodbye =
            async |store: &mut Store<State>| entry.guest.session().call_close(store, entry.session).await;
        if let Err(trap) = guarded(&mut live.store, GOODBYE, goodbye).await {
            let state = live.store.data();
            fault::trapped(&self.description.name, "close", &trap, &state.meter);
        }
    }
}
