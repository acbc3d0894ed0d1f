//! `wissel client secret`, and the same for the client of an account as `wissel account secret`: several secrets side by
//! side while one is replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use wissel_model::description::AuthKind;
use wissel_model::{
    Account, AccountId, ClientSecret, ConnectionPolicy, OAuthClient, SecretKind, SecretState, clock,
};

use crate::client_secret_input::ClientSecretOptions;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::quoted;
use crate::{form, job_rules, output, secret_expiry, views};

/// What can be done with the secrets of a client.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store a secret beside the one in use; the first one is in use at once
    Add {
        /// Whose it is
        name: String,
        #[command(flatten)]
        secret: ClientSecretOptions,
    },
    /// List the secrets, and until when they work
    List {
        /// Whose they are
        name: String,
    },
    /// Ask the provider for a token with a secret, and remember that it gave one
    Test {
        /// Whose it is
        name: String,
        /// Which one; the only one on standby when absent, else the one in use
        label: Option<String>,
    },
    /// Put a secret into use; the one before stays beside it
    Use {
        /// Whose it is
        name: String,
        /// Which one; the only one on standby when absent
        label: Option<String>,
        /// Use it although the provider has not given a token for it yet
        #[arg(long)]
        untested: bool,
    },
    /// Say when a secret expires, or call it something else
    Edit {
        /// Whose it is
        name: String,
        /// Which one
        label: String,
        /// When it expires: a date, a number of days such as 730d, or `never`
        #[arg(long, value_name = "WHEN", value_parser = secret_expiry::parse, required_unless_present = "rename")]
        expires: Option<Timestamp>,
        /// A new label
        #[arg(long, value_name = "LABEL", value_parser = job_rules::name)]
        rename: Option<String>,
    },
    /// Remove a secret that is not in use
    Drop {
        /// Whose it is
        name: String,
        /// Which one; the only one on standby when absent
        label: Option<String>,
        /// Do not ask; needed where nobody can be asked
        #[arg(long, short)]
        yes: bool,
    },
}

impl Command {
    fn name(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::List { name }
            | Self::Test { name, .. }
            | Self::Use { name, .. }
            | Self::Edit { name, .. }
            | Self::Drop { name, .. } => name,
        }
    }
}

/// What the name on the command line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// An account, whose client is meant.
    Account,
    /// A client.
    Client,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, of: Of, command: Command) -> CommandResult {
    let store = context.store().await?;
    let client = match of {
        Of::Client => store.client_named(command.name()).await?,
        Of::Account => {
            let account = store.account_named(command.name()).await?;
            account.client.as_deref().cloned().ok_or_else(|| {
                Problem::usage(
                    format!("account '{}' has no OAuth client, and so no secret of one", account.name),
                    "A password is stored with `wissel account edit`.",
                )
            })?
        }
    };
    match command {
        Command::Add { secret, .. } => add(context, &client, &secret).await,
        Command::List { .. } => list(context, &client).await,
        Command::Test { label, .. } => test(context, &client, label.as_deref()).await,
        Command::Use { label, untested, .. } => {
            put_into_use(context, &client, label.as_deref(), untested).await
        }
        Command::Edit { label, expires, rename, .. } => edit(context, &client, &label, expires, rename).await,
        Command::Drop { label, yes, .. } => drop_one(context, &client, label.as_deref(), yes).await,
    }
}

