//! The command line as a whole: options that every command has.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser};
use serde_json::json;

use crate::commands::Command;
use crate::exit::{self, Code};
use crate::output;
use crate::text::Language;

/// Imports mail from the accounts of any provider, each message exactly once, and switches jobs from one account to
/// another.
#[derive(Debug, Parser)]
#[command(name = "wissel", version, after_help = exit::HELP, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
pub(crate) struct Global {
    /// The directory with database, vault key, connectors and quarantine [default: the system's place for data of
    /// programs]
    #[arg(long, global = true, env = "WISSEL_HOME", value_name = "DIR", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    /// The directory of the installed connectors [default: `connectors` in the home directory]
    #[arg(long, global = true, env = "WISSEL_CONNECTORS", value_name = "DIR", hide_env_values = true)]
    pub(crate) connectors: Option<PathBuf>,
    /// Print one JSON document instead of tables and sentences
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The language of sentences; errors and help are English [default: that of the system, else English]
    #[arg(long, global = true, env = "WISSEL_LANG", value_name = "LANGUAGE", hide_env_values = true)]
    pub(crate) language: Option<Language>,
    /// How much is logged on standard error: error, warn, info, debug, trace [default: warn; for `run` info]
    #[arg(long, global = true, env = "WISSEL_LOG", value_name = "LEVEL", hide_env_values = true)]
    pub(crate) log: Option<String>,
    /// Show no progress bar
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

/// Reads the command line; prints help or what is wrong with it, and answers with the exit code then.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        let asked_for_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if std::env::args_os().any(|argument| argument == "--json") && !asked_for_help {
            let text = error.render().to_string();
            // Which arguments are missing stands below the first line.
            let message = text.trim_start_matches("error: ").trim_end();
            let error =
                json!({ "code": "usage", "message": message, "next": "`wissel help` lists the commands." });
            output::json(&json!({ "error": error }));
        } else {
            output::note_failure(error.print());
        }
        exit::printed(if asked_for_help { Code::Done.into() } else { Code::Usage.into() })
    })
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, CommandFactory};

    use super::Cli;

    fn each_option(command: &Command, check: &mut dyn FnMut(&str, &Arg)) {
        for argument in command.get_arguments() {
            check(command.get_name(), argument);
        }
        for below in command.get_subcommands() {
            each_option(below, check);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_option_takes_a_secret() {
        let secret = ["password", "token", "secret", "passphrase", "credential"];
        let mut seen = 0;
        each_option(&Cli::command(), &mut |command, argument| {
            let name = argument.get_id().as_str().to_lowercase();
            if !secret.iter().any(|word| name.contains(word)) {
                return;
            }
            seen += 1;
            let takes = argument.get_action().takes_values();
            assert!(!takes || name.ends_with("_env"), "{command} --{name} takes a value");
        });
        assert!(seen >= 4, "the options for secrets were renamed: correct this test");
    }
}
