//! Accounts and jobs against a mailbox: what a person does from the first command to a switch. Needs a built connector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod support;

use jiff::{Timestamp, ToSpan};
use serde_json::json;
use support::{Wissel, connector};
use wissel_testbed::sample::{self, Maker};
use wissel_testbed::users::Grant;
use wissel_testbed::{Options, Testbed};

const USER: &str = "facturen@voorbeeld.example";
const PASSWORD: &str = "geheim-Wachtwoord-4711";
const TOKEN: &str = "geheim-Token-0815";

struct Scene {
    wissel: Wissel,
    bed: Testbed,
    connector: String,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    /// A mailbox with the sample, the connector installed, and the server's authority in `ca.pem`.
    fn new() -> Self {
        let (file, connector) = connector();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bed = runtime.block_on(Testbed::start(Options::default())).unwrap();
        sample::fill(bed.mailbox(), &mut Maker::new(1), 24).unwrap();
        bed.users().add_password(USER, PASSWORD);
        // The testbed names the scope of a face as the connector for it is named.
        let expires = Timestamp::now() + 1.hour();
        bed.users().add_token(TOKEN, Grant { user: USER.to_owned(), expires, scope: connector.clone() });
        let wissel = Wissel::new();
        std::fs::write(wissel.home.path().join("ca.pem"), bed.ca_pem()).unwrap();
        wissel.ok(&["connector", "install", file.to_str().unwrap()]);
        Self { wissel, bed, connector, runtime }
    }

    fn add_account(&self, name: &str, secret: &str, input: &str) -> support::Output {
        let port = format!("port={}", self.bed.imaps_addr().port());
        let ca = self.wissel.home.path().join("ca.pem");
        let user = format!("user={USER}");
        let arguments =
            ["account", "add", name, "--connector", &self.connector, "--set", "host=localhost", "--set"];
        let more = [&port, "--set", &user, "--ca-file", ca.to_str().unwrap(), secret];
        self.wissel.run_with(&[&arguments[..], &more[..]].concat(), input)
    }

    fn add_job(&self, name: &str, account: &str, more: &[&str]) -> support::Output {
        let to = self.wissel.home.path().join("in");
        let arguments =
            ["job", "add", name, "--account", account, "--folder", "Postvak IN\\Algemeen", "--to"];
        self.wissel.run(&[&arguments[..], &[to.to_str().unwrap()], more].concat())
    }

    fn stop(self) {
        self.runtime.block_on(self.bed.stop());
    }
}

