//! Accounts that cannot work: unknown connectors, wrong settings, secrets given the wrong way.

use wissel_tests::dovecot::{Options, PASSWORD};
use wissel_tests::scene::{ACCOUNT, Entry, Scene, discreet};

use crate::{assert_failed, assert_failed_in_json};

fn no_accounts(scene: &Scene) {
    let accounts = scene.wissel.json(&["account", "list"]);
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 0, "{accounts:#}");
}

#[test]
fn an_unknown_connector_is_named_with_the_way_to_install_one() {
    let scene = Scene::empty(&Options::default());
    let arguments = ["account", "add", ACCOUNT, "--connector", "pigeon", "--set", "host=localhost"];
    let refused = scene.run(&arguments);
    assert_failed(&refused, 3, &["'pigeon'", "wissel connector list"]);
    assert_failed_in_json(&scene.run(&[&arguments[..], &["--json"]].concat()), 3, "not-found");
    no_accounts(&scene);
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let scene = Scene::empty(&Options::default());
    let arguments = [
        "account",
        "add",
        ACCOUNT,
        "--connector",
        "imap",
        "--auth",
        "password",
        "--password-stdin",
        "--set",
        "port=70000",
        "--set",
        "security=maybe",
        "--set",
        "colour=red",
    ];
    let refused = discreet(scene.wissel.run_with(&arguments, PASSWORD));
    let says = [
        ACCOUNT,
        "'host'",
        "'port'",
        "65535",
        "'security'",
        "starttls",
        "'user'",
        "'colour'",
        "connector show",
    ];
    assert_failed(&refused, 2, &says);
    let refused = discreet(scene.wissel.run_with(&[&arguments[..], &["--json"]].concat(), PASSWORD));
    assert_failed_in_json(&refused, 2, "usage");
    no_accounts(&scene);
}

#[test]
fn malformed_settings_say_what_would_be_right() {
    let scene = Scene::empty(&Options::default());
    for (setting, says) in [
        ("host=https://localhost/", "host"),
        ("host=a host", "host"),
        ("port=imaps", "port"),
        ("port=-1", "port"),
        ("user=", "user"),
        ("user=a\nb", "user"),
    ] {
        let base =
            ["account", "add", ACCOUNT, "--connector", "imap", "--auth", "password", "--password-stdin"];
        let good = ["host=localhost", "user=alice@example.test"].into_iter();
        let good = good.filter(|good| good.split('=').next() != Some(says));
        let settings: Vec<&str> = good.chain([setting]).flat_map(|setting| ["--set", setting]).collect();
        let refused = discreet(scene.wissel.run_with(&[&base[..], &settings].concat(), PASSWORD));
        assert_failed(&refused, 2, &[ACCOUNT, &format!("'{says}'")]);
    }
    no_accounts(&scene);
}

#[test]
fn an_account_needs_an_auth_method_that_is_there_and_a_fitting_secret() {
    let scene = Scene::empty(&Options::default());
    let entry = Entry::of(&scene.server);
    let arguments = entry.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let with = |from: &str, to: &str| -> Vec<String> {
        arguments.iter().map(|argument| if *argument == from { to } else { argument }.to_owned()).collect()
    };
    for (changed, says) in [
        (with("password", "kerberos"), "'kerberos'"),
        (with("--password-stdin", "--token-stdin"), "access-token"),
    ] {
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        assert_failed(&discreet(scene.wissel.run_with(&changed, PASSWORD)), 2, &[says, "password"]);
    }
    assert_failed(&discreet(scene.wissel.run_with(&arguments, "")), 2, &["empty"]);
    no_accounts(&scene);
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    let scene = Scene::empty(&Options::default());
    for option in ["--password", "--token", "--secret"] {
        let refused = scene.wissel.run(&["account", "add", ACCOUNT, "--connector", "imap", option, "x"]);
        assert_eq!(refused.code, Some(2), "{option}");
    }
    let refused = scene.run(&["account", "add", ACCOUNT, "--connector", "imap", "--password-env", "NOT_SET"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    no_accounts(&scene);
}

#[test]
fn a_ca_file_that_is_none_is_refused_before_anything_is_stored() {
    let scene = Scene::empty(&Options::default());
    let no_certificate = scene.wissel.path("empty.pem");
    std::fs::write(&no_certificate, "nothing\n").unwrap();
    for ca in [no_certificate, scene.wissel.path("missing.pem"), scene.wissel.home().to_path_buf()] {
        let refused = scene.add(&Entry { ca: Some(ca.clone()), ..Entry::of(&scene.server) });
        assert_failed(&refused, 2, &[ACCOUNT, &ca.display().to_string(), "PEM"]);
    }
    no_accounts(&scene);
}

#[test]
fn an_account_without_its_secret_says_how_to_store_it() {
    let scene = Scene::empty(&Options::default());
    let mut arguments = Entry::of(&scene.server).arguments();
    arguments.retain(|argument| argument != "--password-stdin");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let added = scene.run(&arguments).success();
    assert!(added.stderr.contains("wissel account edit"), "{}", added.stderr);
    scene.job("J", &["--folder", "INBOX", "--action", "leave"]);
    assert_failed(
        &scene.run(&["account", "test", ACCOUNT]),
        4,
        &[ACCOUNT, "password", "wissel account edit"],
    );
    assert_failed(&scene.run(&["job", "run", "J"]), 4, &[ACCOUNT, "password", "wissel account edit"]);
}

#[test]
fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let scene = Scene::start(&Options::default());
    scene.job("Facturen", &["--folder", "INBOX", "--action", "leave"]);
    assert_failed(&scene.run(&["account", "test", "Verkoop"]), 3, &["'Verkoop'", ACCOUNT]);
    assert_failed(&scene.run(&["folder", "list", "Verkoop"]), 3, &["'Verkoop'", ACCOUNT]);
    assert_failed(&scene.run(&["job", "run", "Offertes"]), 3, &["'Offertes'", "Facturen"]);
    assert_failed_in_json(&scene.run(&["job", "test", "Offertes", "--json"]), 3, "not-found");
}
