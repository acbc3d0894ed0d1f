//! OAuth clients, accounts, jobs and alert channels as a file: what `export` writes and `apply` reads. Holds no secrets, only where they come from.

pub(crate) mod alerts;
pub(crate) mod clients;
pub(crate) mod plan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use wissel_model::{
    Account, AlertChannel, ConnectionPolicy, ImportJob, OAuthClient, Pattern, ProcessedAction, Schedule,
};

use alerts::AlertEntry;
use clients::ClientEntry;

use crate::problem::Problem;
use crate::{secret_input, spans};

/// The whole file. Keys that are not known are refused, so that a misspelt one is noticed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    #[serde(default, rename = "client", skip_serializing_if = "Vec::is_empty")]
    pub(crate) clients: Vec<ClientEntry>,
    #[serde(default, rename = "account", skip_serializing_if = "Vec::is_empty")]
    pub(crate) accounts: Vec<AccountEntry>,
    #[serde(default, rename = "job", skip_serializing_if = "Vec::is_empty")]
    pub(crate) jobs: Vec<JobEntry>,
    #[serde(default, rename = "alert", skip_serializing_if = "Vec::is_empty")]
    pub(crate) alerts: Vec<AlertEntry>,
}

/// An account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AccountEntry {
    pub(crate) name: String,
    pub(crate) connector: String,
    /// May be absent when the connector has one auth method only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auth: Option<String>,
    /// The name of the OAuth client that it is authorised through; absent leaves that as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// True makes it the default account; absent leaves that as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) default: bool,
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, Scalar>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) connection: ConnectionPolicy,
    /// Secrets that are not named stay as they are stored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets: BTreeMap<String, SecretReference>,
}

/// A value of a setting, as TOML lets a person write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// Where a secret comes from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
}

impl SecretReference {
    fn read(&self, base: &Path) -> Result<SecretString, Problem> {
        match self {
            Self::Env(variable) => secret_input::from_environment(variable),
            Self::File(file) => {
                let file = base.join(file);
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    Problem::usage(
                        format!("the secret's file '{}' cannot be read: {error}", file.display()),
                        "Name a file that holds the secret and nothing else.",
                    )
                })?;
                secret_input::not_empty(text, &format!("the file '{}'", file.display()))
            }
        }
    }
}

/// A job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct JobEntry {
    pub(crate) name: String,
    /// Where messages go; relative to the file.
    pub(crate) directory: PathBuf,
    pub(crate) action: ProcessedAction,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) subfolders: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) create_processed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unread_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newer_than: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) from: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subject: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) with_attachment: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attachment_names: Vec<Pattern>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) attachments: bool,
    /// A span such as `5m`; absent: only by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<String>,
    /// A cron expression in place of a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<String>,
    /// Of the cron expression; that of the system when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    /// Also wait for changes between these runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) watch: bool,
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub(crate) enabled: bool,
    pub(crate) accounts: Vec<PlaceEntry>,
}

/// One account of a job with its folders.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PlaceEntry {
    pub(crate) account: String,
    pub(crate) folder: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) processed: Option<String>,
}

fn yes() -> bool {
    true
}

fn is_default(policy: &ConnectionPolicy) -> bool {
    *policy == ConnectionPolicy::default()
}

impl File {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::usage(format!("'{}' cannot be read: {error}", path.display()), "Name the file with -f.")
        })?;
        toml::from_str(&text).map_err(|error| {
            // The error's own text quotes the line, which may hold a secret that does not belong there.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Problem::usage(
                format!(
                    "'{}' cannot be used: line {line}: {}",
                    path.display(),
                    without_values(error.message())
                ),
                "Nothing was changed. `wissel export` prints a file of the right form.",
            )
        })
    }

    /// What stands now. The names of the accounts of each job come in the job's order.
    pub(crate) fn of(
        clients: &[OAuthClient],
        accounts: &[Account],
        jobs: &[(ImportJob, Vec<String>)],
        alerts: &[AlertChannel],
    ) -> Self {
        Self {
            clients: clients.iter().map(clients::entry).collect(),
            accounts: accounts.iter().map(account_entry).collect(),
            jobs: jobs.iter().map(|(job, names)| job_entry(job, names)).collect(),
            alerts: alerts.iter().map(alerts::entry).collect(),
        }
    }
}

/// Takes out what a message of the parser repeats of the file's values: they stand in double quotes, or first after
/// `unknown variant`. Keys stay, and a value that cannot be a secret.
fn without_values(message: &str) -> String {
    if message.starts_with("unknown variant") {
        // No secret stands where an action should.
        if message.contains(ProcessedAction::MarkRead.as_str()) {
            return message.to_owned();
        }
        return message.splitn(3, '`').step_by(2).collect();
    }
    match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{before}...{after}"),
        _ => message.to_owned(),
    }
}

fn account_entry(account: &Account) -> AccountEntry {
    let settings = account.settings.iter().map(|(key, value)| (key.clone(), Scalar::Text(value.clone())));
    AccountEntry {
        name: account.name.clone(),
        connector: account.connector.clone(),
        auth: Some(account.auth.clone()),
        client: account.client.as_ref().map(|client| client.name.clone()),
        default: account.is_default,
        settings: settings.collect(),
        connection: account.connection.clone(),
        secrets: BTreeMap::new(),
    }
}

fn job_entry(job: &ImportJob, names: &[String]) -> JobEntry {
    let places = job.accounts.iter().zip(names).map(|(place, name)| PlaceEntry {
        account: name.clone(),
        folder: place.folder.to_string(),
        processed: place.processed.as_ref().map(ToString::to_string),
    });
    let (every, cron) = match &job.schedule {
        Some(Schedule::Every(seconds)) => (Some(spans::span(*seconds)), None),
        Some(Schedule::Cron(cron)) => (None, Some(cron)),
        None => (None, None),
    };
    JobEntry {
        name: job.name.clone(),
        directory: job.target.directory.clone(),
        action: job.action,
        subfolders: job.include_subfolders,
        create_processed: job.create_processed_folder,
        unread_only: job.filter.unread_only,
        newer_than: job.filter.newer_than.map(spans::newer_than_text),
        from: job.filter.from.clone(),
        subject: job.filter.subject.clone(),
        with_attachment: job.filter.with_attachment,
        attachment_names: job.filter.attachment_names.clone(),
        attachments: job.target.extract_attachments,
        every,
        schedule: cron.map(|cron| cron.expression().to_owned()),
        time_zone: cron.map(|cron| cron.time_zone().to_owned()),
        watch: job.watch,
        enabled: job.enabled,
        accounts: places.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_is_unknown_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.toml");
        std::fs::write(&file, "[[job]]\nname = \"J\"\ndirectory = \"in\"\naction = \"mvoe\"\n").unwrap();
        let message = File::read(&file).unwrap_err().message;
        assert!(message.contains("line 4") && message.contains("`mvoe`"), "{message}");
        assert!(message.contains("`mark-read`"), "{message}");
    }

    #[test]
    fn what_a_file_holds_in_the_wrong_place_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.toml");
        for (text, expected) in [
            ("[[account]]\nname = \"A\"\nconnector = \"c\"\ndefault = \"geheim\"\n", "line 4"),
            (
                "[[account]]\nname = \"A\"\nconnector = \"c\"\n[account.secrets]\npassword = \"geheim\"\n",
                "line 5",
            ),
            ("[[account]]\nname = \"A\"\ngeheim = ", "line 3"),
        ] {
            std::fs::write(&file, text).unwrap();
            let message = File::read(&file).unwrap_err().message;
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("geheim"), "{message}");
        }
    }
}
