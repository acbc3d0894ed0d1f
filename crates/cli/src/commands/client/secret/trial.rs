//! Trying a secret by a real request for a token, from which nothing that is in use suffers: what an account was granted is
//! renewed with it, or the client asks for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use wissel_auth::AuthError;
use wissel_model::description::{AuthKind, AuthMethod};
use wissel_model::{
    Account, AccountId, ClientSecret, ConnectionPolicy, Description, OAuthClient, SecretState, clock,
};
use wissel_store::StoreError;

use super::{done, pick};
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::secret_expiry;
use crate::text::quoted;

/// Carries out the command. `named`: the account on the command line, which is tried first.
pub(super) async fn run(
    context: &Context,
    client: &OAuthClient,
    named: Option<&Account>,
    label: Option<&str>,
) -> CommandResult {
    let store = context.store().await?;
    let secrets = store.client_secrets(client.id).await?;
    let in_use = secrets.iter().find(|secret| secret.state == SecretState::InUse);
    let mut secret = match (in_use, label) {
        (Some(only), None) if secrets.len() == 1 => only.clone(),
        _ => pick(client, &secrets, label)?,
    };
    let description = context.description(&client.connector).await?;
    let ways = ways(context, client, named, &description).await?;
    // What is opened is at least as new as this: a value that is replaced from here on is not the one that was tested.
    let sealed = store.sealed_client_secret(secret.id).await?.ok_or(StoreError::ClientSecretGone)?;
    let value = context.secrets().await?.client_secret(&secret).await?;
    let (name, label) = (quoted(&client.name), quoted(&secret.label));
    let what = secret_expiry::named(secret.kind, context.language);
    let (method, tried) = attempt(context, &description, &ways, &secret, &value).await?.ok_or_else(|| {
        Problem::failed(
            format!("nobody has authorised an account of OAuth client {name}, and it cannot ask for itself"),
            "Use the secret with --untested, and authorise an account with `wissel account authorize`.",
        )
    })?;
    let Err(error) = tried else {
        let now = clock::now();
        let detail = json!({ "secret": secret.label, "given": true, "method": method.id });
        let record = Context::record("client.secret.test", &client.name, detail);
        let kept = store.client_secret_tested(secret.id, &sealed, Some(now), &record).await;
        kept.map_err(|error| replaced(error, &name, &label))?;
        secret.tested = Some(now);
        let said = match secret.state {
            SecretState::InUse => context.language.pick(
                format!("the provider gave a token for {what} {label}, which is in use"),
                format!("de provider gaf een token voor {what} {label}, dat in gebruik is"),
            ),
            SecretState::Standby => context.language.pick(
                format!("the provider gave a token for {what} {label}; put it into use with `wissel client secret use {name} {label}`"),
                format!("de provider gaf een token voor {what} {label}; neem het in gebruik met `wissel client secret use {name} {label}`"),
            ),
        };
        done(context, client, &secret, "tested", &said);
        return Ok(Code::Done);
    };
    if error.is_permanent() {
        let detail =
            json!({ "secret": secret.label, "given": false, "method": method.id, "code": error.code() });
        let record = Context::record("client.secret.test", &client.name, detail);
        let kept = store.client_secret_tested(secret.id, &sealed, None, &record).await;
        kept.map_err(|error| replaced(error, &name, &label))?;
    }
    let error = wissel_model::ConnectorError::from(error);
    let known = method.advice.iter().any(|advice| error.code.as_deref() == Some(advice.code.as_str()));
    let account = named.map_or("ACCOUNT".to_owned(), |account| quoted(&account.name));
    let advice = method.advise(&error, &account, context.language.tag()).filter(|_| known);
    let next = advice.unwrap_or_else(|| {
        "Look at the client's settings and at the secret in the provider's administration.".to_owned()
    });
    let (code, kind) = (Code::of_kind(error.kind), error.kind.as_str());
    let message = format!("OAuth client {name}, secret {label}: {error}");
    Err(Problem { code, name: kind, message, next }.into())
}

/// A secret that another process replaced or removed while it was tested.
fn replaced(error: StoreError, name: &str, label: &str) -> anyhow::Error {
    match error {
        StoreError::ClientSecretGone => Problem::failed(
            format!("the secret {label} of OAuth client {name} was replaced while it was tested"),
            format!("Test what stands there now: `wissel client secret test {name} {label}`."),
        )
        .into(),
        other => other.into(),
    }
}

/// The account and the method of each way to try a secret, best first: what accounts were granted, as that is what the
/// secret is for; then the client by itself.
async fn ways<'a>(
    context: &Context,
    client: &OAuthClient,
    named: Option<&Account>,
    description: &'a Description,
) -> anyhow::Result<Vec<(Account, &'a AuthMethod)>> {
    let accounts = context.store().await?.accounts().await?;
    let of_client = |account: &Account| account.client.as_ref().is_some_and(|other| other.id == client.id);
    let mut accounts: Vec<Account> = accounts.into_iter().filter(of_client).collect();
    accounts.sort_by_key(|account| named.is_none_or(|named| named.id != account.id));
    let with_user = |account: &Account| {
        let method = description.auth_method(&account.auth).filter(|method| method.needs_client());
        method.filter(|method| method.kind != AuthKind::OAuth2Client)
    };
    let by_itself = description.auth.iter().find(|m| m.kind == AuthKind::OAuth2Client && m.needs_client());
    // Its connections go as those of an account do; as usual where there is none.
    let stand_in = accounts.first().cloned().unwrap_or_else(|| Account {
        id: AccountId::generate(),
        name: client.name.clone(),
        connector: client.connector.clone(),
        auth: String::new(),
        client: Some(Arc::new(client.clone())),
        settings: BTreeMap::new(),
        connection: ConnectionPolicy::default(),
        is_default: false,
    });
    let granted: Vec<_> =
        accounts.into_iter().filter_map(|account| with_user(&account).map(|m| (account, m))).collect();
    Ok(granted.into_iter().chain(by_itself.map(|method| (stand_in, method))).collect())
}

/// What came of the first way that says something about the secret; of the last one that was asked, where none does.
async fn attempt<'a>(
    context: &Context,
    description: &Description,
    ways: &[(Account, &'a AuthMethod)],
    secret: &ClientSecret,
    value: &SecretString,
) -> anyhow::Result<Option<(&'a AuthMethod, Result<(), AuthError>)>> {
    let authority = context.authority().await?;
    let mut last = None;
    for (account, method) in ways {
        let tried = authority.try_secret(account, description, method, (secret.kind, value.clone())).await;
        match &tried {
            Err(AuthError::NotAuthorized | AuthError::Changed(_)) => continue,
            // It is what the account was granted that is refused.
            Err(AuthError::Refused(refusal)) if refusal.error != "invalid_client" => {
                last = Some((*method, tried));
            }
            _ => return Ok(Some((method, tried))),
        }
    }
    Ok(last)
}
