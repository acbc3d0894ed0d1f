//! `wissel restore`: puts a backup back. Until the moment it counts nothing of the old installation is touched.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use wissel_model::{ImportJob, ProcessedAction};
use wissel_vault::{Key, KeyPlace, KeyPolicy, Vault};

use super::{CommandResult, backup};
use crate::context::Context;
use crate::exit::Code;
use crate::home::create_private;
use crate::problem::Problem;
use crate::secret_input::PassphraseOptions;
use crate::secrets::{FILE, GIVEN};
use crate::text::quoted;
use crate::{archive, home_lock, output, putting_back, secrets};

/// What is put back.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The backup
    file: PathBuf,
    /// Replace the installation that is there; its files are kept aside
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> CommandResult {
    let home = &context.home;
    home.create()?;
    let alone = home_lock::take(home).await?;
    if home.ready().exists() {
        putting_back::finish(home, &alone)?;
    }
    let occupied = home.database().exists() || home.vault_key().exists();
    if occupied && !arguments.force {
        return Err(Problem::failed(
            format!("there is an installation in {} already", home.root().display()),
            "Name an empty directory with --home, or replace it with --force; its files are kept aside then.",
        )
        .into());
    }
    let staged = home.staged();
    if staged.exists() {
        // Of a restore that was interrupted before it counted.
        fs::remove_dir_all(&staged)?;
    }
    create_private(&staged)?;
    let prepared = prepare(context, arguments).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = fs::remove_dir_all(&staged);
            return Err(error);
        }
    };
    putting_back::make_ready(home, &alone)?;
    let aside = putting_back::finish(home, &alone)?;
    tell(context, &prepared, aside)
}

/// What was restored, for the words at the end.
struct Prepared {
    made: Timestamp,
    accounts: usize,
    jobs: Vec<ImportJob>,
    secrets: usize,
    key: bool,
    missing: Vec<archive::Connector>,
    files: Vec<PathBuf>,
    /// What gives another key than the restored one, and goes before it.
    shadow: Option<String>,
}

/// Makes everything ready in the staging directory.
async fn prepare(context: &Context, arguments: &Arguments) -> anyhow::Result<Prepared> {
    let staged = context.home.staged();
    let opened = backup::open(context, &arguments.file, &arguments.passphrase, &staged).await?;
    let manifest = &opened.manifest;
    let kept = match &opened.key {
        Some(key) => Some((key.id().to_string(), keep(key, &staged)?)),
        None => None,
    };
    let store = &opened.store;
    let jobs = store.jobs().await?;
    let detail = json!({ "made": manifest.made, "forced": arguments.force });
    let record = Context::record("backup.restore", &arguments.file.display().to_string(), detail);
    store.settle_copy(manifest.made, kept.as_ref().map(|(id, place)| (&**id, *place)), &record).await?;
    let accounts = store.accounts().await?;
    let count = accounts.len();
    let files = accounts.into_iter().filter_map(|account| account.connection.ca_file);
    let files = files.filter(|file| !file.exists()).collect();
    let key = !store.any_secret().await? || opened.key.is_some();
    let shadow = secrets::given().filter(|_| kept.as_ref().is_some_and(|(_, place)| *place == FILE));
    let shadow = shadow.map(|source| source.to_string());
    store.close().await;
    // The file alone is put into place: what still stood in its log, such as that no job may run, would be lost.
    if fs::metadata(staged.join("wissel.db-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(Problem::failed(
            "the restored database could not be brought into one file",
            "Nothing was changed; repeat the command.",
        )
        .into());
    }
    let installed = archive::connectors(context.home.connectors())?;
    let missing =
        manifest.connectors.iter().filter(|connector| !installed.contains(connector)).cloned().collect();
    Ok(Prepared {
        made: manifest.made,
        accounts: count,
        jobs,
        secrets: opened.secrets,
        key,
        missing,
        files,
        shadow,
    })
}

/// Puts the key into a file, unless the operator gives the same one: that one shall not lie on the disk too.
fn keep(key: &Key, staged: &Path) -> anyhow::Result<&'static str> {
    let given = secrets::given().and_then(|source| Vault::open(&source, KeyPolicy::MustExist).ok());
    if given.is_some_and(|given| given.key().id() == key.id()) {
        return Ok(GIVEN);
    }
    let place = KeyPlace::File(staged.join("vault.key"));
    place.put(key)?;
    place.settle(key.id())?;
    Ok(FILE)
}

