//! The connectors that are installed: a directory of components, read at run time.
//!
//! Each file stands for itself: one that cannot be used is listed with the reason, and the others go on. Before each
//! look-up the directory is looked at again, so that a running service notices what was added, replaced or removed;
//! sessions that are open finish on the version they began with.

mod directory;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::Mutex;
use wissel_model::connector::Result;
use wissel_model::secrets::Secrets;
use wissel_model::{Account, ConnectorError, Connectors, Description, ErrorKind, OpenOptions, Session};

use self::directory::{Listing, list};
use crate::capability::http::client::Clients;
use crate::description::Checker;
use crate::engine::engine;
use crate::limits::SessionLimits;
use crate::linker::linker;
use crate::loader::{Examined, Loaded, Loader};
use crate::rejection::Rejection;
use crate::session::{Opening, open};
use crate::tls::Trust;

/// Where connectors are and what their sessions may use.
#[derive(Clone)]
pub struct CatalogueOptions {
    /// The directory whose `.wasm` files are the connectors.
    pub connectors_dir: PathBuf,
    /// Where compiled components and descriptions are kept. Must be writable by this user only: compiled components
    /// are run as they are.
    pub cache_dir: PathBuf,
    /// Opens the accounts' secrets.
    pub secrets: Arc<dyn Secrets>,
    /// What one session may use.
    pub limits: SessionLimits,
}

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The cache directory cannot be made.
    #[error("the cache directory {}: {error}; make it writable, or choose another", .path.display())]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The runtime does not work on this machine.
    #[error("the WebAssembly runtime cannot be started: {0}")]
    Runtime(String),
}

/// A file of the directory.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// The connector in it, or why it is not used.
    pub connector: std::result::Result<Inspected, Rejection>,
}

/// A connector as its file says.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// Its description.
    pub description: Arc<Description>,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
}

/// What is known of the directory.
#[derive(Default)]
struct Snapshot {
    listing: Listing,
    files: BTreeMap<PathBuf, std::result::Result<Arc<Loaded>, Rejection>>,
}

/// The connectors that are installed.
pub struct Catalogue {
    directory: PathBuf,
    loader: Arc<Loader>,
    host: Opening,
    snapshot: RwLock<Arc<Snapshot>>,
    /// Held while the directory is read again.
    refreshing: Mutex<()>,
}

impl Catalogue {
    /// Starts the runtime and reads the directory.
    ///
    /// # Errors
    /// When the cache directory cannot be made or the runtime does not start. A connector that cannot be used is
    /// not an error; see [`Catalogue::entries`].
    pub async fn open(options: CatalogueOptions) -> std::result::Result<Arc<Self>, CatalogueError> {
        let descriptions = options.cache_dir.join("descriptions");
        let compiled = options.cache_dir.join("compiled");
        for path in [&descriptions, &compiled] {
            directory::make_private(path)
                .map_err(|error| CatalogueError::Cache { path: path.clone(), error })?;
        }
        let runtime = |error: wasmtime::Error| CatalogueError::Runtime(format!("{error:#}"));
        // Compiling and the cache want the whole path, wherever the process goes later.
        let compiled = std::path::absolute(&compiled)
            .map_err(|error| CatalogueError::Cache { path: compiled.clone(), error })?;
        let engine = engine(&compiled).map_err(runtime)?;
        let loader = Loader {
            linker: linker(&engine).map_err(runtime)?,
            checker: Checker::new().map_err(CatalogueError::Runtime)?,
            engine: engine.clone(),
            descriptions,
            limits: options.limits,
        };
        let trust = Arc::new(Trust::default());
        let clients = Arc::new(Clients::new(Arc::clone(&trust)));
        let catalogue = Arc::new(Self {
            directory: options.connectors_dir,
            loader: Arc::new(loader),
            host: Opening { engine, secrets: options.secrets, trust, clients, limits: options.limits },
            snapshot: RwLock::default(),
            refreshing: Mutex::default(),
        });
        catalogue.refresh().await;
        Ok(catalogue)
    }

