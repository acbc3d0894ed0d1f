//! The secrets of accounts, OAuth clients and alert channels: sealed by the vault, kept in the store. This is the host's
//! way to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;
use wissel_model::secrets::{SecretError, Secrets};
use wissel_model::{AccountId, ClientSecret, ClientSecretId, SecretOwner};
use wissel_store::{KeyState, Sealed, Store, StoreError, VaultKey};
use wissel_vault::{KeyId, KeyPlace, KeyPolicy, KeySource, Vault, VaultError};

use crate::problem::Problem;
use crate::text::quoted;
use crate::{key_change, vault_advice};

/// The variable that may hold the vault's key instead of the file.
pub(crate) const KEY_VARIABLE: &str = "WISSEL_VAULT_KEY";
/// The credential of a systemd service that may hold it (`LoadCredential=wissel-vault-key:...`).
const CREDENTIAL: &str = "wissel-vault-key";
/// How long the operating system's keyring may take; it may ask a person to unlock it.
const KEYRING_PATIENCE: Duration = Duration::from_secs(120);
/// How often a secret is read again with a key that is read again: a rotation has at most two steps in between.
const ATTEMPTS: u32 = 3;

/// What the database says where the operator keeps the key.
pub(crate) const GIVEN: &str = "given";
/// What it says for a key file.
pub(crate) const FILE: &str = "file";
/// What it says for the operating system's keyring.
pub(crate) const KEYRING: &str = "keyring";

/// Opens and seals secrets. The vault is opened at the first use: its key is only made when a first secret is stored,
/// and must be there when there are secrets already. It is read again when another process has changed it.
pub(crate) struct StoredSecrets {
    store: Store,
    key_file: PathBuf,
    locks: PathBuf,
    vault: Mutex<Option<Arc<Vault>>>,
    new_key_allowed: AtomicBool,
}

impl StoredSecrets {
    /// Opens nothing yet.
    pub(crate) fn new(store: Store, key_file: PathBuf, locks: PathBuf) -> Self {
        Self { store, key_file, locks, vault: Mutex::default(), new_key_allowed: AtomicBool::new(false) }
    }