/// The secret of this label; or the only one on standby, when none is named.
fn pick(
    client: &OAuthClient,
    secrets: &[ClientSecret],
    label: Option<&str>,
) -> Result<ClientSecret, Problem> {
    let labels: Vec<String> = secrets.iter().map(|secret| quoted(&secret.label)).collect();
    let known = if labels.is_empty() {
        format!("It has none; add one with `wissel client secret add {}`.", quoted(&client.name))
    } else {
        format!("Its secrets are: {}.", labels.join(", "))
    };
    if let Some(label) = label {
        let found = secrets.iter().find(|secret| {
            secret.label.to_lowercase() == label.trim().to_lowercase() || secret.id.to_string() == label
        });
        // What stands where a label belongs may be the secret itself.
        return found.cloned().ok_or_else(|| {
            Problem::not_found(format!("OAuth client '{}' has no secret of that label", client.name), known)
        });
    }
    let standby: Vec<&ClientSecret> =
        secrets.iter().filter(|secret| secret.state == SecretState::Standby).collect();
    match standby.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Problem::usage(
            format!("OAuth client '{}' has no secret beside the one in use", client.name),
            known,
        )),
        _ => Err(Problem::usage(
            format!("OAuth client '{}' has several secrets on standby; say which", client.name),
            known,
        )),
    }
}

async fn add(context: &Context, client: &OAuthClient, options: &ClientSecretOptions) -> CommandResult {
    let store = context.store().await?;
    let description = context.description(&client.connector).await?;
    let new = options.read(context.ask())?.ok_or_else(|| {
        Problem::usage(
            "no secret is given, and nobody can be asked for it",
            "Give it with --client-secret-stdin, --client-secret-env VARIABLE, or --certificate and --key.",
        )
    })?;
    new.check(client, &description)?;
    let mut secret = new.describe(client.id, &store.client_secrets(client.id).await?);
    let sealed = context.secrets().await?.seal(client.id, &secret.id.to_string(), &new.value).await?;
    let detail = json!({ "secret": secret.label, "kind": secret.kind, "expires": secret.expires });
    let record = Context::record("client.secret.add", &client.name, detail);
    secret.state = store.add_client_secret(&secret, &sealed, &record).await?;
    let (name, label) = (quoted(&client.name), quoted(&secret.label));
    let said = match secret.state {
        SecretState::InUse => context.language.pick(
            format!("the secret {label} is stored and in use"),
            format!("het geheim {label} is opgeslagen en in gebruik"),
        ),
        SecretState::Standby => context.language.pick(
            format!("the secret {label} is stored beside the one in use; next: `wissel client secret test {name} {label}`, then `use`"),
            format!("het geheim {label} is opgeslagen naast het geheim dat in gebruik is; hierna: `wissel client secret test {name} {label}`, dan `use`"),
        ),
    };
    done(context, client, &secret, "added", &said);
    Ok(Code::Done)
}

/// Prints what was done, and warns about an expiry that is near or unknown.
fn done(context: &Context, client: &OAuthClient, secret: &ClientSecret, done: &str, sentence: &str) {
    if context.json {
        let secret = views::client_secret(secret, clock::now());
        output::json(&json!({ done: true, "client": client.name, "secret": secret }));
        return;
    }
    output::line(sentence);
    if let Some((message, next)) =
        secret_expiry::warning(&client.name, secret, clock::now(), context.language)
    {
        output::note(&format!("{}: {message}\n  {next}", context.language.pick("WARNING", "WAARSCHUWING")));
    }
}

/// Prints secrets as a table.
pub(super) fn print(context: &Context, secrets: &[ClientSecret]) {
    let language = context.language;
    let row = |secret: &ClientSecret| {
        vec![
            secret.label.clone(),
            match secret.kind {
                SecretKind::Secret => language.pick("secret", "geheim"),
                SecretKind::Certificate => language.pick("certificate", "certificaat"),
            }
            .to_owned(),
            match secret.state {
                SecretState::InUse => language.pick("in use", "in gebruik"),
                SecretState::Standby => language.pick("standby", "stand-by"),
            }
            .to_owned(),
            secret_expiry::shown(secret.expires, clock::now(), language),
            secret.tested.map_or_else(|| language.pick("no", "nee").to_owned(), output::moment),
        ]
    };
    let header = language.pick(
        ["Label", "Kind", "State", "Expires", "Tested"],
        ["Label", "Soort", "Status", "Verloopt", "Getest"],
    );
    output::table(&header, secrets.iter().map(row).collect());
}

