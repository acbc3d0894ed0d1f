//! `wissel client add`, and the client that an account gets when it is added.

use clap::Args;
use serde_json::json;
use wissel_model::description::{AuthMethod, SettingOwner};
use wissel_model::settings::{canonical, of_client};
use wissel_model::{ClientId, ClientSecret, Description, OAuthClient};
use wissel_store::AuditRecord;

use super::print_done;
use crate::client_secret_input::{self, ClientSecretOptions};
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::form::Values;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{form, job_rules};

/// A new client.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The client's name, such as Kantoor
    #[arg(value_parser = job_rules::name)]
    name: String,
    /// The connector that describes its settings; `wissel connector list` shows what is installed
    #[arg(long, short)]
    connector: String,
    /// A setting of the client, such as its id and tenant; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = form::pair)]
    settings: Vec<(String, String)>,
    /// The https address that the provider sends the answer to, as it is registered there [default: this machine]
    #[arg(long, value_name = "URL", value_parser = redirect)]
    redirect: Option<String>,
    #[command(flatten)]
    secret: ClientSecretOptions,
}

/// Checks a redirect address: https, without a fragment (RFC 6749, section 3.1.2).
pub(crate) fn redirect(text: &str) -> Result<String, String> {
    match url::Url::parse(text.trim()) {
        Ok(url) if url.scheme() == "https" && url.has_host() && url.fragment().is_none() => {
            // As it was typed: providers compare it letter by letter.
            Ok(text.trim().to_owned())
        }
        _ => Err("it must be an https address without '#', letter by letter as it is registered".to_owned()),
    }
}

/// A client that is to be stored, with its first secret.
pub(crate) struct NewClient {
    pub(crate) client: OAuthClient,
    pub(crate) secret: Option<(ClientSecret, Vec<u8>)>,
}

impl NewClient {
    /// What the audit trail keeps of it.
    pub(crate) fn record(&self) -> AuditRecord {
        let secret = self.secret.as_ref().map(|(secret, _)| &secret.label);
        let detail = json!({ "connector": self.client.connector, "secret": secret });
        Context::record("client.add", &self.client.name, detail)
    }

    /// The secret as the store takes it.
    pub(crate) fn secret(&self) -> Option<(&ClientSecret, &[u8])> {
        self.secret.as_ref().map(|(secret, sealed)| (secret, sealed.as_slice()))
    }
}

/// Makes a client of what is given, and of what a person answers. `needs_secret`: one is asked for when none is given.
pub(crate) async fn make(
    context: &Context,
    name: &str,
    description: &Description,
    given: Values,
    redirect: Option<String>,
    options: &ClientSecretOptions,
    needs_secret: bool,
) -> anyhow::Result<NewClient> {
    let store = context.store().await?;
    if store.clients().await?.iter().any(|client| client.name.to_lowercase() == name.to_lowercase()) {
        return Err(Problem::usage(
            format!("there is an OAuth client '{name}' already"),
            format!(
                "Use it with `--client {0}`, change it with `wissel client edit {0}`, or choose another name.",
                quoted(name)
            ),
        )
        .into());
    }
    let settings = client_secret_input::settings(name, description, given, context.ask())?;
    let client = OAuthClient {
        id: ClientId::generate(),
        name: name.to_owned(),
        connector: description.name.clone(),
        settings,
        redirect,
    };
    let new = options.read(context.ask().filter(|_| needs_secret))?;
    let secret = match new {
        None => None,
        Some(new) => {
            new.check(&client, description)?;
            let secret = new.describe(client.id, &[]);
            let field = secret.id.to_string();
            let sealed = context.secrets().await?.seal(client.id, &field, &new.value).await?;
            Some((secret, sealed))
        }
    };
    Ok(NewClient { client, secret })
}

/// Refuses a client that lacks what the account's connector describes as the client's.
pub(crate) fn fits(client: &OAuthClient, description: &Description) -> Result<(), Problem> {
    let given = of_client(description, &client.settings);
    match canonical(description, SettingOwner::Client, &given, &Values::new()) {
        Ok(complete) if complete == given => Ok(()),
        _ => Err(Problem::usage(
            format!(
                "OAuth client '{}' was made for connector '{}' and lacks settings that connector '{}' needs",
                client.name, client.connector, description.name
            ),
            format!(
                "Make one for it with `wissel client add NAME --connector {}`, or complete this one with `wissel client \
                 edit {} --connector {}`.",
                description.name,
                quoted(&client.name),
                description.name
            ),
        )),
    }
}