    /// Lets a new key be made although there are secrets: what was sealed with a lost key must be stored again.
    pub(crate) fn allow_new_key(&self) {
        self.new_key_allowed.store(true, Ordering::Relaxed);
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The directory of lock files.
    pub(crate) fn locks(&self) -> &Path {
        &self.locks
    }

    /// Where Wissel itself keeps a key, by what the database says; none where the operator keeps it.
    pub(crate) fn place(&self, name: &str) -> Option<KeyPlace> {
        match name {
            FILE => Some(KeyPlace::File(self.key_file.clone())),
            KEYRING => Some(KeyPlace::Keyring),
            _ => None,
        }
    }

    /// The key that everything new is sealed with, as the database knows it.
    pub(crate) async fn current(&self) -> anyhow::Result<Option<VaultKey>> {
        let keys = self.store.vault_keys().await?;
        Ok(keys.into_iter().find(|key| key.state == KeyState::Current))
    }

    /// Where the key is read from: what the operator gives goes first.
    pub(crate) async fn source(&self) -> anyhow::Result<KeySource> {
        if let Some(source) = given() {
            return Ok(source);
        }
        let current = self.current().await?;
        let in_keyring = current.filter(|key| key.place == KEYRING).and_then(|key| KeyId::parse(&key.id));
        // A key that is lost with its keyring is made anew as a file.
        let in_keyring = in_keyring.filter(|_| !self.new_key_allowed.load(Ordering::Relaxed));
        Ok(in_keyring.map_or_else(|| KeySource::File(self.key_file.clone()), KeySource::Keyring))
    }

    /// The vault with its key, read once.
    pub(crate) async fn vault(&self) -> anyhow::Result<Arc<Vault>> {
        let mut vault = self.vault.lock().await;
        if let Some(vault) = &*vault {
            return Ok(Arc::clone(vault));
        }
        key_change::settle_if_idle(self).await?;
        let source = self.source().await?;
        let must_exist = !self.new_key_allowed.load(Ordering::Relaxed) && self.store.any_secret().await?;
        let policy = if must_exist { KeyPolicy::MustExist } else { KeyPolicy::CreateWhenMissing };
        let opened = Arc::new(in_background(move || Vault::open(&source, policy)).await?);
        *vault = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Lets the key be read again.
    pub(crate) async fn forget(&self) {
        *self.vault.lock().await = None;
    }

    /// The vault to seal with: its key is the one that the database calls the current one.
    async fn sealing(&self) -> anyhow::Result<Arc<Vault>> {
        for _ in 0..ATTEMPTS {
            let vault = self.vault().await?;
            let id = vault.key().id().to_string();
            let place = place_of(&self.source().await?);
            match self.current().await? {
                Some(current) if current.id == id => return Ok(vault),
                Some(_)
                    if !self.new_key_allowed.load(Ordering::Relaxed) && self.store.any_secret().await? =>
                {
                    // Changed since it was read, or not the right one.
                    self.forget().await;
                }
                _ => {
                    if !self.new_key_allowed.load(Ordering::Relaxed) {
                        self.check_opens_all(&vault).await?;
                    }
                    self.store.adopt_vault_key(&id, place).await?;
                    return Ok(vault);
                }
            }
        }
        let key = self.source().await?.to_string();
        Err(VaultError::OtherKey { field: "of the other accounts".to_owned(), key }.into())
    }

    /// Refuses a key that is not the one of every stored secret: the database of an older version does not say which
    /// one is right, and must not take a wrong one for it.
    pub(crate) async fn check_opens_all(&self, vault: &Vault) -> anyhow::Result<()> {
        for sealed in self.store.sealed_secrets().await? {
            vault.open_sealed(sealed.owner, &sealed.field, &sealed.octets)?;
        }
        Ok(())
    }

    /// Seals a secret for a field of its owner.
    pub(crate) async fn seal(
        &self,
        owner: impl Into<SecretOwner>,
        field: &str,
        secret: &SecretString,
    ) -> anyhow::Result<Vec<u8>> {
        Ok(self.sealing().await?.seal(owner, field, secret)?)
    }

    /// Stores a secret of an account. Where the key is changed between sealing and storing, it is sealed again: the secret
    /// may be one that cannot be had a second time.
    pub(crate) async fn put(
        &self,
        account: AccountId,
        field: &str,
        secret: &SecretString,
    ) -> anyhow::Result<()> {
        let mut attempts = 0;
        loop {
            let sealed = self.seal(account, field, secret).await?;
            attempts += 1;
            match self.store.put_secret(account, field, &sealed).await {
                Err(StoreError::KeyChanged) if attempts < ATTEMPTS => self.forget().await,
                other => return Ok(other?),
            }
        }
    }

    /// The secret, or none when none is stored. While a key is changed, the secret and its key may be read at different
    /// moments: then both are read again.
    pub(crate) async fn find(
        &self,
        owner: impl Into<SecretOwner>,
        field: &str,
    ) -> anyhow::Result<Option<SecretString>> {
        let owner = owner.into();
        let mut attempts = 0;
        loop {
            let Some(sealed) = self.sealed(owner, field).await? else { return Ok(None) };
            let opened = match self.vault().await {
                Ok(vault) => vault.open_sealed(owner, field, &sealed).map_err(anyhow::Error::from),
                Err(error) => Err(error),
            };
            attempts += 1;
            match opened {
                Err(error) if attempts < ATTEMPTS && is_of_another_key(&error) => self.forget().await,
                other => return other.map(Some),
            }
        }
    }
}

impl StoredSecrets {
    async fn sealed(&self, owner: SecretOwner, field: &str) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(match owner {
            SecretOwner::Account(id) => self.store.secret(id, field).await?,
            SecretOwner::Client(_) => self.store.sealed_client_secret(ClientSecretId::parse(field)?).await?,
            SecretOwner::Alert(id) => self.store.sealed_signing_key(id).await?,
        })
    }

    /// The value of a client's secret.
    pub(crate) async fn client_secret(&self, secret: &ClientSecret) -> anyhow::Result<SecretString> {
        match self.find(secret.client, &secret.id.to_string()).await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(StoreError::ClientSecretGone.into()),
            Err(error) if error.is::<VaultError>() => Err(Problem {
                name: "vault",
                ..Problem::home(
                    format!("the client's secret '{}' cannot be opened: {error}", secret.label),
                    "Bring the vault's key back. Only if it is lost: add the secret again with `wissel client secret \
                     add`, and use that one.",
                )
            }
            .into()),
            Err(error) => Err(error),
        }
    }