#[test]
fn from_the_first_account_to_a_switch() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    let added = scene.add_account("Inkoop", "--password-stdin", &format!("{PASSWORD}\n"));
    assert_eq!(added.code, 0, "{}", added.all());
    let tested = wissel.ok(&["account", "test", "Inkoop"]);
    assert!(tested.stdout.contains(USER), "{}", tested.stdout);

    let more = ["--processed", "Postvak IN/Geïmporteerd", "--create-processed", "--attachments"];
    assert_eq!(scene.add_job("Facturen", "Inkoop", &more).code, 0);
    assert!(wissel.home.path().join("in").is_dir(), "what is named is there from now on");
    std::fs::remove_dir_all(wissel.home.path().join("in")).unwrap();
    let tested = wissel.ok(&["job", "test", "Facturen"]);
    let sentence =
        "Successfully opened import folder 'Postvak IN/Algemeen' containing 24 messages (16 unread).";
    assert!(tested.stdout.lines().any(|line| line == sentence), "{}", tested.stdout);
    let tested = wissel.ok(&["job", "test", "Facturen", "--language", "nl"]);
    assert!(tested.stdout.contains("bevat 24 berichten (16 ongelezen)."), "{}", tested.stdout);
    assert!(!wissel.home.path().join("in").exists(), "a test makes nothing");

    let dry = wissel.json(&["job", "run", "Facturen", "--dry-run"]);
    assert_eq!((dry["candidates"].as_array().unwrap().len(), &dry["imported"]), (24, &json!(0)));
    let first = wissel.json(&["job", "run", "Facturen"]);
    assert_eq!(first["imported"], 24, "{first}");
    assert_eq!(wissel.json(&["job", "run", "Facturen"])["imported"], 0);
    let messages = wissel.json(&["ledger", "Facturen", "--state", "done", "--limit", "100"]);
    assert_eq!(messages["messages"].as_array().unwrap().len(), 24);
    assert!(wissel.json(&["job", "list"])["jobs"][0]["health"]["last_success"].is_string());

    let added = scene.add_account("Inkoop OAuth", "--token-stdin", TOKEN);
    assert_eq!(added.code, 0, "{}", added.all());
    scene.bed.users().remove_password(USER);
    let mut maker = Maker::new(9);
    for _ in 0..3 {
        let token = maker.token();
        scene.bed.mailbox().deliver("Postvak IN/Algemeen", maker.invoice(&token)).unwrap();
    }
    let refused = wissel.run(&["job", "run", "Facturen", "--json"]);
    assert_eq!(refused.code, 4, "{}", refused.all());
    assert_eq!(refused.json()["errors"][0]["code"], "authorization-needed");
    assert!(wissel.json(&["job", "show", "Facturen"])["health"]["failing_since"].is_string());
    let all = wissel.run(&["job", "run"]).stderr;
    assert!(all.starts_with("wissel: job 'Facturen': account 'Inkoop'"), "{all}");
    let dry = wissel.run(&["job", "run", "Facturen", "--dry-run"]);
    assert!(!dry.stdout.contains("would be imported"), "nothing was looked at: {}", dry.stdout);

    let switch = ["job", "switch", "Facturen", "--from", "Inkoop", "--to", "Inkoop OAuth"];
    wissel.ok(&["job", "edit", "Facturen", "--create-processed=false"]);
    for option in ["--folder", "--processed"] {
        let error = wissel.error(3, &[&switch[..], &[option, "Nergens", "--dry-run"]].concat());
        let next = error["next"].as_str().unwrap();
        let named = next.contains(&format!("`{option} FOLDER`"));
        assert!(named && !next.contains("job edit"), "{error}");
    }
    assert_eq!(wissel.json(&[&switch[..], &["--dry-run"]].concat())["report"]["to_import"], 3);
    let switched = wissel.ok(&switch).stdout;
    assert!(
        switched
            .contains("The way back: wissel job switch \"Facturen\" --from \"Inkoop OAuth\" --to \"Inkoop\"")
    );
    assert_eq!(wissel.json(&["job", "run", "Facturen"])["imported"], 3);
    let files = std::fs::read_dir(wissel.home.path().join("in")).unwrap();
    let messages = files.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "eml"));
    assert_eq!(messages.count(), 27);
    wissel.error(1, &["account", "remove", "Inkoop OAuth", "--yes"]);

    scene.bed.users().add_password(USER, PASSWORD);
    let back = ["job", "switch", "Facturen", "--from", "Inkoop OAuth", "--to", "Inkoop", "--dry-run"];
    let back = wissel.json(&[&back[..], &["--folder", "Postvak IN/Facturen"]].concat());
    assert!(back["way_back"].as_str().unwrap().ends_with("--folder \"Postvak IN/Algemeen\""), "{back}");
    let unasked = wissel.error(2, &["account", "remove", "Inkoop"]);
    assert!(unasked["next"].as_str().unwrap().contains("--yes"), "{unasked}");
    wissel.ok(&["account", "remove", "Inkoop", "--yes"]);
    let unasked = wissel.error(2, &["job", "remove", "Facturen"]);
    assert!(unasked["next"].as_str().unwrap().contains("ledger"), "{unasked}");
    assert!(
        wissel.ok(&["job", "remove", "Facturen", "--yes"]).stdout.contains("import their messages again")
    );
    scene.stop();
}

