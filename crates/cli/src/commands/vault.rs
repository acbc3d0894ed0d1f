//! `wissel vault`: the key that secrets are sealed with.

use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use wissel_store::{KeyState, key_of};
use wissel_vault::Key;

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::key_change::{self, Exclusive};
use crate::output;
use crate::problem::Problem;
use crate::secret_input::check_variable;
use crate::secrets::{self, FILE, GIVEN, KEYRING, StoredSecrets};

/// What can be done with the key.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say where the key is, how old it is, and how many secrets each key has sealed
    Status,
    /// Seal every secret with a new key and remove the old one; services go on
    Rotate {
        /// Take the new key from this environment variable; needed where the key is given by the operator
        #[arg(long, value_name = "VARIABLE")]
        new_key_env: Option<String>,
    },
    /// Keep the key in another place; services go on
    Move {
        /// The place
        #[arg(long)]
        to: Place,
    },
}

/// A place that Wissel keeps a key in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// The operating system's keyring
    Keyring,
    /// The file `vault.key` in the home directory
    File,
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, command: Command) -> CommandResult {
    match command {
        Command::Status => status(context).await,
        Command::Rotate { new_key_env } => rotate(context, new_key_env.as_deref()).await,
        Command::Move { to } => move_to(context, to).await,
    }
}

