//! From a file to a connector that can be opened: read, hash, compile, check its surface, have its description.
//!
//! Nothing here knows the directory; see [`crate::catalogue`]. What was refused once is refused at once when the same
//! bytes come again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wissel_model::Description;

use crate::bindings::ConnectorPre;
use crate::describe::describe;
use crate::description::Checker;
use crate::limits::SessionLimits;
use crate::linker::{check_surface, connect};
use crate::rejection::Rejection;
use crate::state::State;

/// A connector that can be opened.
pub(crate) struct Loaded {
    pub(crate) description: Arc<Description>,
    /// SHA-256 of the file, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) pre: ConnectorPre<State>,
}

/// What a file says of itself when it is looked at closely.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its description.
    pub description: Arc<Description>,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Octets of the file.
    pub size: u64,
    /// What `describe` returned, each time in an instance of its own with every import cut off.
    pub texts: [String; 2],
}

/// Loads files.
pub(crate) struct Loader {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) checker: Checker,
    /// Where descriptions are kept by digest.
    pub(crate) descriptions: PathBuf,
    pub(crate) limits: SessionLimits,
    /// Components that are compiled at the same time: each takes memory and every processor.
    pub(crate) compiling: Semaphore,
    /// What was refused, by digest: bytes that loop in `describe` do so once for each process.
    pub(crate) refused: Mutex<HashMap<String, Rejection>>,
}

/// Refused digests that are remembered.
const MOST_REFUSED: usize = 1_000;

/// A file that was read, with the description that an earlier process had of it.
pub(crate) struct Read {
    bytes: Vec<u8>,
    digest: String,
    pub(crate) description: Option<Description>,
}

/// A file that was compiled and whose surface is that of a connector.
struct Compiled {
    component: Component,
    pre: ConnectorPre<State>,
}

impl Loader {
    /// Loads one file.
    pub(crate) async fn load(self: &Arc<Self>, path: &Path) -> Result<Loaded, Rejection> {
        self.finish(self.read(path).await?).await
    }

    /// Loads one file, and has it describe itself twice, each time in an instance of its own.
    pub(crate) async fn examine(self: &Arc<Self>, path: &Path) -> Result<Examined, Rejection> {
        let Read { bytes, digest, .. } = self.read(path).await?;
        let size = bytes.len() as u64;
        let loader = Arc::clone(self);
        let compiled = apart(move || loader.compile(&bytes)).await?;
        // Not the description that was kept: the component itself is asked.
        let first = describe(&self.engine, &compiled.component, self.limits).await?;
        let second = describe(&self.engine, &compiled.component, self.limits).await?;
        let description = Arc::new(self.checker.check(&first)?);
        Ok(Examined { description, digest, size, texts: [first, second] })
    }

    /// Reads a file and looks up what is known of its bytes. Takes no longer than the disk.
    pub(crate) async fn read(self: &Arc<Self>, path: &Path) -> Result<Read, Rejection> {
        let (loader, path) = (Arc::clone(self), path.to_owned());
        apart(move || {
            let (bytes, digest) = read(&path, loader.limits.component)?;
            if let Some(rejection) = loader.refused().get(&digest) {
                return Err(rejection.clone());
            }
            let kept = std::fs::read_to_string(loader.kept(&digest)).ok();
            let description = kept.and_then(|text| loader.checker.check(&text).ok());
            Ok(Read { bytes, digest, description })
        })
        .await
    }

    /// Compiles what was read, and asks it for its description where none is kept.
    pub(crate) async fn finish(self: &Arc<Self>, read: Read) -> Result<Loaded, Rejection> {
        let Read { bytes, digest, description } = read;
        let loaded = self.compiled_and_described(bytes, &digest, description).await;
        if let Err(rejection) = &loaded {
            let mut refused = self.refused();
            if refused.len() >= MOST_REFUSED {
                refused.clear();
            }
            refused.insert(digest, rejection.clone());
        }
        loaded
    }

    async fn compiled_and_described(
        self: &Arc<Self>,
        bytes: Vec<u8>,
        digest: &str,
        description: Option<Description>,
    ) -> Result<Loaded, Rejection> {
        let compiled = {
            let _one_of_few = self.compiling.acquire().await;
            let loader = Arc::clone(self);
            apart(move || loader.compile(&bytes)).await?
        };
        let description = match description {
            Some(description) => description,
            None => self.describe(&compiled.component, digest).await?,
        };
        Ok(Loaded { description: Arc::new(description), digest: digest.to_owned(), pre: compiled.pre })
    }

    fn compile(&self, bytes: &[u8]) -> Result<Compiled, Rejection> {
        let component = Component::from_binary(&self.engine, bytes)
            .map_err(|error| Rejection::Invalid(format!("{error:#}")))?;
        check_surface(&self.engine, &component)?;
        let pre = connect(&self.linker, &component)?;
        Ok(Compiled { component, pre })
    }

    async fn describe(&self, component: &Component, digest: &str) -> Result<Description, Rejection> {
        let text = describe(&self.engine, component, self.limits).await?;
        let description = self.checker.check(&text)?;
        let kept = self.kept(digest);
        if let Err(error) = keep(&kept, &text).await {
            tracing::warn!(file = %kept.display(), %error, "a description could not be kept");
        }
        Ok(description)
    }

    fn kept(&self, digest: &str) -> PathBuf {
        self.descriptions.join(format!("{digest}.json"))
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<String, Rejection>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs what would hold up a worker on a thread of its own.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Rejection> + Send + 'static,
) -> Result<T, Rejection> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Rejection::Invalid(error.to_string())))
}

/// The bytes of a component, and their SHA-256 in hexadecimal.
fn read(path: &Path, limit: u64) -> Result<(Vec<u8>, String), Rejection> {
    let unreadable = |error: std::io::Error| Rejection::Unreadable(error.to_string());
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > limit {
        return Err(Rejection::TooLarge { size, limit });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    // Byte 6 of the preamble tells a component from a module.
    match (bytes.starts_with(b"\0asm"), bytes.get(6)) {
        (false, _) => return Err(Rejection::NotWasm),
        (true, Some(0)) => return Err(Rejection::NotAComponent),
        (true, _) => {}
    }
    let digest = hex::encode(Sha256::digest(&bytes));
    Ok((bytes, digest))
}

/// Writes beside and renames: a reader never sees half a file.
async fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.partial", std::process::id()));
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, file).await
}
