//! The kit itself: a connector in memory that keeps the contract passes every case, and one with a single flaw fails in
//! the cases that are about that flaw, and in no others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, where a panic is the report"
)]

mod documented;
mod flaws;
mod memory;
mod session;

use std::sync::Arc;
use std::time::Duration;

use memory::{Flaw, Memory};
use wissel_testkit::{Ending, Options, Report, Subject};

/// A flaw may keep a case waiting; a mailbox in memory never does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the kit against a mailbox in memory.
async fn run(memory: Memory) -> Report {
    let reaches_nothing = Memory { unreachable: true, ..memory.clone() };
    let refused = Subject::new(Arc::new(Memory { refuses: true, ..memory.clone() }), memory::account());
    let options = Options {
        refused: Some(refused),
        unreachable: Some(Arc::new(reaches_nothing)),
        recipient: Some("someone@example.invalid".to_owned()),
        patience: PATIENCE,
        ..Options::default()
    };
    wissel_testkit::run(&Subject::new(Arc::new(memory), memory::account()), &options).await
}

fn failed(report: &Report) -> Vec<&str> {
    report.failures().map(|(case, _)| case.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_keeps_the_contract_passes_every_case() {
    let memory = Memory::good();
    let report = run(memory.clone()).await;
    println!("{report}");
    let (passed, failures, not_applicable) = report.counts();
    assert_eq!((failures, not_applicable), (0, 0), "{report}");
    assert_eq!(passed, wissel_testkit::cases().count());
    assert_eq!(memory.messages(), 0, "the kit cleans up");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_declared_is_not_applicable_and_says_what_is_missing() {
    let memory = Memory::good().without(&["append", "wait"]);
    let report = run(memory).await;
    assert_eq!(failed(&report), [] as [&str; 0]);
    let because = |name: &str| {
        let case = report.cases.iter().find(|case| case.name == name).unwrap();
        match &case.ending {
            Ending::NotApplicable { because } => because.clone(),
            other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(because("wait/times-out"), "'wait' is not declared");
    assert_eq!(because("fetch/bytes"), "'append' is not declared, and no seeding account was given");
    assert_eq!(report.cases.len(), wissel_testkit::cases().count(), "no case is passed over in silence");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_of_the_mailbox_can_seed() {
    let whole = Memory::good();
    let poor = whole.clone().without(&["append", "create-folder", "delete-messages"]);
    let seed = Subject::new(Arc::new(whole.clone()), memory::account());
    let options = Options { seed: Some(seed), ..Options::default() };
    let report = wissel_testkit::run(&Subject::new(Arc::new(poor), memory::account()), &options).await;
    assert_eq!(failed(&report), [] as [&str; 0], "{report}");
    let bytes = report.cases.iter().find(|case| case.name == "fetch/bytes").unwrap();
    assert_eq!(bytes.ending, Ending::Passed);
    assert_eq!(whole.messages(), 0, "the kit cleans up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_escaped_as_xml_and_keeps_every_case() {
    let report = run(Memory { flaw: Some(Flaw::HostileText), ..Memory::good() }).await;
    let xml = report.junit().unwrap();
    assert!(!xml.contains('\u{1b}') && !xml.contains("<script>"), "{xml}");
    assert!(xml.contains("&lt;script&gt;"), "{xml}");
    let document = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let cases: usize = document.test_suites.iter().map(|suite| suite.test_cases.len()).sum();
    assert_eq!(cases, report.cases.len());
    let failures: usize = document.test_suites.iter().map(|suite| suite.failures).sum();
    assert_eq!(failures, failed(&report).len());
    assert!(failures > 0);
}
