//! A signed-in session: what it keeps between operations, and which file does which operation.

use wissel_connector::types::{
    ChangeSet, DeliveryInfo, Folder, FolderAddress, Identity, MessagePage, Outcome, PageRequest, Wake,
};
use wissel_connector::{Delivery, Error, ErrorKind, Host, Result, Session, Settings, Source};

use crate::connection::{Collect, Connection};
use crate::listing::Listing;
use crate::protocol::names;
use crate::protocol::types::command::CommandBody;
use crate::protocol::types::response::Data;
use crate::select::{Purpose, Selected, read_only, select, validity_changed};
use crate::sign_in::{Server, sign_in};
use crate::tree::Tree;

/// A session.
pub struct ImapSession {
    pub(crate) connection: Connection,
    pub(crate) server: Server,
    /// The mailbox that is worked on, when it is not the user's own.
    mailbox: Option<String>,
    pub(crate) selected: Option<Selected>,
    /// The folders as they were listed last.
    pub(crate) tree: Option<Tree>,
    /// The listing that pages are being taken from.
    pub(crate) listing: Option<Listing>,
}

impl ImapSession {
    pub(crate) fn open(host: Host, settings: &Settings) -> Result<Self> {
        let mailbox = settings.get("mailbox").map(str::to_owned);
        let (connection, server) = sign_in(&host, mailbox.as_deref())?;
        Ok(Self { connection, server, mailbox, selected: None, tree: None, listing: None })
    }

    /// Opens the folder unless it is open in a way that serves the purpose.
    pub(crate) fn select(&mut self, folder: &str, purpose: Purpose) -> Result<&mut Selected> {
        let open = self.selected.take();
        let fits = |s: &Selected| s.folder == folder && (s.for_writing || purpose == Purpose::Read);
        let selected = match open.filter(fits) {
            Some(selected) => selected,
            None => match select(&mut self.connection, folder, purpose) {
                Ok(selected) => selected,
                Err(error) => return Err(self.gone_or(error, folder)),
            },
        };
        Ok(self.selected.insert(selected))
    }

    /// `not-found` where a folder did not open because it is not there; else the error. Many servers refuse both with a NO
    /// that has no code, and only LIST tells the difference.
    fn gone_or(&mut self, error: Error, folder: &str) -> Error {
        if error.is_final() || error.kind != ErrorKind::Temporary || error.code.is_some() {
            return error;
        }
        match self.load_tree(false) {
            Ok(tree) if tree.by_id(folder).is_none() => Error::not_found(error.message),
            _ => error,
        }
    }

    /// Opens the folder for messages that were listed under this UIDVALIDITY.
    pub(crate) fn select_valid(&mut self, folder: &str, validity: u32, purpose: Purpose) -> Result<()> {
        let selected = self.select(folder, purpose)?;
        if selected.validity != validity {
            return Err(validity_changed(folder));
        }
        if purpose == Purpose::Write && selected.read_only {
            return Err(read_only(folder));
        }
        Ok(())
    }

    fn quota(&mut self) -> Result<Option<String>> {
        let mailbox = names::mailbox("INBOX", self.connection.utf8)?;
        let mut answer = Collect::default();
        match self.connection.run(CommandBody::GetQuotaRoot { mailbox }, "tell the quota", &mut answer) {
            Err(error) if error.is_final() => return Err(error),
            _ => {}
        }
        let quotas = answer.data.iter().filter_map(|data| match data {
            Data::Quota { quotas, .. } => quotas.as_ref().first(),
            _ => None,
        });
        Ok(quotas.map(|q| format!("{} {} of {}", q.resource, q.usage, q.limit)).next())
    }
}

impl Session for ImapSession {
    fn close(&mut self) {
        // LOGOUT without waiting for the answer: the host closes the connection as soon as it is sent.
        if let Ok(_sent) = self.connection.send(CommandBody::Logout, "say goodbye") {
            let _ = self.connection.stream.flush();
        }
        self.connection.stream.close();
    }

    fn check(&mut self) -> Result<Identity> {
        let user = self.connection.host.user();
        let mut facts = Vec::new();
        if let Some(software) = &self.server.software {
            facts.push(("Server".to_owned(), software.clone()));
        }
        let useful = ["MOVE", "UIDPLUS", "IDLE", "CONDSTORE", "SPECIAL-USE", "LIST-STATUS", "ACL", "QUOTA"];
        let offered: Vec<_> = useful.into_iter().filter(|c| self.connection.offers(c)).collect();
        facts.push(("Capabilities".to_owned(), offered.join(" ")));
        if self.connection.offers("QUOTA")
            && let Some(quota) = self.quota()?
        {
            facts.push(("Quota".to_owned(), quota));
        }
        let (mailbox, signed_in_as) = match self.mailbox.clone() {
            Some(mailbox) => (mailbox, Some(user)),
            None => (user, None),
        };
        Ok(Identity { mailbox, signed_in_as, display_name: None, denied: Vec::new(), facts })
    }

    fn folders(&mut self, under: Option<&str>, recursive: bool) -> Result<Vec<Folder>> {
        self.list_folders(under, recursive)
    }

    fn find_folder(&mut self, at: &FolderAddress) -> Result<Folder> {
        self.find(at)
    }

    fn create_folder(&mut self, path: &[String]) -> Result<Folder> {
        self.create(path)
    }

    fn list_messages(&mut self, folder: &str, page: &PageRequest) -> Result<MessagePage> {
        self.list(folder, page)
    }

    fn changes(&mut self, folder: &str, since: Option<&str>) -> Result<ChangeSet> {
        self.changes_since(folder, since)
    }

    fn fetch(&mut self, messages: &[String], into: &dyn Delivery) -> Result<()> {
        self.fetch_all(messages, into)
    }

    fn move_messages(&mut self, messages: &[String], target: &str, again: bool) -> Result<Vec<Outcome>> {
        self.move_all(messages, target, again)
    }

    fn mark_messages(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        self.mark_all(messages, read)
    }

    fn delete_messages(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        self.delete_all(messages)
    }

    fn append(&mut self, folder: &str, content: &dyn Source, info: &DeliveryInfo) -> Result<Option<String>> {
        self.append_message(folder, content, info)
    }

    fn wait(&mut self, folder: &str, timeout_ms: u32) -> Result<Wake> {
        self.wait_for_change(folder, timeout_ms)
    }
}
