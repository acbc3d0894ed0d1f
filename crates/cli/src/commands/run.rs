//! `wissel run`: the service.

use clap::Args;
use serde_json::json;
use wissel_jobs::ServiceOptions;

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::{alerts, output};

/// How the service works.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Jobs that run at the same time
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=1000))]
    parallel: u16,
}

/// Carries out the command: returns when a person or the system asks to stop.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> CommandResult {
    let shop = context.shop().await?;
    let jobs = shop.store.jobs().await?;
    let scheduled = jobs.iter().filter(|job| job.enabled && job.schedule.is_some()).count();
    let version = env!("CARGO_PKG_VERSION");
    if context.json {
        output::json(
            &json!({ "started": true, "version": version, "jobs": scheduled, "home": context.home.root() }),
        );
    } else {
        let home = context.home.root().display();
        output::line(&context.language.pick(
            format!(
                "Wissel {version} runs {scheduled} of {} jobs (home: {home}); stop with Ctrl-C",
                jobs.len()
            ),
            format!(
                "Wissel {version} draait {scheduled} van {} taken (map: {home}); stoppen met Ctrl-C",
                jobs.len()
            ),
        ));
    }
    for account in shop.store.accounts().await? {
        super::account::warn(context, &account);
    }
    let options = ServiceOptions { parallel_jobs: usize::from(arguments.parallel) };
    let (served, ()) = tokio::join!(
        async {
            let served = wissel_jobs::serve(&shop, options, &context.stop).await;
            // What ended the service ends the watch beside it.
            context.stop.cancel();
            served
        },
        alerts::watch(context)
    );
    served?;
    tracing::info!("stopped on request");
    Ok(Code::Done)
}
