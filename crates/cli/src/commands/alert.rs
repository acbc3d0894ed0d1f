//! `wissel alert`: where people are told of what needs them, away from the terminal.

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};
use wissel_model::alert::Severity;
use wissel_model::secrets::field;
use wissel_model::{Alert, AlertChannel, AlertChannelId, AlertTarget};

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::secret_input::{from_environment, from_stdin};
use crate::text::{Language, quoted};
use crate::{alerts, form, job_rules, output};

/// Seconds that a channel may take unless it is said otherwise.
pub(crate) const TIME_LIMIT: u32 = 30;

/// What can be done with alert channels.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a channel: a program that gets each alert as JSON on standard input, or an https address it is posted to
    #[command(after_help = "Examples:\n  wissel alert add operators -- /usr/local/bin/notify --urgent\n  \
                            wissel alert add chat --webhook https://example.com/hook --signing-key-env HOOK_KEY")]
    Add(Add),
    /// List the channels
    List,
    /// Send a test alert through a channel
    Test {
        /// The channel
        name: String,
    },
    /// Remove a channel
    Remove {
        /// The channel
        name: String,
        /// Do not ask; needed where nobody can be asked
        #[arg(long, short)]
        yes: bool,
    },
}

/// A new channel.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The channel's name
    #[arg(value_parser = job_rules::name)]
    name: String,
    /// Post alerts to this https address
    #[arg(long, value_name = "URL", conflicts_with = "command", required_unless_present = "command")]
    webhook: Option<String>,
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", requires = "webhook")]
    ca_file: Option<PathBuf>,
    /// Sign what is posted (Standard Webhooks) with the key that is read from standard input
    #[arg(long, requires = "webhook", conflicts_with = "signing_key_env")]
    signing_key_stdin: bool,
    /// Sign what is posted with the key in this environment variable
    #[arg(long, value_name = "VARIABLE", requires = "webhook")]
    signing_key_env: Option<String>,
    /// Seconds that the channel may take
    #[arg(long, value_name = "SECONDS", default_value_t = TIME_LIMIT, value_parser = clap::value_parser!(u32).range(1..=600))]
    time_limit: u32,
    /// The program with its arguments; no shell is between
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<String>,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Add(arguments) => add(context, arguments).await,
        Command::List => list(context).await,
        Command::Test { name } => test(context, &name).await,
        Command::Remove { name, yes } => remove(context, &name, yes).await,
    }
}

/// Checks where alerts are to go.
pub(crate) fn check(target: &AlertTarget) -> Result<(), Problem> {
    let AlertTarget::Webhook { url, ca_file } = target else { return Ok(()) };
    let parsed = url::Url::parse(url).ok().filter(|url| url.scheme() == "https" && url.has_host());
    if parsed.is_none() {
        // It may be as good as a secret.
        return Err(Problem::usage("the webhook is no https address", "Give it as https://HOST/PATH."));
    }
    if let Some(file) = ca_file.as_ref().filter(|file| !file.is_file()) {
        return Err(Problem::usage(
            format!("the CA file '{}' cannot be read", file.display()),
            "Name a file with certificates in PEM form.",
        ));
    }
    Ok(())
}

async fn add(context: &Context, arguments: Add) -> CommandResult {
    let target = match arguments.webhook {
        Some(url) => {
            let ca_file = arguments.ca_file.as_deref().map(job_rules::directory).transpose()?;
            AlertTarget::Webhook { url, ca_file }
        }
        None => AlertTarget::Command(arguments.command),
    };
    check(&target)?;
    let key = match &arguments.signing_key_env {
        Some(variable) => Some(from_environment(variable)?),
        None if arguments.signing_key_stdin => Some(from_stdin()?),
        None => None,
    };
    if let Some(key) = &key {
        alerts::check_signing_key(key)?;
    }
    let channel = AlertChannel {
        id: AlertChannelId::generate(),
        name: arguments.name,
        target,
        time_limit_seconds: arguments.time_limit,
    };
    let sealed = match &key {
        Some(key) => Some(context.secrets().await?.seal(channel.id, field::SIGNING_KEY, key).await?),
        None => None,
    };
    let record = Context::record("alert.add", &channel.name, json!({ "kind": kind(&channel) }));
    context.store().await?.put_alert_channel(&channel, sealed.as_deref(), &record).await?;
    if context.json {
        output::json(&json!({ "added": true, "channel": view(&channel, sealed.is_some()) }));
    } else {
        let (name, shell) = (&channel.name, quoted(&channel.name));
        output::line(&context.language.pick(
            format!("alert channel '{name}' is added; try it with `wissel alert test {shell}`"),
            format!("meldingskanaal '{name}' is toegevoegd; probeer het met `wissel alert test {shell}`"),
        ));
    }
    Ok(Code::Done)
}

