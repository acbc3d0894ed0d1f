//! Text of a hostile connector on its way to a terminal and into the log: nothing in it may command the terminal, and a
//! flood of it ends.

use std::time::Instant;

use crate::yard::{List, Yard, raw_line};

/// Each command that shows something of a job or its account to a person.
fn commands(job: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["job", "run", job, "--dry-run"],
        vec!["job", "run", job],
        vec!["job", "test", job],
        vec!["job", "show", job],
        vec!["job", "list"],
        vec!["account", "test", job],
        vec!["folder", "list", job],
        vec!["ledger", job],
        vec!["quarantine", "list"],
        vec!["doctor"],
    ]
}

/// Panics with every line that a command printed raw.
fn check(title: &'static str, behaviours: &[&str]) {
    let yard = Yard::new();
    let list = List::new(title);
    let mut raw = Vec::new();
    let mut run = |behaviour: &str, command: &[&str]| {
        let output = yard.scene.run(command);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        if let Some(line) = raw_line(&output) {
            raw.push(format!("{behaviour}: `wissel {}`: {line:?}", command.join(" ")));
        }
    };
    for behaviour in behaviours {
        let begun = Instant::now();
        yard.hostile(behaviour, behaviour, &[]);
        let commands = commands(behaviour);
        for command in &commands {
            run(behaviour, command);
        }
        list.add(behaviour, format!("{} commands", commands.len()), begun.elapsed());
    }
    let listed = yard.wissel().json(&["quarantine", "list"]);
    for message in listed["messages"].as_array().unwrap() {
        run("in quarantine", &["quarantine", "show", message["key"].as_str().unwrap()]);
    }
    assert!(raw.is_empty(), "printed as it is:\n{}", raw.join("\n"));
    yard.assert_neighbour_works(61);
}

#[test]
fn no_error_or_name_of_a_connector_commands_the_terminal() {
    check(
        "escape sequences in what a connector says",
        &[
            "check:terminal",
            "open:terminal",
            "list:terminal",
            "fetch:terminal",
            "list:log-terminal",
            "message:fail-terminal",
            "folder-name:control",
            "text:control",
        ],
    );
}

#[test]
fn no_id_of_a_connector_commands_the_terminal() {
    check("escape sequences in ids", &["message-id:control", "broken-id:control", "folder-id:control"]);
}

/// For this it takes no hostile connector, only a mail.
#[test]
fn no_header_of_a_mail_commands_the_terminal() {
    check("escape sequences in a mail's headers", &["mail:terminal"]);
}

#[test]
fn a_flood_of_log_lines_is_cut_off() {
    let yard = Yard::new();
    let list = List::new("two million log lines");
    yard.hostile("Vloed", "list:log-flood", &[]);
    let (output, time) = yard.run("Vloed");
    let lines = output.stderr.matches("flood line").count();
    list.add("list:log-flood", format!("{lines} lines written ({:?})", output.code), time);
    // A thousand a minute, and a slow machine may need more than one.
    let minutes = usize::try_from(time.as_secs() / 60).unwrap() + 1;
    assert!((1_000..=1_000 * minutes).contains(&lines), "{lines} lines in {time:?}");
    assert_eq!(output.success().json()["imported"], 5);
    yard.assert_holds("Vloed", &[1, 2, 3, 4, 5]);
    yard.assert_neighbour_works(62);
}