async fn status(context: &Context) -> CommandResult {
    let (store, secrets) = (context.store().await?, context.secrets().await?);
    key_change::settle_if_idle(secrets).await?;
    let source = secrets.source().await?;
    let current = secrets.current().await?;
    let sealed = store.sealed_secrets().await?;
    let mut counts: Vec<(String, u64)> = Vec::new();
    for secret in &sealed {
        let key = key_of(&secret.octets).unwrap_or_default();
        match counts.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
    // With nothing sealed there may be no key yet, and looking makes none.
    let opened = if sealed.is_empty() && current.is_none() { None } else { Some(secrets.vault().await?) };
    let id = opened.as_ref().map(|vault| vault.key().id().to_string());
    let since = current.as_ref().filter(|key| Some(&key.id) == id.as_ref()).map(|key| key.since);
    let days = since.map(|since| Timestamp::now().duration_since(since).as_hours() / 24);
    let unfinished = store.vault_keys().await?.iter().any(|key| key.state != KeyState::Current);
    if context.json {
        let keys: Vec<_> = counts
            .iter()
            .map(
                |(key, secrets)| json!({ "key": key, "secrets": secrets, "opens": Some(key) == id.as_ref() }),
            )
            .collect();
        output::json(&json!({
            "place": secrets::place_of(&source),
            "location": source.to_string(),
            "key": id,
            "since": since,
            "age_days": days,
            "secrets": sealed.len(),
            "keys": keys,
            "unfinished": unfinished,
        }));
        return Ok(Code::Done);
    }
    let language = context.language;
    let none = language.pick(
        "none yet; the first secret that is stored makes one",
        "nog geen; het eerste geheim dat wordt opgeslagen maakt er een",
    );
    let age = days.map(|days| language.pick(format!(" ({days} days)"), format!(" ({days} dagen)")));
    output::fields(&[
        (language.pick("Place", "Plaats"), language.key_place(&source)),
        (language.pick("Key", "Sleutel"), id.clone().unwrap_or_else(|| none.to_owned())),
        (
            language.pick("In use since", "In gebruik sinds"),
            since.map(|since| output::moment(since) + &age.unwrap_or_default()).unwrap_or_default(),
        ),
        (language.pick("Secrets", "Geheimen"), sealed.len().to_string()),
    ]);
    for (key, count) in counts.iter().filter(|(key, _)| Some(key) != id.as_ref()) {
        output::note(&language.pick(
            format!("{count} of them need another key, {key}: bring it back, or store them again with `wissel account edit`."),
            format!("{count} daarvan hebben een andere sleutel nodig, {key}: breng die terug, of sla ze opnieuw op met `wissel account edit`."),
        ));
    }
    if unfinished {
        output::note(language.pick(
            "A change of the key is not finished: another process is at it, or an old key cannot be removed from its place.",
            "Het vervangen van de sleutel is niet af: een ander proces is ermee bezig, of een oude sleutel kan niet weg van zijn plaats.",
        ));
    }
    Ok(Code::Done)
}

fn exclusive(secrets: &StoredSecrets) -> anyhow::Result<Exclusive> {
    Exclusive::take(secrets)?.ok_or_else(|| key_change::busy().into())
}

async fn rotate(context: &Context, new_key_env: Option<&str>) -> CommandResult {
    let secrets = context.secrets().await?;
    let exclusive = exclusive(secrets)?;
    key_change::settle(secrets, &exclusive).await?;
    let source = secrets.source().await?;
    let place = secrets::place_of(&source);
    let key = match (new_key_env, place) {
        (Some(variable), GIVEN) => {
            check_variable(variable)?;
            Key::from_environment(variable)?
        }
        (None, GIVEN) => {
            return Err(Problem::usage(
                format!("the key comes from {source}, where Wissel cannot put another one"),
                "Name the new key with --new-key-env VARIABLE and put it into the old one's place afterwards, or let \
                 Wissel keep the key: `wissel vault move --to file`.",
            )
            .into());
        }
        (Some(_), _) => {
            return Err(Problem::usage(
                format!("the key is kept by Wissel, in {source}, and a new one is made there"),
                "Leave --new-key-env out.",
            )
            .into());
        }
        (None, _) => Key::generate()?,
    };
    let old = key_change::adopt(secrets, place).await?;
    let (before, after) = (old.key().id().to_string(), key.id().to_string());
    let record = Context::record("vault.rotate", &after, json!({ "from": before, "place": place }));
    let count = key_change::change(secrets, &exclusive, &old, key, place, record).await?;
    if context.json {
        output::json(
            &json!({ "rotated": true, "from": before, "key": after, "place": place, "secrets": count }),
        );
        return Ok(Code::Done);
    }
    output::line(&context.language.rotated(count, &after));
    output::note(&if place == GIVEN {
        context.language.pick(
            format!("Now put the new key where the old one is ({source}), and start services again."),
            format!(
                "Zet nu de nieuwe sleutel op de plaats van de oude ({source}), en start diensten opnieuw."
            ),
        )
    } else {
        context.language.pick(
            "Older backups open with their own passphrase as before; make a new backup all the same."
                .to_owned(),
            "Oudere back-ups blijven te openen met hun eigen wachtzin; maak toch een nieuwe back-up."
                .to_owned(),
        )
    });
    Ok(Code::Done)
}

async fn move_to(context: &Context, to: Place) -> CommandResult {
    let secrets = context.secrets().await?;
    let exclusive = exclusive(secrets)?;
    key_change::settle(secrets, &exclusive).await?;
    let source = secrets.source().await?;
    let from = secrets::place_of(&source);
    let place = match to {
        Place::Keyring => KEYRING,
        Place::File => FILE,
    };
    let old = key_change::adopt(secrets, from).await?;
    let id = old.key().id().to_string();
    if from != place {
        let record = Context::record("vault.move", &id, json!({ "from": from, "to": place }));
        let key = old.key().clone_key();
        key_change::change(secrets, &exclusive, &old, key, place, record).await?;
    }
    if context.json {
        output::json(&json!({ "moved": from != place, "key": id, "from": from, "place": place }));
        return Ok(Code::Done);
    }
    let language = context.language;
    let to = secrets.place(place).zip(wissel_vault::KeyId::parse(&id)).map(|(place, id)| place.source(id));
    let to = to.map(|to| to.to_string()).unwrap_or_default();
    output::line(&if from == place {
        language.pick(format!("the key is already in {to}"), format!("de sleutel staat al in {to}"))
    } else {
        language.pick(format!("the key is now in {to}"), format!("de sleutel staat nu in {to}"))
    });
    if from == GIVEN {
        output::note(&language.pick(
            format!("Take the key out of {source} now: while it is there, it is the one that is used."),
            format!("Haal de sleutel nu weg uit {source}: zolang hij daar staat, wordt die gebruikt."),
        ));
    }
    Ok(Code::Done)
}
