//! `wissel client secret`, and the same for the client of an account as `wissel account secret`: several secrets side by
//! side while one is replaced.

mod trial;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use wissel_model::{ClientSecret, OAuthClient, SecretKind, SecretState, clock};

use crate::client_secret_input::ClientSecretOptions;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::text::{Language, quoted};
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
        which: String,
        /// When it expires: a date, a number of days such as 730d, or `never`
        #[arg(long, value_name = "WHEN", value_parser = secret_expiry::parse, required_unless_present = "label")]
        expires: Option<Timestamp>,
        /// A new label
        #[arg(long, alias = "rename", value_name = "LABEL", value_parser = job_rules::name)]
        label: Option<String>,
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
    let account = match of {
        Of::Client => None,
        Of::Account => Some(store.account_named(command.name()).await?),
    };
    let client = match &account {
        None => store.client_named(command.name()).await?,
        Some(account) => account.client.as_deref().cloned().ok_or_else(|| {
            Problem::usage(
                format!("account '{}' has no OAuth client, and so no secret of one", account.name),
                "A password is stored with `wissel account edit`.",
            )
        })?,
    };
    match command {
        Command::Add { secret, .. } => add(context, &client, &secret).await,
        Command::List { .. } => list(context, &client).await,
        Command::Test { label, .. } => trial::run(context, &client, account.as_ref(), label.as_deref()).await,
        Command::Use { label, untested, .. } => {
            put_into_use(context, &client, label.as_deref(), untested).await
        }
        Command::Edit { which, expires, label, .. } => edit(context, &client, &which, expires, label).await,
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
    let what = secret_expiry::named(secret.kind, context.language);
    let said = match secret.state {
        SecretState::InUse => context.language.pick(
            format!("{what} {label} is stored and in use"),
            format!("{what} {label} is opgeslagen en in gebruik"),
        ),
        SecretState::Standby => context.language.pick(
            format!("{what} {label} is stored beside the one in use; next: `wissel client secret test {name} {label}`, then `use`"),
            format!("{what} {label} is opgeslagen naast wat in gebruik is; hierna: `wissel client secret test {name} {label}`, dan `use`"),
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
    let was_in_use = secret.state == SecretState::InUse;
    let detail = json!({ "secret": secret.label, "untested": secret.tested.is_none() });
    store.use_client_secret(&secret, &Context::record("client.secret.use", &client.name, detail)).await?;
    secret.state = SecretState::InUse;
    let what = secret_expiry::named(secret.kind, context.language);
    let said = if was_in_use {
        context
            .language
            .pick(format!("{what} {label} is in use already"), format!("{what} {label} is al in gebruik"))
    } else {
        context.language.pick(
            format!("{what} {label} is in use now; the one before is kept beside it until `wissel client secret drop {name}`"),
            format!("{what} {label} is nu in gebruik; het vorige blijft ernaast staan tot `wissel client secret drop {name}`"),
        )
    };
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
    let what = secret_expiry::named(secret.kind, context.language);
    let said =
        context.language.pick(format!("{what} {label} is changed"), format!("{what} {label} is gewijzigd"));
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
    // Errors are English.
    let language = context.ask().unwrap_or(Language::En);
    let kind = secret_expiry::named(secret.kind, language);
    let what = language.pick(
        format!("{kind} '{}' of OAuth client '{}'", secret.label, client.name),
        format!("{kind} '{}' van OAuth-client '{}'", secret.label, client.name),
    );
    let lost = language.pick("Its value is forgotten then.", "De waarde wordt dan vergeten.");
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
            format!(
                "{kind} {label} is removed here; delete it at the provider too",
                kind = secret_expiry::named(secret.kind, context.language)
            ),
            format!(
                "{kind} {label} is hier verwijderd; verwijder het ook bij de provider",
                kind = secret_expiry::named(secret.kind, context.language)
            ),
        ));
    }
    Ok(Code::Done)
}
