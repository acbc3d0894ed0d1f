//! The cases about a component's file, which whoever loads components fills in.

use crate::case::Failure;
use crate::report::{CaseReport, Ending};

/// What was found when a file was loaded.
#[derive(Debug, Clone)]
pub struct Component {
    /// What `describe` returned, each time in an instance of its own with every import cut off.
    pub descriptions: [String; 2],
}

/// A case about a file: name, what the contract demands, and where it says so.
pub struct FileCase {
    /// Its name.
    pub name: &'static str,
    /// What the contract demands.
    pub demands: &'static str,
    /// Where the contract says so.
    pub rule: &'static str,
    hint: &'static str,
}

/// All of them, in the order of the report.
pub const CASES: [FileCase; 2] = [LOADS, PURE];

const LOADS: FileCase = FileCase {
    name: "component/loads",
    demands: "The file is a component that imports nothing but the contract, exports `email-account`, and whose \
              description keeps its schema.",
    rule: "world.wit: connector",
    hint: "Build it with the SDK for a target without WASI; a dependency may have brought in another import.",
};

const PURE: FileCase = FileCase {
    name: "component/describes-alike",
    demands: "`describe` is a pure function: it works with every import cut off and always returns the same text.",
    rule: "email-account.wit: describe",
    hint: "Leave times, random numbers and the iteration order of hash maps out of the description.",
};

/// How the cases end for a file that was loaded, or was not and why.
#[must_use]
pub fn check(found: &Result<Component, String>) -> Vec<CaseReport> {
    let failure = |case: &FileCase, expected: &str, seen: String| {
        Ending::Failed(Failure { expected: expected.to_owned(), seen, hint: case.hint.to_owned() })
    };
    let (loads, pure) = match found {
        Err(reason) => (
            failure(&LOADS, "the file loads", reason.clone()),
            Ending::NotApplicable { because: "the file does not load".to_owned() },
        ),
        Ok(Component { descriptions: [first, second] }) if first == second => {
            (Ending::Passed, Ending::Passed)
        }
        Ok(Component { descriptions: [first, second] }) => {
            let at = first.bytes().zip(second.bytes()).take_while(|(a, b)| a == b).count();
            let seen = format!("two texts that differ from octet {at} on");
            (Ending::Passed, failure(&PURE, "the same text twice", seen))
        }
    };
    [(LOADS, loads), (PURE, pure)].into_iter().map(|(case, ending)| report(&case, ending)).collect()
}

fn report(case: &FileCase, ending: Ending) -> CaseReport {
    CaseReport {
        name: case.name.to_owned(),
        demands: case.demands.to_owned(),
        rule: case.rule.to_owned(),
        ending,
        seconds: 0.0,
    }
}
