//! An installation with a connector that describes OAuth, and no provider: what is kept and said of clients needs none.

use std::path::Path;

use super::{Output, Wissel};

pub const CLIENT_ID: &str = "00000000-1111-4222-8333-444444444444";
pub const TENANT: &str = "11111111-2222-4333-8444-555555555555";
/// What no output may show.
pub const SECRETS: [&str; 3] = ["Geheim~Een-7Kq", "Geheim~Twee-9Zt-lang", "handtekening-geheim-31"];

pub struct Office {
    pub wissel: Wissel,
}

impl Office {
    /// With the connector `probe` installed.
    pub fn new() -> Self {
        let folder = std::env::var_os("WISSEL_GUESTS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests"),
            std::path::PathBuf::from,
        );
        let office = Self { wissel: Wissel::new() };
        let probe = folder.join("probe.wasm");
        assert!(probe.exists(), "{} is missing: run `cargo xtask connectors`", probe.display());
        office.wissel.ok(&["connector", "install", probe.to_str().unwrap()]);
        office
    }

    /// With the client `Kantoor`, whose secret `eerste` expires then.
    pub fn with_client(expires: &str) -> Self {
        let office = Self::new();
        let (id, tenant) = (format!("client-id={CLIENT_ID}"), format!("tenant={TENANT}"));
        let add = ["client", "add", "Kantoor", "--connector", "probe", "--set", &id, "--set", &tenant];
        let secret = ["--client-secret-stdin", "--expires", expires, "--label", "eerste"];
        office.ok_with(&[&add[..], &secret].concat(), SECRETS[0]);
        office
    }

    /// Adds an account that is authorised through the client `Kantoor`.
    pub fn add_account(&self, name: &str, auth: &str) -> Output {
        let add = ["account", "add", name, "--connector", "probe", "--auth", auth, "--client", "Kantoor"];
        self.ok(&add)
    }

    /// Runs a command; no secret may show.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let output = self.wissel.run_with(arguments, input);
        for secret in SECRETS {
            assert!(!output.all().contains(secret), "a secret shows in {arguments:?}: {}", output.all());
        }
        output
    }

    pub fn ok_with(&self, arguments: &[&str], input: &str) -> Output {
        let output = self.run_with(arguments, input);
        assert_eq!(output.code, 0, "{arguments:?}\n{}", output.all());
        output
    }

    pub fn ok(&self, arguments: &[&str]) -> Output {
        self.ok_with(arguments, "")
    }

    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        self.ok(&[arguments, &["--json"]].concat()).json()
    }

    /// The document of a command that must fail with this code.
    pub fn error(&self, code: i32, arguments: &[&str], input: &str) -> serde_json::Value {
        let output = self.run_with(&[arguments, &["--json"]].concat(), input);
        assert_eq!(output.code, code, "{arguments:?}\n{}", output.all());
        output.json()["error"].clone()
    }
}
