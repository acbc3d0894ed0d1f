//! Tokens and secrets that end while a job runs.

use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::wissel::Running;

use crate::scene::{FETCH, RUN, Scene};

/// The account of the registration with a secret.
const CONFIDENTIAL: &str = "Met geheim";

/// Starts a run, and stops it where four messages are on their way and the others are not asked for yet.
fn in_the_middle(scene: &mut Scene) -> Running {
    scene.deliver(1);
    scene.finish();
    scene.deliver(10);
    let asked = scene.asked(FETCH);
    scene.house.bed.command(&format!("graph-fault stall:10 4 {FETCH}"));
    let running = scene.house.wissel.spawn(&RUN);
    scene.wait_for(FETCH, asked + 4);
    running
}

/// How many tokens were issued until now.
fn issued(scene: &mut Scene) -> usize {
    scene.house.bed.command("issued").as_array().unwrap().len()
}

#[test]
fn a_token_that_the_service_takes_no_more_is_renewed_in_the_middle_of_a_run() {
    let mut scene = Scene::new();
    let running = in_the_middle(&mut scene);
    let before = issued(&mut scene);
    // The service's clock alone: Wissel believes that its token is good.
    scene.house.bed.command("advance 7200");
    let report = running.wait().success().json();
    assert_eq!(report["imported"], 30, "{report}");
    assert!(issued(&mut scene) > before, "nothing was renewed");
    scene.check_finished();
}

#[test]
fn tokens_that_last_for_seconds_do_for_a_whole_run() {
    let mut house = House::new(&[&format!("mailbox={USER}")]);
    house.bed.command("set access 2");
    house.authorize(ACCOUNT, USER);
    let mut scene = Scene::of(house, ACCOUNT);
    let before = issued(&mut scene);
    scene.house.bed.command("latency 100");
    scene.deliver(8);
    let report = scene.run().success().json();
    assert_eq!(report["imported"], 24, "{report}");
    assert!(issued(&mut scene) > before, "nothing was renewed");
    scene.check_finished();
}

#[test]
fn an_authorisation_that_is_revoked_in_the_middle_of_a_run_loses_nothing() {
    let mut scene = Scene::new();
    let running = in_the_middle(&mut scene);
    scene.house.bed.command(&format!("revoke {USER}"));
    scene.house.bed.command("advance 7200");
    let ended = running.wait();
    // The four that were on their way may have come in.
    assert!(matches!(ended.code, Some(4 | 7)), "{ended:?}");
    let error = Scene::error(&ended);
    assert_eq!(error["code"], "authorization-needed", "{error}");
    assert!(error["next"].as_str().unwrap().contains("Authorize again"), "{error}");
    scene.check_meanwhile();
    // Again, and with nothing else changed: said again, and nothing touched.
    let again = scene.run();
    assert_eq!((again.code, &Scene::error(&again)["code"]), (Some(4), &"authorization-needed".into()));
    scene.check_meanwhile();
    scene.house.authorize(ACCOUNT, USER);
    scene.finish();
    scene.check_finished();
}

#[test]
fn a_client_secret_that_ends_is_said_so_and_replaced_and_nothing_is_lost() {
    let house = House::empty(&[]);
    let ca = house.bed.ca().display().to_string();
    let settings = [
        format!("client-id={}", house.bed.fact("client_id")),
        format!("tenant={}", house.bed.fact("tenant")),
        format!("authority={}", house.bed.fact("entra").trim_end_matches('/')),
        format!("service={}", house.bed.fact("graph").trim_end_matches('/')),
        format!("mailbox={USER}"),
    ];
    let mut add = vec!["account", "add", CONFIDENTIAL, "--connector", "graph", "--auth", "oauth"];
    add.extend(["--ca-file", &ca, "--client-secret-stdin", "--label", "oud"]);
    for setting in &settings {
        add.extend(["--set", setting]);
    }
    house.wissel.run_with(&add, house.bed.fact("client_secret")).success();
    house.authorize(CONFIDENTIAL, USER);
    let mut scene = Scene::of(house, CONFIDENTIAL);
    let running = in_the_middle(&mut scene);
    scene.house.bed.command("secret-expired");
    scene.house.bed.command("advance 7200");
    let ended = running.wait();
    assert!(matches!(ended.code, Some(4 | 7)), "{ended:?}");
    let error = Scene::error(&ended);
    assert_eq!(error["code"], "authorization-needed", "{error}");
    let text = error.to_string();
    assert!(
        text.contains("AADSTS7000222") && text.contains("Create a new one under Certificates & secrets"),
        "{error}"
    );
    scene.check_meanwhile();

    scene.house.bed.command("secret nieuw8Q~geheim-van-de-proefopstelling 8640000");
    let secret = ["account", "secret"];
    let add = [&secret[..], &["add", CONFIDENTIAL, "--client-secret-stdin", "--label", "nieuw"]].concat();
    scene.house.wissel.run_with(&add, "nieuw8Q~geheim-van-de-proefopstelling").success();
    scene.house.wissel.run(&[&secret[..], &["test", CONFIDENTIAL, "nieuw"]].concat()).success();
    scene.house.wissel.run(&[&secret[..], &["use", CONFIDENTIAL, "nieuw"]].concat()).success();
    // Nobody has to sign in again: what renews the tokens was not lost with the old secret.
    scene.finish();
    scene.check_finished();
}
