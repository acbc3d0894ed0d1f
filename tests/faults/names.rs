//! Names of servers that cannot be resolved, stop to, or lead elsewhere from now on.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use wissel_tests::dovecot::Options;

use crate::field::{Field, ending};
use crate::wire::Wire;

#[test]
fn a_name_that_nobody_knows() {
    let field = Field::new("Names", &Options::default());
    let name = "name: unknown";
    field.account(name, |entry| entry.host = "mail.wissel.invalid".to_owned());
    let case = field.case(name, 5, &[]);
    let output = case.run();
    case.assert_ended(&output, &[1], &[name, "mail.wissel.invalid", "name could not be resolved"]);
    case.assert_nothing_lost();
    field.scene.run(&["account", "edit", name, "--set", "host=localhost"]).success();
    case.recovers(&ending(&output));
}

/// The service with a file of host names of its own, which the test changes.
#[test]
fn a_name_that_goes_away_and_comes_back_elsewhere() {
    if !geteuid().is_root() {
        println!(
            "not root: no process can be given its own /etc/hosts; only the name that nobody knows is tested"
        );
        return;
    }
    const HOST: &str = "mail.wissel.invalid";
    let field = Field::new("Names", &Options::default());
    let hosts = field.scene.wissel.path("hosts");
    let known_at =
        |address: &str| fs::write(&hosts, format!("127.0.0.1 localhost\n{address} {HOST}\n")).unwrap();
    let name = "name: gone, then elsewhere, under the service";
    let before = Wire::on([127, 0, 0, 2], 0, field.scene.server.port);
    let after = Wire::on([127, 0, 0, 3], before.port, field.scene.server.port);
    field.clear_account(name, before.port);
    field.scene.run(&["account", "edit", name, "--set", &format!("host={HOST}")]).success();
    let case = field.case(name, 5, &["--every", "1s"]);

    known_at("127.0.0.2");
    let mount = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let hosts_text = hosts.display().to_string();
    let starter = ["unshare", "--mount", "sh", "-c", mount, &hosts_text];
    let service = field.scene.wissel.spawn_under(&starter, &["run"]);
    case.wait();
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    case.deliver(5);
    let patience = Instant::now() + Duration::from_secs(120);
    let reason = loop {
        let health = field.scene.wissel.json(&["job", "show", name])["health"].clone();
        match health["reason"].as_str() {
            Some(reason) => break reason.to_owned(),
            None => assert!(Instant::now() < patience, "nothing is noticed: {}", service.stderr()),
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(reason.contains("name could not be resolved"), "{reason}");
    case.assert_nothing_lost();

    known_at("127.0.0.3");
    let took = case.wait();
    assert!(before.connections() > 0 && after.connections() > 0);
    service.terminate();
    assert_eq!(service.wait().code, Some(0));
    field.scene.run(&["account", "edit", name, "--set", "host=127.0.0.3"]).success();
    case.assert_complete();
    case.ended("the job is failing, until the name is known again", took);
}
