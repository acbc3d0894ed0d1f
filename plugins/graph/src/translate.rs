//! Translating ids from one format into another (`translateExchangeIds`), so that a ledger can follow a mailbox from one
//! connector to another.

use std::collections::HashMap;

use wissel_connector::serde_json::json;
use wissel_connector::{Error, ErrorKind, Result};

use crate::check::USER_READ;
use crate::protocol::documents::{Page, Translated};
use crate::session::GraphSession;

/// The formats. Listings, and all other operations, have the first.
pub(crate) const FORMS: [&str; 5] =
    ["restImmutableEntryId", "restId", "entryId", "ewsId", "immutableEntryId"];

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
        let url = self.service.url("/translateExchangeIds");
        let mut translated = Vec::with_capacity(messages.len());
        for chunk in messages.chunks(MOST) {
            let body = json!({ "inputIds": chunk, "sourceIdType": source, "targetIdType": target });
            let answer: Result<Page<Translated>> =
                self.service.call("POST", &url, Some(&body), true, "translate the ids");
            let page = answer.map_err(|error| self.explained(error))?;
            // Each answer names its id; their order is nowhere promised.
            let mut found: HashMap<String, String> =
                page.value.into_iter().filter_map(|one| Some((one.source_id?, one.target_id?))).collect();
            found.retain(|_, target| !target.is_empty());
            translated.extend(chunk.iter().map(|id| found.get(id).cloned()));
        }
        Ok(translated)
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
