//! The manual's account: Microsoft Graph, authorised by a person at a browser, on the test bed's faces.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::issuer::{browse, link_of};
use crate::scene::warm;
use crate::wissel::{Output, Wissel};

/// The account that most tests add.
pub const ACCOUNT: &str = "Facturen";
/// Who signs in, and whose mailbox it is.
pub const USER: &str = "facturen@voorbeeld.example";
/// A shared mailbox that the user may open.
pub const SHARED: &str = "administratie@voorbeeld.example";
/// The user's password.
pub const PASSWORD: &str = "wachtwoord";
/// A registration without any secret.
const PUBLIC: &str = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff";

/// A test bed, and an installation of Wissel beside it.
pub struct House {
    /// The mailbox with its faces.
    pub bed: Bed,
    /// The installation.
    pub wissel: Wissel,
}

impl House {
    /// With the account [`ACCOUNT`], not yet authorised.
    #[must_use]
    pub fn new(settings: &[&str]) -> Self {
        let house = Self::empty(&[]);
        house.add(ACCOUNT, settings).success();
        house
    }

    /// With no account; `arguments` are the test bed's.
    #[must_use]
    pub fn empty(arguments: &[&str]) -> Self {
        let mut bed = Bed::start(arguments);
        // As long as a client without `cp1` has them: tests set the clocks two hours ahead.
        bed.command("set access 4500");
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        let clock = wissel.path("clock");
        wissel.set("WISSEL_CLOCK", clock);
        warm(&wissel);
        Self { bed, wissel }
    }

    /// Sets Wissel's clock ahead, so that a token ends for Wissel alone.
    pub fn ahead(&self, minutes: u32) {
        std::fs::write(self.wissel.path("clock"), (minutes * 60).to_string()).unwrap();
    }

    /// Adds an account of the registration without a secret.
    pub fn add(&self, name: &str, settings: &[&str]) -> Output {
        let arguments = self.account(name, "oauth", PUBLIC, settings);
        self.wissel.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Adds an account of the registration with a secret, which is called `oud`.
    pub fn add_with_secret(&self, name: &str, auth: &str, settings: &[&str]) {
        let mut arguments = self.account(name, auth, self.bed.fact("client_id"), settings);
        arguments.extend(["--client-secret-stdin", "--label", "oud"].map(str::to_owned));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.wissel.run_with(&arguments, self.bed.fact("client_secret")).success();
    }

    fn account(&self, name: &str, auth: &str, client: &str, settings: &[&str]) -> Vec<String> {
        let (bed, ca) = (&self.bed, self.bed.ca().display().to_string());
        let own = [
            format!("client-id={client}"),
            format!("tenant={}", bed.fact("tenant")),
            format!("authority={}", bed.fact("entra").trim_end_matches('/')),
            format!("service={}", bed.fact("graph").trim_end_matches('/')),
        ];
        let add = ["account", "add", name, "--connector", "graph", "--auth", auth, "--ca-file", &ca];
        let mut arguments = add.map(str::to_owned).to_vec();
        for setting in own.into_iter().chain(settings.iter().map(|setting| (*setting).to_owned())) {
            arguments.extend(["--set".to_owned(), setting]);
        }
        arguments
    }

    /// How many requests of this kind the Entra face answered with this code; 0 is success.
    pub fn answered(&mut self, flow: &str, code: u32) -> u64 {
        let counts = self.bed.command("sign-in-counts");
        counts[flow][code.to_string()].as_u64().unwrap_or_default()
    }

    /// Adds an account of the same mailbox over IMAP, by password.
    pub fn add_imap(&self, name: &str) {
        let port = format!("port={}", self.bed.fact("imaps").rsplit_once(':').unwrap().1);
        let (user, ca) = (format!("user={USER}"), self.bed.ca().display().to_string());
        let account = ["account", "add", name, "--connector", "imap", "--auth", "password"];
        let more =
            ["--password-stdin", "--ca-file", &ca, "--set", "host=localhost", "--set", &port, "--set", &user];
        let _ = self.wissel.run_with(&[&account[..], &more].concat(), PASSWORD).success();
    }

    /// Authorises an account as a person does, with a browser.
    pub fn authorize(&self, name: &str, user: &str) -> Value {
        let running = self.wissel.spawn(&["account", "authorize", name, "--no-browser", "--json"]);
        let link = link_of(&running);
        let _ = browse(&json!({
            "link": link, "user": user, "password": PASSWORD, "deliver": true, "ca": self.bed.ca()
        }));
        running.wait().success().json()
    }
}
