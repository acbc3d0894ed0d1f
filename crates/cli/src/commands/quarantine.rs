//! `wissel quarantine`: messages that were set aside.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wissel_store::Quarantined;

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;

/// What can be done with messages in quarantine; `list` when nothing is named.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the messages and why they were set aside
    List {
        /// Only messages of this job
        job: Option<String>,
    },
    /// Show one message
    Show {
        /// Its key, or the beginning of it
        key: String,
    },
    /// Let the next run try the message again
    Release {
        /// Its key, or the beginning of it
        key: String,
    },
    /// Copy the raw bytes of the message into a file
    Export {
        /// Its key, or the beginning of it
        key: String,
        /// The file; an existing one is not overwritten
        file: PathBuf,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    match arguments.command.unwrap_or(Command::List { job: None }) {
        Command::List { job } => list(context, job.as_deref()).await,
        Command::Show { key } => show(context, &key).await,
        Command::Release { key } => release(context, &key).await,
        Command::Export { key, file } => export(context, &key, &file).await,
    }
}

async fn list(context: &Context, job: Option<&str>) -> CommandResult {
    let store = context.store().await?;
    let job = match job {
        Some(name) => Some(store.job_named(name).await?.id),
        None => None,
    };
    let found = store.quarantined(job).await?;
    let (mut documents, mut rows) = (Vec::new(), Vec::new());
    for message in &found {
        let document = view(context, message).await?;
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.push(vec![
            output::moment(message.since),
            text("job"),
            text("account"),
            message.item.reason.clone(),
            message.item.size.map(|octets| context.language.size(octets)).unwrap_or_default(),
            message.item.key.to_string(),
        ]);
        documents.push(document);
    }
    if context.json {
        output::json(&json!({ "messages": documents }));
    } else if rows.is_empty() {
        output::line(context.language.pick("Nothing is in quarantine.", "Er staat niets in quarantaine."));
    } else {
        let header = context.language.pick(
            ["Since", "Job", "Account", "Reason", "Size", "Key"],
            ["Sinds", "Taak", "Account", "Reden", "Grootte", "Sleutel"],
        );
        output::table(&header, rows);
    }
    Ok(Code::Done)
}

async fn view(context: &Context, message: &Quarantined) -> anyhow::Result<Value> {
    let store = context.store().await?;
    let item = &message.item;
    let job = store.job(message.job).await.ok().map(|job| job.name);
    let account = store.account(item.account).await.ok().map(|account| account.name);
    Ok(json!({
        "key": item.key,
        "job": job,
        "account": account,
        "folder": item.folder,
        "message": item.message,
        "reason": item.reason,
        "code": item.code,
        "file": item.file,
        "size": item.size,
        "since": message.since,
    }))
}

/// The message whose key begins like this.
async fn find(context: &Context, key: &str) -> anyhow::Result<Quarantined> {
    let wanted = key.to_ascii_lowercase();
    let mut found = context.store().await?.quarantined(None).await?;
    found.retain(|message| !wanted.is_empty() && message.item.key.to_string().starts_with(&wanted));
    if found.len() > 1 {
        let next = "Give more of its key; `wissel quarantine list` shows them.";
        return Err(Problem::usage(
            format!("{} messages have a key that begins with '{key}'", found.len()),
            next,
        )
        .into());
    }
    found.pop().ok_or_else(|| {
        let next = "`wissel quarantine list` shows what is.";
        Problem::not_found(format!("no message with the key '{key}' is in quarantine"), next).into()
    })
}

async fn show(context: &Context, key: &str) -> CommandResult {
    let message = find(context, key).await?;
    let document = view(context, &message).await?;
    if context.json {
        output::json(&document);
        return Ok(Code::Done);
    }
    let value = |key: &str| match document.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let labels = ["key", "job", "account", "folder", "message", "reason", "code", "file", "size", "since"];
    output::fields(&labels.map(|label| (label, value(label))));
    Ok(Code::Done)
}

async fn release(context: &Context, key: &str) -> CommandResult {
    let message = find(context, key).await?;
    let released = context.store().await?.release_from_quarantine(message.item.key).await?;
    if let Some(file) = &released.item.file
        && let Err(error) = std::fs::remove_file(file)
    {
        output::note(&format!("the file '{}' stays: {error}", file.display()));
    }
    context
        .audit(
            "quarantine.release",
            &released.item.key.to_string(),
            json!({ "reason": released.item.reason }),
        )
        .await?;
    if context.json {
        output::json(&json!({ "released": released.item.key }));
    } else {
        output::line(context.language.pick(
            "The next run of the job tries the message again.",
            "De volgende keer dat de taak draait wordt het bericht opnieuw geprobeerd.",
        ));
    }
    Ok(Code::Done)
}

async fn export(context: &Context, key: &str, target: &Path) -> CommandResult {
    let message = find(context, key).await?;
    let Some(file) = message.item.file else {
        return Err(Problem::not_found(
            format!("nothing of message {} could be read, so there is no file", message.item.key),
            "Look at it in the mailbox; `wissel quarantine show` says where it lies.",
        )
        .into());
    };
    let octets = copy(&file, target).map_err(|error| {
        Problem::failed(
            format!("'{}' cannot be copied to '{}': {error}", file.display(), target.display()),
            "Name a file that does not exist, in a directory that can be written to.",
        )
    })?;
    if context.json {
        output::json(&json!({ "key": message.item.key, "file": target, "size": octets }));
    } else {
        output::line(&format!("{octets} octets written to '{}'", target.display()));
    }
    Ok(Code::Done)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<u64> {
    let mut source = std::fs::File::open(from)?;
    let mut target = std::fs::File::create_new(to)?;
    let octets = std::io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    Ok(octets)
}