#[test]
fn what_is_exported_can_be_applied_and_changes_nothing() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    wissel.ok(&["account", "default", "Inkoop"]);
    let more =
        ["--action", "leave", "--every", "5m", "--newer-than", "2026-01-01", "--unread-only", "--disabled"];
    assert_eq!(scene.add_job("Facturen", "Inkoop", &more).code, 0);
    let (accounts, jobs) = (wissel.json(&["account", "list"]), wissel.json(&["job", "list"]));

    let file = wissel.home.path().join("export.toml");
    let exported = wissel.ok(&["export"]).stdout;
    std::fs::write(&file, &exported).unwrap();
    let file = file.to_str().unwrap();
    let applied = wissel.json(&["apply", "-f", file]);
    assert_eq!(applied["accounts"][0]["change"], "unchanged", "{applied}\n{exported}");
    assert_eq!(applied["jobs"][0]["change"], "unchanged", "{applied}\n{exported}");
    assert_eq!(
        (wissel.json(&["account", "list"]), wissel.json(&["job", "list"])),
        (accounts.clone(), jobs.clone())
    );

    // In an empty home the same file creates everything; a reference brings the secret.
    let mut other = Wissel::new();
    other.set("INKOOP", PASSWORD);
    other.ok(&["connector", "install", connector().0.to_str().unwrap()]);
    let with_secret =
        exported.replacen("[[job]]", "[account.secrets]\npassword = { env = \"INKOOP\" }\n\n[[job]]", 1);
    let path = other.home.path().join("new.toml");
    std::fs::write(&path, &with_secret).unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(other.json(&["apply", "-f", path, "--dry-run"])["jobs"][0]["change"], "created");
    assert_eq!(other.json(&["job", "list"])["jobs"], json!([]));
    assert_eq!(other.json(&["apply", "-f", path])["accounts"][0]["change"], "created");
    assert_eq!(other.json(&["apply", "-f", path])["accounts"][0]["change"], "unchanged");
    other.ok(&["account", "test", "Inkoop"]);
    other.set("INKOOP", "anders");
    assert_eq!(other.json(&["apply", "-f", path])["accounts"][0]["change"], "changed");
    assert_eq!(other.error(4, &["account", "test"])["code"], "authorization-needed");

    // One thing that is wrong keeps all of it out, and every wrong thing is named.
    let wrong = with_secret
        .replace("every = \"5m\"", "every = \"soon\"")
        .replace("host = \"localhost\"", "host = \"a b\"");
    std::fs::write(path, &wrong).unwrap();
    let error = other.error(2, &["apply", "-f", path]);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("'host'") && message.contains("soon"), "{message}");
    scene.stop();
}

#[test]
fn a_cron_expression_is_kept_shown_and_refused_with_the_reason() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    let when = ["--action", "leave", "--schedule", "30 2 * * 1-5", "--time-zone", "Europe/Amsterdam"];
    assert_eq!(scene.add_job("Facturen", "Inkoop", &when).code, 0);
    let job = wissel.json(&["job", "list"])["jobs"][0].clone();
    assert_eq!((&job["schedule"], &job["time_zone"]), (&json!("30 2 * * 1-5"), &json!("Europe/Amsterdam")));
    let next: Timestamp = job["next_run"].as_str().unwrap().parse().unwrap();
    assert!(next > Timestamp::now() && next < Timestamp::now() + 100.hours(), "{next}");
    let exported = wissel.ok(&["export"]).stdout;
    let file = wissel.home.path().join("export.toml");
    std::fs::write(&file, &exported).unwrap();
    let applied = wissel.json(&["apply", "-f", file.to_str().unwrap()]);
    assert_eq!(applied["jobs"][0]["change"], "unchanged", "{exported}");
    for (wrong, says) in [
        (["--schedule", "* * *"], "five fields"),
        (["--schedule", "0 0 30 2 *"], "never comes"),
        (["--time-zone", "Mars/Olympus"], "'Mars/Olympus'"),
    ] {
        let error = wissel.error(2, &[&["job", "edit", "Facturen"][..], &wrong].concat());
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    let winter_or_summer = |text: &str| text.contains("02:30:00 CET") || text.contains("02:30:00 CEST");
    for command in [&["job", "list"][..], &["job", "show", "Facturen"]] {
        let shown = wissel.ok(command).stdout;
        assert!(winter_or_summer(&shown), "the next run is shown in the zone of the schedule: {shown}");
    }
    wissel.ok(&["job", "edit", "Facturen", "--schedule", "@daily"]);
    wissel.ok(&["job", "edit", "Facturen", "--schedule", "30 2 * * 1-5", "--time-zone", "utc"]);
    let shown = wissel.ok(&["job", "show", "Facturen"]).stdout;
    assert!(shown.contains("30 2 * * 1-5 (UTC)"), "{shown}");
    scene.stop();
}

#[test]
fn doctor_says_what_the_network_showed_and_marks_what_it_left_out() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    let found = |arguments: &[&str], check: &str| {
        let report = wissel.run(&[arguments, &["--json"]].concat()).json();
        let all = report["findings"].as_array().unwrap().clone();
        all.into_iter()
            .find(|finding| finding["check"] == check)
            .unwrap_or_else(|| panic!("{check}: {report}"))
    };
    assert_eq!(found(&["doctor"], "dns")["status"], "ok");
    assert_eq!(found(&["doctor"], "account")["status"], "ok");
    assert_eq!(found(&["doctor", "--offline"], "account")["status"], "skip");
    wissel.ok(&["account", "edit", "Inkoop", "--proxy", "socks5h://inkoop@localhost:9"]);
    let secrets = found(&["doctor", "--offline"], "secrets");
    assert_eq!(secrets["status"], "fail");
    assert!(secrets["message"].as_str().unwrap().contains("proxy-password"), "{secrets}");
    scene.stop();
}

