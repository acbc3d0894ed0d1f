//! `wissel job baseline`: counts what the folders hold now as done.

use serde_json::json;

use crate::commands::CommandResult;
use crate::context::{Context, actor};
use crate::exit::Code;
use crate::output;
use crate::problem::Problem;
use crate::progress::Bar;

/// Carries out the command.
pub(crate) async fn run(context: &Context, name: &str, dry_run: bool) -> CommandResult {
    let shop = context.shop().await?;
    let job = shop.store.job_named(name).await?;
    let bar = Bar::new(context.progress, context.language);
    let result = wissel_jobs::baseline(&shop, &job, dry_run, &actor(), &bar, &context.stop).await;
    bar.finish();
    let report = match result {
        Ok(report) => report,
        Err(error) => return Err(Problem::from(context.explain_job(&job, &error).await).into()),
    };
    if context.json {
        let marked: Vec<_> = report
            .marked
            .iter()
            .map(
                |(account, folder, count)| json!({ "account": account, "folder": folder, "messages": count }),
            )
            .collect();
        output::json(
            &json!({ "job": job.name, "dry_run": dry_run, "total": report.total(), "marked": marked }),
        );
    } else {
        let rows = report
            .marked
            .iter()
            .map(|(account, folder, count)| vec![account.clone(), folder.clone(), count.to_string()]);
        output::table(&["Account", "Folder", "Messages"], rows.collect());
        output::line(&context.language.baseline(report.total(), dry_run));
    }
    Ok(Code::Done)
}
