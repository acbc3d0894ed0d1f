//! Misdeeds that end a run: no message comes through, the error says what the connector did, and the job is failing.

use std::time::Duration;

use crate::yard::{List, Yard, each};

/// A misdeed, and how a run of its job has to end.
struct Case {
    behaviour: &'static str,
    exit: i32,
    code: &'static str,
    says: &'static str,
    /// Seconds of its own: attempts with their limits, and the pauses between.
    seconds: u64,
}

const fn case(
    behaviour: &'static str,
    exit: i32,
    code: &'static str,
    says: &'static str,
    seconds: u64,
) -> Case {
    Case { behaviour, exit, code, says, seconds }
}

const DEADLINE: &str = "did not finish in time [deadline]";
const CONTRACT: &str = "broke the contract";

/// A call may take one second and two of grace; a run tries three times, after pauses of 2 and 4 seconds. A `fetch` that
/// brings nothing is tried twice for each of five messages before the connector is blamed.
const CASES: &[Case] = &[
    case("open:loop", 1, "fault", DEADLINE, 15),
    case("find-folder:loop", 1, "fault", DEADLINE, 15),
    case("list:loop", 1, "fault", DEADLINE, 15),
    case("fetch:loop", 1, "fault", DEADLINE, 57),
    case("find-folder:ignore-cancel", 1, "fault", DEADLINE, 15),
    case("open:memory-bomb", 1, "fault", "more memory than its 256 MiB [memory-limit]", 6),
    case("list:memory-bomb", 1, "fault", "more memory than its 256 MiB [memory-limit]", 6),
    case("list:recursion", 1, "fault", "used up its stack [stack-overflow]", 6),
    case("list:boundary-recursion", 1, "fault", "used up its stack [stack-overflow]", 6),
    case("list:gigabyte", 1, "fault", "more memory than its 256 MiB [memory-limit]", 6),
    case("answer:shared-gigabyte", 1, "fault", "handed over more than 64 MiB at once [answer-limit]", 6),
    case("page-token:hundred-megabytes", 1, "fault", "more than 64 MiB at once [answer-limit]", 6),
    case("page-token:huge", 1, "fault", CONTRACT, 6),
    case("page-token:empty", 1, "fault", CONTRACT, 6),
    case("message-id:not-utf8", 1, "fault", "[trap]", 6),
    case("text:not-utf8", 1, "fault", "[trap]", 6),
    case("list:handles", 1, "fault", "more than 10000 handles open [handle-limit]", 6),
    case("list:trap", 1, "fault", "[trap]", 6),
    case("list:random-flood", 1, "fault", "[contract]", 6),
    case("delivery:write-before-begin", 1, "fault", "`write` without an open message [contract]", 28),
    case("delivery:end-before-begin", 1, "fault", "`end` without an open message [contract]", 28),
    case("delivery:unasked-id", 1, "fault", "begun that was not asked for [contract]", 28),
    case("message-id:huge", 1, "fault", CONTRACT, 6),
    case("message-id:empty", 1, "fault", CONTRACT, 6),
    case("folder-id:huge", 1, "fault", CONTRACT, 6),
    case("folder-name:empty", 1, "fault", CONTRACT, 6),
    case("list:foreign-endpoint", 4, "permission-missing", "endpoint 'elsewhere'", 0),
    case("list:made-up-cancel", 1, "protocol", "[made-up-cancel]", 0),
    case("list:terminal", 1, "protocol", "shown", 0),
];

/// For starting the program and filling memory, on a slow and busy machine: what counts is that it ends, and in what.
const SLACK: u64 = 240;

/// The page says what becomes of a hostile connector; what a run ends in here has to stand there.
#[test]
fn each_ending_stands_in_the_security_page() {
    let page = std::fs::read_to_string(xtask::workspace::root().join("docs/security.md")).unwrap();
    for case in CASES {
        let code = case.says.rsplit_once('[').map(|(_, code)| code.trim_end_matches(']'));
        let known = code.is_none_or(|code| page.contains(&format!("[{code}")) || code == "made-up-cancel");
        assert!(known && page.contains(&format!("`{}`", case.code)), "{}: {}", case.behaviour, case.says);
    }
}

#[test]
fn each_misdeed_ends_in_a_typed_error_within_its_time() {
    let yard = Yard::new();
    let list = List::new("misdeeds that end a run");
    for (number, case) in CASES.iter().enumerate() {
        yard.hostile(&name(number), case.behaviour, &[]);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| each(CASES, |number, case| check(&yard, &list, &name(number), case)));
        yard.assert_neighbour_works(1);
    });
    yard.assert_neighbour_works(2);
}

fn name(number: usize) -> String {
    format!("Kwaad {number}")
}

fn check(yard: &Yard, list: &List, job: &str, case: &Case) {
    let (output, time) = yard.run(job);
    let report = output.json();
    let error = &report["errors"][0];
    let message = error["message"].as_str().unwrap_or_default();
    list.add(case.behaviour, format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), output.code), time);
    let shown = format!("{}: {report:#}\n{}", case.behaviour, output.stderr);
    assert_eq!(output.code, Some(case.exit), "{shown}");
    assert_eq!(error["code"], case.code, "{shown}");
    assert!(message.contains(case.says) && message.contains(job), "{shown}");
    assert!(error["next"].as_str().is_some_and(|next| !next.is_empty()), "{shown}");
    assert_eq!((&report["imported"], &report["quarantined"]), (&0.into(), &0.into()), "{shown}");
    assert!(time < Duration::from_secs(case.seconds + SLACK), "{time:?}: {shown}");
    let connector = if case.code == "fault" { "connector 'rogue'" } else { job };
    yard.assert_failing(job, &[case.says, connector]);
    yard.assert_holds(job, &[]);
}

#[test]
fn a_test_of_the_account_says_the_same() {
    let yard = Yard::new();
    let list = List::new("`account test` of a hostile connector");
    for (misdeed, exit, code) in [
        ("loop", 1, "fault"),
        ("memory-bomb", 1, "fault"),
        ("trap", 1, "fault"),
        ("foreign-endpoint", 4, "permission-missing"),
    ] {
        yard.hostile(misdeed, &format!("check:{misdeed}"), &[]);
        let begun = std::time::Instant::now();
        let output = crate::yard::printable(yard.scene.run(&["account", "test", misdeed, "--json"]));
        list.add(misdeed, format!("{code} ({:?})", output.code), begun.elapsed());
        let report = output.json();
        let shown = format!("{misdeed}: {report:#}");
        assert_eq!((output.code, &report["error"]["code"]), (Some(exit), &code.into()), "{shown}");
        // One attempt: a person waits.
        assert!(begun.elapsed() < Duration::from_secs(3 + SLACK), "{shown}");
    }
    yard.assert_neighbour_works(3);
}
