//! `wissel backup`: accounts, jobs, ledger and the vault's key in one file, taken while services run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::json;
use wissel_store::{KeyState, Store};
use wissel_vault::{Key, Vault, VaultError};

use super::CommandResult;
use crate::archive::{self, KeyEntry, Manifest};
use crate::context::Context;
use crate::exit::Code;
use crate::problem::Problem;
use crate::secret_input::PassphraseOptions;
use crate::{key_change, output, progress, putting_back};

/// The fewest characters of a passphrase.
const SHORTEST: usize = 8;

/// What can be done with backups.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a backup; services go on meanwhile
    Create(Create),
    /// Read a backup whole, and say whether it can be restored
    Check {
        /// The backup
        file: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseOptions,
    },
}

/// A new backup.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The file; there must be none of that name
    file: PathBuf,
    /// Leave the vault's key out: it is kept apart, and there is no passphrase
    #[arg(long, conflicts_with_all = ["passphrase_stdin", "passphrase_env"])]
    without_key: bool,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Create(arguments) => create(context, &arguments).await,
        Command::Check { file, passphrase } => check(context, &file, &passphrase).await,
    }
}

async fn create(context: &Context, arguments: &Create) -> CommandResult {
    let file = std::path::absolute(&arguments.file)?;
    let refused = |what: String| {
        Problem::failed(what, "Name another file, in a directory with room and the right to write.")
    };
    if file.exists() {
        return Err(refused(format!("there is a file {} already", file.display())).into());
    }
    let directory = file.parent().unwrap_or(Path::new("/"));
    let beside = |error: std::io::Error| {
        refused(format!("nothing can be written in {}: {error}", directory.display()))
    };
    let (store, secrets) = (context.store().await?, context.secrets().await?);
    let passphrase = if arguments.without_key || !store.any_secret().await? {
        None
    } else {
        let passphrase = arguments.passphrase.read(context.interactive(), true, context.language)?;
        if secrecy::ExposeSecret::expose_secret(&passphrase).chars().count() < SHORTEST {
            return Err(Problem::usage(
                format!("the passphrase is shorter than {SHORTEST} characters"),
                "Take several words: whoever has the file can try as often as he likes.",
            )
            .into());
        }
        Some(passphrase)
    };
    let bar = progress::octets(context.progress, store.size().await?.saturating_mul(2));
    let made = Timestamp::now();
    let copy = tempfile::Builder::new().prefix(".wissel-backup-").tempfile_in(directory).map_err(beside)?;
    // The key stays the one that has sealed what is copied, until both are read.
    let held = if passphrase.is_some() { Some(key_change::hold(secrets).await?) } else { None };
    copy_database(store, copy.path(), &bar).await?;
    let copied = bar.position();
    let key = match passphrase {
        Some(passphrase) => Some((secrets.vault().await?, passphrase)),
        None => None,
    };
    drop(held);
    let sealed = Store::keys_in_copy(copy.path()).await?;
    let strange = match &key {
        Some((vault, _)) => {
            let id = vault.key().id().to_string();
            sealed.iter().filter(|key| **key != id).count()
        }
        None if !sealed.is_empty() && !arguments.without_key => {
            return Err(Problem::failed(
                "a first secret was stored while the backup was written, and its key is not in it",
                "No backup was made; repeat the command.",
            )
            .into());
        }
        None => 0,
    };
    let draft = tempfile::Builder::new().prefix(".wissel-backup-").tempfile_in(directory).map_err(beside)?;
    let accounts = store.accounts().await?.len();
    let jobs = store.jobs().await?.len();
    let connectors = archive::connectors(context.home.connectors())?;
    let advance = |passed: u64| bar.set_position(copied + passed);
    let (draft, manifest) = archive::write(draft, copy.path(), &advance, |database| {
        let bound = archive::bound(&database);
        let key = match &key {
            Some((vault, passphrase)) => {
                let key = vault.key();
                Some(KeyEntry::new(key.id().to_string(), &key.wrap(passphrase, &bound)?))
            }
            None => None,
        };
        Ok(Manifest { accounts, jobs, connectors, ..Manifest::new(database, key, made) })
    })?;
    draft.as_file().flush()?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(&file).map_err(|error| beside(error.error))?;
    putting_back::sync(directory)?;
    bar.finish_and_clear();
    context.audit("backup.create", &file.display().to_string(), json!({ "key": key.is_some() })).await?;
    let size = std::fs::metadata(&file)?.len();
    if context.json {
        output::json(
            &json!({ "created": true, "file": file, "octets": size, "of_another_key": strange, "backup": view(&manifest) }),
        );
        return Ok(Code::Done);
    }
    let (shown, size) = (file.display(), context.language.size(size));
    let holds = context.language.contents(accounts, jobs);
    output::line(&context.language.pick(
        format!("the backup {shown} is written ({size}, {holds})"),
        format!("de back-up {shown} is geschreven ({size}, {holds})"),
    ));
    if strange > 0 {
        output::note(&context.language.pick(
            format!("{strange} of the secrets need another key, which is not in it: `wissel vault status`."),
            format!("{strange} van de geheimen hebben een andere sleutel nodig, die er niet in zit: `wissel vault status`."),
        ));
    }
    output::note(&if manifest.key.is_some() {
        context
            .language
            .pick(
                "Keep the passphrase apart from the file: without it, the secrets in it cannot be opened.",
                "Bewaar de wachtzin apart van het bestand: zonder wachtzin zijn de geheimen niet te openen.",
            )
            .to_owned()
    } else {
        context
            .language
            .pick(
                "The vault's key is not in it: keep a copy of the key apart.",
                "De sleutel van de kluis zit er niet in: bewaar daar apart een kopie van.",
            )
            .to_owned()
    });
    Ok(Code::Done)
}

