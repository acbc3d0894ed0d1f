//! Runs the cases one after the other. No case is passed over in silence: each is in the report.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use wissel_model::Description;

use crate::case::{Case, Failure, Need, Stop, shown};
use crate::cases;
use crate::report::{CaseReport, Ending, Report};
use crate::stage::Stage;
use crate::subject::{Options, Subject};

/// Runs every case against the account.
pub async fn run(subject: &Subject, options: &Options) -> Report {
    examine(subject, options, |_| true).await
}

/// Runs the cases that need no account: those about the description, and about a connector that reaches nothing.
pub async fn check(subject: &Subject, options: &Options) -> Report {
    examine(subject, options, |case| !case.needs.contains(&Need::Account)).await
}

async fn examine(subject: &Subject, options: &Options, chosen: fn(&Case) -> bool) -> Report {
    let mut report = Report {
        connector: subject.account.connector.clone(),
        account: subject.account.name.clone(),
        facts: Vec::new(),
        cases: Vec::new(),
        left: Vec::new(),
    };
    let chosen: Vec<&Case> = cases::all().filter(|case| chosen(case)).collect();
    let description = match subject.connectors.description(&subject.account.connector).await {
        Ok(description) => description,
        Err(error) => {
            let failure = Failure {
                expected: "the connector has a description".to_owned(),
                seen: shown(&error),
                hint: "No case can be run without it.".to_owned(),
            };
            let failed = |case: &&Case| CaseReport::of(case, Ending::Failed(failure.clone()), 0.0);
            report.cases = chosen.iter().map(failed).collect();
            return report;
        }
    };
    report.connector = format!("{} {}", description.name, description.version);
    let mut stage = Stage::new(subject.clone(), options.clone(), Arc::clone(&description));
    for case in chosen {
        let begun = Instant::now();
        let ending = match missing(case, options, &description) {
            Some(because) => Ending::NotApplicable { because },
            None => play(case, &mut stage).await,
        };
        report.cases.push(CaseReport::of(case, ending, begun.elapsed().as_secs_f64()));
    }
    report.left = stage.clean_up().await;
    report
}

/// Why a case cannot be run, if it cannot.
fn missing(case: &Case, options: &Options, description: &Description) -> Option<String> {
    let unseeded = |operation: &str| {
        let has = description.supports(operation) || options.seed.is_some();
        (!has).then(|| format!("'{operation}' is not declared, and no seeding account was given"))
    };
    case.needs.iter().find_map(|need| match need {
        Need::Account => None,
        Need::Operation(name) => (!description.supports(name)).then(|| format!("'{name}' is not declared")),
        Need::Folder => unseeded("create-folder"),
        Need::Messages => unseeded("create-folder").or_else(|| unseeded("append")),
        Need::Refused => {
            options.refused.is_none().then(|| "no account with a refused credential was given".to_owned())
        }
        Need::Unreachable => {
            options.unreachable.is_none().then(|| "no connectors without a network were given".to_owned())
        }
        Need::Recipient => {
            options.recipient.is_none().then(|| "no address that may be sent to was given".to_owned())
        }
    })
}

/// Runs one case to its end, however it ends.
async fn play(case: &Case, stage: &mut Stage) -> Ending {
    // No separator of any service: the folder must be one folder.
    stage.own = case.name.replace(['/', '-'], " ");
    let patience = stage.options.patience;
    let running = AssertUnwindSafe((case.run)(stage)).catch_unwind();
    let (expected, seen) = match tokio::time::timeout(patience, running).await {
        Ok(Ok(Ok(()))) => return Ending::Passed,
        Ok(Ok(Err(Stop::NotApplicable(because)))) => return Ending::NotApplicable { because },
        Ok(Ok(Err(Stop::Failed { expected, seen }))) => (expected, seen),
        Ok(Err(_)) => ("an answer or an error".to_owned(), "a panic".to_owned()),
        Err(_) => {
            ("an answer or an error".to_owned(), format!("nothing within {} seconds", patience.as_secs()))
        }
    };
    Ending::Failed(Failure { expected, seen, hint: case.hint.to_owned() })
}
