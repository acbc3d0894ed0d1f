//! The documents of Microsoft Graph, as far as the connector reads them. Members that it does not know are passed over,
//! and of the known ones only ids must be there.

use serde::Deserialize;
use wissel_connector::serde_json::Value;
use wissel_connector::types::Message;

use crate::protocol::ids::Listed;

/// What is read of a folder.
pub(crate) const FOLDER_FIELDS: &str =
    "id,displayName,parentFolderId,childFolderCount,totalItemCount,unreadItemCount";

/// What is read of a message.
pub(crate) const MESSAGE_FIELDS: &str =
    "id,parentFolderId,internetMessageId,receivedDateTime,subject,from,isRead";

/// What is read of a message that changed.
pub(crate) const CHANGED_FIELDS: &str = "id,parentFolderId";

/// A page of a collection.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<T>,
    /// Where the collection goes on.
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
    /// Where the changes after this collection begin.
    #[serde(rename = "@odata.deltaLink")]
    pub(crate) delta: Option<String>,
}

/// A folder (`mailFolder`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FolderItem {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
    pub(crate) parent_folder_id: Option<String>,
    pub(crate) child_folder_count: Option<i64>,
    pub(crate) total_item_count: Option<i64>,
    pub(crate) unread_item_count: Option<i64>,
    #[serde(rename = "@odata.type")]
    pub(crate) kind: Option<String>,
}

impl FolderItem {
    /// A search folder shows messages that lie in other folders.
    pub(crate) fn is_search(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.ends_with("SearchFolder"))
    }
}

/// A resource of which only the id is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Identified {
    pub(crate) id: String,
}

/// Where a message lies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Placed {
    pub(crate) parent_folder_id: String,
}

/// A message after a move.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    pub(crate) id: String,
    pub(crate) parent_folder_id: Option<String>,
}

/// A message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageItem {
    pub(crate) id: String,
    pub(crate) parent_folder_id: Option<String>,
    pub(crate) internet_message_id: Option<String>,
    pub(crate) received_date_time: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) from: Option<Recipient>,
    pub(crate) is_read: Option<bool>,
}

/// A message of the changes of a folder.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedItem {
    pub(crate) id: String,
    pub(crate) parent_folder_id: Option<String>,
    #[serde(rename = "@removed")]
    pub(crate) removed: Option<Value>,
}

/// Who a message is from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recipient {
    email_address: Option<EmailAddress>,
}

#[derive(Debug, Deserialize)]
struct EmailAddress {
    name: Option<String>,
    address: Option<String>,
}

impl MessageItem {
    /// The message as one of a listing of `folder`.
    pub(crate) fn listed_in(self, folder: &str) -> Message {
        Message {
            id: Listed::write(&self.id, self.parent_folder_id.as_deref().unwrap_or(folder)),
            internet_message_id: self.internet_message_id.filter(|id| !id.is_empty()),
            subject: self.subject,
            sender: self.from.and_then(|from| from.email_address).and_then(sender),
            received: self.received_date_time,
            size: None,
            read: self.is_read,
        }
    }
}

impl ChangedItem {
    /// The id that the message has in a listing of `folder`.
    pub(crate) fn listed_in(&self, folder: &str) -> String {
        Listed::write(&self.id, self.parent_folder_id.as_deref().unwrap_or(folder))
    }
}

fn sender(EmailAddress { name, address }: EmailAddress) -> Option<String> {
    let (name, address) = (name.filter(|n| !n.is_empty()), address.filter(|a| !a.is_empty()));
    match (name, address) {
        (Some(name), Some(address)) if name != address => Some(format!("{name} <{address}>")),
        (Some(one), _) | (None, Some(one)) => Some(one),
        (None, None) => None,
    }
}

/// A user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) display_name: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) user_principal_name: Option<String>,
}

/// One id of `translateExchangeIds`; without a target when there is no such item.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Translated {
    pub(crate) source_id: Option<String>,
    pub(crate) target_id: Option<String>,
}

/// The answers of `$batch`.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswers {
    pub(crate) responses: Vec<BatchAnswer>,
}

/// One answer of `$batch`.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswer {
    pub(crate) id: String,
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) body: Value,
}
