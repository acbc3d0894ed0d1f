//! `wissel account add`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use wissel_model::description::SettingOwner;
use wissel_model::secrets::field;
use wissel_model::{Account, AccountId, ConnectionPolicy, Description, Proxy};

use super::{print_done, warn};
use crate::client_secret_input::ClientSecretOptions;
use crate::commands::CommandResult;
use crate::commands::client::{self, Chosen};
use crate::context::Context;
use crate::exit::Code;
use crate::form::{self, Values, Whose};
use crate::job_rules;
use crate::problem::Problem;
use crate::secret_input::{self, SecretOptions, SecretValues};

/// A new account.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The account's name, such as Inkoopfacturen
    #[arg(value_parser = job_rules::name)]
    name: String,
    /// The connector; `wissel connector list` shows what is installed
    #[arg(long, short)]
    connector: String,
    /// The auth method; `wissel connector show` lists them
    #[arg(long, value_name = "ID")]
    auth: Option<String>,
    /// A setting of the connector; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = form::pair)]
    settings: Vec<(String, String)>,
    /// Make it the default account
    #[arg(long)]
    default: bool,
    /// The OAuth client that it is authorised through; `wissel client list` shows them
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    secrets: SecretOptions,
    #[command(flatten)]
    client_secret: ClientSecretOptions,
}

/// What the operator allows the connections of an account.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionOptions {
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate; unsafe
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_untrusted_certificate: Option<bool>,
    /// Send secrets unencrypted to this endpoint of the connector, or to the provider of this auth method; unsafe; can be
    /// repeated
    #[arg(long, value_name = "ENDPOINT")]
    allow_clear_text: Vec<String>,
    /// Connect through this proxy: socks5h://[USER@]HOST:PORT, http://[USER@]HOST:PORT, or `system` for what the
    /// environment and the system say; without it, no proxy is used
    // Read later: an error of the command line would repeat what does not belong there, such as a password.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) proxy: Option<String>,
    /// Seconds to wait for a connection
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    connect_timeout: Option<u32>,
    /// Seconds that a connection may stay silent
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    idle_timeout: Option<u32>,
    /// Seconds that one call of the connector may take in all
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    call_timeout: Option<u32>,
}

impl ConnectionOptions {
    /// Changes what is given.
    pub(crate) fn change(&self, policy: &mut ConnectionPolicy) -> Result<(), Problem> {
        if let Some(file) = &self.ca_file {
            policy.ca_file = Some(job_rules::directory(file)?);
        }
        if let Some(proxy) = &self.proxy {
            let read = proxy.parse::<Proxy>();
            let read = read.map_err(|error| Problem::usage(error.to_string(), "Correct --proxy."))?;
            policy.proxy = Some(read);
        }
        policy.allow_clear_text.extend(self.allow_clear_text.iter().cloned());
        let set = |place: &mut u32, given: Option<u32>| *place = given.unwrap_or(*place);
        set(&mut policy.connect_timeout_seconds, self.connect_timeout);
        set(&mut policy.idle_timeout_seconds, self.idle_timeout);
        set(&mut policy.call_timeout_seconds, self.call_timeout);
        if let Some(allow) = self.allow_untrusted_certificate {
            policy.allow_untrusted_certificate = allow;
        }
        Ok(())
    }
}

/// Refuses a connection policy that cannot work: endpoints that the connector lacks, a file that is not there.
pub(crate) fn check_connection(
    account: &str,
    policy: &ConnectionPolicy,
    description: &Description,
) -> Result<(), Problem> {
    for endpoint in &policy.allow_clear_text {
        if description.endpoint(endpoint).is_none() && description.auth_method(endpoint).is_none() {
            let known: Vec<&str> =
                description.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
            let methods: Vec<&str> = description.auth.iter().map(|method| method.id.as_str()).collect();
            return Err(Problem::usage(
                format!("account '{account}': connector '{}' has no endpoint '{endpoint}'", description.name),
                format!("Its endpoints are: {}; its auth methods: {}.", known.join(", "), methods.join(", ")),
            ));
        }
    }
    let Some(file) = &policy.ca_file else { return Ok(()) };
    let text = std::fs::read_to_string(file).map_err(|error| {
        Problem::usage(
            format!("account '{account}': the CA file '{}' cannot be read: {error}", file.display()),
            "Name a file with certificates in PEM form.",
        )
    })?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Ok(());
    }
    Err(Problem::usage(
        format!("account '{account}': the CA file '{}' holds no certificate in PEM form", file.display()),
        "Name a file with certificates in PEM form.",
    ))
}

