//! Log lines, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::Cli;
use crate::commands::Command;

/// Starts logging. A level such as `debug` is meant for Wissel's own crates; a full filter such as
/// `wissel_jobs=trace,info` is taken as it is.
pub(crate) fn start(cli: &Cli) {
    let default = if matches!(cli.command, Command::Run(_)) { "info" } else { "warn" };
    let level = cli.global.log.as_deref().unwrap_or(default);
    let filter = if level.chars().all(char::is_alphabetic) {
        format!("error,wissel={level}")
    } else {
        level.to_owned()
    };
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        crate::output::note(&format!(
            "wissel: the log level '{level}' is not understood ({error}); '{default}' is used"
        ));
        EnvFilter::new(format!("error,wissel={default}"))
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
