//! The Graph connector against the testbed's face, with an account that a person authorised.

use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::paths;

use crate::report::{assert_conforms, check};

/// The cases that do not apply: it does not send, append or wait, and the mailbox cannot be changed while it is listed.
const NOT_FOR_GRAPH: [&str; 9] = [
    "append/id",
    "append/unknown-folder",
    "list-messages/meanwhile",
    "send/receipt",
    "find-sent/none",
    "wait/wakes",
    "wait/times-out",
    "wait/interrupted",
    "wait/cancelled",
];

#[test]
fn graph_conforms_on_the_testbed() {
    let house = House::new(&[]);
    house.authorize(ACCOUNT, USER);
    house.add("Verlopen", &[]).success();
    house.add_imap("Inkoop");
    let file = paths::connectors().join("graph.wasm").display().to_string();
    let arguments = ["--account", ACCOUNT, "--seed", "Inkoop", "--refused", "Verlopen"];
    assert_conforms(check(&house.wissel, &file, &arguments), &NOT_FOR_GRAPH);
}
