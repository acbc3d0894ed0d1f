//! `wissel connector`: the components that speak to mail services.

mod check;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use wissel_host::Entry;
use wissel_model::Description;
use wissel_model::description::{AuthKind, AuthMethod, SettingKind};

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;
use crate::text::Language;

/// What can be done with connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the installed connectors, and files that cannot be used with the reason
    List,
    /// Show a connector: its settings, auth methods and operations
    Show {
        /// The connector's name
        name: String,
    },
    /// Walk through what has to be done at the provider, before there is an account
    Guide {
        /// The connector's name
        name: String,
        /// One chapter; all when absent
        chapter: Option<String>,
    },
    /// Check a component file and install it; replaces an older version
    Install {
        /// The file
        file: PathBuf,
    },
    /// Hold a component file to the contract, with an account or without; installs nothing
    Check(check::Arguments),
    /// Remove a connector
    Remove {
        /// The connector's name
        name: String,
        /// Also when accounts use it
        #[arg(long)]
        force: bool,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::List => list(context).await,
        Command::Show { name } => show(context, &name).await,
        Command::Guide { name, chapter } => {
            super::account::guide::of_connector(context, &name, chapter.as_deref()).await
        }
        Command::Install { file } => install(context, &file).await,
        Command::Check(arguments) => check::run(context, &arguments).await,
        Command::Remove { name, force } => remove(context, &name, force).await,
    }
}

async fn list(context: &Context) -> CommandResult {
    let entries = context.catalogue().await?.entries().await;
    if context.json {
        output::json(&json!({ "connectors": entries.iter().map(view).collect::<Vec<_>>() }));
        return Ok(Code::Done);
    }
    if entries.is_empty() {
        output::note(&format!(
            "no connectors are installed in {}; install one with `wissel connector install FILE`",
            context.home.connectors().display()
        ));
    }
    let row = |entry: &Entry| match &entry.connector {
        Ok(found) => {
            let description = &found.description;
            let title = description.title.get(context.language.tag());
            vec![
                description.name.clone(),
                description.version.clone(),
                title.to_owned(),
                file_name(&entry.path),
            ]
        }
        Err(reason) => {
            vec![String::new(), String::new(), format!("not used: {reason}"), file_name(&entry.path)]
        }
    };
    if !entries.is_empty() {
        output::table(&["Name", "Version", "Title", "File"], entries.iter().map(row).collect());
    }
    Ok(Code::Done)
}

fn view(entry: &Entry) -> Value {
    match &entry.connector {
        Ok(found) => json!({
            "name": found.description.name,
            "version": found.description.version,
            "title": found.description.title,
            "operations": found.description.operations,
            "file": entry.path,
            "digest": found.digest,
            "usable": true,
        }),
        Err(reason) => json!({ "file": entry.path, "usable": false, "reason": reason.to_string() }),
    }
}

async fn show(context: &Context, name: &str) -> CommandResult {
    let entry = find(context, name).await?;
    let description = context.description(name).await?;
    if context.json {
        let mut document = view(&entry);
        if let Some(document) = document.as_object_mut() {
            document.insert("description".to_owned(), serde_json::to_value(&*description)?);
        }
        output::json(&document);
        return Ok(Code::Done);
    }
    let language = context.language;
    let tag = language.tag();
    let label = |en, nl| language.pick(en, nl);
    output::fields(&[
        (label("Name", "Naam"), description.name.clone()),
        (label("Title", "Titel"), description.title.get(tag).to_owned()),
        (label("Version", "Versie"), description.version.clone()),
        (label("File", "Bestand"), entry.path.display().to_string()),
        (
            label("Digest", "Controlegetal"),
            entry.connector.as_ref().map(|found| found.digest.clone()).unwrap_or_default(),
        ),
        (label("Operations", "Bewerkingen"), description.operations.join(", ")),
    ]);
    output::line(label("\nSettings (--set KEY=VALUE):", "\nInstellingen (--set SLEUTEL=WAARDE):"));
    let header = language.pick(
        ["Key", "Label", "Value", "Default", "Help"],
        ["Sleutel", "Label", "Waarde", "Standaard", "Uitleg"],
    );
    output::table(&header, setting_rows(&description, language));
    output::line(label("\nAuth methods (--auth ID):", "\nManieren van inloggen (--auth ID):"));
    let methods = description.auth.iter().map(|method| {
        vec![method.id.clone(), method.label.get(tag).to_owned(), signs_in_by(method, language).to_owned()]
    });
    output::table(
        &language.pick(["Id", "Label", "Signs in by"], ["Id", "Label", "Logt in met"]),
        methods.collect(),
    );
    if !description.guide.is_empty() {
        let guide = format!("`wissel connector guide {name}`");
        output::note(&language.pick(
            format!("\nWhat has to be done at the provider: {guide}."),
            format!("\nWat er bij de provider moet gebeuren: {guide}."),
        ));
    }
    Ok(Code::Done)
}

/// What an account that signs in like this needs from its operator.
fn signs_in_by(method: &AuthMethod, language: Language) -> &'static str {
    match method.kind {
        _ if !method.needs_client() => crate::form::secret_options(method.kind),
        AuthKind::OAuth2Code | AuthKind::OAuth2Device => language
            .pick("an OAuth client, and `account authorize`", "een OAuth-client, en `account authorize`"),
        _ => language.pick("an OAuth client with a secret", "een OAuth-client met een geheim"),
    }
}

