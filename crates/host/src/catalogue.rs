//! The connectors that are installed: a directory of components, read at run time.
//!
//! Each file stands for itself: one that cannot be used is listed with the reason, and the others go on. Before each
//! look-up the directory is looked at again, so that a running service notices what was added, replaced or removed;
//! sessions that are open finish on the version they began with. Which look-up waits for which file is in [`shelf`].

mod directory;
mod shelf;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use wissel_model::connector::Result;
use wissel_model::secrets::Secrets;
use wissel_model::tokens::Tokens;
use wissel_model::{Account, ConnectorError, Connectors, Description, ErrorKind, OpenOptions, Session};

use self::shelf::{Found, Shelf};
use crate::capability::http::client::Clients;
use crate::description::Checker;
use crate::engine::engine;
use crate::limits::SessionLimits;
use crate::linker::linker;
use crate::loader::{Examined, Loaded, Loader};
use crate::rejection::Rejection;
use crate::session::{Opening, open};
use crate::tls::Trust;
use crate::wallet::Sources;

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
    /// Gives access tokens of accounts whose auth method describes how they are had.
    pub tokens: Arc<dyn Tokens>,
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

/// Components that are compiled at the same time.
const COMPILING: usize = 2;

/// The connectors that are installed.
pub struct Catalogue {
    directory: PathBuf,
    shelf: Arc<Shelf>,
    host: Opening,
}

impl Catalogue {
    /// Starts the runtime and begins to read the directory.
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
            compiling: Semaphore::new(COMPILING),
            refused: Mutex::default(),
        };
        let trust = Arc::new(Trust::default());
        let clients = Arc::new(Clients::new(Arc::clone(&trust)));
        let catalogue = Arc::new(Self {
            directory: options.connectors_dir,
            shelf: Shelf::new(Arc::new(loader)),
            host: Opening {
                engine,
                sources: Sources { secrets: options.secrets, tokens: options.tokens },
                governors: Arc::default(),
                trust,
                clients,
                limits: options.limits,
            },
        });
        catalogue.shelf.refresh(&catalogue.directory).await;
        Ok(catalogue)
    }

    /// When the certificates end that this server showed since the catalogue was opened, if that is within three weeks.
    #[must_use]
    pub fn certificate_ends_soon(&self, server: &str) -> Option<SystemTime> {
        self.host.trust.ends_soon(server)
    }

    /// Every `.wasm` file of the directory, in the order of their names. Waits until each is loaded.
    pub async fn entries(&self) -> Vec<Entry> {
        let mut steps = self.shelf.steps();
        self.shelf.refresh(&self.directory).await;
        loop {
            if let Some(readings) = self.shelf.all() {
                let entry = |(path, reading): (PathBuf, std::result::Result<Arc<Loaded>, Rejection>)| Entry {
                    path,
                    connector: reading.map(|loaded| inspected(&loaded)),
                };
                return readings.into_iter().map(entry).collect();
            }
            // The sender lives as long as this catalogue.
            let _ = steps.changed().await;
        }
    }

    /// Checks a file as if it were installed.
    ///
    /// # Errors
    /// Why it could not be used.
    pub async fn inspect(&self, path: &Path) -> std::result::Result<Inspected, Rejection> {
        Ok(inspected(&self.shelf.loader().load(path).await?))
    }

    /// Looks at a file closely, as an author wants to know it; see [`Examined`].
    ///
    /// # Errors
    /// Why it could not be used.
    pub async fn examine(&self, path: &Path) -> std::result::Result<Examined, Rejection> {
        self.shelf.loader().examine(path).await
    }

    async fn loaded(&self, connector: &str) -> Result<Arc<Loaded>> {
        let mut steps = self.shelf.steps();
        self.shelf.refresh(&self.directory).await;
        let names = loop {
            match self.shelf.find(connector) {
                Found::Loaded(loaded) => return Ok(loaded),
                Found::Missing(names) => break names,
                Found::NotYet => _ = steps.changed().await,
            }
        };
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let directory = self.directory.display();
        let message = format!("no connector '{connector}' is installed in {directory}; installed: {names}");
        Err(ConnectorError::new(ErrorKind::Unsupported, message).with_code("no-connector"))
    }
}

fn inspected(loaded: &Loaded) -> Inspected {
    Inspected { description: Arc::clone(&loaded.description), digest: loaded.digest.clone() }
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
