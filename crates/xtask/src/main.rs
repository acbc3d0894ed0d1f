//! `cargo xtask`: the command line over this crate's modules; holds no logic of its own.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{connectors, setup, test};

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
    /// Set up, check and test everything; ends with the line `N passed, N failed`
    Test,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Setup => setup::run().map(|_| ExitCode::SUCCESS),
        Task::Connectors => connectors::build(&setup::wasm_toolchain()?).map(|()| ExitCode::SUCCESS),
        Task::Test => test::run(),
    }
}
