//! `wissel account`: mail accounts.

mod add;
mod authorize;
mod edit;
pub(crate) mod guide;
mod test;

pub(crate) use add::check_connection;
use clap::Subcommand;
use serde_json::json;
use wissel_model::Account;
use wissel_model::secrets::field;

use super::CommandResult;
use super::client::secret;
use crate::account_status::{self, State, Status};
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::Language;
use crate::{form, output, views};

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an account; what is not given is asked for when a person sits at the terminal
    Add(add::Arguments),
    /// List the accounts
    List,
    /// Show an account; of secrets only whether they are stored
    Show {
        /// The account; the default account when absent
        name: Option<String>,
    },
    /// Change an account, or store its secret again
    Edit(edit::Arguments),
    /// Sign in and say who and what is found; changes nothing
    Test {
        /// The account; the default account when absent
        name: Option<String>,
    },
    /// Let Wissel into the mailbox: sign in at the provider, here or elsewhere. Can be repeated at any time
    Authorize(authorize::Arguments),
    /// Secrets of the OAuth client that an account is authorised through: add, list, test, use, edit, drop
    #[command(subcommand)]
    Secret(secret::Command),
    /// Walk through what has to be done at the provider, with this account's values filled in
    Guide {
        /// The account; the default account when absent
        name: Option<String>,
        /// One chapter; all when absent
        chapter: Option<String>,
    },
    /// Make an account the one that is used where none is named
    Default {
        /// The account
        #[arg(required_unless_present = "none")]
        name: Option<String>,
        /// Have no default account
        #[arg(long, conflicts_with = "name")]
        none: bool,
    },
    /// Remove an account with its secrets; refused while a job uses it
    Remove {
        /// The account
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
        Command::Show { name } => show(context, name.as_deref()).await,
        Command::Edit(arguments) => edit::run(context, arguments).await,
        Command::Test { name } => test::run(context, name.as_deref()).await,
        Command::Authorize(arguments) => authorize::run(context, arguments).await,
        Command::Secret(command) => secret::run(context, secret::Of::Account, command).await,
        Command::Guide { name, chapter } => guide::run(context, name.as_deref(), chapter.as_deref()).await,
        Command::Default { name, .. } => default(context, name.as_deref()).await,
        Command::Remove { name, yes } => remove(context, &name, yes).await,
    }
}

/// The account of this name, or the default account when none is named.
pub(crate) async fn named_or_default(context: &Context, name: Option<&str>) -> anyhow::Result<Account> {
    let store = context.store().await?;
    if let Some(name) = name {
        return Ok(store.account_named(name).await?);
    }
    store.accounts().await?.into_iter().find(|account| account.is_default).ok_or_else(|| {
        Problem::usage(
            "no account is named, and there is no default account",
            "Name one, or choose a default with `wissel account default NAME`.",
        )
        .into()
    })
}

/// Warns about what makes an account's connections unsafe.
pub(crate) fn warn(context: &Context, account: &Account) {
    for warning in warnings(context, account) {
        output::note(&warning);
    }
}

/// The warnings about what makes an account's connections unsafe.
pub(crate) fn warnings(context: &Context, account: &Account) -> Vec<String> {
    let mut warnings = Vec::new();
    if account.connection.allow_untrusted_certificate {
        warnings.push(context.language.untrusted_warning(&account.name));
    }
    if !account.connection.allow_clear_text.is_empty() {
        let endpoints: Vec<&str> = account.connection.allow_clear_text.iter().map(String::as_str).collect();
        warnings.push(context.language.clear_text_warning(&account.name, &endpoints.join(", ")));
    }
    warnings
}

/// The account's secrets, field and whether one is stored, and how it stands with its provider.
async fn standing(context: &Context, account: &Account) -> anyhow::Result<(Vec<(String, bool)>, Status)> {
    let stored = context.store().await?.secret_fields(account.id).await?;
    let description = context.description(&account.connector).await.ok();
    // What is kept of sign-ins is nothing that an operator stores.
    let by_hand: Vec<String> = stored.iter().filter(|field| !field::is_of_grant(field)).cloned().collect();
    let secrets = views::secret_fields(account, description.as_deref(), &by_hand);
    let status = account_status::of(context, account, description.as_deref(), &stored).await?;
    Ok((secrets, status))
}

/// Says what an account still lacks, such as a secret or an authorisation; nothing when all is well.
pub(crate) async fn note_standing(context: &Context, account: &Account) -> anyhow::Result<()> {
    let (_, status) = standing(context, account).await?;
    if !status.reason.is_empty() {
        output::note(&format!(
            "account '{}': {}\n  {}",
            account.name,
            status.line(context.language),
            status.next
        ));
    }
    Ok(())
}

/// Prints what was done to an account, and what it lacks.
async fn print_done(
    context: &Context,
    account: &Account,
    done: &'static str,
    participle: (&str, &str),
) -> anyhow::Result<()> {
    let (secrets, status) = standing(context, account).await?;
    if context.json {
        output::json(&json!({ done: true, "account": views::account(account, &secrets, &status) }));
    } else {
        let lacks = (status.state == State::Unauthorized).then_some(status.next.as_str());
        output::line(&context.language.done_to_account(&account.name, participle, lacks));
    }
    Ok(())
}