fn kind(channel: &AlertChannel) -> &'static str {
    match channel.target {
        AlertTarget::Command(_) => "command",
        AlertTarget::Webhook { .. } => "webhook",
    }
}

/// Where a channel goes, for people: of an address only host and port, as the rest may be as good as a secret.
fn place(channel: &AlertChannel) -> String {
    match &channel.target {
        AlertTarget::Command(command) => command.join(" "),
        AlertTarget::Webhook { url, .. } => {
            let url = url::Url::parse(url).ok();
            let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
            let port = url.as_ref().and_then(url::Url::port).map(|port| format!(":{port}"));
            format!("https://{host}{}/...", port.unwrap_or_default())
        }
    }
}

fn view(channel: &AlertChannel, signed: bool) -> Value {
    json!({
        "name": channel.name,
        "id": channel.id,
        "kind": kind(channel),
        "place": place(channel),
        "signed": signed,
        "time_limit_seconds": channel.time_limit_seconds,
    })
}

async fn list(context: &Context) -> CommandResult {
    let store = context.store().await?;
    let (mut documents, mut rows) = (Vec::new(), Vec::new());
    for channel in store.alert_channels().await? {
        let signed = store.sealed_signing_key(channel.id).await?.is_some();
        documents.push(view(&channel, signed));
        rows.push(vec![
            channel.name.clone(),
            match channel.target {
                AlertTarget::Command(_) => context.language.pick("command", "programma"),
                AlertTarget::Webhook { .. } => "webhook",
            }
            .to_owned(),
            place(&channel),
            context.language.yes_or_no(signed),
        ]);
    }
    if context.json {
        output::json(&json!({ "channels": documents }));
    } else if rows.is_empty() {
        output::note(context.language.pick(
            "there are no alert channels yet; add one with `wissel alert add`",
            "er zijn nog geen meldingskanalen; voeg er een toe met `wissel alert add`",
        ));
    } else {
        let header = context
            .language
            .pick(["Name", "Kind", "Place", "Signed"], ["Naam", "Soort", "Plaats", "Ondertekend"]);
        output::table(&header, rows);
    }
    Ok(Code::Done)
}

async fn test(context: &Context, name: &str) -> CommandResult {
    let channel = context.store().await?.alert_channel_named(name).await?;
    let at = Timestamp::now();
    let alert = Alert {
        id: format!("test:{}:{}", channel.id, at.as_microsecond()),
        kind: "test".to_owned(),
        severity: Severity::Test,
        at,
        subject: channel.name.clone(),
        message: context.language.pick("This is a test of Wissel.", "Dit is een test van Wissel.").to_owned(),
        next: String::new(),
        detail: json!({}),
    };
    if let Err(failure) = alerts::send(context, &channel, &alert).await {
        return Err(Problem::failed(
            format!("alert channel '{}': {failure}", channel.name),
            "See whether what receives it runs, and try again. Where the channel itself is wrong: remove it, and add it again.",
        )
        .into());
    }
    if context.json {
        output::json(&json!({ "channel": channel.name, "ok": true }));
    } else {
        output::line(&context.language.pick(
            format!("alert channel '{}' took the test", channel.name),
            format!("meldingskanaal '{}' heeft de test aangenomen", channel.name),
        ));
    }
    Ok(Code::Done)
}

async fn remove(context: &Context, name: &str, yes: bool) -> CommandResult {
    let store = context.store().await?;
    let channel = store.alert_channel_named(name).await?;
    // Errors are English.
    let language = context.ask().unwrap_or(Language::En);
    let what = format!("alert channel '{}'", channel.name);
    let lost = language.pick("It is told nothing any more.", "Er gaan geen meldingen meer naartoe.");
    if !form::agreed(yes, context.ask(), &what, lost)? {
        return Ok(Code::Stopped);
    }
    let record = Context::record("alert.remove", &channel.name, json!({}));
    store.remove_alert_channel(channel.id, &record).await?;
    if context.json {
        output::json(&json!({ "removed": channel.name }));
    } else {
        output::line(&context.language.pick(
            format!("alert channel '{}' is removed", channel.name),
            format!("meldingskanaal '{}' is verwijderd", channel.name),
        ));
    }
    Ok(Code::Done)
}