/// Copies, and shows how far the copy has grown.
async fn copy_database(store: &Store, to: &Path, bar: &ProgressBar) -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_millis(100);
    let copying = store.copy_to(to);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            done = &mut copying => {
                done?;
                bar.set_position(std::fs::metadata(to)?.len());
                return Ok(());
            }
            () = tokio::time::sleep(LOOK) => bar.set_position(std::fs::metadata(to).map_or(0, |file| file.len())),
        }
    }
}

fn view(manifest: &Manifest) -> serde_json::Value {
    json!({
        "made": manifest.made,
        "version": manifest.version,
        "accounts": manifest.accounts,
        "jobs": manifest.jobs,
        "connectors": manifest.connectors,
        "key": manifest.key.as_ref().map(|key| &key.id),
        "database": manifest.database,
    })
}

/// A backup that was read whole into a directory of its own.
pub(crate) struct Opened {
    pub(crate) manifest: Manifest,
    pub(crate) store: Store,
    pub(crate) key: Option<Key>,
    /// Secrets that the key opens.
    pub(crate) secrets: usize,
}

/// Reads a backup into `directory`, opens its database there, and every secret with its key.
pub(crate) async fn open(
    context: &Context,
    file: &Path,
    passphrase: &PassphraseOptions,
    directory: &Path,
) -> anyhow::Result<Opened> {
    let bar = progress::octets(context.progress, std::fs::metadata(file).map_or(0, |file| file.len()));
    let database = directory.join("wissel.db");
    drop(new_private(&database)?);
    let manifest = archive::read(file, &database, &|passed| bar.set_position(passed))?;
    bar.finish_and_clear();
    let key = match &manifest.key {
        Some(entry) => {
            let passphrase = passphrase.read(context.interactive(), false, context.language)?;
            Some(Key::unwrap_with(&entry.wrapped(), &passphrase, &archive::bound(&manifest.database))?)
        }
        None => None,
    };
    let store = Store::open(&database).await?;
    store.check().await?;
    let mut secrets = 0;
    if let Some(key) = &key {
        let vault = Vault::with_key(key.clone_key(), "the key in the backup");
        for sealed in store.sealed_secrets().await? {
            match vault.open_sealed(sealed.owner, &sealed.field, &sealed.octets) {
                Ok(_) => secrets += 1,
                // Its key was lost before the backup was made; that must not cost all the rest.
                Err(VaultError::OtherKey { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(Opened { manifest, store, key, secrets })
}

fn new_private(path: &Path) -> std::io::Result<std::fs::File> {
    // The directory is its owner's alone; the store narrows the file's own rights no further.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn check(context: &Context, file: &Path, passphrase: &PassphraseOptions) -> CommandResult {
    let directory = tempfile::Builder::new().prefix("wissel-check-").tempdir()?;
    let opened = open(context, file, passphrase, directory.path()).await?;
    let keys = opened.store.vault_keys().await?;
    let sealed = opened.store.sealed_secrets().await?.len();
    opened.store.close().await;
    let manifest = &opened.manifest;
    if context.json {
        output::json(&json!({
            "sound": true,
            "backup": view(manifest),
            "secrets": sealed,
            "secrets_opened": opened.secrets,
            "needs_key": keys.iter().find(|key| key.state == KeyState::Current).map(|key| &key.id),
        }));
        return Ok(Code::Done);
    }
    let made = output::moment(manifest.made);
    let holds = context.language.contents(manifest.accounts, manifest.jobs);
    let secrets = context.language.secrets(opened.secrets);
    output::line(&context.language.pick(
        format!("the backup of {made} is sound: {holds}, {secrets} opened"),
        format!("de back-up van {made} is gaaf: {holds}, {secrets} geopend"),
    ));
    if opened.secrets < sealed {
        output::note(context.language.pick(
            "It needs a vault key that is not in it.",
            "Er is een sleutel van de kluis nodig die er niet in zit.",
        ));
    }
    Ok(Code::Done)
}
