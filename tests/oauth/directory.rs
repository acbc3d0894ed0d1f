//! The test bed's directory, which behaves as Microsoft's: over TLS, with its codes, refresh tokens that stay good, and mailboxes
//! behind it.

use serde_json::{Value, json};
use wissel_tests::bed::Bed;
use wissel_tests::issuer::browse;
use wissel_tests::wissel::{Output, Wissel};

use crate::office::link_of;

const ACCOUNT: &str = "Facturen";
const USER: &str = "facturen@voorbeeld.example";
/// A registration without any secret.
const PUBLIC: &str = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff";

struct House {
    bed: Bed,
    wissel: Wissel,
}

impl House {
    fn new(settings: &[&str]) -> Self {
        let bed = Bed::start(&[]);
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        let clock = wissel.path("clock");
        wissel.set("WISSEL_CLOCK", clock);
        let house = Self { bed, wissel };
        house.add(settings).success();
        house
    }

    fn add(&self, settings: &[&str]) -> Output {
        let (bed, ca) = (&self.bed, self.bed.ca().display().to_string());
        let own = [
            format!("client-id={PUBLIC}"),
            format!("tenant={}", bed.fact("tenant")),
            format!("authority={}", bed.fact("entra").trim_end_matches('/')),
            format!("service={}", bed.fact("graph").trim_end_matches('/')),
        ];
        let mut arguments =
            vec!["account", "add", ACCOUNT, "--connector", "graph", "--auth", "oauth", "--ca-file", &ca];
        for setting in own.iter().map(String::as_str).chain(settings.iter().copied()) {
            arguments.extend(["--set", setting]);
        }
        self.wissel.run(&arguments)
    }

    fn authorize(&self, user: &str) -> Value {
        let running = self.wissel.spawn(&["account", "authorize", ACCOUNT, "--no-browser", "--json"]);
        let link = link_of(&running);
        let _ = browse(&json!({
            "link": link, "user": user, "password": "wachtwoord", "deliver": true, "ca": self.bed.ca()
        }));
        running.wait().success().json()
    }
}

#[test]
fn the_manuals_account_is_authorised_over_tls() {
    let house = House::new(&[&format!("mailbox={USER}")]);
    let said = house.authorize(USER);
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
    let said = house.authorize(USER);
    assert!(said["warnings"][0].as_str().unwrap().contains("shared mailbox"), "{said}");
}