fn setting_rows(description: &Description, language: Language) -> Vec<Vec<String>> {
    let tag = language.tag();
    let row = |setting: &wissel_model::description::Setting| {
        let values: Vec<&str> = setting.choices.iter().map(|choice| choice.value.as_str()).collect();
        let value = match setting.kind {
            SettingKind::Choice => values.join(", "),
            SettingKind::Flag => "true, false".to_owned(),
            SettingKind::Secret => language.pick("secret (--secret-env)", "geheim (--secret-env)").to_owned(),
            SettingKind::Integer => match (setting.min, setting.max) {
                (Some(min), Some(max)) => format!("{min} {} {max}", language.pick("to", "tot")),
                _ => language.pick("number", "getal").to_owned(),
            },
            _ if setting.required && setting.default.is_none() => {
                language.pick("required", "verplicht").to_owned()
            }
            _ if !setting.required_for.is_empty() => {
                let methods = setting.required_for.join(", ");
                language.pick(format!("required for {methods}"), format!("verplicht voor {methods}"))
            }
            _ => String::new(),
        };
        vec![
            setting.key.clone(),
            setting.label.get(tag).to_owned(),
            value,
            defaults(setting),
            setting.help.get(tag).to_owned(),
        ]
    };
    description.settings.iter().map(row).collect()
}

/// The default, and the others with what decides for them, one a line.
fn defaults(setting: &wissel_model::description::Setting) -> String {
    let others = setting.defaults_when.iter().map(|other| {
        let when: Vec<String> = other.when.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{} ({})", other.value, when.join(", "))
    });
    setting.default.clone().into_iter().chain(others).collect::<Vec<_>>().join("\n")
}

async fn find(context: &Context, name: &str) -> anyhow::Result<Entry> {
    let entries = context.catalogue().await?.entries().await;
    let names: Vec<String> = entries
        .iter()
        .filter_map(|e| e.connector.as_ref().ok())
        .map(|found| found.description.name.clone())
        .collect();
    let is_it = |entry: &Entry| entry.connector.as_ref().is_ok_and(|found| found.description.name == name);
    entries.into_iter().find(is_it).ok_or_else(|| {
        let installed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let next =
            format!("Installed: {installed}. Install another one with `wissel connector install FILE`.");
        Problem::not_found(format!("no connector '{name}' is installed"), next).into()
    })
}

async fn install(context: &Context, file: &Path) -> CommandResult {
    context.home.create()?;
    let catalogue = context.catalogue().await?;
    if !file.is_file() {
        return Err(Problem::not_found(
            format!("there is no file '{}'", file.display()),
            "Name a .wasm file.",
        )
        .into());
    }
    let found = catalogue.inspect(file).await.map_err(|reason| {
        Problem::failed(
            format!("'{}' cannot be installed: {reason}", file.display()),
            "Nothing was changed; installed connectors stay as they are.",
        )
    })?;
    let description = &found.description;
    let installed = find(context, &description.name).await.ok();
    let target = match &installed {
        Some(entry) => entry.path.clone(),
        None => context.home.connectors().join(format!("{}.wasm", description.name)),
    };
    let replaced = installed.and_then(|entry| entry.connector.ok());
    if let Some(old) = replaced.as_ref().filter(|old| old.digest != found.digest) {
        output::note(&format!(
            "connector '{}' {} is replaced by {}; sessions that are open finish on the old one",
            description.name, old.description.version, description.version
        ));
    }
    let (from, to) = (file.to_owned(), target.clone());
    tokio::task::spawn_blocking(move || put(&from, &to)).await?.map_err(|error| {
        Problem::home(
            format!("'{}' cannot be written: {error}", target.display()),
            "Give this user the right to write there; installed connectors stay as they are.",
        )
    })?;
    if context.json {
        output::json(&json!({
            "name": description.name,
            "version": description.version,
            "digest": found.digest,
            "file": target,
            "replaced": replaced.map(|old| json!({ "version": old.description.version, "digest": old.digest })),
        }));
    } else {
        output::line(&format!("connector '{}' {} is installed", description.name, description.version));
    }
    Ok(Code::Done)
}

/// Copies beside and renames, so that a running service never sees half a file.
fn put(from: &Path, to: &Path) -> std::io::Result<()> {
    let directory = to.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new().prefix(".install-").tempfile_in(directory)?;
    std::io::copy(&mut std::fs::File::open(from)?, &mut beside)?;
    beside.as_file().sync_all()?;
    beside.persist(to)?;
    Ok(())
}

async fn remove(context: &Context, name: &str, force: bool) -> CommandResult {
    let entry = find(context, name).await?;
    let accounts = context.store().await?.accounts().await?;
    let users: Vec<String> =
        accounts.iter().filter(|a| a.connector == name).map(|a| format!("'{}'", a.name)).collect();
    if !users.is_empty() && !force {
        return Err(Problem {
            name: "in-use",
            ..Problem::failed(
                format!("connector '{name}' is used by the accounts {}", users.join(", ")),
                "Remove those accounts first, or repeat with --force: they stop working then.",
            )
        }
        .into());
    }
    std::fs::remove_file(&entry.path).map_err(|error| {
        Problem::home(format!("'{}' cannot be removed: {error}", entry.path.display()), "Remove it by hand.")
    })?;
    if context.json {
        output::json(&json!({ "removed": name, "file": entry.path }));
    } else {
        output::line(&format!("connector '{name}' is removed"));
    }
    Ok(Code::Done)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
