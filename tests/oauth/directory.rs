//! The test bed's directory, which behaves as Microsoft's: over TLS, with its codes, refresh tokens that stay good, and mailboxes
//! behind it.

use serde_json::{Value, json};
use wissel_tests::graph::{ACCOUNT, House, PASSWORD, USER};
use wissel_tests::issuer::browse;

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
    let shown = house.wissel.run(&["account", "show", ACCOUNT]).success().stdout;
    assert!(shown.contains(&format!("Signed in as  {USER}")) && shown.contains("Mail.ReadWrite"), "{shown}");
    // What one tenant granted is nothing to another.
    let edit = |tenant: &str| {
        house.wissel.run(&["client", "edit", ACCOUNT, "--set", &format!("tenant={tenant}")]).success();
        house.wissel.json(&["account", "show", ACCOUNT])["authorization"].clone()
    };
    let elsewhere = edit("elders.example");
    assert_eq!(elsewhere["standing"], "unauthorized", "{elsewhere}");
    assert!(elsewhere["reason"].as_str().unwrap().contains("another token endpoint"), "{elsewhere}");
    assert_eq!(edit(house.bed.fact("tenant"))["standing"], "authorized");
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
    let mut house = House::empty(&[]);
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
    // The server takes it no more, while it looks good from here: it is renewed in the middle of the sign-in.
    house.bed.command("advance 7200");
    assert_eq!(house.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
    assert_eq!(house.answered("refresh_token", 0), 1);
}

/// What the app of the test bed has registered beside this machine.
const RELAY: &str = "https://relay.voorbeeld.example/authorize";

#[test]
fn a_client_whose_answers_go_to_a_page_of_its_own_is_authorised_from_another_machine() {
    let house = House::empty(&[]);
    house.add_with_secret(ACCOUNT, "oauth", &[&format!("mailbox={USER}")]);
    // The tenant by its domain: what answers calls itself by the tenant's id.
    let edit = ["client", "edit", ACCOUNT, "--redirect", RELAY, "--set", "tenant=voorbeeld.example"];
    house.wissel.run(&edit).success();
    // Nobody sits here, so that a link is what is wanted.
    let said = house.wissel.json(&["account", "authorize", ACCOUNT]);
    let link = said["link"].as_str().unwrap();
    assert!(
        link.contains("/voorbeeld.example/oauth2/") && link.contains("relay.voorbeeld.example"),
        "{link}"
    );
    let request = json!({ "link": link, "user": USER, "password": PASSWORD, "ca": house.bed.ca() });
    let answer = browse(&request);
    assert!(answer.starts_with(RELAY), "{answer}");
    // The page shows the code, and that is what is sent on.
    let code = answer.split_once("code=").unwrap().1.split('&').next().unwrap();
    let paste = ["account", "authorize", ACCOUNT, "--paste", "-", "--json"];
    let said = house.wissel.run_with(&paste, code).success().json();
    assert_eq!(said["signed_in_as"], USER, "{said}");
    assert_eq!(house.wissel.json(&["account", "test", ACCOUNT])["ok"], true);
}

#[test]
fn a_code_that_nobody_enters_in_time_is_told_so() {
    // With a secret: the directory looks for the client's id beside it.
    let mut house = House::empty(&[]);
    house.add_with_secret(ACCOUNT, "oauth", &[&format!("mailbox={USER}")]);
    house.bed.command("set device 2");
    house.bed.command("set interval 1");
    let ended = house.wissel.run(&["account", "authorize", ACCOUNT, "--device"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        ended.stderr.contains("was not entered in time") && ended.stderr.contains("Authorize again"),
        "{ended:?}"
    );
}
