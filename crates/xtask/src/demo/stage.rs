//! Where the demonstration plays: a temporary folder with the home of `wissel` and the imported mail, and the way
//! every command is run and shown.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::post::Post;
use super::shell;
use crate::workspace;

/// The folder that mail is imported into, in the demonstration's folder.
pub(super) const MAIL_FOLDER: &str = "mail";
/// The file with the password, in the demonstration's folder.
pub(super) const PASSWORD_FILE: &str = "password.txt";
/// The environment variable with the client's secret.
pub(super) const SECRET_VARIABLE: &str = "CLIENT_SECRET";

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
            shell::export(SECRET_VARIABLE, super::post::CLIENT_SECRET),
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

    /// Shows and runs the command that authorises an account. Without `browser` the test bed's person signs in: the
    /// command then waits as it does for a person.
    pub(super) fn authorize(&self, account: &str, post: &mut Post, browser: bool) -> Result<()> {
        let mut arguments = vec!["account", "authorize", account];
        if browser {
            println!("\nThe user is {}, the password {}.", post.user(), super::post::PASSWORD);
            return self.wissel(&arguments);
        }
        arguments.push("--no-browser");
        println!("\n$ wissel {}", shell::line(&arguments));
        let mut command = self.command(&arguments);
        let mut running = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = running.stderr.take().context("the command says nothing")?;
        for line in BufReader::new(said).lines() {
            let line = line?;
            eprintln!("{line}");
            if line.starts_with("http") {
                println!("(the test bed's user opens this link, signs in and consents)");
                post.browse(line.trim())?;
            }
        }
        self.ended(&arguments, running.wait()?)
    }

    fn run(&self, arguments: &[&str], input: Stdio) -> Result<()> {
        let mut command = self.command(arguments);
        let status = command.stdin(input).status();
        self.ended(arguments, status.with_context(|| format!("cannot start {}", self.program.display()))?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder());
        // What a person has set for work of their own must not reach into the demonstration.
        for variable in ["WISSEL_CONNECTORS", "WISSEL_LOG", "WISSEL_VAULT_KEY"] {
            command.env_remove(variable);
        }
        command.env("WISSEL_HOME", self.home()).env("WISSEL_LANG", "en");
        command.env(SECRET_VARIABLE, super::post::CLIENT_SECRET);
        command
    }

    fn ended(&self, arguments: &[&str], status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!(
                "`wissel {}` ended with {status}; `cargo xtask demo --keep` lets you look",
                shell::line(arguments)
            );
        }
        Ok(())
    }
}