async fn list(context: &Context, client: &OAuthClient) -> CommandResult {
    let secrets = context.store().await?.client_secrets(client.id).await?;
    if context.json {
        let now = clock::now();
        let secrets: Vec<_> = secrets.iter().map(|secret| views::client_secret(secret, now)).collect();
        output::json(&json!({ "client": client.name, "secrets": secrets }));
    } else if secrets.is_empty() {
        let name = quoted(&client.name);
        output::note(&context.language.pick(
            format!("OAuth client {name} has no secret yet; add one with `wissel client secret add {name}`"),
            format!("OAuth-client {name} heeft nog geen geheim; voeg er een toe met `wissel client secret add {name}`"),
        ));
    } else {
        print(context, &secrets);
        super::warn(context, client).await?;
    }
    Ok(Code::Done)
}

async fn test(context: &Context, client: &OAuthClient, label: Option<&str>) -> CommandResult {
    let store = context.store().await?;
    let secrets = store.client_secrets(client.id).await?;
    let in_use = secrets.iter().find(|secret| secret.state == SecretState::InUse);
    let mut secret = match (in_use, label) {
        (Some(only), None) if secrets.len() == 1 => only.clone(),
        _ => pick(client, &secrets, label)?,
    };
    let account = tried_for(context, client).await?;
    let description = context.description(&account.connector).await?;
    // As the client itself: that takes nothing from what users granted.
    let by_itself = description.auth.iter().find(|m| m.kind == AuthKind::OAuth2Client && m.needs_client());
    let method = by_itself.ok_or_else(|| {
        Problem::failed(
            format!("connector '{}' describes no way to try a client's secret by itself", description.name),
            "Use it with --untested, and try it with `wissel account test`.",
        )
    })?;
    let value = context.secrets().await?.client_secret(&secret).await?;
    let authority = context.authority().await?;
    let asked =
        async { authority.provider_with(&account, method, (secret.kind, value))?.as_client(None).await };
    let (name, label) = (quoted(&client.name), quoted(&secret.label));
    match asked.await {
        Ok(_) => {
            let now = clock::now();
            let detail = json!({ "secret": secret.label, "given": true });
            let record = Context::record("client.secret.test", &client.name, detail);
            store.client_secret_tested(secret.id, Some(now), &record).await?;
            secret.tested = Some(now);
            let said = match secret.state {
                SecretState::InUse => context.language.pick(
                    format!("the provider gave a token for the secret {label}, which is in use"),
                    format!("de provider gaf een token voor het geheim {label}, dat in gebruik is"),
                ),
                SecretState::Standby => context.language.pick(
                    format!("the provider gave a token for the secret {label}; put it into use with `wissel client secret use {name} {label}`"),
                    format!("de provider gaf een token voor het geheim {label}; neem het in gebruik met `wissel client secret use {name} {label}`"),
                ),
            };
            done(context, client, &secret, "tested", &said);
            Ok(Code::Done)
        }
        Err(error) => {
            if error.is_permanent() {
                let detail = json!({ "secret": secret.label, "given": false, "code": error.code() });
                let record = Context::record("client.secret.test", &client.name, detail);
                store.client_secret_tested(secret.id, None, &record).await?;
            }
            let advice =
                error.code().and_then(|code| method.advice.iter().find(|advice| advice.code == code));
            let next = match advice {
                Some(advice) => advice.text.get(context.language.tag()).to_owned(),
                None => "Look at the client's settings and at the secret in the provider's administration."
                    .to_owned(),
            };
            let error = wissel_model::ConnectorError::from(error);
            let (code, kind) = (Code::of_kind(error.kind), error.kind.as_str());
            let message = format!("OAuth client {name}, secret {label}: {error}");
            Err(Problem { code, name: kind, message, next }.into())
        }
    }
}

