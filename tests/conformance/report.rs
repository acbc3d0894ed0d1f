//! Running the check, and reading its report.

use serde_json::Value;
use wissel_tests::scene::discreet;
use wissel_tests::wissel::{Output, Wissel};

/// The cases that this connector and this account cannot be tried with: it does not send, and translates no ids.
pub(crate) const NOT_FOR_IMAP: [&str; 3] = ["send/receipt", "find-sent/none", "translate/there-and-back"];

/// Runs the check with `--json`.
pub(crate) fn check(wissel: &Wissel, file: &str, arguments: &[&str]) -> Output {
    let output = discreet(wissel.run(&[&["connector", "check", file], arguments, &["--json"]].concat()));
    print(&output);
    output
}

fn print(output: &Output) {
    let Ok(report) = serde_json::from_str::<Value>(&output.stdout) else { return };
    for case in report["cases"].as_array().into_iter().flatten() {
        println!("{:>8.2} s  {:<32} {}", case["seconds"].as_f64().unwrap(), name(case), case["ending"]);
        if case["ending"] == "failed" {
            println!("    expected: {}\n    seen: {}", case["expected"], case["seen"]);
        }
    }
    println!("{} {} {}", report["connector"], report["facts"], report["left"]);
}

fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

/// The names of the cases that ended so.
pub(crate) fn ended(report: &Value, ending: &str) -> Vec<String> {
    let cases = report["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["ending"] == ending).map(|case| name(case).to_owned()).collect()
}

/// Every case passed, but for those that do not apply, which say why.
#[track_caller]
pub(crate) fn assert_conforms(output: Output, not_applicable: &[&str]) -> Value {
    let report = output.success().json();
    assert_eq!(ended(&report, "failed"), [] as [&str; 0]);
    assert_eq!(ended(&report, "not-applicable"), not_applicable);
    for case in report["cases"].as_array().unwrap() {
        if case["ending"] == "not-applicable" {
            assert!(!case["because"].as_str().unwrap().is_empty(), "{case}");
        }
    }
    let passed = report["passed"].as_u64().unwrap();
    assert!(passed > 45, "only {passed} cases were run");
    report
}