/// Settings of the OAuth client, and those of the account.
fn split(description: &Description, given: Values) -> (Values, Values) {
    let of_client =
        |key: &str| description.setting(key).is_some_and(|setting| setting.of == SettingOwner::Client);
    given.into_iter().partition(|(key, _)| of_client(key))
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    let Arguments { name, connector, auth, settings, default, client, connection, secrets, client_secret } =
        arguments;
    let store = context.store().await?;
    if store.accounts().await?.iter().any(|account| account.name.to_lowercase() == name.to_lowercase()) {
        return Err(Problem::usage(
            format!("there is an account '{name}' already"),
            "Choose another name, or change it with `wissel account edit`.",
        )
        .into());
    }
    let description = context.description(&connector).await?;
    let ask = context.ask();
    let auth = form::choose_auth(&description, auth.as_deref(), secrets.field(), ask)?;
    let mut policy = ConnectionPolicy::default();
    connection.change(&mut policy)?;
    check_connection(&name, &policy, &description)?;
    let given = form::once(&format!("account '{name}'"), settings)?;
    let (of_client, given) =
        if auth.needs_client() { split(&description, given) } else { (Values::new(), given) };
    let chosen =
        client::chosen(context, &name, auth, &description, client.as_deref(), of_client, &client_secret)
            .await?;
    let client = chosen.as_ref().map(|chosen| Arc::new(chosen.client().clone()));
    let beside = client.as_ref().map(|client| client.settings.clone()).unwrap_or_default();
    let settings = form::complete(Whose::Account(&name, &beside), &description, given, ask)?;
    form::check_needed(&name, &description, auth, &settings)?;
    let mut secrets: SecretValues = secrets.read()?;
    secret_input::check_fields(&secrets, &description, auth, policy.proxy.as_ref())?;
    if ask.is_some() {
        for (field, label) in secret_input::fields_needed(&description, auth, &settings, context.language) {
            if !secrets.iter().any(|(given, _)| *given == field) {
                secrets.push((field, form::ask_secret(&label, context.language)?));
            }
        }
        let given = secrets.iter().any(|(field, _)| field == field::PROXY_PASSWORD);
        if policy.proxy.as_ref().is_some_and(Proxy::takes_password) && !given {
            secrets.push(secret_input::ask_for_proxy(context.language)?);
        }
    }
    let account = Account {
        id: AccountId::generate(),
        name,
        connector,
        auth: auth.id.clone(),
        client,
        settings,
        connection: policy,
        is_default: default,
    };
    let mut sealed = Vec::new();
    for (field, secret) in &secrets {
        sealed.push((field.clone(), context.secrets().await?.seal(account.id, field, secret).await?));
    }
    let client = account.client.as_ref().map(|client| &client.name);
    let detail = json!({ "connector": account.connector, "auth": account.auth, "client": client });
    let record = Context::record("account.add", &account.name, detail);
    if let Some(Chosen::New(new)) = &chosen {
        let records = [new.record(), record];
        store.add_client(&new.client, new.secret(), Some((&account, &sealed)), &records).await?;
        crate::output::note(&context.language.client_made(&new.client.name));
    } else {
        store.add_account(&account, &sealed).await?;
        store.audit(&record).await?;
    }
    warn(context, &account);
    if secrets.is_empty() && auth.secret_field().is_some() {
        crate::output::note(&format!(
            "no secret is stored yet for account '{}'; store one with `wissel account edit` and {}",
            account.name,
            form::secret_options(auth.kind)
        ));
    }
    print_done(context, &account, "added", ("added", "toegevoegd")).await?;
    Ok(Code::Done)
}
