//! Where the demonstration plays: a temporary folder with the home of `wissel` and the imported mail, and the way
//! every command is run and shown.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::post::Post;
use super::shell;
use crate::workspace;

/// The folder that mail is imported into, in the demonstration's folder.
pub(super) const MAIL_FOLDER: &str = "mail";
/// The file with the password, in the demonstration's folder.
pub(super) const PASSWORD_FILE: &str = "password.txt";
/// The environment variable with the token.
pub(super) const TOKEN_VARIABLE: &str = "MAIL_TOKEN";

/// The folder and the program.
pub(super) struct Stage {
    /// Removes the folder in the end, unless it is to be kept.
    folder: TempDir,
    program: PathBuf,
}

impl Stage {
    /// Makes the folder.
    pub(super) fn set(keep: bool) -> Result<Self> {
        let mut folder = tempfile::Builder::new().prefix("wissel-demo-").tempdir()?;
        folder.disable_cleanup(keep);
        fs::write(folder.path().join(PASSWORD_FILE), format!("{}\n", super::post::PASSWORD))?;
        let program = workspace::program("wissel");
        if !program.is_file() {
            bail!("{} is missing although the build went well", program.display());
        }
        Ok(Self { folder, program })
    }

    /// The demonstration's folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the mail is imported to.
    pub(super) fn mail(&self) -> PathBuf {
        self.folder().join(MAIL_FOLDER)
    }

    fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Says where everything is.
    pub(super) fn introduce(&self, post: &Post) {
        println!("A mail server with a Dutch sample mailbox listens on localhost:{} (TLS).", post.port());
        println!("Every command below is run in {} with", self.folder().display());
        for line in self.exports() {
            println!("$ {line}");
        }
    }

    /// The lines that make a person's terminal work on the demonstration.
    pub(super) fn exports(&self) -> [String; 2] {
        [
            shell::export("WISSEL_HOME", &self.home().to_string_lossy()),
            shell::export(TOKEN_VARIABLE, super::post::TOKEN),
        ]
    }

    /// The program, for a person to type.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Shows and runs `wissel` with these arguments; fails when it does.
    pub(super) fn wissel(&self, arguments: &[&str]) -> Result<()> {
        println!("\n$ wissel {}", shell::line(arguments));
        self.run(arguments, Stdio::null())
    }

    /// The same, with a file as standard input.
    pub(super) fn wissel_reading(&self, arguments: &[&str], file: &str) -> Result<()> {
        println!("\n$ wissel {} < {}", shell::line(arguments), shell::quoted(file));
        self.run(arguments, File::open(self.folder().join(file))?.into())
    }

    fn run(&self, arguments: &[&str], input: Stdio) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(input).current_dir(self.folder());
        // What a person has set for work of their own must not reach into the demonstration.
        for variable in ["WISSEL_CONNECTORS", "WISSEL_LOG", "WISSEL_VAULT_KEY"] {
            command.env_remove(variable);
        }
        command.env("WISSEL_HOME", self.home()).env("WISSEL_LANG", "en");
        command.env(TOKEN_VARIABLE, super::post::TOKEN);
        let status = command.status().with_context(|| format!("cannot start {}", self.program.display()))?;
        if !status.success() {
            bail!(
                "`wissel {}` ended with {status}; `cargo xtask demo --keep` lets you look",
                shell::line(arguments)
            );
        }
        Ok(())
    }
}
