//! An installation, an issuer, and an account between them.

use serde_json::{Value, json};
use wissel_tests::issuer::{Issuer, link_of, sign_in};
use wissel_tests::wissel::{Output, Running, Wissel};

/// The account.
pub(crate) const ACCOUNT: &str = "Post";
/// Whose mailbox it is.
pub(crate) const ALICE: &str = "alice@example.test";

/// An installation beside an issuer.
pub(crate) struct Office {
    pub(crate) issuer: Issuer,
    pub(crate) wissel: Wissel,
}

impl Office {
    /// Nothing in it.
    pub(crate) fn empty(options: &Value) -> Self {
        let mut wissel = Wissel::new();
        wissel.set("WISSEL_LANG", "en");
        Self { issuer: Issuer::start(options), wissel }
    }

    /// With the account of a client that anybody may be.
    pub(crate) fn new() -> Self {
        let office = Self::empty(&json!({}));
        office.add("oauth", &[("client-id", "public")], &["--allow-clear-text", "oauth"]).success();
        office
    }

    /// Adds the account.
    pub(crate) fn add(&self, auth: &str, settings: &[(&str, &str)], more: &[&str]) -> Output {
        let address = &self.issuer.address;
        let mut arguments: Vec<String> =
            ["account", "add", ACCOUNT, "--connector", "imap", "--auth", auth].map(str::to_owned).to_vec();
        let own = [
            ("host", "localhost".to_owned()),
            ("user", ALICE.to_owned()),
            ("authorize-url", format!("{address}/auth")),
            ("token-url", format!("{address}/token")),
            ("device-url", format!("{address}/device/auth")),
            ("scope", "openid offline_access IMAP.AccessAsUser.All".to_owned()),
            ("prompt", "consent".to_owned()),
        ];
        for (key, value) in own {
            if !settings.iter().any(|(other, _)| *other == key) {
                arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
            }
        }
        for (key, value) in settings {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        arguments.extend(more.iter().map(|more| (*more).to_owned()));
        self.wissel.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Begins to authorise, and waits for the link.
    pub(crate) fn begin(&self, more: &[&str]) -> (Running, String) {
        let arguments = [&["account", "authorize", ACCOUNT, "--no-browser"], more].concat();
        let running = self.wissel.spawn(&arguments);
        let link = link_of(&running);
        (running, link)
    }

    /// Authorises, signing in as `user`.
    pub(crate) fn authorize(&self, user: &str) -> Output {
        let (running, link) = self.begin(&["--json"]);
        let answer = sign_in(&link, user, true);
        let output = running.wait();
        let code = answer.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
        for secret in [code.as_str(), "code_verifier"] {
            assert!(!output.stdout.contains(secret) && !output.stderr.contains(secret), "{output:?}");
        }
        output
    }
}
