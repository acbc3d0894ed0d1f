//! `wissel client`: OAuth clients, which accounts are authorised through, and their secrets.

mod add;
mod edit;
pub(crate) mod secret;

pub(crate) use add::{Chosen, chosen, fits, redirect};
use clap::Subcommand;
use serde_json::{Value, json};
use wissel_model::description::ClientAuthentication;
use wissel_model::{OAuthClient, SecretState, clock};

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::text::{Language, quoted};
use crate::{form, output, refusals, secret_expiry, views};

/// What can be done with OAuth clients.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a client: what a provider knows this program as
    Add(add::Arguments),
    /// List the clients with their secrets' expiry
    List,
    /// Show a client; of secrets only that they are stored, and until when they work
    Show {
        /// The client
        name: String,
    },
    /// Change a client
    Edit(edit::Arguments),
    /// Secrets of a client, several side by side: add, list, test, use, edit, drop
    #[command(subcommand)]
    Secret(secret::Command),
    /// Remove a client with its secrets; refused while an account uses it
    Remove {
        /// The client
        name: String,
        /// Do not ask; needed where nobody can be asked
        #[arg(long, short)]
        yes: bool,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Add(arguments) => add::run(context, arguments).await,
        Command::List => list(context).await,
        Command::Show { name } => show(context, &name).await,
        Command::Edit(arguments) => edit::run(context, arguments).await,
        Command::Secret(command) => secret::run(context, secret::Of::Client, command).await,
        Command::Remove { name, yes } => remove(context, &name, yes).await,
    }
}

/// A client with its secrets and the accounts that use it, as a document.
async fn view(context: &Context, client: &OAuthClient) -> anyhow::Result<Value> {
    let store = context.store().await?;
    let secrets = store.client_secrets(client.id).await?;
    let accounts = store.accounts_of_client(client.id).await?;
    let mut document = views::client(client, &secrets, &accounts, clock::now());
    if let (Some(document), Some(refusal)) =
        (document.as_object_mut(), refusals::of_client(context, client).await?)
    {
        document.insert("refused".to_owned(), refusal.view());
    }
    Ok(document)
}

/// Whether its connector describes a way to sign in that takes a secret.
async fn takes_secret(context: &Context, client: &OAuthClient) -> bool {
    let description = context.description(&client.connector).await;
    description.is_ok_and(|description| {
        description.auth.iter().any(|auth| auth.client_authentication.contains(&ClientAuthentication::Secret))
    })
}

/// Says what has to be done about the secret in use.
async fn warn(context: &Context, client: &OAuthClient) -> anyhow::Result<()> {
    let warning = context.language.pick("WARNING", "WAARSCHUWING");
    if let Some(refusal) = refusals::of_client(context, client).await? {
        output::note(&format!("{warning}: {}\n  {}", refusal.message, refusal.next));
    }
    let secrets = context.store().await?.client_secrets(client.id).await?;
    if secrets.is_empty() && takes_secret(context, client).await {
        let name = quoted(&client.name);
        output::note(&context.language.pick(
            format!("OAuth client {name} has no secret. Unless it is registered as one that needs none, add it: `wissel client secret add {name}`."),
            format!("OAuth-client {name} heeft geen geheim. Voeg het toe, tenzij de registratie er geen vraagt: `wissel client secret add {name}`."),
        ));
    }
    for secret in secrets {
        if secret.state == SecretState::InUse
            && let Some((message, next)) =
                secret_expiry::warning(&client.name, &secret, clock::now(), context.language)
        {
            output::note(&format!("{warning}: {message}\n  {next}"));
        }
    }
    Ok(())
}

async fn list(context: &Context) -> CommandResult {
    let store = context.store().await?;
    let clients = store.clients().await?;
    if context.json {
        let mut documents = Vec::new();
        for client in &clients {
            documents.push(view(context, client).await?);
        }
        output::json(&json!({ "clients": documents }));
        return Ok(Code::Done);
    }
    let language = context.language;
    let refused = refusals::all(context).await?;
    let mut rows = Vec::new();
    for client in &clients {
        let secrets = store.client_secrets(client.id).await?;
        let (in_use, standby): (Vec<_>, Vec<_>) =
            secrets.iter().partition(|secret| secret.state == SecretState::InUse);
        let mut secret = match in_use.first() {
            Some(secret) => secret_expiry::shown(secret.expires, clock::now(), language),
            None => language.pick("none", "geen").to_owned(),
        };
        if refused.clients.contains_key(&client.id) {
            secret += language.pick("; refused", "; geweigerd");
        }
        if !standby.is_empty() {
            secret += &language
                .pick(format!("; {} on standby", standby.len()), format!("; {} stand-by", standby.len()));
        }
        let accounts = store.accounts_of_client(client.id).await?;
        rows.push(vec![client.name.clone(), client.connector.clone(), accounts.join(", "), secret]);
    }
    if rows.is_empty() {
        output::note(language.pick(
            "there are no OAuth clients yet; add one with `wissel client add`",
            "er zijn nog geen OAuth-clients; voeg er een toe met `wissel client add`",
        ));
        return Ok(Code::Done);
    }
    let header = language.pick(
        ["Name", "Connector", "Accounts", "Secret expires"],
        ["Naam", "Connector", "Accounts", "Geheim verloopt"],
    );
    output::table(&header, rows);
    for client in &clients {
        warn(context, client).await?;
    }
    Ok(Code::Done)
}

async fn show(context: &Context, name: &str) -> CommandResult {
    let store = context.store().await?;
    let client = store.client_named(name).await?;
    if context.json {
        output::json(&view(context, &client).await?);
        return Ok(Code::Done);
    }
    let language = context.language;
    let label = |en, nl| language.pick(en, nl);
    let loopback = label("this machine (loopback)", "deze machine (loopback)");
    let mut fields = vec![
        (label("Name", "Naam"), client.name.clone()),
        ("Connector", client.connector.clone()),
        ("Accounts", store.accounts_of_client(client.id).await?.join(", ")),
        (label("Redirect", "Redirect-URI"), client.redirect.clone().unwrap_or_else(|| loopback.to_owned())),
    ];
    fields.extend(client.settings.iter().map(|(key, value)| (key.as_str(), value.clone())));
    output::fields(&fields);
    let secrets = store.client_secrets(client.id).await?;
    if !secrets.is_empty() {
        output::line("");
        secret::print(context, &secrets);
    }
    warn(context, &client).await?;
    Ok(Code::Done)
}

async fn remove(context: &Context, name: &str, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let client = store.client_named(name).await?;
    // Errors are English.
    let language = context.ask().unwrap_or(Language::En);
    let what = format!("OAuth client '{}'", client.name);
    let lost = language.pick("Its stored secrets go with it.", "De opgeslagen geheimen gaan mee weg.");
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    let record = Context::record("client.remove", &client.name, json!({ "connector": client.connector }));
    store.remove_client(client.id, &record).await?;
    if context.json {
        output::json(&json!({ "removed": client.name }));
    } else {
        output::line(&context.language.pick(
            format!("OAuth client '{}' is removed", client.name),
            format!("OAuth-client '{}' is verwijderd", client.name),
        ));
    }
    Ok(Code::Done)
}

/// Prints what was done to a client.
async fn print_done(
    context: &Context,
    client: &OAuthClient,
    done: &str,
    sentence: &str,
) -> anyhow::Result<()> {
    if context.json {
        output::json(&json!({ done: true, "client": view(context, client).await? }));
    } else {
        output::line(sentence);
        warn(context, client).await?;
    }
    Ok(())
}
