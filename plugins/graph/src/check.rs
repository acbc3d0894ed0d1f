//! Who is signed in, in which mailbox, and which right is missing. Only asks; changes nothing.

use wissel_connector::types::Identity;
use wissel_connector::{Error, ErrorKind, Result};

use crate::protocol::documents::{FOLDER_FIELDS, FolderItem, User};
use crate::session::GraphSession;

/// The permission that `/me` and `translateExchangeIds` need.
pub(crate) const USER_READ: &str = "User.Read";

impl GraphSession {
    pub(crate) fn identity(&mut self) -> Result<Identity> {
        let mut facts = Vec::new();
        let mut denied = Vec::new();
        let user = match self.is_application {
            true => None,
            false => self.user()?,
        };
        let user_name = user.as_ref().and_then(|u| u.mail.clone().or(u.user_principal_name.clone()));
        let inbox = self.inbox(user_name.as_deref())?;
        let display = inbox.display_name.unwrap_or_default().replace(char::is_control, " ");
        let (total, unread) =
            (inbox.total_item_count.unwrap_or_default(), inbox.unread_item_count.unwrap_or_default());
        facts.push((
            "Inbox".to_owned(),
            format!("{display}: {total} {}, {unread} unread", if total == 1 { "item" } else { "items" }),
        ));
        if self.is_application {
            facts.push(("Signs in as".to_owned(), "an application, without a user".to_owned()));
        } else if user.is_none() {
            denied.push("translate".to_owned());
            let what = format!(
                "missing is the permission {USER_READ}: who is signed in is not known, and ids cannot be translated"
            );
            facts.push((USER_READ.to_owned(), what));
        }
        let own = |mailbox: &str| {
            let names = user.as_ref().map(|u| [u.mail.as_deref(), u.user_principal_name.as_deref()]);
            names.is_some_and(|names| {
                names.iter().flatten().any(|name| name.to_lowercase() == mailbox.to_lowercase())
            })
        };
        let signed_in = user_name.clone().or_else(|| self.known_user());
        let (mailbox, signed_in_as) = match (&self.service.mailbox, user_name) {
            (Some(mailbox), user_name) if own(mailbox) => {
                (user_name.unwrap_or_else(|| mailbox.clone()), None)
            }
            (Some(mailbox), _) => (mailbox.clone(), signed_in.filter(|user| user != mailbox)),
            (None, Some(user_name)) => (user_name, None),
            // The folder is the mailbox's own, and always the same.
            (None, None) => {
                (signed_in.unwrap_or_else(|| format!("the mailbox of folder {}", inbox.id)), None)
            }
        };
        let display_name = user.and_then(|u| u.display_name).filter(|_| signed_in_as.is_none());
        Ok(Identity { mailbox, signed_in_as, display_name, denied, facts })
    }

    /// What the host knows of the user; not a name for an address of its own.
    fn known_user(&self) -> Option<String> {
        Some(self.service.host.user()).filter(|user| !user.is_empty())
    }

    /// The signed-in user; none when the sign-in may not ask.
    fn user(&self) -> Result<Option<User>> {
        let url = self.service.url_outside("/me?$select=displayName,mail,userPrincipalName");
        match self.service.get(&url, "find out who is signed in") {
            Ok(user) => Ok(Some(user)),
            Err(error) if error.kind == ErrorKind::PermissionMissing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The inbox, which everybody who may work in a mailbox may see.
    fn inbox(&self, user: Option<&str>) -> Result<FolderItem> {
        let url = self.service.url(&format!("/mailFolders/inbox?$select={FOLDER_FIELDS}"));
        let whose = self.service.mailbox.as_deref();
        let doing = match whose {
            Some(mailbox) => format!("open the mailbox {mailbox}"),
            None => "open the signed-in user's mailbox".to_owned(),
        };
        self.service.get(&url, &doing).map_err(|error: Error| match (error.kind, whose) {
            (ErrorKind::PermissionMissing, Some(mailbox)) => {
                let who = match (self.is_application, user) {
                    (true, _) => "the application".to_owned(),
                    (false, Some(user)) => user.to_owned(),
                    (false, None) => "the signed-in user".to_owned(),
                };
                Error { message: missing(&who, mailbox, self.is_application), ..error }
            }
            // A folder that every mailbox has: it is the mailbox that is not there.
            (ErrorKind::NotFound, _) => {
                Error { kind: ErrorKind::InvalidSetting, setting: Some("mailbox".to_owned()), ..error }
            }
            _ => error,
        })
    }
}

/// Which right is missing, by the names of the admin centres.
fn missing(who: &str, mailbox: &str, is_application: bool) -> String {
    if is_application {
        return format!(
            "{who} may not open the mailbox {mailbox}: missing is the application permission Mail.ReadWrite with admin \
             consent, or the mailbox is outside of what RBAC for Applications allows it"
        );
    }
    format!(
        "{who} may not open the mailbox {mailbox}: missing is the right Full Access (Read and manage) in the Exchange \
         admin center, Recipients > Mailboxes > {mailbox} > Mailbox delegation, or the delegated permission \
         Mail.ReadWrite.Shared of the app registration"
    )
}
