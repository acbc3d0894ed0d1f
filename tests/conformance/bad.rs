//! Connectors that break the contract fail, in the cases that are about what they break.

use std::fs;

use wissel_tests::paths;
use wissel_tests::scene::discreet;
use wissel_tests::wissel::Wissel;

use crate::report::{check, ended};

/// The hostile guest's file.
fn rogue() -> String {
    paths::guests().join("rogue.wasm").display().to_string()
}

/// Checks the hostile guest with an account in which it behaves like this.
fn rogue_that(behaviour: &str) -> Vec<String> {
    let mut wissel = Wissel::new();
    wissel.set("WISSEL_LANG", "en");
    let connectors = wissel.path("connectors of its own");
    fs::create_dir(&connectors).unwrap();
    fs::copy(rogue(), connectors.join("rogue.wasm")).unwrap();
    wissel.set("WISSEL_CONNECTORS", &connectors);
    let behaviour = format!("behaviour={behaviour}");
    let account = ["account", "add", "Vreemd", "--connector", "rogue", "--password-stdin"];
    let settings = ["--set", &behaviour, "--set", "count=3", "--call-timeout", "1"];
    discreet(wissel.run_with(&[&account[..], &settings].concat(), "a password")).success();
    let output = check(&wissel, &rogue(), &["--account", "Vreemd"]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    ended(&output.json(), "failed")
}

#[test]
fn what_breaks_the_contract_fails_in_its_own_cases() {
    // The guest's mailbox is thin at its best: what fails then is not the misdeed's doing.
    let thin = rogue_that("none:good");
    for name in ["session/unreachable", "find-folder/unknown-id"] {
        assert!(thin.iter().any(|failed| failed == name), "{name}: {thin:?}");
    }
    for (behaviour, wanted) in [
        ("check:trap", &["session/close", "check/identity"][..]),
        ("check:made-up-cancel", &["session/close", "check/identity"]),
        ("check:loop", &["session/close", "check/identity"]),
        ("fetch:trap", &["fetch/none"]),
        ("find-folder:trap", &["folders/roles"]),
    ] {
        let failed = rogue_that(behaviour);
        let new: Vec<&String> = failed.iter().filter(|name| !thin.contains(name)).collect();
        if behaviour.starts_with("check:") {
            // Whose mailbox it is must be known before requests are sent: who cannot say that, gets no further.
            assert!(wanted.iter().all(|case| new.iter().any(|name| name == case)), "{behaviour}: {new:?}");
        } else {
            assert_eq!(new, wanted, "{behaviour}");
        }
    }
}
