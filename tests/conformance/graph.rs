//! The Graph connector against the testbed's face, with an account that a person authorised.

use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::paths;

use crate::report::{assert_conforms, check};

/// The cases that do not apply: it does not send, append or wait, and of the cursors it promises nothing exact.
const NOT_FOR_GRAPH: [&str; 0] = [];

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
