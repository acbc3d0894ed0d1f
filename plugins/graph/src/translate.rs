//! Translating ids from one format into another (`translateExchangeIds`), so that a ledger can follow a mailbox from one
//! connector to another. Into the form of listings, each message is looked up for its folder.

use std::collections::HashMap;

use wissel_connector::serde_json::json;
use wissel_connector::{Error, ErrorKind, Result};

use crate::check::USER_READ;
use crate::protocol::documents::{Page, Translated};
use crate::protocol::ids::Listed;
use crate::session::GraphSession;

/// The form of listings, and of all other operations: the service's immutable id with the folder.
const LISTED: &str = "restImmutableEntryIdInFolder";

/// The service's form that listings are made of.
const IMMUTABLE: &str = "restImmutableEntryId";

/// The formats: that of listings, and the service's own.
pub(crate) const FORMS: [&str; 6] = [LISTED, IMMUTABLE, "restId", "entryId", "ewsId", "immutableEntryId"];

/// Ids in one request.
const MOST: usize = 1_000;

impl GraphSession {
    pub(crate) fn translate_all(
        &mut self,
        messages: &[String],
        source: &str,
        target: &str,
    ) -> Result<Vec<Option<String>>> {
        if let Some(unknown) = [source, target].into_iter().find(|form| !FORMS.contains(form)) {
            return Err(Error::unsupported(format!("there is no id format `{unknown}`")));
        }
        let bare = |id: &String| match source {
            LISTED => Listed::read(id).ok().map(|listed| listed.message.to_owned()),
            _ => Some(id.clone()),
        };
        let found: Vec<Option<String>> = messages.iter().map(bare).collect();
        let of_service = |form| if form == LISTED { IMMUTABLE } else { form };
        let found = self.exchange(found, of_service(source), of_service(target))?;
        if target == LISTED { self.in_their_folders(found) } else { Ok(found) }
    }

    /// Translates from one of the service's forms into another.
    fn exchange(&self, ids: Vec<Option<String>>, source: &str, target: &str) -> Result<Vec<Option<String>>> {
        if source == target {
            return Ok(ids);
        }
        let url = self.service.url("/translateExchangeIds");
        let mut translated = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MOST) {
            let asked: Vec<&String> = chunk.iter().flatten().collect();
            let mut found: HashMap<String, String> = HashMap::new();
            if !asked.is_empty() {
                let body = json!({ "inputIds": asked, "sourceIdType": source, "targetIdType": target });
                let answer: Result<Page<Translated>> =
                    self.service.call("POST", &url, Some(&body), true, "translate the ids");
                let page = answer.map_err(|error| self.explained(error))?;
                // Each answer names its id; their order is nowhere promised.
                found.extend(page.value.into_iter().filter_map(|one| Some((one.source_id?, one.target_id?))));
                found.retain(|_, target| !target.is_empty());
            }
            translated.extend(chunk.iter().map(|id| found.get(id.as_ref()?).cloned()));
        }
        Ok(translated)
    }

    /// The form of listings of the messages with these immutable ids; none of those that are nowhere.
    fn in_their_folders(&self, ids: Vec<Option<String>>) -> Result<Vec<Option<String>>> {
        let asked: Vec<String> = ids.iter().flatten().cloned().collect();
        let (mut folders, mut failed) = (HashMap::new(), None);
        self.look_up(&asked, |id, parent| match parent {
            Ok(folder) => {
                folders.insert(id.to_owned(), folder);
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => failed = Some(error),
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(ids
                .into_iter()
                .map(|id| id.and_then(|id| Some(Listed::write(&id, folders.get(&id)?))))
                .collect()),
        }
    }

    fn explained(&self, error: Error) -> Error {
        if error.kind != ErrorKind::PermissionMissing {
            return error;
        }
        let permission = match (self.is_application, &self.service.mailbox) {
            (true, _) => "application permission User.Read.All".to_owned(),
            (false, None) => format!("delegated permission {USER_READ}"),
            (false, Some(_)) => {
                format!(
                    "delegated permission {USER_READ}, or User.ReadBasic.All for a mailbox that is not one's own,"
                )
            }
        };
        let message =
            format!("cannot translate the ids: missing is the {permission} of the app registration");
        Error { message, ..error }
    }
}
