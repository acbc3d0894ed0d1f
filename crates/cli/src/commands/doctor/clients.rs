//! OAuth clients: whether each has a secret where it needs one, and until when that works.

use wissel_model::description::AuthMethod;
use wissel_model::{Account, ClientSecret, Description, OAuthClient, SecretState, Stage, clock};

use super::Findings;
use crate::context::Context;
use crate::text::quoted;
use crate::{refusals, secret_expiry};

/// What these findings are called.
const CHECK: &str = "client-secret";

/// Looks at every client.
pub(super) async fn look(context: &Context, findings: &mut Findings) {
    if let Err(error) = look_at_all(context, findings).await {
        findings.error(CHECK, "", &error);
    }
}

async fn look_at_all(context: &Context, findings: &mut Findings) -> anyhow::Result<()> {
    let (store, language, now) = (context.store().await?, context.language, clock::now());
    let mut refused = refusals::all(context).await?;
    let has_expired = |secret: &ClientSecret| Stage::of(secret.expires, now) == Stage::Expired;
    let accounts = store.accounts().await?;
    for client in store.clients().await? {
        let secrets = store.client_secrets(client.id).await?;
        let Some(secret) = secrets.iter().find(|secret| secret.state == SecretState::InUse) else {
            // Of a connector that is not installed nothing is known; its accounts tell.
            let Ok(description) = context.description(&client.connector).await else { continue };
            if needs_secret(&client, &description, &accounts) {
                let name = quoted(&client.name);
                let (message, next) = language.pick(
                    ("none is stored", format!("Add one with `wissel client secret add {name}`.")),
                    (
                        "er is er geen opgeslagen",
                        format!("Voeg er een toe met `wissel client secret add {name}`."),
                    ),
                );
                findings.fail(CHECK, &client.name, message, next);
            } else {
                let message = language.pick(
                    "none is stored, and none of its accounts needs one",
                    "er is er geen opgeslagen, en geen van de accounts heeft er een nodig",
                );
                findings.ok(CHECK, &client.name, message);
            }
            continue;
        };
        if let Some(refusal) = refused.clients.remove(&client.id).filter(|_| !has_expired(secret)) {
            findings.fail(CHECK, &client.name, refusal.message, refusal.next);
            continue;
        }
        let warning = secret_expiry::warning(&client.name, secret, now, language);
        match (warning, Stage::of(secret.expires, now)) {
            (Some((message, next)), Stage::Expired) => findings.fail(CHECK, &client.name, message, next),
            (Some((message, next)), _) => findings.warn(CHECK, &client.name, message, next),
            (None, _) => {
                let ends = secret_expiry::shown(secret.expires, now, language);
                let label = &secret.label;
                findings.ok(
                    CHECK,
                    &client.name,
                    language
                        .pick(format!("'{label}' expires: {ends}"), format!("'{label}' verloopt: {ends}")),
                );
            }
        }
    }
    Ok(())
}

/// Whether an account signs in with this client in a way that takes a secret: a public client has none.
fn needs_secret(client: &OAuthClient, description: &Description, accounts: &[Account]) -> bool {
    let is_its = |account: &&Account| account.client.as_ref().is_some_and(|one| one.id == client.id);
    let mut methods =
        accounts.iter().filter(is_its).filter_map(|account| description.auth_method(&account.auth));
    methods.any(AuthMethod::needs_client_secret)
}
