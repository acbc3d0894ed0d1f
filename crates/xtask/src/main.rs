//! `cargo xtask`: the command line over this crate's modules; holds no logic of its own.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{bench, connectors, demo, fuzz, mutate, setup, test};

/// Work on Wissel itself.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find or install what building and testing need, and say which way it took
    Setup,
    /// Build every connector and test guest, and check what the connectors import
    Connectors,
    /// Show Wissel at work on a mailbox of its own; ends with what arrived, was imported, lost and doubled
    Demo {
        /// Leave the mail server running and the files in place, with commands to play with
        #[arg(long)]
        keep: bool,
        /// Sign in at the provider's page yourself, in a browser (which does not know its certificate)
        #[arg(long)]
        browser: bool,
    },
    /// Give arbitrary bytes to what reads foreign ones, with libFuzzer; installs cargo-fuzz where it is missing
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// One of naming, metadata, imap, boundary; absent: all, one after the other
        target: Option<String>,
    },
    /// Take each guard that safety rests on away in turn; fails unless a test notices each time
    Mutate {
        /// Only the guards whose names contain this
        #[arg(long, value_name = "PART")]
        only: Option<String>,
    },
    /// Measure Wissel beside other programs: `cargo xtask bench [PART]... [--runs N] [--json FILE]`
    #[command(disable_help_flag = true)]
    Bench {
        /// Parts and options, see `cargo xtask bench --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Set up, check and test everything; ends with the line `N passed, N failed`
    Test,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Setup => setup::run().map(|_| ExitCode::SUCCESS),
        Task::Connectors => connectors::build(&setup::wasm_toolchain()?).map(|()| ExitCode::SUCCESS),
        Task::Bench { arguments } => bench::run(&arguments),
        Task::Demo { keep, browser } => demo::run(keep, browser),
        Task::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Task::Mutate { only } => mutate::run(only.as_deref()),
        Task::Test => test::run(),
    }
}
