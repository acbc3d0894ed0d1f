//! The report as JUnit XML. Escaping, and leaving out what XML cannot hold, is the library's.

use std::time::Duration;

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::report::{CaseReport, Ending, Report};

/// One suite for each group of cases.
pub(crate) fn write(report: &Report) -> Result<String, SerializeError> {
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for case in &report.cases {
        let (group, _) = case.name.split_once('/').unwrap_or((&case.name, ""));
        match suites.iter_mut().find(|(name, _)| *name == group) {
            Some((_, suite)) => {
                suite.add_test_case(test_case(case, group));
            }
            None => {
                let mut suite = TestSuite::new(group);
                suite.add_test_case(test_case(case, group));
                suites.push((group, suite));
            }
        }
    }
    let mut document = quick_junit::Report::new(format!("{}, {}", report.connector, report.account));
    document.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    document.to_string()
}

fn test_case(case: &CaseReport, group: &str) -> TestCase {
    let status = match &case.ending {
        Ending::Passed => TestCaseStatus::success(),
        Ending::Failed(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("expected: {}; seen: {}", failure.expected, failure.seen));
            status.set_description(format!("{} ({})\n{}", case.demands, case.rule, failure.hint));
            status
        }
        Ending::NotApplicable { because } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(because.clone());
            status
        }
    };
    let mut test_case = TestCase::new(case.name.clone(), status);
    test_case.set_classname(group);
    test_case.set_time(Duration::try_from_secs_f64(case.seconds).unwrap_or_default());
    test_case
}