async fn list(context: &Context) -> CommandResult {
    let store = context.store().await?;
    let accounts = store.accounts().await?;
    let (mut documents, mut rows, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for account in &accounts {
        let (secrets, status) = standing(context, account).await?;
        documents.push(views::account(account, &secrets, &status));
        rows.push(vec![
            account.name.clone(),
            account.connector.clone(),
            account.auth.clone(),
            if account.is_default { "*".to_owned() } else { String::new() },
            secrets_text(context.language, &secrets),
            status.state.word(context.language).to_owned(),
        ]);
        statuses.push((account.name.clone(), status));
    }
    if context.json {
        output::json(&json!({ "accounts": documents }));
    } else if rows.is_empty() {
        output::note(context.language.pick(
            "there are no accounts yet; add one with `wissel account add`",
            "er zijn nog geen accounts; voeg er een toe met `wissel account add`",
        ));
    } else {
        let header = context.language.pick(
            ["Name", "Connector", "Sign-in", "Default", "Secrets", "Status"],
            ["Naam", "Connector", "Inloggen met", "Standaard", "Geheimen", "Status"],
        );
        output::table(&header, rows);
        for (name, status) in statuses.iter().filter(|(_, status)| !status.reason.is_empty()) {
            output::note(&format!("account '{name}': {}\n  {}", status.line(context.language), status.next));
        }
    }
    Ok(Code::Done)
}

fn secrets_text(language: Language, secrets: &[(String, bool)]) -> String {
    let (stored, missing) = language.pick(("stored", "missing"), ("opgeslagen", "ontbreekt"));
    let text = |(field, is_stored): &(String, bool)| {
        format!("{field}: {}", if *is_stored { stored } else { missing })
    };
    secrets.iter().map(text).collect::<Vec<_>>().join(", ")
}

async fn show(context: &Context, name: Option<&str>) -> CommandResult {
    let account = named_or_default(context, name).await?;
    let (secrets, status) = standing(context, &account).await?;
    if context.json {
        output::json(&views::account(&account, &secrets, &status));
        return Ok(Code::Done);
    }
    let connection = &account.connection;
    let clear_text: Vec<&str> = connection.allow_clear_text.iter().map(String::as_str).collect();
    let language = context.language;
    let label = |en, nl| language.pick(en, nl);
    let mut fields = vec![
        (label("Name", "Naam"), account.name.clone()),
        ("Connector", account.connector.clone()),
        (label("Sign-in", "Inloggen met"), account.auth.clone()),
        (
            label("OAuth client", "OAuth-client"),
            account.client.as_ref().map(|client| client.name.clone()).unwrap_or_default(),
        ),
        ("Status", status.line(language)),
    ];
    fields.extend(status.grant.iter().flat_map(|grant| grant.fields(language)));
    fields.extend([
        (label("Default", "Standaard"), language.yes_or_no(account.is_default)),
        (label("Secrets", "Geheimen"), secrets_text(language, &secrets)),
        (
            label("CA file", "CA-bestand"),
            connection.ca_file.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        ),
        (label("Clear text", "Onversleuteld"), clear_text.join(", ")),
        ("Proxy", connection.proxy.as_ref().map(ToString::to_string).unwrap_or_default()),
    ]);
    fields.extend(account.settings.iter().map(|(key, value)| (key.as_str(), value.clone())));
    output::fields(&fields);
    if !status.next.is_empty() {
        output::note(&status.next);
    }
    warn(context, &account);
    Ok(Code::Done)
}

async fn default(context: &Context, name: Option<&str>) -> CommandResult {
    let store = context.store().await?;
    let account = match name {
        Some(name) => Some(store.account_named(name).await?),
        None => None,
    };
    store.set_default_account(account.as_ref().map(|account| account.id)).await?;
    let name = account.map(|account| account.name);
    context.audit("account.default", name.as_deref().unwrap_or("none"), json!({})).await?;
    if context.json {
        output::json(&json!({ "default": name }));
    } else {
        output::line(&match name {
            Some(name) => context.language.pick(
                format!("account '{name}' is the default now"),
                format!("account '{name}' is nu het standaardaccount"),
            ),
            None => context
                .language
                .pick("there is no default account now", "er is nu geen standaardaccount")
                .to_owned(),
        });
    }
    Ok(Code::Done)
}

async fn remove(context: &Context, name: &str, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let account = store.account_named(name).await?;
    // Errors are English.
    let language = context.ask().unwrap_or(Language::En);
    let what = format!("account '{}'", account.name);
    let lost = language.pick(
        "Its settings and stored secrets go with it.",
        "De instellingen en opgeslagen geheimen gaan mee weg.",
    );
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    store.remove_account(account.id).await?;
    context.audit("account.remove", &account.name, json!({ "connector": account.connector })).await?;
    if context.json {
        output::json(&json!({ "removed": account.name }));
    } else {
        output::line(&context.language.pick(
            format!("account '{}' is removed", account.name),
            format!("account '{}' is verwijderd", account.name),
        ));
    }
    Ok(Code::Done)
}
