//! Permissions that nobody consented to: those that the account can do without keep it from nothing else.

use serde_json::{Value, json};
use wissel_tests::graph::{ACCOUNT, House, PASSWORD, USER};
use wissel_tests::issuer::{browse, link_of};

const LESS: &str = "--without-optional";

fn house() -> House {
    House::new(&[&format!("mailbox={USER}")])
}

/// Renewals so far: those that were granted, and those that were refused for want of consent.
fn renewals(house: &mut House) -> (u64, u64) {
    (house.answered("refresh_token", 0), house.answered("refresh_token", 65001))
}

/// The account works, without what the permission is for; and says so.
fn assert_works_without(house: &House) {
    let tested = house.wissel.json(&["account", "test", ACCOUNT]);
    assert_eq!(tested["ok"], true, "{tested}");
    let said = tested["identity"].to_string();
    assert!(
        said.contains("missing is the permission User.Read") && said.contains("cannot be translated"),
        "{said}"
    );
    let shown = house.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(shown["authorization"]["standing"], "authorized", "{shown}");
}

#[test]
fn who_stands_before_a_page_that_wants_an_administrator_is_told_the_next_step() {
    let mut house = house();
    house.bed.command("consent without User.Read");
    let running = house.wissel.spawn(&["account", "authorize", ACCOUNT, "--no-browser"]);
    let link = link_of(&running);
    // It asks nothing but to go back.
    let page = house.bed.command(&format!("browse {link}"));
    assert!(page["text"].is_string(), "{page}");
    let ended = running.wait();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let (before, after) = ended.stderr.split_once("ERROR").unwrap_or((&ended.stderr, &ended.stderr));
    for said in [before, after] {
        assert!(said.contains(LESS) && said.contains("account guide"), "{ended:?}");
    }
    let guide = house.wissel.json(&["account", "guide", ACCOUNT]);
    assert!(guide["admin_consent_link"].as_str().unwrap().contains("User.Read"), "{guide}");

    let running = house.wissel.spawn(&["account", "authorize", ACCOUNT, "--no-browser", "--json", LESS]);
    let sign_in = json!({
        "link": link_of(&running), "user": USER, "password": PASSWORD, "deliver": true, "ca": house.bed.ca()
    });
    let _ = browse(&sign_in);
    let said = running.wait().success().json();
    let missing = said["missing"].as_array().unwrap();
    assert!(missing.len() == 1 && missing[0].as_str().unwrap().ends_with("/User.Read"), "{said}");
    assert!(said["warnings"][0].as_str().unwrap().contains("works without it"), "{said}");
    house.ahead(120);
    assert_works_without(&house);
    assert_eq!(renewals(&mut house), (1, 0), "what was not granted is not asked for");
}

#[test]
fn a_permission_that_is_withdrawn_later_does_not_stop_the_account() {
    let mut house = house();
    let said: Value = house.authorize(ACCOUNT, USER);
    assert_eq!(said["missing"], json!([]));
    house.bed.command("consent without User.Read");
    house.ahead(120);
    assert_works_without(&house);
    assert_eq!(renewals(&mut house), (1, 1));
    house.ahead(240);
    assert_works_without(&house);
    assert_eq!(renewals(&mut house), (2, 1), "it is not asked for again");
    // What the account cannot do without is another matter.
    house.bed.command("consent without Mail.ReadWrite.Shared");
    house.ahead(360);
    let refused = house.wissel.run(&["account", "test", ACCOUNT, "--json"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(
        refused.stdout.contains("AADSTS65001") && refused.stdout.contains("admin-consent link"),
        "{refused:?}"
    );
}
