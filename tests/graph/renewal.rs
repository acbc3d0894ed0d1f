//! Tokens and secrets that end while a job runs.

use serde_json::Value;
use wissel_tests::graph::{ACCOUNT, House, USER};
use wissel_tests::wissel::Running;

use crate::scene::{FETCH, JOB, RUN, Scene};

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

/// What a new channel is told when the doctor is asked so many times.
fn alerts(scene: &Scene, times: usize) -> Vec<Value> {
    let file = scene.house.wissel.home().join("told");
    let _ = std::fs::remove_file(&file);
    let hook = format!("cat >> '{0}'; echo >> '{0}'", file.display());
    scene.house.wissel.run(&["alert", "add", "operators", "--", "sh", "-c", &hook]).success();
    for _ in 0..times {
        let _ = scene.house.wissel.run(&["doctor", "--offline", "--alert"]);
    }
    scene.house.wissel.run(&["alert", "remove", "operators", "--yes"]).success();
    let told = std::fs::read_to_string(&file).unwrap_or_default();
    let told = told.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap());
    // That it is not known when a secret expires is told too.
    told.filter(|alert: &Value| alert["kind"] != "secret-expiry").collect()
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
    // What is kept of the run says what helps with this way to sign in, and people are told, once.
    let shown = scene.house.wissel.run(&["job", "show", JOB, "--json"]).success().json();
    let reason = shown["health"]["reason"].as_str().unwrap();
    assert!(reason.contains("Authorize again") && !reason.contains("password again"), "{reason}");
    let told = alerts(&scene, 2);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["kind"], &told[0]["subject"]), (&"account-refused".into(), &ACCOUNT.into()));
    assert!(told[0]["next"].as_str().unwrap().contains("account authorize"), "{told:?}");
    scene.house.authorize(ACCOUNT, USER);
    scene.finish();
    scene.check_finished();
}

#[test]
fn a_client_secret_that_ends_is_said_so_and_replaced_and_nothing_is_lost() {
    let house = House::empty(&[]);
    house.add_with_secret(CONFIDENTIAL, "oauth", &[&format!("mailbox={USER}")]);
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
    // Whatever date is stored, it is refused now.
    let told = alerts(&scene, 2);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["kind"], &told[0]["detail"]["code"]),
        (&"client-refused".into(), &"AADSTS7000222".into())
    );
    let listed = scene.house.wissel.run(&["client", "list"]).success();
    assert!(listed.stdout.contains("refused") && listed.stderr.contains("WARNING"), "{listed:?}");

    // Each is tried with what the account was granted, of which nothing is lost by a refusal.
    scene.house.bed.command("secret verlopen8Q~geheim-van-de-proefopstelling 0");
    scene.house.bed.command("secret nieuw8Q~geheim-van-de-proefopstelling 8640000");
    scene.house.bed.command("set strict-refresh on");
    let secret = |verb: &str, more: &[&str], value: &str| {
        let command = [&["account", "secret", verb, CONFIDENTIAL], more].concat();
        scene.house.wissel.run_with(&command, value)
    };
    let add = |label: &str, value: &str| secret("add", &["--client-secret-stdin", "--label", label], value);
    let id = add("id", "066150ce-aff5-4041-bded-0030fddb37ef");
    assert!(id.code == Some(2) && id.stderr.contains("Secret ID"), "{id:?}");
    for (label, value, code, advice) in [
        ("fout", "fout8Q~geheim-van-een-ander", "AADSTS7000215", "Paste the Value"),
        ("verlopen", "verlopen8Q~geheim-van-de-proefopstelling", "AADSTS7000222", "Create a new one"),
    ] {
        add(label, value).success();
        let refused = secret("test", &[label], "");
        assert_eq!(refused.code, Some(4), "{refused:?}");
        assert!(refused.stderr.contains(code) && refused.stderr.contains(advice), "{refused:?}");
        let untested = secret("use", &[label], "");
        assert!(untested.code == Some(1) && untested.stderr.contains("--untested"), "{untested:?}");
        secret("drop", &[label, "--yes"], "").success();
    }
    add("nieuw", "nieuw8Q~geheim-van-de-proefopstelling").success();
    secret("test", &["nieuw"], "").success();
    secret("use", &["nieuw"], "").success();
    assert_eq!(alerts(&scene, 1), Vec::<Value>::new());
    scene.house.bed.command("advance 7200");
    // Nobody has to sign in again: what renews the tokens was not lost with the old secret, and what took its place when
    // the new one was tried is what is used now.
    scene.finish();
    scene.check_finished();
    assert_eq!(scene.house.answered("refresh_token", 0), 2);
    let asked = scene.house.bed.command("sign-in-counts");
    assert!(asked["client_credentials"].is_null(), "the client needs no rights of its own: {asked}");
}

#[test]
fn claims_that_the_service_demands_are_brought_or_a_person_is_asked_for_them() {
    let mut scene = Scene::new();
    scene.deliver(1);
    scene.finish();
    scene.house.bed.command(r#"demand {"acrs":{"essential":true,"value":"c1"}}"#);
    scene.deliver(1);
    assert_eq!(scene.finish(), 3);
    assert_eq!(scene.house.answered("refresh_token", 0), 1, "one renewal for all that was refused");

    // These only a person can bring.
    scene.house.bed.command("set claims-need-sign-in on");
    scene.house.bed.command(r#"demand {"acrs":{"essential":true,"value":"c2"}}"#);
    scene.deliver(1);
    for _ in 0..2 {
        let ended = scene.run();
        let error = Scene::error(&ended);
        assert_eq!((ended.code, &error["code"]), (Some(4), &"authorization-needed".into()), "{error}");
        let text = error.to_string();
        assert!(text.contains("AADSTS50076") && text.contains("Authorize again in a browser"), "{error}");
    }
    assert_eq!(scene.house.answered("refresh_token", 50076), 1, "it is not asked again and again");
    scene.check_meanwhile();
    scene.house.authorize(ACCOUNT, USER);
    scene.finish();
    scene.check_finished();
}
