//! `wissel export`: OAuth clients, accounts, jobs and alert channels as the file that `apply` reads, without secrets.

use crate::commands::{CommandResult, job};
use crate::config::File;
use crate::context::Context;
use crate::exit::Code;
use crate::output;

/// Carries out the command.
pub(crate) async fn run(context: &Context) -> CommandResult {
    let store = context.store().await?;
    let mut jobs = Vec::new();
    for job in store.jobs().await? {
        let names = job::account_names(context, &job).await?;
        jobs.push((job, names));
    }
    let (clients, accounts) = (store.clients().await?, store.accounts().await?);
    let file = File::of(&clients, &accounts, &jobs, &store.alert_channels().await?);
    if context.json {
        output::json(&serde_json::to_value(&file)?);
    } else {
        output::line(toml::to_string_pretty(&file)?.trim_end());
    }
    Ok(Code::Done)
}
