//! `wissel account edit`.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use wissel_model::description::SettingKind;
use wissel_model::secrets::field;
use wissel_model::{Account, Proxy};

use super::add::{ConnectionOptions, check_connection};
use super::{print_done, warn};
use crate::commands::{CommandResult, client};
use crate::context::Context;
use crate::exit::Code;
use crate::form::Whose;
use crate::problem::Problem;
use crate::secret_input::{self, SecretOptions};
use crate::text::Language;
use crate::{form, job_rules};

/// Changes of an account. What is not given stays.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The account
    name: String,
    /// A new name
    #[arg(long, value_name = "NAME", value_parser = job_rules::name)]
    rename: Option<String>,
    /// Another auth method
    #[arg(long, value_name = "ID")]
    auth: Option<String>,
    /// Another OAuth client to be authorised through; what was granted through the old one is forgotten
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// A setting of the connector; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = form::pair)]
    settings: Vec<(String, String)>,
    /// Give a setting its default again; can be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Trust the system's certificates again
    #[arg(long, conflicts_with = "ca_file")]
    no_ca_file: bool,
    /// Connect without a proxy again
    #[arg(long, conflicts_with = "proxy")]
    no_proxy: bool,
    /// Do not send secrets unencrypted to this endpoint any more; can be repeated
    #[arg(long, value_name = "ENDPOINT")]
    refuse_clear_text: Vec<String>,
    /// Make a new vault key when the key file is lost: secrets of other accounts must be stored again then
    #[arg(long)]
    new_vault_key: bool,
    /// Do not ask before an authorisation is forgotten; needed where nobody can be asked
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    secrets: SecretOptions,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let store = context.store().await?;
    let before = store.account_named(&arguments.name).await?;
    let mut account = before.clone();
    let description = context.description(&account.connector).await?;
    if let Some(name) = &arguments.rename {
        account.name.clone_from(name);
    }
    let method = match (&arguments.auth, arguments.secrets.field()) {
        (None, None) => description.auth_method(&account.auth),
        // A credential of the kind that the account uses already says nothing about the method.
        (None, Some(field)) => description
            .auth_method(&account.auth)
            .filter(|method| method.secret_field() == Some(field))
            .or_else(|| description.auth.iter().find(|method| method.secret_field() == Some(field))),
        (Some(id), _) => Some(form::choose_auth(&description, Some(id), None, None)?),
    };
    let method = method.ok_or_else(|| {
        let ids: Vec<&str> = description.auth.iter().map(|method| method.id.as_str()).collect();
        Problem::usage(
            format!(
                "connector '{}' has no fitting auth method for account '{}'",
                description.name, account.name
            ),
            format!("Choose with --auth: {}.", ids.join(", ")),
        )
    })?;
    account.auth.clone_from(&method.id);

    if let Some(client) = &arguments.client {
        let client = store.client_named(client).await?;
        client::fits(&client, &description)?;
        account.client = Some(Arc::new(client));
    }
    match (method.needs_client(), &account.client) {
        (true, None) => {
            return Err(Problem::usage(
                format!("the auth method '{}' needs an OAuth client", method.id),
                "Name one with --client, or make one with `wissel client add`.",
            )
            .into());
        }
        (false, Some(_)) if arguments.client.is_some() => {
            return Err(Problem::usage(
                format!("the auth method '{}' needs no OAuth client", method.id),
                "Leave --client out, or choose another method with --auth.",
            )
            .into());
        }
        (needs, _) if !needs => account.client = None,
        _ => {}
    }
    let beside = account.client.as_ref().map(|client| client.settings.clone()).unwrap_or_default();
    let whose = Whose::Account(&before.name, &beside);
    form::check_keys(whose, &description, arguments.unset.iter())?;
    for key in &arguments.unset {
        account.settings.remove(key);
    }
    // A newer version of the connector may have dropped a setting.
    let known =
        |key: &String| description.setting(key).is_some_and(|setting| setting.kind != SettingKind::Secret);
    account.settings.retain(|key, _| known(key));
    account.settings.extend(form::once(&format!("account '{}'", before.name), arguments.settings.clone())?);
    account.settings = form::complete(whose, &description, std::mem::take(&mut account.settings), None)?;
    form::check_needed(&before.name, &description, method, &account.settings)?;

    if arguments.no_ca_file {
        account.connection.ca_file = None;
    }
    if arguments.no_proxy {
        account.connection.proxy = None;
    }
    for endpoint in &arguments.refuse_clear_text {
        account.connection.allow_clear_text.remove(endpoint);
    }
    arguments.connection.change(&mut account.connection)?;
    check_connection(&account.name, &account.connection, &description)?;

    let mut secrets = arguments.secrets.read()?;
    secret_input::check_fields(&secrets, &description, method, account.connection.proxy.as_ref())?;
    let nothing_else = account == before && !arguments.secrets.any();
    if nothing_else && context.interactive() {
        for (field, label) in
            secret_input::fields_needed(&description, method, &account.settings, context.language)
        {
            secrets.push((field, form::ask_secret(&label, context.language)?));
        }
    } else if nothing_else {
        let store_it = match method.secret_field() {
            Some(_) => format!("; a secret is stored with {}", form::secret_options(method.kind)),
            None => String::new(),
        };
        return Err(Problem::usage(
            format!("nothing to change is given for account '{}'", account.name),
            format!("`wissel account edit --help` lists the options{store_it}."),
        )
        .into());
    }
    if let Some(language) = context.ask()
        && arguments.connection.proxy.is_some()
        && account.connection.proxy.as_ref().is_some_and(Proxy::takes_password)
        && !secrets.iter().any(|(field, _)| field == field::PROXY_PASSWORD)
    {
        secrets.push(secret_input::ask_for_proxy(language)?);
    }
    if !forgets_willingly(context, &before, &account, arguments.yes).await? {
        return Ok(Code::Stopped);
    }
    let vault = context.secrets().await?;
    if arguments.new_vault_key {
        vault.allow_new_key();
    }
    let mut sealed = Vec::new();
    for (field, secret) in &secrets {
        sealed.push((field.clone(), vault.seal(account.id, field, secret).await?));
    }
    store.update_account(&account, &sealed).await?;
    let fields: Vec<&String> = secrets.iter().map(|(field, _)| field).collect();
    let detail = json!({ "auth": account.auth, "renamed_from": before.name, "secrets": fields });
    context.audit("account.edit", &account.name, detail).await?;
    warn(context, &account);
    print_done(context, &account, "changed", ("changed", "gewijzigd")).await?;
    Ok(Code::Done)
}

/// Whether what the account was granted may go: another client cannot renew it. True where there is nothing to lose.
async fn forgets_willingly(
    context: &Context,
    before: &Account,
    after: &Account,
    yes: bool,
) -> Result<bool, anyhow::Error> {
    let id = |account: &Account| account.client.as_ref().map(|client| client.id);
    let stored = context.store().await?.secret_fields(before.id).await?;
    let granted = stored.iter().any(|field| field.starts_with(field::GRANT));
    if id(before) == id(after) || before.client.is_none() || !granted {
        return Ok(true);
    }
    let language = context.ask().unwrap_or(Language::En);
    let what = language.pick(
        format!("the authorisation of account '{}' through its OAuth client", before.name),
        format!("de autorisatie van account '{}' via de OAuth-client", before.name),
    );
    let lost = language.pick(
        "The account has to be authorised again then.",
        "Het account moet dan opnieuw worden gemachtigd.",
    );
    Ok(form::agreed(yes, context.ask(), &what, lost)?)
}
