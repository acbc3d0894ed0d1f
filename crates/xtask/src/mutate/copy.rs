//! A copy of the checkout in which guards are taken away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

/// The copy. Its builds stay in it, so a second run builds little.
pub(super) struct Copy {
    root: PathBuf,
}

impl Copy {
    /// Brings the copy in `root` up to date with the checkout. Files that are the same stay untouched, for Cargo
    /// builds anew what is younger than its last build.
    pub(super) fn refresh(root: &Path) -> Result<Self> {
        let listed = |folder: &Path| -> Result<BTreeSet<String>> {
            let mut git = Command::new("git");
            git.current_dir(folder).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
            Ok(process::capture(&mut git)?.split('\0').filter(|n| !n.is_empty()).map(str::to_owned).collect())
        };
        let source = workspace::root();
        let files = listed(&source)?;
        fs::create_dir_all(root.join("target"))?;
        for name in &files {
            let (from, to) = (source.join(name), root.join(name));
            // Listed by git, but removed since.
            let Ok(bytes) = fs::read(&from) else { continue };
            if fs::read(&to).ok().as_ref() != Some(&bytes) {
                fs::create_dir_all(to.parent().unwrap_or(root))?;
                fs::copy(&from, &to).with_context(|| to.display().to_string())?;
            }
        }
        // A repository of its own, so that git tells what lies here and is no longer in the project.
        process::run(Command::new("git").current_dir(root).args(["init", "--quiet"]))?;
        for name in listed(root)?.difference(&files) {
            fs::remove_file(root.join(name))?;
        }
        Ok(Self { root: root.to_path_buf() })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.root.join(file)).with_context(|| file.to_owned())
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.root.join(file), text).with_context(|| file.to_owned())
    }

    /// `cargo` in the copy, with nothing of the checkout's own builds and programs.
    pub(super) fn cargo(&self) -> Command {
        let mut command = workspace::cargo();
        command.current_dir(&self.root);
        for variable in
            ["CARGO_TARGET_DIR", "WISSEL_BIN", "WISSEL_TESTBED", "WISSEL_CONNECTORS", "WISSEL_GUESTS"]
        {
            command.env_remove(variable);
        }
        command
    }
}
