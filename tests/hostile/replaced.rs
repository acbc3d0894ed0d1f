//! A connector's file that is replaced, broken and removed while the service runs: noticed without a restart.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use wissel_tests::corpus;
use wissel_tests::dovecot::ALICE;
use wissel_tests::observer::Tokens;

use crate::yard::{GOOD, List, MESSAGES, Yard, changed, files, rogue, token, until};

const JOB: &str = "Wissel";
impl Yard {
    /// Puts a version of the connector in place, as an installation does: at once.
    fn replace(&self, bytes: &[u8]) {
        let beside = self.connectors.join("rogue.partial");
        fs::write(&beside, bytes).unwrap();
        fs::rename(&beside, self.connectors.join("rogue.wasm")).unwrap();
    }

    /// Lets one more message arrive.
    fn arrive(&self, count: usize) {
        let count = format!("count={count}");
        self.scene.run(&["account", "edit", JOB, "--set", &count]).success();
    }

    fn imported(&self, number: usize) -> bool {
        Tokens::in_sink(&self.scene.sink(JOB)).total(&token(number)) == 1
    }

    /// The text of an imported message.
    fn text(&self, number: usize) -> String {
        let texts = files(&self.scene.sink(JOB)).into_iter().filter_map(|file| fs::read_to_string(file).ok());
        let mut found = texts.filter(|text| text.starts_with("Subject:") && text.contains(&token(number)));
        found.next().unwrap()
    }

    fn reason(&self) -> String {
        self.health(JOB)["reason"].as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn the_running_service_notices_a_replaced_a_broken_and_a_removed_connector() {
    let yard = Yard::new();
    let list = List::new("the connector's file changes under the running service");
    yard.hostile(JOB, "none:good", &[]);
    yard.arrive(2);
    let mut service = yard.wissel().spawn(&["run"]);
    list.add("first version", "imports", until("the first version", || yard.imported(2)));
    assert!(yard.text(2).contains("Factuur"));

    yard.replace(&changed(&rogue(), "Factuur", "Invoice"));
    yard.arrive(3);
    list.add("replaced", "the next run uses it", until("the new version", || yard.imported(3)));
    assert!(yard.text(3).contains("Invoice"), "the old version was used: {}", yard.text(3));

    yard.replace(b"broken on the way");
    let time = until("the broken file", || yard.reason().contains("no connector 'rogue' is installed"));
    list.add("broken", "the job is failing", time);
    assert!(yard.reason().contains(&format!("account '{JOB}'")), "{}", yard.reason());

    fs::remove_file(yard.connectors.join("rogue.wasm")).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(yard.reason().contains("no connector 'rogue' is installed"), "{}", yard.reason());
    yard.assert_failing(JOB, &["rogue", "installed: imap"]);
    list.add("removed", "the job is failing", Duration::from_secs(3));

    yard.replace(&rogue());
    yard.arrive(4);
    list.add("back", "imports again", until("its return", || yard.imported(4)));
    until("that the job is well", || yard.health(JOB)["failing_since"] == Value::Null);
    assert!(yard.text(4).contains("Factuur"));
    assert!(service.is_running());
    service.terminate();
    let output = service.wait().success();
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    yard.assert_holds(JOB, &[1, 2, 3, 4]);
    yard.assert_neighbour_works(51);
}

/// Only who asks for that connector waits for it. (That a session of another one does not, is held by the host's tests.)
#[test]
fn a_file_that_loops_in_describe_is_refused_while_the_service_goes_on() {
    let yard = Yard::new();
    let list = List::new("a file that loops in describe, dropped beside the connectors");
    yard.hostile(JOB, "none:good", &[]);
    let service = yard.wissel().spawn(&["run"]);
    until("the connector", || yard.imported(MESSAGES));
    fs::write(yard.connectors.join("z.wasm"), changed(&rogue(), "describe-mode=pure", "describe-mode=spin"))
        .unwrap();
    let sample = corpus::message(52, 0);
    yard.scene.server.deliver(ALICE, "INBOX", &[&sample]);
    let sink = yard.scene.sink(GOOD);
    let time = until("the mail", || Tokens::in_sink(&sink).total(&sample.token) == 1);
    list.add("mail of another account", "imported", time);
    until("the refusal", || service.stderr().contains("it did not finish in time"));
    service.terminate();
    let _ = service.wait().success();
}
