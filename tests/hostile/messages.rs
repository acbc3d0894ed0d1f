//! Misdeeds with one message of several: the others are imported, and of the one nothing is lost or half written.

use std::fs;
use std::time::Duration;

use crate::yard::{List, Yard, each, files};

/// A misdeed with the third of five messages, and what a run makes of it.
struct Case {
    behaviour: &'static str,
    exit: i32,
    /// The error's code and what it says; none when the run gets around it.
    error: Option<(&'static str, &'static str)>,
    imported: &'static [usize],
    quarantined: usize,
    failed: usize,
}

const ALL: &[usize] = &[1, 2, 3, 4, 5];
const OTHERS: &[usize] = &[1, 2, 4, 5];

const CASES: &[Case] = &[
    // A fault after the message was whole: a new session goes on behind it, and nothing comes twice.
    around("message:write-after-end", ALL),
    around("message:end-twice", ALL),
    around("message:twice", ALL),
    around("message-id:same", ALL),
    around("message-id:upwards", ALL),
    around("message-id:control", ALL),
    around("message-id:long", ALL),
    around("folder-id:long", ALL),
    around("folder-name:long", ALL),
    around("folder-id:upwards", ALL),
    around("folder-id:control", ALL),
    around("folder-name:upwards", ALL),
    around("folder-name:control", ALL),
    around("text:control", ALL),
    around("close:loop", ALL),
    Case { quarantined: 1, exit: 7, ..around("message:fail-terminal", OTHERS) },
    Case { quarantined: 1, exit: 7, ..around("broken-id:upwards", OTHERS) },
    left("message:left-open", ("temporary", "left the message unfinished")),
    left("message:not-delivered", ("protocol", "neither delivered this message nor said why")),
    endless("list-again:endless"),
    endless("list-again:empty-pages"),
    endless("list-again:same-page"),
];

const fn endless(behaviour: &'static str) -> Case {
    Case { error: Some(("protocol", "does not come to an end")), exit: 7, ..around(behaviour, ALL) }
}

const fn around(behaviour: &'static str, imported: &'static [usize]) -> Case {
    Case { behaviour, exit: 0, error: None, imported, quarantined: 0, failed: 0 }
}

const fn left(behaviour: &'static str, error: (&'static str, &'static str)) -> Case {
    Case { behaviour, exit: 7, error: Some(error), imported: OTHERS, quarantined: 0, failed: 1 }
}

/// Seconds for a few attempts, on a slow and busy machine.
const LONGEST: Duration = Duration::from_secs(240);

#[test]
fn the_other_messages_are_imported_once_and_nothing_is_half_written() {
    let yard = Yard::new();
    let list = List::new("misdeeds with one message");
    for (number, case) in CASES.iter().enumerate() {
        yard.hostile(&name(number), case.behaviour, &[]);
    }
    each(CASES, |number, case| check(&yard, &list, &name(number), case));
    yard.assert_neighbour_works(11);
    let stray = fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.file_name());
    let stray: Vec<_> = stray.filter(|name| name.to_string_lossy().starts_with("wissel-rogue")).collect();
    assert!(stray.is_empty(), "an id was used as a path: {stray:?}");
}

fn name(number: usize) -> String {
    format!("Kwaad {number}")
}

fn check(yard: &Yard, list: &List, job: &str, case: &Case) {
    let (output, time) = yard.run(job);
    let report = output.json();
    let numbers = ["imported", "quarantined", "failed"].map(|key| report[key].as_u64().unwrap_or_default());
    let code = report["errors"][0]["code"].as_str().unwrap_or("no error");
    let [imported, quarantined, failed] = numbers;
    let ended = format!("{code} ({:?}), {imported} + {quarantined} + {failed}", output.code);
    list.add(case.behaviour, ended, time);
    let shown = format!("{}: {report:#}\n{}", case.behaviour, output.stderr);
    assert_eq!(output.code, Some(case.exit), "{shown}");
    let expected = [case.imported.len() as u64, case.quarantined as u64, case.failed as u64];
    assert_eq!(numbers, expected, "imported, quarantined, failed of {shown}");
    match case.error {
        None => assert_eq!(report["errors"], serde_json::json!([]), "{shown}"),
        Some((code, says)) => {
            let error = &report["errors"][0];
            assert_eq!(error["code"], code, "{shown}");
            assert!(error["message"].as_str().is_some_and(|message| message.contains(says)), "{shown}");
            yard.assert_failing(job, &[says, job]);
        }
    }
    assert!(time < LONGEST, "{time:?}: {shown}");
    yard.assert_holds(job, case.imported);
    // Once more: what is imported stays as it is.
    let before = files(&yard.scene.sink(job)).len();
    let (again, _) = yard.run(job);
    assert_eq!(again.json()["imported"], 0, "{shown}");
    assert_eq!(files(&yard.scene.sink(job)).len(), before, "{shown}");
    yard.assert_holds(job, case.imported);
}

/// A trap, a loop or a bomb in the middle of a message: the rest is imported at once, and the message, which did the
/// same twice, is set aside with the bytes that came, so that the job is well again.
#[test]
fn a_message_that_breaks_the_connector_twice_is_set_aside() {
    let yard = Yard::new();
    let list = List::new("a message that breaks the connector");
    let cases = [
        ("message:trap", "trap"),
        ("message:loop", "deadline"),
        ("message:memory-bomb", "memory-limit"),
        ("message:other-encoding", "contract"),
    ];
    for (behaviour, code) in cases {
        yard.hostile(code, behaviour, &[]);
    }
    std::thread::scope(|scope| {
        for (behaviour, code) in cases {
            let (yard, list) = (&yard, &list);
            scope.spawn(move || {
                let (output, time) = yard.run(code);
                let report = output.json();
                list.add(
                    behaviour,
                    format!("quarantined {} ({:?})", report["quarantined"], output.code),
                    time,
                );
                let shown = format!("{behaviour}: {report:#}\n{}", output.stderr);
                yard.assert_holds(code, OTHERS);
                assert_eq!((&report["imported"], &report["quarantined"]), (&4.into(), &1.into()), "{shown}");
                assert_eq!(output.code, Some(7), "{shown}");
                assert!(time < LONGEST, "{time:?}: {shown}");
                let (again, _) = yard.run(code);
                assert_eq!(again.code, Some(0), "it is met again: {}\n{}", again.stdout, again.stderr);
            });
        }
    });
    let listed = yard.wissel().json(&["quarantine", "list"]);
    for (_, code) in cases {
        let messages = listed["messages"].as_array().unwrap();
        let message = messages.iter().find(|message| message["job"] == code).unwrap();
        assert_eq!((&message["message"], &message["code"]), (&"3".into(), &code.into()), "{message:#}");
        assert!(message["reason"].as_str().unwrap().contains("connector 'rogue'"), "{message:#}");
        let bytes = fs::read_to_string(message["file"].as_str().unwrap()).unwrap();
        assert!(bytes.starts_with("Subject: Factuur") && !bytes.contains("Kenmerk"), "{bytes}");
    }
}
