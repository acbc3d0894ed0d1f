//! The test bed's directory, which behaves as Microsoft's: over TLS, with its codes, refresh tokens that stay good, and mailboxes
//! behind it.

use serde_json::{Value, json};
use wissel_tests::graph::{ACCOUNT, House, USER};

/// A registration without any secret.
const PUBLIC: &str = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff";

#[test]
fn the_manuals_account_is_authorised_over_tls() {
    let house = House::new(&[&format!("mailbox={USER}")]);
    let said = house.authorize(ACCOUNT, USER);
    assert_eq!(
        (&said["signed_in_as"], &said["missing"], &said["warnings"]),
        (&json!(USER), &json!([]), &json!([]))
    );
    let shown = house.wissel.json(&["account", "show", ACCOUNT]);
    assert_eq!(shown["authorization"]["standing"], "authorized");
    assert_eq!(shown["authorization"]["ends"], Value::Null);
}

#[test]
fn a_shared_mailbox_is_warned_about_once_when_it_is_authorised() {
    let house = House::new(&["mailbox=administratie@voorbeeld.example"]);
    let said = house.authorize(ACCOUNT, USER);
    assert!(said["warnings"][0].as_str().unwrap().contains("shared mailbox"), "{said}");
}

#[test]
fn a_process_that_dies_between_the_answer_and_the_store_does_not_lose_the_account() {
    let mut house = House::new(&[&format!("mailbox={USER}")]);
    house.authorize(ACCOUNT, USER);
    assert_eq!(house.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
    house.ahead(120);
    house.wissel.set("WISSEL_FAULT", "token-received");
    let died = house.wissel.run(&["account", "test", ACCOUNT]);
    assert!(died.stderr.contains("fault point 'token-received' reached"), "{died:?}");
    house.wissel.set("WISSEL_FAULT", "");
    // What renews a token stays good here when it was used: the account lives on.
    assert_eq!(house.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
}

#[test]
fn a_token_opens_a_shared_mailbox_over_imap() {
    let house = House::empty(&[]);
    let (bed, ca) = (&house.bed, house.bed.ca().display().to_string());
    let directory = format!("{}/{}/oauth2/v2.0", bed.fact("entra").trim_end_matches('/'), bed.fact("tenant"));
    let port = bed.fact("imaps").rsplit_once(':').unwrap().1.to_owned();
    let settings = [
        "provider=microsoft".to_owned(),
        format!("client-id={PUBLIC}"),
        format!("authorize-url={directory}/authorize"),
        format!("token-url={directory}/token"),
        "host=localhost".to_owned(),
        format!("port={port}"),
        format!("user={USER}"),
        "mailbox=administratie@voorbeeld.example".to_owned(),
    ];
    let mut arguments =
        vec!["account", "add", ACCOUNT, "--connector", "imap", "--auth", "oauth", "--ca-file", &ca];
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    house.wissel.run(&arguments).success();
    let said = house.authorize(ACCOUNT, USER);
    assert_eq!((&said["missing"], &said["warnings"]), (&json!([]), &json!([])));
    let tested = house.wissel.json(&["account", "test", ACCOUNT]);
    assert_eq!(tested["identity"]["mailbox"], "administratie@voorbeeld.example", "{tested}");
}
