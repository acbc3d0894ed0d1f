//! Descriptions that are not true, that change, or that ask for absurd things; and a mailbox without end.

use std::fs;

use crate::yard::{List, MESSAGES, Yard, changed, files, rogue, until};

const ALL: &[usize] = &[1, 2, 3, 4, 5];
const OPERATIONS: &str = r#""fetch"                                             ]"#;
const LIMITS: &str = r#"{"parallelSessions": 4                                               }"#;

/// `text` with blanks before its last character, so that it is as long as what it replaces.
fn as_long_as(other: &str, text: &str) -> String {
    let (front, last) = text.split_at(text.len() - 1);
    format!("{front}{}{last}", " ".repeat(other.len() - text.len()))
}

fn with_limits(limits: &str) -> Vec<u8> {
    changed(&rogue(), LIMITS, &as_long_as(LIMITS, limits))
}

impl Yard {
    /// Puts another rogue in the place of the first.
    fn install(&self, bytes: &[u8]) {
        let beside = self.connectors.join("rogue.partial");
        fs::write(&beside, bytes).unwrap();
        fs::rename(&beside, self.connectors.join("rogue.wasm")).unwrap();
    }
}

#[test]
fn absurd_limits_are_refused_or_kept_within_reason() {
    let yard = Yard::new();
    let list = List::new("limits in a description");
    for (number, limits) in [
        r#"{"fetchBatch": 0}"#,
        r#"{"fetchBatch": 4294967295}"#,
        r#"{"parallelSessions": 4294967295, "parallelRequests": 4294967295}"#,
        r#"{"requestsPerMinute": 0, "largestMessage": 0}"#,
    ]
    .iter()
    .enumerate()
    {
        yard.install(&with_limits(limits));
        let job = format!("Grens {number}");
        yard.hostile(&job, "none:good", &[]);
        let (output, time) = yard.run(&job);
        list.add(limits, format!("imports ({:?})", output.code), time);
        assert_eq!(output.success().json()["imported"], MESSAGES as u64, "{limits}");
        yard.assert_holds(&job, ALL);
    }
    for limits in [r#"{"parallelSessions": 0}"#, r#"{"fetchBatch": -1}"#, r#"{"fetchBatch": 4294967296}"#] {
        yard.install(&with_limits(limits));
        let listed = yard.wissel().json(&["connector", "list"]);
        let entries = listed["connectors"].as_array().unwrap();
        let entry = entries.iter().find(|e| e["file"].as_str().unwrap().ends_with("rogue.wasm")).unwrap();
        let reason = entry["reason"].as_str().unwrap_or_default();
        list.add(limits, reason, std::time::Duration::ZERO);
        assert!(reason.contains("its description is wrong"), "{limits}: {entry:#}");
    }
    yard.assert_neighbour_works(71);
}

#[test]
fn operations_that_are_declared_and_then_unsupported_lose_nothing() {
    let yard = Yard::new();
    let list = List::new("operations that are declared and unsupported");
    let claims = r#""fetch", "changes", "delete-messages"]"#;
    yard.install(&changed(&rogue(), OPERATIONS, &as_long_as(OPERATIONS, claims)));
    yard.hostile("Leugen", "none:good", &[]);
    let (output, time) = yard.run("Leugen");
    list.add("changes", format!("imports ({:?})", output.code), time);
    assert_eq!(output.success().json()["imported"], MESSAGES as u64);
    yard.assert_holds("Leugen", ALL);

    yard.scene.job_of("Leugen", "Wissen", &["--folder", "INBOX", "--action", "delete"]);
    let (output, time) = yard.run("Wissen");
    let report = output.json();
    let error = &report["errors"][0];
    list.add(
        "delete-messages",
        format!("{} ({:?})", error["code"].as_str().unwrap_or("-"), output.code),
        time,
    );
    assert_ne!(output.code, Some(0), "{report:#}");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("Leugen"), "{report:#}");
    assert!(error["next"].as_str().is_some_and(|next| !next.is_empty()), "{report:#}");
    yard.assert_holds("Wissen", ALL);
    yard.assert_neighbour_works(72);
}

/// It is asked in an instance of its own, once for each file, so it has no way to tell one time from another.
#[test]
fn a_description_cannot_change_between_calls() {
    let yard = Yard::new();
    let list = List::new("a description that counts how often it was asked");
    yard.install(&changed(&rogue(), "describe-mode=pure", "describe-mode=tick"));
    let version = || {
        let listed = yard.wissel().json(&["connector", "list"]);
        let entries = listed["connectors"].as_array().unwrap();
        let entry = entries.iter().find(|e| e["file"].as_str().unwrap().ends_with("rogue.wasm")).unwrap();
        entry["version"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(version(), "0.1.0-tick");
    yard.hostile("Klok", "none:good", &[]);
    let (output, time) = yard.run("Klok");
    assert_eq!(output.success().json()["imported"], MESSAGES as u64);
    // Also when nothing is kept of the first answer.
    let kept = files(yard.wissel().home())
        .into_iter()
        .filter(|file| file.parent().unwrap().ends_with("descriptions"));
    let removed = kept.map(|file| fs::remove_file(file).unwrap()).count();
    assert!(removed > 0, "no description was kept");
    assert_eq!(version(), "0.1.0-tick");
    list.add("describe-mode=tick", "always the first answer", time);
}

/// Nobody can tell it from a mailbox that large: it is imported as it comes, a stop ends it, and others go on.
#[test]
fn a_mailbox_with_ever_new_messages_is_imported_until_it_is_stopped() {
    let yard = Yard::new();
    let list = List::new("pages with ever new messages");
    yard.hostile("Eindeloos", "list-again:new-ids", &[]);
    let mut running = yard.wissel().spawn(&["job", "run", "Eindeloos", "--json"]);
    let sink = yard.scene.sink("Eindeloos");
    let time = until("a hundred messages", || files(&sink).len() >= 200);
    yard.assert_neighbour_works(73);
    assert!(running.is_running(), "it came to an end");
    running.terminate();
    let output = running.wait();
    list.add("list-again:new-ids", format!("stopped ({:?}) after 100 and more", output.code), time);
    assert!(output.code.is_some(), "it had to be killed");
    let left =
        files(&sink).into_iter().filter(|file| file.extension().is_none_or(|e| e != "eml" && e != "json"));
    assert_eq!(left.count(), 0, "half a message was left behind");
}
