//! From a file to a connector that can be opened: read, hash, compile, check its surface, have its description.
//!
//! Nothing here knows the directory; see [`crate::catalogue`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
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
}

/// A file that was compiled and whose surface is that of a connector.
struct Compiled {
    size: u64,
    digest: String,
    component: Component,
    pre: ConnectorPre<State>,
}

impl Loader {
    /// Loads one file. Hashing and compiling take a thread of their own.
    pub(crate) async fn load(self: &Arc<Self>, path: &Path) -> Result<Loaded, Rejection> {
        let (loader, file) = (Arc::clone(self), path.to_owned());
        let compiled = tokio::task::spawn_blocking(move || loader.compile(&file))
            .await
            .map_err(|error| Rejection::Invalid(error.to_string()))??;
        let description = self.description(&compiled).await?;
        Ok(Loaded { description: Arc::new(description), digest: compiled.digest, pre: compiled.pre })
    }

    /// Loads one file, and has it describe itself twice, each time in an instance of its own.
    pub(crate) async fn examine(self: &Arc<Self>, path: &Path) -> Result<Examined, Rejection> {
        let (loader, file) = (Arc::clone(self), path.to_owned());
        let compiled = tokio::task::spawn_blocking(move || loader.compile(&file))
            .await
            .map_err(|error| Rejection::Invalid(error.to_string()))??;
        // Not the description that was kept: the component itself is asked.
        let first = describe(&self.engine, &compiled.component, self.limits).await?;
        let second = describe(&self.engine, &compiled.component, self.limits).await?;
        let description = Arc::new(self.checker.check(&first)?);
        Ok(Examined { description, digest: compiled.digest, size: compiled.size, texts: [first, second] })
    }

    fn compile(&self, path: &Path) -> Result<Compiled, Rejection> {
        let unreadable = |error: std::io::Error| Rejection::Unreadable(error.to_string());
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > self.limits.component {
            return Err(Rejection::TooLarge { size, limit: self.limits.component });
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        // Byte 6 of the preamble tells a component from a module.
        match (bytes.starts_with(b"\0asm"), bytes.get(6)) {
            (false, _) => return Err(Rejection::NotWasm),
            (true, Some(0)) => return Err(Rejection::NotAComponent),
            (true, _) => {}
        }
        let digest = hex::encode(Sha256::digest(&bytes));
        let component = Component::from_binary(&self.engine, &bytes)
            .map_err(|error| Rejection::Invalid(format!("{error:#}")))?;
        check_surface(&self.engine, &component)?;
        let pre = connect(&self.linker, &component)?;
        Ok(Compiled { size, digest, component, pre })
    }

    /// The description that was kept for these bytes, or what the component says.
    async fn description(&self, compiled: &Compiled) -> Result<Description, Rejection> {
        let kept = self.descriptions.join(format!("{}.json", compiled.digest));
        if let Ok(text) = tokio::fs::read_to_string(&kept).await
            && let Ok(description) = self.checker.check(&text)
        {
            return Ok(description);
        }
        let text = describe(&self.engine, &compiled.component, self.limits).await?;
        let description = self.checker.check(&text)?;
        if let Err(error) = keep(&kept, &text).await {
            tracing::warn!(file = %kept.display(), %error, "a description could not be kept");
        }
        Ok(description)
    }
}

/// Writes beside and renames: a reader never sees half a file.
async fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.partial", std::process::id()));
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, file).await
}
