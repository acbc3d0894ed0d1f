//! Accounts and jobs as JSON documents show them. Keys are in `snake_case`, values of choices in `kebab-case`; secrets
//! are only said to be stored or missing.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use wissel_model::description::AuthMethod;
use wissel_model::expiry::{NEVER, days_left};
use wissel_model::secrets::field;
use wissel_model::{
    Account, ClientSecret, Cron, Description, Identity, ImportJob, OAuthClient, Pin, Proxy, Schedule, Stage,
};
use wissel_store::JobHealth;

use crate::account_status::Status;
use crate::authorization::Authorization;
use crate::{secret_expiry, spans};

/// An account with what is known of its secrets, field and whether one is stored, and with how it stands.
pub(crate) fn account(account: &Account, secrets: &[(String, bool)], status: &Status) -> Value {
    let secrets: Map<String, Value> = secrets
        .iter()
        .map(|(field, stored)| (field.clone(), json!(if *stored { "stored" } else { "missing" })))
        .collect();
    let connection = &account.connection;
    json!({
        "name": account.name,
        "id": account.id,
        "connector": account.connector,
        "auth": account.auth,
        "client": account.client.as_ref().map(|client| &client.name),
        "status": status.json(),
        "authorization": status.grant.as_ref().map(Authorization::view),
        "default": account.is_default,
        "settings": account.settings,
        "secrets": secrets,
        "connection": {
            "ca_file": connection.ca_file,
            "allow_untrusted_certificate": connection.allow_untrusted_certificate,
            "allow_clear_text": connection.allow_clear_text,
            "proxy": connection.proxy,
            "connect_timeout_seconds": connection.connect_timeout_seconds,
            "idle_timeout_seconds": connection.idle_timeout_seconds,
            "call_timeout_seconds": connection.call_timeout_seconds,
        },
    })
}

/// The secret fields of an account: those its auth method needs and those that are stored.
pub(crate) fn secret_fields(
    account: &Account,
    description: Option<&Description>,
    stored: &[String],
) -> Vec<(String, bool)> {
    let credential =
        description.and_then(|d| d.auth_method(&account.auth)).and_then(AuthMethod::secret_field);
    let proxied = account.connection.proxy.as_ref().is_some_and(Proxy::takes_password);
    let needed = credential.into_iter().chain(proxied.then_some(field::PROXY_PASSWORD));
    let missing =
        needed.filter(|field| !stored.iter().any(|s| s == field)).map(|field| (field.to_owned(), false));
    // A sign-in that waits for its answer is nothing that the account has.
    let kept = stored.iter().filter(|field| !field.starts_with(field::PENDING));
    kept.map(|field| (field.clone(), true)).chain(missing).collect()
}

/// An OAuth client with its secrets, and the names of the accounts that use it.
pub(crate) fn client(
    client: &OAuthClient,
    secrets: &[ClientSecret],
    accounts: &[String],
    now: Timestamp,
) -> Value {
    let secrets: Vec<Value> = secrets.iter().map(|secret| client_secret(secret, now)).collect();
    json!({
        "name": client.name,
        "id": client.id,
        "connector": client.connector,
        "settings": client.settings,
        "redirect": client.redirect,
        "accounts": accounts,
        "secrets": secrets,
    })
}

/// What is known of a client's secret.
pub(crate) fn client_secret(secret: &ClientSecret, now: Timestamp) -> Value {
    let ends = secret.expires.filter(|expires| *expires != NEVER);
    json!({
        "label": secret.label,
        "id": secret.id,
        "kind": secret.kind,
        "state": secret.state,
        "added": secret.added,
        "tested": secret.tested,
        "expires": ends,
        "expiry": if secret.expires == Some(NEVER) { "never".to_owned() } else { Stage::of(secret.expires, now).name() },
        "last_day": ends.map(|expires| secret_expiry::last_day(expires).to_string()),
        "days_left": ends.map(|expires| days_left(expires, now)),
    })
}

/// Who a session acts as.
pub(crate) fn identity(identity: &Identity) -> Value {
    let facts: Vec<Value> =
        identity.facts.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect();
    json!({
        "mailbox": identity.mailbox,
        "signed_in_as": identity.signed_in_as,
        "display_name": identity.display_name,
        "denied": identity.denied,
        "facts": facts,
    })
}

/// A job with how it fares and when it is due. Account names are given in the order of its accounts.
pub(crate) fn job(
    job: &ImportJob,
    accounts: &[String],
    health: &JobHealth,
    next_run: Option<Timestamp>,
) -> Value {
    let (interval, cron) = match &job.schedule {
        Some(Schedule::Every(seconds)) => (Some(seconds), None),
        Some(Schedule::Cron(cron)) => (None, Some(cron)),
        None => (None, None),
    };
    let places: Vec<Value> = job
        .accounts
        .iter()
        .zip(accounts)
        .map(|(place, account)| {
            json!({
                "account": account,
                "folder": place.folder.to_string(),
                "processed": place.processed.as_ref().map(ToString::to_string),
                "found_folder": pin(place.pin.as_ref()),
                "found_processed": pin(place.processed_pin.as_ref()),
            })
        })
        .collect();
    json!({
        "name": job.name,
        "id": job.id,
        "accounts": places,
        "subfolders": job.include_subfolders,
        "action": job.action,
        "create_processed": job.create_processed_folder,
        "unread_only": job.filter.unread_only,
        "from": job.filter.from,
        "subject": job.filter.subject,
        "with_attachment": job.filter.with_attachment,
        "attachment_names": job.filter.attachment_names,
        "newer_than": job.filter.newer_than.map(spans::newer_than_text),
        "directory": job.target.directory,
        "extract_attachments": job.target.extract_attachments,
        "interval_seconds": interval,
        "schedule": cron.map(Cron::expression),
        "time_zone": cron.map(Cron::time_zone),
        "next_run": next_run,
        "watch": job.watch,
        "enabled": job.enabled,
        "revision": job.revision,
        "health": health_view(health),
    })
}

fn health_view(health: &JobHealth) -> Value {
    json!({
        "last_success": health.last_success,
        "failing_since": health.failing_since,
        "reason": health.reason,
    })
}

fn pin(pin: Option<&Pin>) -> Option<String> {
    pin.map(|pin| pin.path.join("/"))
}
