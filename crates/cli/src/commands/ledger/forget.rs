//! `wissel ledger forget`: lets a job import one message again.

use serde_json::json;
use wissel_model::LedgerState;
use wissel_store::{AuditRecord, LedgerQuery, LedgerRow};

use super::super::CommandResult;
use crate::context::{Context, actor};
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{form, output};

/// Rows that are looked through for a key; more share no beginning that a person would type.
const ROWS: u32 = 1_000;

/// Forgets the message whose key begins with `key`.
pub(super) async fn run(context: &Context, key: &str, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let row = find(context, key).await?;
    let job = store.job(row.job).await?.name;
    let refused = |next: String| {
        Problem::usage(
            format!("message {} is '{}' and cannot be forgotten", row.key, row.state.as_str()),
            &next,
        )
    };
    match row.state {
        LedgerState::Done | LedgerState::Baseline => {}
        LedgerState::Quarantined => {
            return Err(refused(format!("Use `wissel quarantine release {}`.", row.key)).into());
        }
        LedgerState::Filtered => {
            let job = format!(
                "The filter of its job left it out: `wissel job edit {}` changes the filter.",
                quoted(&job)
            );
            return Err(refused(job).into());
        }
        LedgerState::Reserved | LedgerState::Delivered => {
            return Err(refused(format!("A run finishes it: `wissel job run {}`.", quoted(&job))).into());
        }
    }
    let subject = row.subject.as_deref().or(row.internet_message_id.as_deref()).unwrap_or_default();
    let what = format!("the memory of message {} ('{subject}', job '{job}')", row.key);
    let lost = "The job imports it again, under a new key, as soon as it lies in an import folder.";
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    let record = AuditRecord {
        at: jiff::Timestamp::now(),
        actor: actor(),
        action: "ledger.forget".to_owned(),
        subject: row.key.to_string(),
        detail: json!({ "job": job, "state": row.state, "message_id": row.internet_message_id }),
    };
    store.forget_imported(row.key, &record).await?;
    if context.json {
        output::json(&json!({ "forgotten": row.key, "job": job }));
    } else {
        output::line(&context.language.pick(
            format!(
                "Message {} is forgotten. The next run of job '{job}' imports it again if it lies in an import folder; \
                 if the job has moved it, move it back first.",
                row.key
            ),
            format!(
                "Bericht {} is vergeten. De volgende keer dat taak '{job}' draait wordt het opnieuw ingelezen als het in \
                 een importmap ligt; heeft de taak het verplaatst, zet het dan eerst terug.",
                row.key
            ),
        ));
    }
    Ok(Code::Done)
}

/// The message whose key begins like this.
async fn find(context: &Context, key: &str) -> anyhow::Result<LedgerRow> {
    let wanted = key.to_ascii_lowercase();
    let query = LedgerQuery { text: Some(wanted.clone()), limit: ROWS, ..LedgerQuery::default() };
    let mut found = context.store().await?.ledger(&query).await?;
    found.retain(|row| !wanted.is_empty() && row.key.to_string().starts_with(&wanted));
    if found.len() > 1 {
        let next = "Give more of its key; `wissel ledger` shows them.";
        return Err(Problem::usage(
            format!("{} messages have a key that begins with '{key}'", found.len()),
            next,
        )
        .into());
    }
    found.pop().ok_or_else(|| {
        let next = "`wissel ledger --find TEXT` looks for a message by subject or Message-ID.";
        Problem::not_found(format!("no message of the ledger has the key '{key}'"), next).into()
    })
}
