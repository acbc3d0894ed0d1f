//! OAuth clients in the file: entries, what would be changed, and the change. Values of secrets are named, never held.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wissel_model::{ClientId, ClientSecret, OAuthClient, SecretKind, SecretState};

use super::plan::Change;
use super::{Scalar, SecretReference};
use crate::client_secret_input::{self, NewSecret};
use crate::commands::redirect;
use crate::context::Context;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{certificate, job_rules, secret_expiry};

/// An OAuth client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ClientEntry {
    pub(crate) name: String,
    pub(crate) connector: String,
    /// Absent: the provider sends the answer to this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, Scalar>,
    /// Secrets that are not named stay as they are stored.
    #[serde(default, rename = "secret", skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<SecretEntry>,
}

/// A secret of a client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SecretEntry {
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<SecretReference>,
    /// In place of a value, with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
    /// A date, a moment, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// True puts it into use, once it is tested; absent leaves that as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    in_use: bool,
}

/// A client as it should be.
#[derive(Debug)]
pub(crate) struct PlannedClient {
    pub(crate) client: OAuthClient,
    /// Of the client and its secrets together.
    pub(crate) change: Change,
    client_change: Change,
    secrets: Vec<PlannedSecret>,
}

#[derive(Debug)]
struct PlannedSecret {
    secret: ClientSecret,
    /// What is to be sealed; none when the stored value stays.
    value: Option<SecretString>,
    change: Change,
    put_into_use: bool,
}

impl PlannedClient {
    /// Labels of the secrets that are stored or changed.
    pub(crate) fn secrets_changed(&self) -> Vec<&String> {
        let changed = self.secrets.iter().filter(|s| s.change != Change::Unchanged || s.put_into_use);
        changed.map(|planned| &planned.secret.label).collect()
    }
}

/// Refuses to put a secret into use, or to replace the one in use, by one that the provider has not given a token for.
pub(crate) fn refuse_untested(clients: &[PlannedClient]) -> Result<(), Problem> {
    for PlannedClient { client, secrets, .. } in clients {
        let untested = secrets.iter().find(|planned| {
            let replaces = planned.change == Change::Changed && planned.secret.state == SecretState::InUse;
            let tested = planned.secret.tested.is_some() && planned.value.is_none();
            (planned.put_into_use && !tested) || (replaces && planned.value.is_some())
        });
        if let Some(PlannedSecret { secret, .. }) = untested {
            let (name, label) = (quoted(&client.name), quoted(&secret.label));
            return Err(Problem::usage(
                format!(
                    "OAuth client {name}: the file puts the secret {label} into use, and the provider has not given a \
                     token for this value yet"
                ),
                format!(
                    "Nothing was changed. Give a new value a label of its own and leave `in-use` out; then `wissel client \
                     secret test {name} {label}`, and apply with `in-use`. Or use it all the same with --untested."
                ),
            ));
        }
    }
    Ok(())
}

/// The entry of a client that stands, without secrets.
pub(super) fn entry(client: &OAuthClient) -> ClientEntry {
    let settings = client.settings.iter().map(|(key, value)| (key.clone(), Scalar::Text(value.clone())));
    ClientEntry {
        name: client.name.clone(),
        connector: client.connector.clone(),
        redirect: client.redirect.clone(),
        settings: settings.collect(),
        secrets: Vec::new(),
    }
}