#[test]
fn every_setting_that_is_wrong_is_named_at_once() {
    let scene = Scene::new();
    let arguments = [
        "account",
        "add",
        "A",
        "--connector",
        &scene.connector,
        "--set",
        "port=99999",
        "--set",
        "kleur=rood",
    ];
    let error = scene.wissel.error(2, &[&arguments[..], &["--auth", "password"]].concat());
    let message = error["message"].as_str().unwrap();
    for key in ["'host'", "'port'", "'kleur'"] {
        assert!(message.contains(key), "{key}: {message}");
    }
    assert_eq!(scene.wissel.json(&["account", "list"])["accounts"], json!([]));
    scene.stop();
}

#[test]
fn no_output_shows_a_secret_and_unsafe_accounts_are_warned_about() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    let mut seen = scene.add_account("Inkoop", "--password-stdin", PASSWORD).all();
    assert_eq!(scene.add_job("Facturen", "Inkoop", &["--action", "leave"]).code, 0);
    let edited = wissel.ok(&["account", "edit", "Inkoop", "--allow-untrusted-certificate"]);
    assert!(edited.stderr.contains("WARNING") && edited.stderr.contains("Inkoop"), "{}", edited.stderr);
    for arguments in [
        &["account", "show", "Inkoop"][..],
        &["account", "show", "Inkoop", "--json"],
        &["account", "test", "Inkoop", "--log", "trace"],
        &["job", "run", "Facturen", "--log", "trace"],
        &["doctor", "--log", "trace"],
        &["export"],
    ] {
        let output = wissel.run(arguments);
        // An account that trusts anybody is something to look at.
        let expected = if arguments[0] == "doctor" { 8 } else { 0 };
        assert_eq!(output.code, expected, "{arguments:?}: {}", output.all());
        seen += &output.all();
    }
    wissel.ok_with(&["account", "edit", "Inkoop", "--password-stdin"], &format!("{PASSWORD}-anders"));
    let refused = wissel.run(&["account", "test", "Inkoop", "--log", "trace"]);
    assert_eq!(refused.code, 4, "{}", refused.all());
    seen += &refused.all();
    assert!(!seen.contains(PASSWORD), "{seen}");
    assert!(wissel.ok(&["account", "show", "Inkoop"]).stdout.contains("password: stored"));
    scene.stop();
}

#[cfg(unix)]
#[test]
fn the_service_imports_at_its_interval_and_stops_when_asked() {
    use std::time::{Duration, Instant};

    let scene = Scene::new();
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    assert_eq!(scene.add_job("Facturen", "Inkoop", &["--action", "leave", "--every", "1s"]).code, 0);
    let mut service = scene.wissel.spawn(&["run"]);
    let deadline = Instant::now() + Duration::from_secs(300);
    let imported = || {
        scene.wissel.json(&["ledger", "Facturen", "--state", "done"])["messages"].as_array().unwrap().len()
    };
    while imported() < 24 {
        assert!(Instant::now() < deadline, "nothing was imported");
        std::thread::sleep(Duration::from_millis(200));
    }
    let kill =
        std::process::Command::new("kill").args(["-TERM", &service.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(service.wait().unwrap().code(), Some(0));
    scene.stop();
}

#[test]
fn a_lost_vault_key_is_named_and_never_replaced_silently() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    std::fs::remove_file(wissel.home.path().join("vault.key")).unwrap();
    let report = wissel.run(&["doctor", "--json"]);
    assert_eq!(report.code, 6, "{}", report.all());
    let edit = ["account", "edit", "Inkoop", "--password-stdin"];
    assert_eq!(wissel.run_with(&edit, PASSWORD).code, 6);
    assert!(!wissel.home.path().join("vault.key").exists());
    wissel.ok_with(&[&edit[..], &["--new-vault-key"]].concat(), PASSWORD);
    wissel.ok(&["account", "test", "Inkoop"]);
    scene.stop();
}

#[test]
fn a_folder_that_is_missing_is_answered_with_the_nearest_that_exists() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    let folders = wissel.json(&["folder", "list", "Inkoop"]);
    let find = |path: &str| {
        let all = folders["folders"].as_array().unwrap();
        all.iter().find(|folder| folder["display_path"] == path).unwrap().clone()
    };
    assert_eq!(find("Postvak IN/Algemeen")["total"], 24);
    assert_eq!(find("Verzonden items")["role"], "sent");
    assert_eq!(scene.add_job("Facturen", "Inkoop", &["--action", "leave"]).code, 0);
    wissel.ok(&["job", "edit", "Facturen", "--folder", "Postvak IN/Algemen"]);
    let tested = wissel.run(&["job", "test", "Facturen"]);
    assert_ne!(tested.code, 0);
    assert!(tested.all().contains("Postvak IN/Algemeen"), "{}", tested.all());
    assert_eq!(scene.add_job("Klaar", "Inkoop", &["--processed", "Nergens"]).code, 0);
    for command in ["test", "run"] {
        let missing = wissel.run(&["job", command, "Klaar"]);
        assert_eq!(missing.code, 3, "{}", missing.all());
        let advice = "wissel job edit \"Klaar\" --create-processed";
        assert!(missing.stderr.contains(advice), "{command}: {}", missing.all());
    }
    wissel.ok(&["job", "edit", "Klaar", "--disabled"]);
    let left = wissel.json(&["job", "edit", "Klaar", "--action", "leave"]);
    assert!(left["job"]["accounts"][0]["processed"].is_null(), "{left}");
    let both = wissel.error(2, &["job", "edit", "Klaar", "--action", "delete", "--processed", "X"]);
    assert!(both["message"].as_str().unwrap().contains("delete"), "{both}");
    let refused = scene.add_job("Zelfde", "Inkoop", &["--processed", "postvak in/algemeen"]);
    assert_eq!(refused.code, 2, "{}", refused.all());
    scene.stop();
}

