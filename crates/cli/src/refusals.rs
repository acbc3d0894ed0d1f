//! What providers refuse until a person acts, as far as it is remembered: the authorisation of an account, or an OAuth client
//! and its secret, whatever date is stored for that. Nothing is asked over the network.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use wissel_auth::Standing;
use wissel_model::{Account, ClientId, OAuthClient, SecretState};

use crate::authorization;
use crate::context::Context;

/// What the provider refuses.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The provider's own code, or `ended` where what was granted ran out.
    pub(crate) code: String,
    /// Since when it is so.
    pub(crate) since: Timestamp,
    /// What is the matter, as a sentence that names the account or client.
    pub(crate) message: String,
    /// What to do.
    pub(crate) next: String,
    /// The accounts that cannot sign in for it.
    pub(crate) accounts: Vec<String>,
}

impl Refusal {
    /// For programs.
    pub(crate) fn view(&self) -> Value {
        json!({ "code": self.code, "since": self.since, "message": self.message, "accounts": self.accounts })
    }
}

/// All that is refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Of clients and their secrets.
    pub(crate) clients: BTreeMap<ClientId, Refusal>,
    /// Of what accounts were granted.
    pub(crate) accounts: Vec<(Account, Refusal)>,
}

/// Looks at every account.
pub(crate) async fn all(context: &Context) -> anyhow::Result<Refusals> {
    look(context, |_| true).await
}

async fn look(context: &Context, wanted: impl Fn(&Account) -> bool) -> anyhow::Result<Refusals> {
    let mut all = Refusals::default();
    for account in context.store().await?.accounts().await?.into_iter().filter(wanted) {
        if let Some((of_client, refusal)) = of_account(context, &account).await? {
            match account.client.as_deref().filter(|_| of_client) {
                None => all.accounts.push((account, refusal)),
                Some(client) => merge(&mut all.clients, client.id, refusal),
            }
        }
    }
    Ok(all)
}

/// What is refused of this client, or its secret.
pub(crate) async fn of_client(context: &Context, client: &OAuthClient) -> anyhow::Result<Option<Refusal>> {
    let its = |account: &Account| account.client.as_ref().is_some_and(|other| other.id == client.id);
    Ok(look(context, its).await?.clients.remove(&client.id))
}

/// One refusal of a client, told by several accounts: the oldest is the one that counts.
fn merge(clients: &mut BTreeMap<ClientId, Refusal>, client: ClientId, new: Refusal) {
    match clients.get_mut(&client) {
        None => {
            clients.insert(client, new);
        }
        Some(known) => {
            let mut accounts = std::mem::take(&mut known.accounts);
            accounts.extend(new.accounts.iter().cloned());
            if new.since < known.since {
                *known = new;
            }
            known.accounts = accounts;
        }
    }
}

/// What is refused of an account, and whether it is its client that is.
async fn of_account(context: &Context, account: &Account) -> anyhow::Result<Option<(bool, Refusal)>> {
    let Ok(description) = context.description(&account.connector).await else { return Ok(None) };
    let Some(found) = authorization::status(context, account, &description).await? else { return Ok(None) };
    let Some(status) = found.status else { return Ok(None) };
    let (language, name) = (context.language, &account.name);
    let told = |what: String| format!("{what}: {}", found.reason);
    let of_account = language.pick(
        format!("account '{name}' cannot sign in any more"),
        format!("account '{name}' kan niet meer inloggen"),
    );
    let refusal = |code: &str, since, what| Refusal {
        code: code.to_owned(),
        since,
        message: told(what),
        next: found.next.clone(),
        accounts: vec![name.clone()],
    };
    match (&status.failure, &account.client) {
        (Some(failure), Some(client)) if failure.error == "invalid_client" => {
            let secrets = context.store().await?.client_secrets(client.id).await?;
            let in_use = secrets.iter().find(|secret| secret.state == SecretState::InUse);
            // One that came, or proved good, since then has not been refused.
            let newer = |secret: &wissel_model::ClientSecret| {
                secret.added > failure.last || secret.tested.is_some_and(|tested| tested > failure.last)
            };
            if in_use.is_some_and(newer) {
                return Ok(None);
            }
            let of_client = language.pick(
                format!("OAuth client '{}' is refused", client.name),
                format!("OAuth-client '{}' wordt geweigerd", client.name),
            );
            Ok(Some((true, refusal(&failure.code, failure.since, of_client))))
        }
        (Some(failure), _) => Ok(Some((false, refusal(&failure.code, failure.since, of_account)))),
        // Nobody could renew it, and it ran out.
        (None, _) => Ok(status
            .ends
            .filter(|_| status.standing == Standing::Unauthorized)
            .map(|ends| (false, refusal("ended", ends, of_account)))),
    }
}
