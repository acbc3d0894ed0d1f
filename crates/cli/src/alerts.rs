//! Tells people away from the terminal: gathers what they should know, and hands it to every alert channel once. What a
//! channel was told is remembered in the store; one that could not be reached is tried again the next time.
//!
//! A process that dies between telling and remembering tells it again: the alert's id is the same then.

mod command;
mod webhook;

use std::time::Duration;

pub(crate) use webhook::check_signing_key;

use jiff::Timestamp;
use serde_json::json;
use wissel_model::alert::Severity;
use wissel_model::expiry::{NEVER, days_left};
use wissel_model::{Alert, AlertChannel, AlertTarget, SecretState, Stage, clock};

use crate::context::Context;
use crate::refusals::{self, Refusal};
use crate::secret_expiry;

/// The kind of an alert about a client's secret that ends.
pub(crate) const SECRET_EXPIRY: &str = "secret-expiry";
/// The kind of an alert about a client, or its secret, that the provider refuses.
const CLIENT_REFUSED: &str = "client-refused";
/// The kind of an alert about an account that the provider lets in no more.
const ACCOUNT_REFUSED: &str = "account-refused";

/// How a channel took an alert.
pub(crate) struct Told {
    pub(crate) channel: String,
    pub(crate) alert: String,
    /// Why not, when it could not be told.
    pub(crate) failure: Option<String>,
}

/// Everything that a person should know now: which secrets in use of OAuth clients end, and what providers refuse.
pub(crate) async fn gather(context: &Context) -> anyhow::Result<Vec<Alert>> {
    let store = context.store().await?;
    let now = clock::now();
    let mut alerts = Vec::new();
    let mut refused = refusals::all(context).await?;
    for client in store.clients().await? {
        for secret in store.client_secrets(client.id).await? {
            let stage = Stage::of(secret.expires, now);
            if secret.state != SecretState::InUse {
                continue;
            }
            if stage == Stage::Expired {
                // That it is refused is no news.
                refused.clients.remove(&client.id);
            }
            let Some((message, next)) = secret_expiry::warning(&client.name, &secret, now, context.language)
            else {
                continue;
            };
            let ends = secret.expires.filter(|expires| *expires != NEVER);
            // Another end, once it is corrected, is told anew.
            let end = ends.map_or_else(|| "unknown".to_owned(), |ends| ends.as_second().to_string());
            alerts.push(Alert {
                id: format!("{SECRET_EXPIRY}:{}:{end}:{}", secret.id, stage.name()),
                kind: SECRET_EXPIRY.to_owned(),
                severity: if stage == Stage::Expired { Severity::Critical } else { Severity::Warning },
                at: now,
                subject: client.name.clone(),
                message,
                next,
                detail: json!({
                    "client": client.name,
                    "secret": secret.label,
                    "stage": stage.name(),
                    "expires": ends,
                    "days_left": ends.map(|ends| days_left(ends, now)),
                    "accounts": store.accounts_of_client(client.id).await?,
                }),
            });
        }
        if let Some(refusal) = refused.clients.remove(&client.id) {
            alerts.push(refusal_of(CLIENT_REFUSED, &client.id.to_string(), &client.name, refusal, now));
        }
    }
    for (account, refusal) in refused.accounts {
        alerts.push(refusal_of(ACCOUNT_REFUSED, &account.id.to_string(), &account.name, refusal, now));
    }
    Ok(alerts)
}

/// The alert about what a provider refuses: another code, or the same once more after it was well, is told anew.
fn refusal_of(kind: &str, id: &str, subject: &str, refusal: Refusal, now: Timestamp) -> Alert {
    let detail = refusal.view();
    Alert {
        id: format!("{kind}:{id}:{}:{}", refusal.code, refusal.since.as_second()),
        kind: kind.to_owned(),
        severity: Severity::Critical,
        at: now,
        subject: subject.to_owned(),
        message: refusal.message,
        next: refusal.next,
        detail,
    }
}

/// Tells every channel what it was not told yet.
pub(crate) async fn tell(context: &Context, alerts: &[Alert]) -> anyhow::Result<Vec<Told>> {
    let store = context.store().await?;
    let mut told = Vec::new();
    for channel in store.alert_channels().await? {
        for alert in alerts {
            if store.was_told(channel.id, &alert.id).await? {
                continue;
            }
            let failure = send(context, &channel, alert).await.err();
            if failure.is_none() {
                store.told(channel.id, &alert.id, Timestamp::now()).await?;
            }
            told.push(Told { channel: channel.name.clone(), alert: alert.message.clone(), failure });
        }
    }
    Ok(told)
}

/// Hands an alert to a channel; tells why that failed, without the channel's address and key.
pub(crate) async fn send(context: &Context, channel: &AlertChannel, alert: &Alert) -> Result<(), String> {
    let limit = Duration::from_secs(channel.time_limit_seconds.into());
    let body = serde_json::to_vec(&document(alert)).map_err(|error| error.to_string())?;
    let sent = async {
        match &channel.target {
            AlertTarget::Command(command) => command::run(command, &body).await,
            AlertTarget::Webhook { url, ca_file } => {
                let key = webhook::key(context, channel.id).await?;
                webhook::post(url, ca_file.as_deref(), key.as_ref(), alert, body).await
            }
        }
    };
    match tokio::time::timeout(limit, sent).await {
        Ok(sent) => sent,
        Err(_) => Err(format!("it took longer than {} seconds", limit.as_secs())),
    }
}

/// What a channel receives.
fn document(alert: &Alert) -> serde_json::Value {
    json!({
        "version": 1,
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "at": alert.at,
        "subject": alert.subject,
        "message": alert.message,
        "next": alert.next,
        "detail": alert.detail,
    })
}

/// Gathers and tells from time to time until asked to stop: the part of the service. What is the matter is logged once
/// in the life of a service, and again when it gets nearer.
pub(crate) async fn watch(context: &Context) {
    const EVERY: Duration = Duration::from_secs(600);
    let mut logged = std::collections::HashSet::new();
    loop {
        // A channel takes its time: who asks to stop does not wait for it. It is told the next time then.
        tokio::select! {
            () = context.stop.cancelled() => return,
            looked = look(context, &mut logged) => {
                if let Err(error) = looked {
                    tracing::error!("what has to be told cannot be read: {error}");
                }
            }
        }
        tokio::select! {
            () = context.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn look(context: &Context, logged: &mut std::collections::HashSet<String>) -> anyhow::Result<()> {
    let alerts = gather(context).await?;
    for alert in &alerts {
        if logged.insert(alert.id.clone()) {
            match alert.severity {
                Severity::Critical => tracing::error!("{}; {}", alert.message, alert.next),
                _ => tracing::warn!("{}; {}", alert.message, alert.next),
            }
        }
    }
    for told in tell(context, &alerts).await? {
        match told.failure {
            None => tracing::info!("alert channel '{}' was told: {}", told.channel, told.alert),
            Some(failure) => tracing::warn!(
                "alert channel '{}' could not be told: {failure}; it is tried again later, and `wissel alert test` tries \
                 it now",
                told.channel
            ),
        }
    }
    Ok(())
}