/// Compares an entry with what stands.
pub(super) async fn plan(
    context: &Context,
    entry: &ClientEntry,
    before: Option<&OAuthClient>,
    base: &Path,
) -> anyhow::Result<PlannedClient> {
    let name = job_rules::name(&entry.name).map_err(|problem| Problem::usage(problem, ""))?;
    let in_client = |problem: Problem| Problem {
        message: format!("OAuth client '{name}': {}", problem.message),
        ..problem
    };
    let description = context.description(&entry.connector).await?;
    let given = entry.settings.iter().map(|(key, value)| (key.clone(), value.text())).collect();
    let checked = entry.redirect.as_deref().map(redirect).transpose();
    let client = OAuthClient {
        id: before.map_or_else(ClientId::generate, |before| before.id),
        name: name.clone(),
        connector: entry.connector.clone(),
        settings: client_secret_input::settings(&name, &description, given, None)?,
        redirect: checked
            .map_err(|problem| in_client(Problem::usage(format!("the redirect: {problem}"), "")))?,
    };
    let stored = match before {
        Some(before) => context.store().await?.client_secrets(before.id).await?,
        None => Vec::new(),
    };
    let mut secrets = Vec::new();
    for entry in &entry.secrets {
        let new = entry.read(base).map_err(in_client)?;
        if let Some(new) = &new {
            new.check(&client, &description).map_err(in_client)?;
        }
        let planned = plan_secret(context, entry, new, &client, &stored).await?;
        secrets.push(planned.map_err(in_client)?);
    }
    let client_change = match before {
        None => Change::Created,
        Some(before) if *before == client => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    let still = secrets.iter().all(|s| s.change == Change::Unchanged && !s.put_into_use);
    let change = if client_change == Change::Unchanged && !still { Change::Changed } else { client_change };
    Ok(PlannedClient { client, change, client_change, secrets })
}

impl SecretEntry {
    /// Reads what the entry names.
    fn read(&self, base: &Path) -> Result<Option<NewSecret>, Problem> {
        let expires = self.expires.as_deref().map(secret_expiry::parse).transpose();
        let expires = expires
            .map_err(|problem| Problem::usage(format!("the secret '{}': {problem}", self.label), ""))?;
        let label = Some(self.label.clone());
        match (&self.value, &self.certificate, &self.key) {
            (Some(value), None, None) => {
                let value = SecretString::from(value.read(base)?.expose_secret().trim());
                Ok(Some(NewSecret { kind: SecretKind::Secret, value, expires, label }))
            }
            (None, Some(certificate), Some(key)) if expires.is_none() => {
                let (value, ends) = certificate::with_key(&base.join(certificate), &base.join(key))?;
                Ok(Some(NewSecret { kind: SecretKind::Certificate, value, expires: Some(ends), label }))
            }
            (None, None, None) => Ok(None),
            _ => Err(Problem::usage(
                format!(
                    "the secret '{}' has either a `value` and `expires`, or a `certificate` and its `key`",
                    self.label
                ),
                "",
            )),
        }
    }
}

async fn plan_secret(
    context: &Context,
    entry: &SecretEntry,
    new: Option<NewSecret>,
    client: &OAuthClient,
    stored: &[ClientSecret],
) -> anyhow::Result<Result<PlannedSecret, Problem>> {
    let same = |secret: &&ClientSecret| secret.label.to_lowercase() == entry.label.trim().to_lowercase();
    let Some(before) = stored.iter().find(same) else {
        let Some(new) = new else {
            let message = format!(
                "the secret '{}' is not stored, and the file does not say where it comes from",
                entry.label
            );
            return Ok(Err(Problem::usage(message, "")));
        };
        let secret = new.describe(client.id, stored);
        return Ok(Ok(PlannedSecret {
            secret,
            value: Some(new.value),
            change: Change::Created,
            put_into_use: entry.in_use && !stored.is_empty(),
        }));
    };
    let put_into_use = entry.in_use && before.state != SecretState::InUse;
    let mut secret = before.clone();
    let mut value = None;
    if let Some(new) = new {
        let opened = context.secrets().await?.client_secret(before).await?;
        if opened.expose_secret() != new.value.expose_secret() {
            value = Some(new.value);
        }
        secret.kind = new.kind;
        secret.expires = new.expires.or(secret.expires);
    } else if let Some(expires) = &entry.expires {
        secret.expires = secret_expiry::parse(expires).ok();
    }
    let change = if secret == *before && value.is_none() { Change::Unchanged } else { Change::Changed };
    Ok(Ok(PlannedSecret { secret, value, change, put_into_use }))
}

/// Makes it so.
pub(crate) async fn apply(context: &Context, planned: &PlannedClient) -> anyhow::Result<()> {
    let store = context.store().await?;
    let client = &planned.client;
    let record = |action: &str| Context::record(action, &client.name, json!({ "by": "apply" }));
    match planned.client_change {
        Change::Unchanged => {}
        Change::Created => store.add_client(client, None, None, &[record("client.add")]).await?,
        Change::Changed => store.update_client(client, &record("client.edit")).await?,
    }
    for PlannedSecret { secret, value, change, put_into_use } in &planned.secrets {
        let detail = json!({ "by": "apply", "secret": secret.label, "expires": secret.expires });
        let record = |action: &str| Context::record(action, &client.name, detail.clone());
        let sealed = match value {
            Some(value) => {
                Some(context.secrets().await?.seal(client.id, &secret.id.to_string(), value).await?)
            }
            None => None,
        };
        match (change, &sealed) {
            (Change::Created, Some(sealed)) => {
                store.add_client_secret(secret, sealed, &record("client.secret.add")).await?;
            }
            (Change::Changed, _) => {
                store.update_client_secret(secret, sealed.as_deref(), &record("client.secret.edit")).await?;
            }
            _ => {}
        }
        if *put_into_use {
            store.use_client_secret(secret, &record("client.secret.use")).await?;
        }
    }
    Ok(())
}