#[test]
fn doctor_tells_of_a_job_that_no_service_runs_and_of_jobs_that_share_a_folder() {
    let mut scene = Scene::new();
    assert_eq!(scene.add_account("Inkoop", "--password-stdin", PASSWORD).code, 0);
    let every = ["--action", "leave", "--every", "1h"];
    let added = scene.add_job("Facturen", "Inkoop", &every);
    assert!(!added.stderr.contains("note"), "{}", added.stderr);
    scene.wissel.ok(&["job", "run", "Facturen"]);
    let clock = scene.wissel.home.path().join("clock");
    scene.wissel.set("WISSEL_CLOCK", clock.to_str().unwrap());
    let findings = |wissel: &Wissel| {
        let report = wissel.run(&["doctor", "--offline", "--json"]).json();
        let all = report["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == "job");
        all.map(|finding| finding.to_string()).collect::<Vec<_>>()
    };
    for (minutes, warned) in [(0, false), (100, false), (125, true)] {
        std::fs::write(&clock, (minutes * 60).to_string()).unwrap();
        let found = findings(&scene.wissel);
        let late = found.iter().any(|f| f.contains("no service") && f.contains("wissel run"));
        assert_eq!(late, warned, "{minutes} minutes later: {found:?}");
    }
    let added = scene.add_job("Nog eens", "Inkoop", &every).stderr;
    assert!(added.contains("and so does job 'Facturen'") && added.contains("same directory"), "{added}");
    let found = findings(&scene.wissel);
    let twice = |f: &&String| f.contains("\"warn\"") && f.contains("and so does job 'Facturen'");
    assert_eq!(found.iter().filter(twice).count(), 1, "{found:?}");
    scene.stop();
}

#[test]
fn what_is_given_wrongly_is_refused_and_the_sentences_are_dutch_where_asked() {
    let scene = Scene::new();
    let wissel = &scene.wissel;
    assert_eq!(scene.add_account("5\" inkoop", "--password-stdin", PASSWORD).code, 0);
    let twice = ["account", "edit", "5\" inkoop", "--set", "host=a.example", "--set", "host=b.example"];
    let error = wissel.error(2, &twice);
    assert!(error["message"].as_str().unwrap().contains("'host' is given twice"), "{error}");
    let edit = ["account", "edit", "5\" inkoop", "--password-env"];
    let refused = wissel.run(&[&edit[..], &["wacht woord!"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.all());
    assert!(!refused.all().contains("woord!"), "it may be the secret itself: {}", refused.all());
    assert!(wissel.run(&[&edit[..], &["NOT_SET_HERE"]].concat()).stderr.contains("NOT_SET_HERE"));
    let dutch = |arguments: &[&str]| wissel.ok(&[arguments, &["--language", "nl"]].concat()).stdout;
    let changed = dutch(&["account", "edit", "5\" inkoop", "--idle-timeout", "30"]);
    assert!(changed.contains("is gewijzigd") && changed.contains("account test '5\" inkoop'"), "{changed}");
    let shown = dutch(&["account", "show", "5\" inkoop"]);
    assert!(shown.contains("Geheimen") && shown.contains("opgeslagen"), "{shown}");
    assert!(dutch(&["vault", "status"]).contains("het sleutelbestand "), "the place");
    scene.stop();
}
