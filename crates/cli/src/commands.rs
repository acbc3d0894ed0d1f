//! The commands, one module for each group.

mod account;
pub(crate) mod alert;
mod apply;
mod backup;
mod client;
mod connector;
mod doctor;
mod export;
mod folder;
mod job;
mod ledger;
mod manual;
mod quarantine;
mod restore;
mod run;
mod vault;

use clap::Subcommand;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Code;

pub(crate) use account::check_connection;
pub(crate) use client::{fits, redirect};

/// How a command ends when it could do its work.
pub(crate) type CommandResult = anyhow::Result<Code>;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What speaks to mail services: list, show, install, check, remove
    #[command(subcommand)]
    Connector(connector::Command),
    /// Mail accounts: add, list, show, edit, test, guide, secret, default, remove
    #[command(subcommand)]
    Account(Box<account::Command>),
    /// OAuth clients, which accounts are authorised through: add, list, show, edit, secret, remove
    #[command(subcommand)]
    Client(Box<client::Command>),
    /// Where people are told of what needs them, such as a client's secret that expires: add, list, test, remove
    #[command(subcommand)]
    Alert(Box<alert::Command>),
    /// Folders of a mailbox
    #[command(subcommand)]
    Folder(folder::Command),
    /// Import jobs: add, list, show, edit, test, run, baseline, switch, remove
    #[command(subcommand)]
    Job(job::Command),
    /// Run all enabled jobs by their schedules, until asked to stop
    Run(run::Arguments),
    /// What became of each message
    Ledger(ledger::Arguments),
    /// Messages that were set aside: list, show, release, export
    Quarantine(quarantine::Arguments),
    /// Look at everything that has to work, and say what to do where it does not
    Doctor(doctor::Arguments),
    /// The key that secrets are sealed with: status, rotate, move
    #[command(subcommand)]
    Vault(vault::Command),
    /// Accounts, jobs, ledger and the vault's key in one file: create, check
    #[command(subcommand)]
    Backup(backup::Command),
    /// Put a backup back into an empty home directory
    Restore(restore::Arguments),
    /// Bring OAuth clients, accounts, jobs and alert channels into the state that a file describes
    Apply(apply::Arguments),
    /// Print OAuth clients, accounts, jobs and alert channels as a file for `apply`, without secrets
    Export,
    /// Print what makes a shell complete this command
    Completions(manual::Completions),
    /// Write the manual pages
    Man(manual::Man),
}

/// Carries out the command.
pub(crate) async fn run(cli: Cli) -> CommandResult {
    let context = Context::new(cli.global)?;
    let result = match cli.command {
        Command::Connector(command) => connector::run(&context, command).await,
        Command::Account(command) => account::run(&context, *command).await,
        Command::Client(command) => client::run(&context, *command).await,
        Command::Alert(command) => alert::run(&context, *command).await,
        Command::Folder(command) => folder::run(&context, command).await,
        Command::Job(command) => job::run(&context, command).await,
        Command::Run(arguments) => run::run(&context, &arguments).await,
        Command::Ledger(arguments) => ledger::run(&context, arguments).await,
        Command::Quarantine(arguments) => quarantine::run(&context, arguments).await,
        Command::Doctor(arguments) => doctor::run(&context, &arguments).await,
        Command::Apply(arguments) => apply::run(&context, &arguments).await,
        Command::Vault(command) => vault::run(&context, command).await,
        Command::Backup(command) => backup::run(&context, command).await,
        Command::Restore(arguments) => restore::run(&context, &arguments).await,
        Command::Export => export::run(&context).await,
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&context, &arguments),
    };
    context.close().await;
    result
}