    /// Whose a secret is, for people, and what stores it again.
    pub(crate) async fn owner_of(&self, secret: &Sealed) -> (String, String) {
        match secret.owner {
            SecretOwner::Account(id) => {
                let name = self.store.account(id).await.map_or_else(|_| id.to_string(), |a| a.name);
                (format!("account '{name}'"), format!("`wissel account edit {}`", quoted(&name)))
            }
            SecretOwner::Client(id) => {
                let clients = self.store.clients().await.unwrap_or_default();
                let client = clients.into_iter().find(|client| client.id == id);
                let name = client.map_or_else(|| id.to_string(), |client| client.name);
                (format!("OAuth client '{name}'"), format!("`wissel client secret add {}`", quoted(&name)))
            }
            SecretOwner::Alert(id) => {
                let channels = self.store.alert_channels().await.unwrap_or_default();
                let channel = channels.into_iter().find(|channel| channel.id == id);
                let name = channel.map_or_else(|| id.to_string(), |channel| channel.name);
                (
                    format!("alert channel '{name}'"),
                    format!("`wissel alert remove {}` and `add`", quoted(&name)),
                )
            }
        }
    }
}

/// Where the operator gives the key, when he does.
pub(crate) fn given() -> Option<KeySource> {
    if std::env::var_os(KEY_VARIABLE).is_some() {
        return Some(KeySource::Environment(KEY_VARIABLE.to_owned()));
    }
    let credential = Path::new(&std::env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    credential.exists().then_some(KeySource::Credential(credential))
}

/// What the database says of such a source.
pub(crate) fn place_of(source: &KeySource) -> &'static str {
    match source {
        KeySource::File(_) => FILE,
        KeySource::Keyring(_) => KEYRING,
        KeySource::Environment(_) | KeySource::Credential(_) => GIVEN,
    }
}

fn is_of_another_key(error: &anyhow::Error) -> bool {
    use VaultError::{KeyFileMissing, KeyringMissing, OtherKey};
    let error = error.downcast_ref::<VaultError>();
    matches!(error, Some(OtherKey { .. } | KeyringMissing { .. } | KeyFileMissing { .. }))
}

/// Does what may wait for a disk, a keyring or a person away from the threads that serve mail.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::time::timeout(KEYRING_PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(VaultError::KeyringUnavailable { detail: error.to_string() }),
        Err(_) => {
            let detail = format!("it did not answer within {} s", KEYRING_PATIENCE.as_secs());
            Err(VaultError::KeyringUnavailable { detail })
        }
    }
}

#[async_trait]
impl Secrets for StoredSecrets {
    async fn secret(&self, account: AccountId, field: &str) -> Result<SecretString, SecretError> {
        match self.find(account, field).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(SecretError::Missing(field.to_owned())),
            Err(error) => {
                let text = match error.downcast_ref::<VaultError>() {
                    None => error.to_string(),
                    Some(vault) => {
                        let account = self.store.account(account).await;
                        let name = account.map_or_else(|_| "NAME".to_owned(), |account| account.name);
                        vault_advice::sentence(vault, &name)
                    }
                };
                Err(SecretError::Unreadable(format!("the {field} cannot be opened: {text}")))
            }
        }
    }
}
