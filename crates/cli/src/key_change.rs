//! Changes of the vault's key: another key, or another place for it. At each moment every secret can be opened.
//!
//! The order: the database announces the key; it is put into its place, beside the old one, and read back; one
//! transaction seals every secret with it and makes it the current one; it takes its final place, and the old key is
//! removed from its own. Whatever ends the process in between, [`settle`] finishes or undoes: what the database calls
//! current counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use wissel_model::fault;
use wissel_store::{AuditRecord, KeyState, Resealed, Sealed, StoreError, VaultKey, key_of};
use wissel_vault::{Key, KeyId, KeyPlace, KeyPolicy, Vault, VaultError};

use crate::exit::Code;
use crate::home::create_private;
use crate::problem::Problem;
use crate::secrets::{StoredSecrets, in_background};

/// How often all is sealed again when secrets are stored meanwhile.
const ATTEMPTS: u32 = 5;
/// How long a change of the key is waited for before a copy.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// The right to change keys, or to keep them as they are: one process at a time. Freed by the operating system when the process ends.
pub(crate) struct Exclusive(#[allow(dead_code, reason = "held, not read")] File);

impl Exclusive {
    /// Takes it, unless another process has it.
    pub(crate) fn take(secrets: &StoredSecrets) -> anyhow::Result<Option<Self>> {
        let path = secrets.locks().join("vault.lock");
        let unusable = || format!("the lock {} cannot be used", path.display());
        create_private(secrets.locks()).with_context(unusable)?;
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).with_context(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(unusable),
        }
    }
}

