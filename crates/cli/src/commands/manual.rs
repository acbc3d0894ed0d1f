//! `wissel completions` and `wissel man`: what shells and `man` need, made from the same description as `--help`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use super::CommandResult;
use crate::args::Cli;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory, such as ~/.local/share/man/man1
    directory: PathBuf,
}

/// Prints the completions.
pub(crate) fn completions(arguments: &Completions) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "wissel", &mut script);
    output::script(&String::from_utf8_lossy(&script));
    Ok(Code::Done)
}

/// Writes a page for each command.
pub(crate) fn man(context: &Context, arguments: &Man) -> CommandResult {
    let directory = &arguments.directory;
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .and_then(|()| Ok(std::fs::read_dir(directory)?.count()));
    let pages = written.map_err(|error| {
        Problem::failed(
            format!("the manual pages cannot be written to {}: {error}", directory.display()),
            "Give this user the right to write there, or name another directory.",
        )
    })?;
    if context.json {
        output::json(&json!({ "directory": directory, "pages": pages }));
    } else {
        let directory = directory.display();
        output::line(&context.language.pick(
            format!("{pages} manual pages are in {directory}; `man wissel` finds them where `manpath` looks"),
            format!("{pages} handleidingen staan in {directory}; `man wissel` vindt ze waar `manpath` zoekt"),
        ));
    }
    Ok(Code::Done)
}