/// Whether messages that were imported after the backup still lie where the job looks.
fn would_repeat(job: &ImportJob) -> bool {
    match job.action {
        ProcessedAction::Move | ProcessedAction::Delete => false,
        ProcessedAction::MarkRead => !job.filter.unread_only,
        ProcessedAction::Leave => true,
    }
}

fn tell(context: &Context, restored: &Prepared, aside: Option<PathBuf>) -> CommandResult {
    let Prepared { made, accounts, jobs, secrets, key, missing, files, shadow } = restored;
    if context.json {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|job| json!({ "job": job.name, "was_enabled": job.enabled, "would_repeat": would_repeat(job) }))
            .collect();
        output::json(&json!({
            "restored": true,
            "made": made,
            "jobs": jobs,
            "secrets": secrets,
            "needs_key": !key,
            "other_key_in": shadow,
            "connectors_to_install": missing,
            "files_to_bring": files,
            "kept_aside": aside,
        }));
        return Ok(Code::Done);
    }
    let language = context.language;
    let moment = output::moment(*made);
    let (holds, secrets) = (language.contents(*accounts, jobs.len()), language.secrets(*secrets));
    output::line(&language.pick(
        format!("the backup of {moment} is restored: {holds}, {secrets}"),
        format!("de back-up van {moment} is teruggezet: {holds}, {secrets}"),
    ));
    if let Some(aside) = aside {
        let aside = aside.display();
        output::line(&language.pick(
            format!("what was there before is kept in {aside}"),
            format!("wat er eerst stond is bewaard in {aside}"),
        ));
    }
    if !key {
        output::note(language.pick(
            "The vault's key is not in the backup: put it into vault.key before you go on.",
            "De sleutel van de kluis zit niet in de back-up: zet die in vault.key voordat u verdergaat.",
        ));
    }
    if let Some(shadow) = shadow {
        output::note(&language.pick(
            format!("The restored key is in vault.key, but {shadow} holds another one, which goes first: take that away."),
            format!("De teruggezette sleutel staat in vault.key, maar {shadow} bevat een andere, en die gaat voor: haal die weg."),
        ));
    }
    for connector in missing {
        let file = &connector.file;
        output::note(&language.pick(
            format!("The connector {file} is missing or another version: `wissel connector install {file}`."),
            format!(
                "De connector {file} ontbreekt of is een andere versie: `wissel connector install {file}`."
            ),
        ));
    }
    for file in files {
        let file = file.display();
        output::note(&language.pick(
            format!("An account trusts the certificates in {file}, which is not here: bring it."),
            format!(
                "Een account vertrouwt de certificaten in {file}; dat bestand is er niet: zet het terug."
            ),
        ));
    }
    if !jobs.is_empty() {
        output::note(&language.pick(
            format!("No job runs until you let it: what was imported after {moment} is not in its ledger."),
            format!("Geen taak draait voordat u dat toestaat: wat na {moment} is geïmporteerd staat niet in het register."),
        ));
    }
    for job in jobs {
        let name = &job.name;
        let shell = quoted(name);
        output::note(&if would_repeat(job) {
            language.pick(
                format!("  '{name}' leaves messages where they are, so those would come again. Look with `wissel job run {shell} --dry-run`; `wissel job baseline {shell}` counts all that is there as done. Then `wissel job edit {shell} --enable`."),
                format!("  '{name}' laat berichten staan, dus die zouden opnieuw komen. Kijk met `wissel job run {shell} --dry-run`; `wissel job baseline {shell}` telt alles wat er staat als verwerkt. Daarna `wissel job edit {shell} --enable`."),
            )
        } else {
            language.pick(
                format!("  '{name}' takes imported messages out of its folder, so none comes again: `wissel job edit {shell} --enable`, when no other machine runs it."),
                format!("  '{name}' haalt geïmporteerde berichten uit de map, dus er komt niets dubbel: `wissel job edit {shell} --enable`, als geen andere machine hem draait."),
            )
        });
    }
    Ok(Code::Done)
}
