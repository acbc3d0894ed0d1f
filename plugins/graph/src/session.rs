//! A session: what it keeps between operations, and which file does which operation. All that it keeps is which folders
//! are the well-known ones; everything else is asked anew.

use wissel_connector::types::{
    ChangeSet, Folder, FolderAddress, Identity, MessagePage, Outcome, PageRequest,
};
use wissel_connector::{Delivery, Error, Host, Result, Session, Settings};

use crate::folders::Roles;
use crate::service::Service;

/// A session.
pub struct GraphSession {
    pub(crate) service: Service,
    /// An application works here, with no user behind it.
    pub(crate) is_application: bool,
    /// The cloud can delete for good; elsewhere messages go to Deleted Items.
    pub(crate) deletes_for_good: bool,
    /// Which folders are the well-known ones.
    pub(crate) roles: Option<Roles>,
}

impl GraphSession {
    pub(crate) fn open(host: Host, settings: &Settings) -> Result<Self> {
        // The description says that an application signs in under its client id.
        let is_application =
            settings.get("client-id").is_some_and(|id| id.eq_ignore_ascii_case(&host.user()));
        let service = Service::new(host, settings)?;
        if is_application && service.mailbox.is_none() {
            return Err(Error::invalid_setting(
                "mailbox",
                "an application has no mailbox of its own: give the address of the one to work in, in the setting \
                 `mailbox`",
            ));
        }
        // Microsoft Graph, "message: permanentDelete": in the worldwide cloud alone.
        let deletes_for_good = matches!(settings.get("cloud"), None | Some("global"));
        Ok(Self { service, is_application, deletes_for_good, roles: None })
    }
}

impl Session for GraphSession {
    fn check(&mut self) -> Result<Identity> {
        self.identity()
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

    /// Each move looks first where the messages are, so a repeated one is like any other.
    fn move_messages(&mut self, messages: &[String], target: &str, _again: bool) -> Result<Vec<Outcome>> {
        self.move_all(messages, target)
    }

    fn mark_messages(&mut self, messages: &[String], read: bool) -> Result<Vec<Outcome>> {
        self.mark_all(messages, read)
    }

    fn delete_messages(&mut self, messages: &[String]) -> Result<Vec<Outcome>> {
        self.delete_all(messages)
    }

    fn translate(&mut self, messages: &[String], source: &str, target: &str) -> Result<Vec<Option<String>>> {
        self.translate_all(messages, source, target)
    }
}