    /// Looks at the directory again, and loads what is new or different.
    pub async fn refresh(&self) {
        let _one_at_a_time = self.refreshing.lock().await;
        let directory = self.directory.clone();
        let listing = tokio::task::spawn_blocking(move || list(&directory)).await.unwrap_or_default();
        let before = self.snapshot();
        if listing == before.listing {
            return;
        }
        let mut files = BTreeMap::new();
        for (path, stamp) in &listing {
            let known = before.files.get(path).filter(|_| before.listing.get(path) == Some(stamp));
            let loaded = match known {
                // A file whose name was taken is looked at again: the other may be gone.
                Some(Err(Rejection::DuplicateName { .. })) | None => {
                    self.loader.load(path).await.map(Arc::new)
                }
                Some(known) => known.clone(),
            };
            files.insert(path.clone(), one_of_a_name(loaded, &files));
        }
        report(&before, &files);
        let snapshot = Arc::new(Snapshot { listing, files });
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    /// Every `.wasm` file of the directory, in the order of their names.
    pub async fn entries(&self) -> Vec<Entry> {
        self.refresh().await;
        let entry = |(path, loaded): (&PathBuf, &std::result::Result<Arc<Loaded>, Rejection>)| Entry {
            path: path.clone(),
            connector: loaded.as_ref().map(|loaded| inspected(loaded)).map_err(Clone::clone),
        };
        self.snapshot().files.iter().map(entry).collect()
    }

    /// Checks a file as if it were installed.
    ///
    /// # Errors
    /// Why it could not be used.
    pub async fn inspect(&self, path: &Path) -> std::result::Result<Inspected, Rejection> {
        Ok(inspected(&self.loader.load(path).await?))
    }

    /// Looks at a file closely, as an author wants to know it; see [`Examined`].
    ///
    /// # Errors
    /// Why it could not be used.
    pub async fn examine(&self, path: &Path) -> std::result::Result<Examined, Rejection> {
        self.loader.examine(path).await
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn loaded(&self, connector: &str) -> Result<Arc<Loaded>> {
        self.refresh().await;
        let snapshot = self.snapshot();
        let mut installed = snapshot.files.values().flatten();
        if let Some(found) = installed.find(|loaded| loaded.description.name == connector) {
            return Ok(Arc::clone(found));
        }
        let names: Vec<&str> =
            snapshot.files.values().flatten().map(|l| l.description.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let directory = self.directory.display();
        let message = format!("no connector '{connector}' is installed in {directory}; installed: {names}");
        Err(ConnectorError::new(ErrorKind::Unsupported, message).with_code("no-connector"))
    }
}

/// Of several files with one connector's name, the first in the order of file names is used.
fn one_of_a_name(
    loaded: std::result::Result<Arc<Loaded>, Rejection>,
    before: &BTreeMap<PathBuf, std::result::Result<Arc<Loaded>, Rejection>>,
) -> std::result::Result<Arc<Loaded>, Rejection> {
    let loaded = loaded?;
    let name = &loaded.description.name;
    let taken = before.iter().find(|(_, other)| other.as_ref().is_ok_and(|o| o.description.name == *name));
    match taken {
        Some((path, _)) => Err(Rejection::DuplicateName { name: name.clone(), loaded: path.clone() }),
        None => Ok(loaded),
    }
}

fn inspected(loaded: &Loaded) -> Inspected {
    Inspected { description: Arc::clone(&loaded.description), digest: loaded.digest.clone() }
}

/// Tells the log what changed.
fn report(before: &Snapshot, now: &BTreeMap<PathBuf, std::result::Result<Arc<Loaded>, Rejection>>) {
    for (path, loaded) in now {
        let file = path.display();
        match (loaded, before.files.get(path)) {
            (Ok(new), Some(Ok(old))) if new.digest == old.digest => {}
            (Ok(new), _) => {
                let Description { name, version, .. } = &*new.description;
                tracing::info!(%file, name, version, digest = new.digest, "connector loaded");
            }
            (Err(new), Some(Err(old))) if new == old => {}
            (Err(reason), _) => tracing::warn!(%file, %reason, "connector not loaded"),
        }
    }
    for path in before.files.keys().filter(|path| !now.contains_key(*path)) {
        tracing::info!(file = %path.display(), "connector removed");
    }
}

#[async_trait]
impl Connectors for Catalogue {
    async fn description(&self, connector: &str) -> Result<Arc<Description>> {
        Ok(Arc::clone(&self.loaded(connector).await?.description))
    }

    async fn open(&self, account: &Account, options: OpenOptions) -> Result<Box<dyn Session>> {
        let loaded = self.loaded(&account.connector).await?;
        Ok(Box::new(open(self.host.clone(), loaded, account, options).await?))
    }
}
