//! What the command line says when it is used wrongly, or when nothing is there yet. Needs no connector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod support;

use support::Wissel;

#[test]
fn nothing_is_there_yet_and_every_list_says_so() {
    let wissel = Wissel::new();
    assert_eq!(wissel.json(&["account", "list"])["accounts"], serde_json::json!([]));
    assert_eq!(wissel.json(&["job", "list"])["jobs"], serde_json::json!([]));
    assert_eq!(wissel.json(&["connector", "list"])["connectors"], serde_json::json!([]));
    assert_eq!(wissel.json(&["ledger"])["messages"], serde_json::json!([]));
    assert_eq!(wissel.json(&["quarantine", "list"])["messages"], serde_json::json!([]));
    assert!(wissel.ok(&["job", "list"]).stderr.contains("wissel job add"));
    assert_eq!(wissel.ok(&["export"]).stdout.trim(), "");
}

#[test]
fn wrong_usage_ends_with_2_and_is_json_when_asked() {
    let wissel = Wissel::new();
    let error = wissel.error(2, &["job", "add", "Facturen", "--folder", "Postvak IN"]);
    assert_eq!(error["code"], "usage");
    assert!(error["message"].as_str().unwrap().contains("required"), "{error}");
    let error = wissel.error(2, &["job", "test"]);
    assert!(error["message"].as_str().unwrap().contains("<NAME>"), "{error}");
    let plain = wissel.run(&["job", "frobnicate"]);
    assert_eq!(plain.code, 2);
    assert!(plain.stdout.is_empty());
    let error = wissel.error(2, &["job", "add", "F", "--folder", "@nowhere", "--to", "/tmp/x"]);
    assert!(error["message"].as_str().unwrap().contains("@nowhere"));
    let error = wissel.error(2, &["job", "add", "F", "--folder", "In", "--to", "/tmp/x"]);
    assert!(error["next"].as_str().unwrap().contains("wissel account default"), "{error}");
}

#[test]
fn what_does_not_exist_ends_with_3_and_says_what_does() {
    let wissel = Wissel::new();
    for arguments in [
        &["account", "show", "Nergens"][..],
        &["account", "test", "Nergens"],
        &["job", "show", "Nergens"],
        &["job", "run", "Nergens"],
        &["job", "test", "Nergens"],
        &["ledger", "Nergens"],
        &["connector", "show", "nergens"],
        &["account", "add", "A", "--connector", "nergens"],
        &["quarantine", "show", "0192"],
    ] {
        let error = wissel.error(3, arguments);
        assert_eq!(error["code"], "not-found", "{arguments:?}");
        assert!(!error["next"].as_str().unwrap().is_empty(), "{arguments:?}: {error}");
    }
    let plain = wissel.run(&["job", "show", "Nergens"]);
    assert!(plain.stderr.starts_with("wissel: there is no job 'Nergens'\n  "), "{}", plain.stderr);
}

#[test]
fn help_and_version_are_no_failures_and_help_names_the_exit_codes() {
    let wissel = Wissel::new();
    let help = wissel.ok(&["--help"]).stdout;
    assert!(help.contains("Exit codes:") && help.contains("130"));
    assert!(wissel.ok(&["--version"]).stdout.starts_with("wissel "));
}

#[test]
fn a_home_that_cannot_be_used_ends_with_6() {
    let mut wissel = Wissel::new();
    let file = wissel.home.path().join("file");
    std::fs::write(&file, "x").unwrap();
    wissel.set("WISSEL_HOME", file.to_str().unwrap());
    assert_eq!(wissel.error(6, &["job", "list"])["code"], "home");

    let other = Wissel::new();
    std::fs::write(other.home.path().join("wissel.db"), "this is no database at all, but it is long enough")
        .unwrap();
    assert_eq!(other.error(6, &["job", "list"])["code"], "store");
    let report = other.run(&["doctor", "--json"]);
    assert_eq!(report.code, 6);
    assert_eq!(report.json()["healthy"], false);
}

#[test]
fn a_bad_connector_is_refused_with_the_reason_and_nothing_is_installed() {
    let wissel = Wissel::new();
    let file = wissel.home.path().join("fake.wasm");
    std::fs::write(&file, "not wasm").unwrap();
    let error = wissel.error(1, &["connector", "install", file.to_str().unwrap()]);
    assert!(error["message"].as_str().unwrap().contains("not a WebAssembly file"), "{error}");
    assert_eq!(wissel.json(&["connector", "list"])["connectors"], serde_json::json!([]));
    wissel.error(3, &["connector", "install", "/nowhere/x.wasm"]);
}

#[test]
fn a_file_with_an_unknown_key_is_refused_whole() {
    let wissel = Wissel::new();
    let file = wissel.home.path().join("wissel.toml");
    std::fs::write(&file, "[[account]]\nname = \"A\"\nconnector = \"x\"\npasword = \"geheim\"\n").unwrap();
    let error = wissel.error(2, &["apply", "-f", file.to_str().unwrap()]);
    assert!(error["message"].as_str().unwrap().contains("pasword"), "{error}");
    assert!(!error.to_string().contains("geheim"), "a value that may be a secret is shown: {error}");
}

#[test]
fn doctor_on_an_empty_home_warns_and_does_not_fail() {
    let wissel = Wissel::new();
    let report = wissel.run(&["doctor", "--json"]);
    assert_eq!(report.code, 8, "{}", report.all());
    let report = report.json();
    assert_eq!(report["healthy"], true);
    assert!(report["warnings"].as_u64().unwrap() >= 3, "{report}");
    let checks: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["check"].as_str().unwrap()).collect();
    for check in ["home", "database", "clock", "vault", "connectors", "accounts", "jobs"] {
        assert!(checks.contains(&check), "{check}");
    }
}

#[test]
fn each_option_of_a_job_stands_under_its_own_heading() {
    let wissel = Wissel::new();
    for command in ["add", "edit"] {
        let help = wissel.ok(&["job", command, "--help"]).stdout;
        let under = |heading: &str| {
            let (_, from) = help.split_once(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{help}"));
            from.split("\n\n").take_while(|part| part.starts_with("  ")).collect::<String>()
        };
        assert!(under("Filter").contains("--subject") && under("Filter").contains("--unread-only"), "{help}");
        for (option, heading) in [("--to <", "Target"), ("--every", "Schedule"), ("--watch", "Schedule")] {
            assert!(under(heading).contains(option), "{option}: {help}");
            assert!(!under("Filter").contains(option), "{option}: {help}");
        }
    }
}

#[test]
fn a_file_that_is_no_backup_is_refused_and_nothing_of_it_is_shown() {
    let wissel = Wissel::new();
    let file = wissel.home.path().join("secrets.txt");
    std::fs::write(&file, "geheim-wachtwoord 4711\n".repeat(100)).unwrap();
    for command in [&["restore"][..], &["backup", "check"]] {
        let refused = wissel.run(&[command, &[file.to_str().unwrap()]].concat());
        assert_eq!(refused.code, 1, "{}", refused.all());
        assert!(!refused.all().contains("geheim"), "{}", refused.all());
        assert!(refused.stderr.contains("Wissel backup"), "{}", refused.all());
    }
}

/// A device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let wissel = Wissel::new();
    for arguments in
        [&["job", "list", "--json"][..], &["completions", "bash"], &["doctor", "--offline"], &["--help"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wissel"))
            .args(arguments)
            .env("WISSEL_HOME", wissel.home.path())
            .stdout(full)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains("cannot be written"), "{arguments:?}: {text}");
    }
}
