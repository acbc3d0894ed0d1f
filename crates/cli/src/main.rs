//! The command `wissel`: reads the command line, prepares the process, and hands over to the command. What a command
//! does is in [`commands`]; what goes wrong becomes an exit code in [`exit`].

mod account_status;
mod alerts;
mod archive;
mod args;
mod authorization;
mod certificate;
mod client_secret_input;
mod commands;
mod config;
mod context;
mod exit;
mod form;
mod home;
mod home_lock;
mod job_rules;
mod key_change;
mod logging;
mod output;
mod problem;
mod process;
mod progress;
mod putting_back;
mod refusals;
mod secret_expiry;
mod secret_input;
mod secrets;
mod signal;
mod spans;
mod text;
mod tokens;
mod vault_advice;
mod views;

use std::process::ExitCode;

fn main() -> ExitCode {
    process::keep_memory_private();
    process::allow_many_files();
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    logging::start(&cli);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return exit::fail(&error.into(), cli.global.json),
    };
    let json = cli.global.json;
    let work = async {
        signal::survive_file_limit();
        commands::run(cli).await
    };
    // On a worker, which also waits for the network: here, each answer would have to wake this thread first.
    let code = match runtime.block_on(runtime.spawn(work)) {
        Ok(Ok(code)) => code.into(),
        Ok(Err(error)) => exit::fail(&error, json),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => exit::fail(&anyhow::Error::from(cancelled), json),
        },
    };
    // A name that is still being resolved, or a disk that hangs, must not hold up the end.
    runtime.shutdown_background();
    exit::printed(code)
}
