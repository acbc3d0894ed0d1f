//! `wissel ledger`: what became of each message.

mod forget;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wissel_model::{Account, ImportJob, LedgerState};
use wissel_store::{LedgerQuery, LedgerRow};

use super::CommandResult;
use crate::context::Context;
use crate::exit::Code;
use crate::output;
use crate::text::Language;

const STATES: [&str; 6] = ["reserved", "delivered", "done", "baseline", "quarantined", "filtered"];

/// Which rows are shown, or what is done about one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only messages of this job
    job: Option<String>,
    /// Only messages in this state
    #[arg(long, value_parser = PossibleValuesParser::new(STATES))]
    state: Option<String>,
    /// Only messages with this text in subject, Message-ID, digest or key
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// At most so many, the latest
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forget that a message was imported, so that the job imports it again
    Forget {
        /// Its key, or the beginning of it
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Carries out the command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> CommandResult {
    if let Some(Command::Forget { key, yes }) = &arguments.command {
        return forget::run(context, key, *yes).await;
    }
    let (store, language) = (context.store().await?, context.language);
    let job = match &arguments.job {
        Some(name) => Some(store.job_named(name).await?.id),
        None => None,
    };
    let query = LedgerQuery {
        job,
        state: arguments.state.as_deref().and_then(LedgerState::parse),
        text: arguments.find,
        // One more than is shown, to know whether that is all.
        limit: arguments.limit.saturating_add(1),
        after: None,
    };
    let mut rows = store.ledger(&query).await?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let cut = rows.len() > limit;
    rows.truncate(limit);
    let names = Names { jobs: store.jobs().await?, accounts: store.accounts().await? };
    if context.json {
        let rows: Vec<Value> = rows.iter().map(|row| names.view(row)).collect();
        output::json(&json!({ "messages": rows, "more": cut }));
    } else if rows.is_empty() {
        output::note(language.pick("no message of the ledger fits", "geen bericht van het grootboek past"));
    } else {
        let header = language.pick(
            ["Since", "Job", "Account", "State", "Subject", "Size", "Key"],
            ["Sinds", "Taak", "Account", "Status", "Onderwerp", "Grootte", "Sleutel"],
        );
        output::table(&header, rows.iter().map(|row| names.row(language, row)).collect());
        if cut {
            output::note(&language.pick(
                format!("These are the latest {limit}; more with --limit NUMBER."),
                format!("Dit zijn de laatste {limit}; meer met --limit AANTAL."),
            ));
        }
    }
    Ok(Code::Done)
}

struct Names {
    jobs: Vec<ImportJob>,
    accounts: Vec<Account>,
}

impl Names {
    fn job(&self, row: &LedgerRow) -> Option<&str> {
        self.jobs.iter().find(|job| job.id == row.job).map(|job| job.name.as_str())
    }

    fn account(&self, id: wissel_model::AccountId) -> Option<&str> {
        self.accounts.iter().find(|account| account.id == id).map(|account| account.name.as_str())
    }

    fn row(&self, language: Language, row: &LedgerRow) -> Vec<String> {
        vec![
            output::moment(row.since),
            self.job(row).unwrap_or_default().to_owned(),
            self.account(row.origin).unwrap_or_default().to_owned(),
            row.state.as_str().to_owned(),
            row.subject.clone().or_else(|| row.internet_message_id.clone()).unwrap_or_default(),
            row.size.map(|octets| language.size(octets.into())).unwrap_or_default(),
            row.key.to_string(),
        ]
    }

    fn view(&self, row: &LedgerRow) -> Value {
        let locations: Vec<Value> = row
            .locations
            .iter()
            .map(|place| {
                json!({ "account": self.account(place.account), "folder": place.folder, "message": place.message })
            })
            .collect();
        json!({
            "key": row.key,
            "job": self.job(row),
            "state": row.state,
            "message_id": row.internet_message_id,
            "received": row.received,
            "digest": row.digest,
            "subject": row.subject,
            "size": row.size,
            "since": row.since,
            "reason": row.reason,
            "origin": self.account(row.origin),
            "locations": locations,
        })
    }
}
