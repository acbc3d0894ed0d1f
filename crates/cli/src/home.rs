//! The home directory: where everything of one installation lies.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::problem::Problem;

/// The places below the home directory.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
    connectors: PathBuf,
}

impl Home {
    /// The home at `root`, or where this system keeps data of programs. `connectors` may lie elsewhere.
    pub(crate) fn at(root: Option<PathBuf>, connectors: Option<PathBuf>) -> Result<Self, Problem> {
        let root = match root {
            Some(root) => root,
            None => etcetera::base_strategy::choose_native_strategy()
                .map_err(|error| {
                    Problem::home(
                        format!("the directory for program data is not known: {error}"),
                        "Name one with --home or WISSEL_HOME.",
                    )
                })?
                .data_dir()
                .join("wissel"),
        };
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| {
                Problem::home(
                    format!("the directory '{}' cannot be used: {error}", path.display()),
                    "Name another one.",
                )
            })
        };
        let connectors = connectors.unwrap_or_else(|| root.join("connectors"));
        Ok(Self { root: absolute(&root)?, connectors: absolute(&connectors)? })
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Accounts, jobs and the ledger.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("wissel.db")
    }

    /// The key that secrets are sealed with.
    pub(crate) fn vault_key(&self) -> PathBuf {
        self.root.join("vault.key")
    }

    /// Where a restore prepares its files; nothing in it counts.
    pub(crate) fn staged(&self) -> PathBuf {
        self.root.join("restore.new")
    }

    /// What a restore has made ready: from now on it counts, and whoever comes next puts it into place.
    pub(crate) fn ready(&self) -> PathBuf {
        self.root.join("restore.ready")
    }

    /// Files that processes lock.
    pub(crate) fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// The installed connectors.
    pub(crate) fn connectors(&self) -> &Path {
        &self.connectors
    }

    /// What is compiled from connectors.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Makes the directory when it is missing, for its owner only.
    pub(crate) fn create(&self) -> Result<(), Problem> {
        for directory in [self.root(), self.connectors(), &self.cache()] {
            create_private(directory).map_err(|error| {
                Problem::home(
                    format!("the directory {} cannot be made: {error}", directory.display()),
                    "Give this user the right to write there, or name another directory with --home or WISSEL_HOME.",
                )
            })?;
        }
        Ok(())
    }
}

/// Makes a directory for its owner only.
#[cfg(unix)]
pub(crate) fn create_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// A new directory inherits the access list of its parent; in the user's profile that admits the user, the
/// administrators and the system.
#[cfg(not(unix))]
pub(crate) fn create_private(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}
