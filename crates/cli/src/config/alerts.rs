//! Alert channels in the file: entries, what would be changed, and the change. Keys are named, never held; so is the address
//! of a webhook, which may be as good as one.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wissel_model::secrets::field;
use wissel_model::{AlertChannel, AlertChannelId, AlertTarget};

use super::SecretReference;
use super::plan::Change;
use crate::commands::alert;
use crate::context::Context;
use crate::job_rules;
use crate::problem::Problem;

/// An alert channel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AlertEntry {
    pub(crate) name: String,
    /// The program with its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    /// In place of a program, an https address. Absent with the program: what is stored stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook: Option<Address>,
    /// Certificates to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    /// What is posted is signed with it; absent leaves it as it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signing_key: Option<SecretReference>,
    /// In seconds.
    #[serde(default = "time_limit")]
    time_limit: u32,
}

/// The address of a webhook.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Address {
    Open(String),
    Elsewhere(SecretReference),
}

fn time_limit() -> u32 {
    alert::TIME_LIMIT
}

/// A channel as it should be.
#[derive(Debug)]
pub(crate) struct PlannedAlert {
    pub(crate) channel: AlertChannel,
    pub(crate) change: Change,
    /// What is to be sealed; none when the stored key stays.
    key: Option<SecretString>,
}

/// The entry of a channel that stands, without its address and its key.
pub(super) fn entry(channel: &AlertChannel) -> AlertEntry {
    let (command, ca_file) = match &channel.target {
        AlertTarget::Command(command) => (command.clone(), None),
        AlertTarget::Webhook { ca_file, .. } => (Vec::new(), ca_file.clone()),
    };
    AlertEntry {
        name: channel.name.clone(),
        command,
        webhook: None,
        ca_file,
        signing_key: None,
        time_limit: channel.time_limit_seconds,
    }
}

/// Compares an entry with what stands.
pub(super) async fn plan(
    context: &Context,
    entry: &AlertEntry,
    before: Option<&AlertChannel>,
    base: &Path,
) -> anyhow::Result<PlannedAlert> {
    let in_channel = |problem: Problem| Problem {
        message: format!("alert channel '{}': {}", entry.name, problem.message),
        ..problem
    };
    let name = job_rules::name(&entry.name).map_err(|problem| in_channel(Problem::usage(problem, "")))?;
    let target = entry.target(before.map(|before| &before.target), base).map_err(in_channel)?;
    alert::check(&target).map_err(in_channel)?;
    if !(1..=600).contains(&entry.time_limit) {
        let problem = "the time limit is between 1 and 600 seconds";
        return Err(in_channel(Problem::usage(problem, "")).into());
    }
    let channel = AlertChannel {
        id: before.map_or_else(AlertChannelId::generate, |before| before.id),
        name,
        target,
        time_limit_seconds: entry.time_limit,
    };
    let mut key = entry.signing_key.as_ref().map(|key| key.read(base)).transpose().map_err(in_channel)?;
    if let Some(key) = &key {
        crate::alerts::check_signing_key(key).map_err(in_channel)?;
    }
    if let (Some(new), Some(before)) = (&key, before) {
        let stored = context.secrets().await?.find(before.id, field::SIGNING_KEY).await?;
        if stored.is_some_and(|stored| stored.expose_secret() == new.expose_secret()) {
            key = None;
        }
    }
    let change = match before {
        None => Change::Created,
        Some(before) if *before == channel && key.is_none() => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    Ok(PlannedAlert { channel, change, key })
}

impl AlertEntry {
    fn target(&self, before: Option<&AlertTarget>, base: &Path) -> Result<AlertTarget, Problem> {
        let ca_file = self.ca_file.as_ref().map(|file| base.join(file));
        let url = match (&self.webhook, before) {
            (Some(_), _) if !self.command.is_empty() => {
                return Err(Problem::usage(
                    "it has both a `command` and a `webhook`; one of them can be",
                    "",
                ));
            }
            (Some(Address::Open(url)), _) => Some(url.clone()),
            (Some(Address::Elsewhere(reference)), _) => {
                Some(reference.read(base)?.expose_secret().trim().to_owned())
            }
            (None, Some(AlertTarget::Webhook { url, .. })) if self.command.is_empty() => Some(url.clone()),
            (None, _) => None,
        };
        match url {
            Some(url) => Ok(AlertTarget::Webhook { url, ca_file }),
            None if self.command.is_empty() => Err(Problem::usage(
                "the file does not say where it goes; give it a `command` or a `webhook`, such as { env = \"HOOK_URL\" }",
                "",
            )),
            None if ca_file.is_some() || self.signing_key.is_some() => {
                Err(Problem::usage("a `ca-file` and a `signing-key` are for a `webhook`", ""))
            }
            None => Ok(AlertTarget::Command(self.command.clone())),
        }
    }
}

/// Makes it so.
pub(crate) async fn apply(context: &Context, planned: &PlannedAlert) -> anyhow::Result<()> {
    let PlannedAlert { channel, change, key } = planned;
    let action = match change {
        Change::Unchanged => return Ok(()),
        Change::Created => "alert.add",
        Change::Changed => "alert.edit",
    };
    let sealed = match key {
        Some(key) => Some(context.secrets().await?.seal(channel.id, field::SIGNING_KEY, key).await?),
        None => None,
    };
    let record =
        Context::record(action, &channel.name, json!({ "by": "apply", "signing_key": key.is_some() }));
    Ok(context.store().await?.put_alert_channel(channel, sealed.as_deref(), &record).await?)
}