/// Keeps the key as it is while what it has sealed is copied; a change that was interrupted is settled first.
pub(crate) async fn hold(secrets: &StoredSecrets) -> anyhow::Result<Exclusive> {
    let begun = Instant::now();
    loop {
        if let Some(exclusive) = Exclusive::take(secrets)? {
            settle(secrets, &exclusive).await?;
            return Ok(exclusive);
        }
        if begun.elapsed() > PATIENCE {
            return Err(busy().into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Another process has the right.
pub(crate) fn busy() -> Problem {
    Problem {
        code: Code::Busy,
        name: "busy",
        message: "another process changes the vault's key, or copies what is sealed with it".to_owned(),
        next: "Wait for it to end, then look with `wissel vault status`.".to_owned(),
    }
}

/// Finishes or undoes a change that was interrupted; one that is under way in another process is left alone.
pub(crate) async fn settle_if_idle(secrets: &StoredSecrets) -> anyhow::Result<()> {
    if unfinished(&secrets.store().vault_keys().await?)
        && let Some(exclusive) = Exclusive::take(secrets)?
    {
        settle(secrets, &exclusive).await?;
    }
    Ok(())
}

fn unfinished(keys: &[VaultKey]) -> bool {
    keys.iter().any(|key| key.state != KeyState::Current)
}

/// Gives the current key its final place, and removes every other key that nothing is sealed with.
pub(crate) async fn settle(secrets: &StoredSecrets, _exclusive: &Exclusive) -> anyhow::Result<()> {
    let store = secrets.store();
    let keys = store.vault_keys().await?;
    if !unfinished(&keys) {
        return Ok(());
    }
    let current = keys.iter().find(|key| key.state == KeyState::Current);
    if let Some(current) = current
        && let (Some(place), Some(id)) = (secrets.place(&current.place), KeyId::parse(&current.id))
    {
        let source = place.source(id);
        in_background(move || {
            place.settle(id)?;
            // Nothing is removed anywhere unless the current key can be read from its place.
            let found = Vault::open(&source, KeyPolicy::MustExist)?;
            if found.key().id() == id {
                return Ok(());
            }
            Err(VaultError::OtherKey { field: "of every account".to_owned(), key: found.origin().to_owned() })
        })
        .await?;
        fault::point("vault-key-settled");
    }
    let sealed = store.sealed_secrets().await?;
    for key in keys.iter().filter(|key| key.state != KeyState::Current) {
        let needed = sealed.iter().any(|secret| key_of(&secret.octets).as_deref() == Some(&*key.id));
        let moved = current.is_some_and(|current| current.id == key.id);
        if needed && !moved {
            continue;
        }
        if let (Some(place), Some(id)) = (secrets.place(&key.place), KeyId::parse(&key.id)) {
            if let Err(error) = in_background(move || place.remove(id)).await {
                // Nothing needs it. A keyring that is locked or gone must not keep the other secrets closed.
                tracing::warn!(
                    "the key {id} is not needed any more and cannot be removed: {error}; the next command tries again"
                );
                continue;
            }
            fault::point("vault-key-removed");
        }
        store.forget_vault_key(&key.id, &key.place).await?;
    }
    Ok(())
}

/// The key that is in use, known to the database: an older installation has not told it yet.
pub(crate) async fn adopt(secrets: &StoredSecrets, place: &str) -> anyhow::Result<Vault> {
    let vault = secrets.vault().await?;
    let id = vault.key().id().to_string();
    match secrets.current().await? {
        None => {
            secrets.check_opens_all(&vault).await?;
            secrets.store().adopt_vault_key(&id, place).await?;
        }
        Some(current) if current.id != id => {
            return Err(Problem {
                name: "vault",
                ..Problem::home(
                    format!(
                        "{} holds the key {id}, but secrets are sealed with {}",
                        vault.origin(),
                        current.id
                    ),
                    "Bring the right key back; `wissel vault status` says which secrets need which key.",
                )
            }
            .into());
        }
        Some(_) => {}
    }
    Ok(Vault::with_key(vault.key().clone_key(), vault.origin()))
}

/// Puts the key into its place and makes it the one that everything is sealed with. Returns how many secrets were
/// sealed again.
pub(crate) async fn change(
    secrets: &StoredSecrets,
    exclusive: &Exclusive,
    old: &Vault,
    key: Key,
    place: &str,
    record: AuditRecord,
) -> anyhow::Result<usize> {
    let store = secrets.store();
    let id = key.id();
    let next = Vault::with_key(key.clone_key(), "the new key");
    if let Some(kept) = secrets.place(place) {
        check_free(&kept, id, old).await?;
        store.announce_vault_key(&id.to_string(), place).await?;
        fault::point("vault-key-announced");
        let undo = kept.clone();
        if let Err(error) = in_background(move || kept.put(&key)).await {
            // Nothing is sealed with it. A keyring that does not answer must not stop every later command, which
            // would try to take it out again.
            let _ = in_background(move || undo.remove(id)).await;
            store.forget_vault_key(&id.to_string(), place).await?;
            return Err(error.into());
        }
        fault::point("vault-key-put");
    }
    let count = reseal(secrets, old, &next, place, &record).await;
    if count.is_ok() {
        fault::point("vault-resealed");
    }
    // Finishes a change that was committed, and undoes one that was not.
    settle(secrets, exclusive).await?;
    secrets.forget().await;
    count
}

/// Refuses to replace a key file that is not ours to replace.
async fn check_free(place: &KeyPlace, id: KeyId, old: &Vault) -> anyhow::Result<()> {
    let (looked, known) = (place.clone(), [id, old.key().id()]);
    match in_background(move || looked.stranger(&known)).await? {
        Some((file, there)) => Err(Problem {
            name: "vault",
            ..Problem::home(
                format!("the key file {} holds another key, {there}", file.display()),
                "Move it away; keep it if a backup still needs it.",
            )
        }
        .into()),
        None => Ok(()),
    }
}

/// A secret that the old key does not open: whose it is, and how it is stored again.
async fn unopened(secrets: &StoredSecrets, sealed: &Sealed, error: &VaultError) -> anyhow::Error {
    let (whose, again) = secrets.owner_of(sealed).await;
    Problem {
        name: "vault",
        ..Problem::home(
            format!("{whose}: {error}"),
            format!("Nothing was changed. Store that secret again with {again}, then repeat this."),
        )
    }
    .into()
}

async fn reseal(
    secrets: &StoredSecrets,
    old: &Vault,
    next: &Vault,
    place: &str,
    record: &AuditRecord,
) -> anyhow::Result<usize> {
    let store = secrets.store();
    let id = next.key().id().to_string();
    let mut attempts = 0;
    loop {
        let mut resealed = Vec::new();
        for sealed in store.sealed_secrets().await? {
            let opened = match old.open_sealed(sealed.owner, &sealed.field, &sealed.octets) {
                Ok(opened) => opened,
                Err(error) => return Err(unopened(secrets, &sealed, &error).await),
            };
            let after = next.seal(sealed.owner, &sealed.field, &opened)?;
            resealed.push(Resealed {
                owner: sealed.owner,
                field: sealed.field,
                before: sealed.octets,
                after,
            });
        }
        let count = resealed.len();
        attempts += 1;
        match store.change_vault_key(&id, place, resealed, record).await {
            Err(StoreError::SecretsChanged) if attempts < ATTEMPTS => {}
            other => return Ok(other.map(|()| count)?),
        }
    }
}