/// The client that an account is to use: the one that is named, or one of the account's name, made of the settings that
/// are given for it.
pub(crate) async fn chosen(
    context: &Context,
    account: &str,
    method: &AuthMethod,
    description: &Description,
    named: Option<&str>,
    given: Values,
    options: &ClientSecretOptions,
) -> anyhow::Result<Option<Chosen>> {
    if !method.needs_client() {
        if named.is_some() || !given.is_empty() || options.any() {
            return Err(Problem::usage(
                format!("the auth method '{}' needs no OAuth client", method.id),
                "Leave the client out, or choose another method with --auth.",
            )
            .into());
        }
        return Ok(None);
    }
    if let Some(named) = named {
        if let Some(key) = given.keys().next() {
            return Err(Problem::usage(
                format!(
                    "the setting '{key}' is one of the OAuth client, and OAuth client '{named}' has its own"
                ),
                format!("Leave it out, or change the client with `wissel client edit {}`.", quoted(named)),
            )
            .into());
        }
        if options.any() {
            return Err(Problem::usage(
                format!("OAuth client '{named}' keeps its own secrets"),
                format!("Add one with `wissel client secret add {}`.", quoted(named)),
            )
            .into());
        }
        let client = context.store().await?.client_named(named).await?;
        fits(&client, description)?;
        return Ok(Some(Chosen::Stands(client)));
    }
    if given.is_empty() && !options.any() {
        let clients = context.store().await?.clients().await?;
        let fitting: Vec<OAuthClient> =
            clients.into_iter().filter(|client| fits(client, description).is_ok()).collect();
        match context.ask() {
            None => return Err(unnamed(account, &fitting).into()),
            Some(language) => {
                if let Some(client) = form::ask_client(&fitting, language)? {
                    return Ok(Some(Chosen::Stands(client)));
                }
            }
        }
    }
    let needs = method.needs_client_secret();
    let new = make(context, account, description, given, None, options, needs).await?;
    Ok(Some(Chosen::New(new)))
}

fn unnamed(account: &str, fitting: &[OAuthClient]) -> Problem {
    let names: Vec<String> = fitting.iter().map(|client| quoted(&client.name)).collect();
    let next = if names.is_empty() {
        "Make one with `wissel client add`, or give its settings here with --set.".to_owned()
    } else {
        format!(
            "Name it with --client: {}; or give the settings of a new one here with --set.",
            names.join(", ")
        )
    };
    Problem::usage(format!("account '{account}' needs an OAuth client, and none is named"), next)
}

/// The client that an account is to use.
pub(crate) enum Chosen {
    /// It stands already.
    Stands(OAuthClient),
    /// It is stored with the account.
    New(NewClient),
}

impl Chosen {
    /// The client itself.
    pub(crate) fn client(&self) -> &OAuthClient {
        match self {
            Self::Stands(client) => client,
            Self::New(new) => &new.client,
        }
    }
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let Arguments { name, connector, settings, redirect, secret } = arguments;
    let description = context.description(&connector).await?;
    if !description.auth.iter().any(AuthMethod::needs_client) {
        return Err(Problem::usage(
            format!("connector '{connector}' has no auth method that needs an OAuth client"),
            "`wissel connector show` lists what it has.",
        )
        .into());
    }
    let given = form::once(&format!("OAuth client '{name}'"), settings)?;
    let needs = description.auth.iter().any(AuthMethod::needs_client_secret);
    let new = make(context, &name, &description, given, redirect, &secret, needs).await?;
    context.store().await?.add_client(&new.client, new.secret(), None, &[new.record()]).await?;
    let sentence = context.language.pick(
        format!(
            "OAuth client '{name}' is added; use it with `wissel account add NAME --connector {} --client {}`",
            description.name,
            quoted(&name)
        ),
        format!(
            "OAuth-client '{name}' is toegevoegd; gebruik hem met `wissel account add NAAM --connector {} --client {}`",
            description.name,
            quoted(&name)
        ),
    );
    print_done(context, &new.client, "added", &sentence).await?;
    Ok(Code::Done)
}