/// An account that the client serves, whose connections a test goes through; one made up where there is none.
async fn tried_for(context: &Context, client: &OAuthClient) -> anyhow::Result<Account> {
    let accounts = context.store().await?.accounts().await?;
    let of_client = |account: &Account| account.client.as_ref().is_some_and(|other| other.id == client.id);
    Ok(accounts.into_iter().find(of_client).unwrap_or_else(|| Account {
        id: AccountId::generate(),
        name: client.name.clone(),
        connector: client.connector.clone(),
        auth: String::new(),
        client: Some(Arc::new(client.clone())),
        settings: BTreeMap::new(),
        connection: ConnectionPolicy::default(),
        is_default: false,
    }))
}

async fn put_into_use(
    context: &Context,
    client: &OAuthClient,
    label: Option<&str>,
    untested: bool,
) -> CommandResult {
    let store = context.store().await?;
    let mut secret = pick(client, &store.client_secrets(client.id).await?, label)?;
    let (name, label) = (quoted(&client.name), quoted(&secret.label));
    if secret.tested.is_none() && !untested && secret.state != SecretState::InUse {
        return Err(Problem::failed(
            format!("the provider has not given a token for the secret {label} of OAuth client {name} yet"),
            format!(
                "Test it: `wissel client secret test {name} {label}`; or use it all the same with --untested."
            ),
        )
        .into());
    }
    let detail = json!({ "secret": secret.label, "untested": secret.tested.is_none() });
    store.use_client_secret(&secret, &Context::record("client.secret.use", &client.name, detail)).await?;
    secret.state = SecretState::InUse;
    let said = context.language.pick(
        format!("the secret {label} is in use now; the one before is kept beside it until `wissel client secret drop`"),
        format!("het geheim {label} is nu in gebruik; het vorige blijft ernaast staan tot `wissel client secret drop`"),
    );
    done(context, client, &secret, "used", &said);
    Ok(Code::Done)
}

async fn edit(
    context: &Context,
    client: &OAuthClient,
    label: &str,
    expires: Option<Timestamp>,
    rename: Option<String>,
) -> CommandResult {
    let store = context.store().await?;
    let mut secret = pick(client, &store.client_secrets(client.id).await?, Some(label))?;
    if expires.is_some() && secret.kind == SecretKind::Certificate {
        return Err(Problem::usage(
            "when a certificate expires stands in it",
            "Add the certificate that replaces it with `wissel client secret add`.",
        )
        .into());
    }
    secret.expires = expires.or(secret.expires);
    secret.label = rename.unwrap_or(secret.label);
    let detail = json!({ "secret": secret.label, "expires": secret.expires });
    store
        .update_client_secret(&secret, None, &Context::record("client.secret.edit", &client.name, detail))
        .await?;
    let label = quoted(&secret.label);
    let said = context
        .language
        .pick(format!("the secret {label} is changed"), format!("het geheim {label} is gewijzigd"));
    done(context, client, &secret, "changed", &said);
    Ok(Code::Done)
}

async fn drop_one(context: &Context, client: &OAuthClient, label: Option<&str>, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let secret = pick(client, &store.client_secrets(client.id).await?, label)?;
    if secret.state == SecretState::InUse {
        // Said before anybody is asked; the store refuses it too.
        return Err(wissel_store::StoreError::ClientSecretInUse { label: secret.label }.into());
    }
    let what = context.language.pick(
        format!("the secret '{}' of OAuth client '{}'", secret.label, client.name),
        format!("het geheim '{}' van OAuth-client '{}'", secret.label, client.name),
    );
    let lost = context.language.pick("Its value is forgotten.", "De waarde wordt vergeten.");
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    let detail = json!({ "secret": secret.label });
    store.remove_client_secret(&secret, &Context::record("client.secret.drop", &client.name, detail)).await?;
    if context.json {
        output::json(&json!({ "dropped": secret.label, "client": client.name }));
    } else {
        let label = quoted(&secret.label);
        output::line(&context.language.pick(
            format!("the secret {label} is removed here; delete it at the provider too"),
            format!("het geheim {label} is hier verwijderd; verwijder het ook bij de provider"),
        ));
    }
    Ok(Code::Done)
}
