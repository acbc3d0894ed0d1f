//! The test bed's Graph face over a mailbox with the messages of a benchmark, at a distance: each request waits a while
//! before it is carried out. Runs in a process of its own, so that its CPU is told apart.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wissel_tests::bed::Bed;
use wissel_tests::graph::{PASSWORD, USER};
use wissel_tests::imap::{Imap, mailbox};
use wissel_tests::scene::ACCOUNT;

/// The folder that is imported from.
pub(crate) const FOLDER: &str = "Postvak IN/Meting";
/// Where imported messages go.
pub(crate) const PROCESSED: &str = "Postvak IN/Verwerkt";

/// What the face saw since it was asked last.
pub(crate) struct Seen {
    /// HTTP requests; a batch is one.
    pub(crate) requests: u64,
    /// Operations: what is inside a batch counts one by one, and the batch not.
    pub(crate) operations: u64,
    /// The most requests in flight at one time.
    pub(crate) most_in_flight: u64,
    /// Requests that were refused because there were too many.
    pub(crate) throttled: u64,
}

/// A running test bed.
pub(crate) struct Cloud {
    bed: Bed,
    imap: Imap,
}

impl Cloud {
    /// Starts one and puts `messages` into [`FOLDER`], a minute apart.
    pub(crate) fn open<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> Result<Self> {
        let mut bed = Bed::start(&["--messages", "0"]);
        for folder in [FOLDER, PROCESSED] {
            bed.command(&format!("create {folder}"));
        }
        // Several runs in ten minutes are more than the service allows one mailbox; that four requests are under way
        // at most stays.
        bed.command("limit requests 100000000");
        let port = bed.fact("plain").rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let mut imap = Imap::sign_in(port.context("the test bed names no port")?, USER, PASSWORD);
        for (number, message) in messages.into_iter().enumerate() {
            let (day, hour, minute) = (1 + number / 1440, number / 60 % 24, number % 60);
            let date = format!("{day:02}-Jan-2026 {hour:02}:{minute:02}:00 +0000");
            imap.append_at(FOLDER, &date, message.as_ref());
        }
        Ok(Self { bed, imap })
    }

    /// Lets each request wait.
    pub(crate) fn set_latency(&mut self, latency: Duration) {
        self.bed.command(&format!("latency {}", latency.as_millis()));
    }

    /// Brings what was moved back to [`FOLDER`], and begins to count anew.
    pub(crate) fn reset(&mut self) -> Result<()> {
        if self.count(PROCESSED)? > 0 {
            self.imap.command(&format!("SELECT {}", mailbox(PROCESSED)));
            self.imap.command(&format!("UID MOVE 1:* {}", mailbox(FOLDER)));
            self.imap.command("UNSELECT");
        }
        self.bed.command("traffic reset");
        Ok(())
    }

    /// How many messages lie in a folder.
    pub(crate) fn count(&mut self, folder: &str) -> Result<usize> {
        let folders = self.bed.command("folders");
        let total = folders.get(folder).and_then(|folder| folder.get("total")).and_then(Value::as_u64);
        total.and_then(|total| total.try_into().ok()).with_context(|| format!("{folder}: {folders}"))
    }

    /// What was seen since [`Cloud::reset`].
    pub(crate) fn seen(&mut self) -> Result<Seen> {
        let traffic = self.bed.command("traffic");
        let number = |name: &str| {
            let number = traffic.get(name).and_then(Value::as_u64);
            number.with_context(|| format!("the test bed does not count {name}"))
        };
        let operations = traffic.get("operations").and_then(Value::as_object).into_iter().flatten();
        // Those of IMAP are one word.
        let graph = operations.filter(|(name, _)| name.contains(' ') && *name != "POST $batch");
        let seen = Seen {
            requests: number("requests")?,
            operations: graph.filter_map(|(_, times)| times.as_u64()).sum(),
            most_in_flight: number("most_in_flight")?,
            throttled: number("throttled")?,
        };
        ensure!(seen.throttled == 0, "{} requests were refused: too many at once", seen.throttled);
        Ok(seen)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.bed.pid()
    }

    /// The certificate to trust.
    pub(crate) fn ca(&self) -> PathBuf {
        self.bed.ca()
    }

    /// A fact of the test bed.
    pub(crate) fn fact(&self, name: &str) -> &str {
        self.bed.fact(name)
    }

    /// Where tokens are granted.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.fact("entra"), self.fact("tenant"))
    }

    /// The command that adds [`ACCOUNT`] as an application in the user's mailbox. Its secret is the fact
    /// `client_secret`.
    pub(crate) fn account(&self) -> Vec<String> {
        let ca = self.ca().display().to_string();
        let command = ["account", "add", ACCOUNT, "--connector", "graph", "--auth", "app", "--ca-file", &ca];
        let settings = [
            format!("client-id={}", self.fact("client_id")),
            format!("tenant={}", self.fact("tenant")),
            format!("authority={}", self.fact("entra")),
            format!("service={}", self.fact("graph")),
            format!("mailbox={USER}"),
        ];
        let mut arguments: Vec<String> = command.map(str::to_owned).into();
        arguments.push("--client-secret-stdin".to_owned());
        for setting in settings {
            arguments.extend(["--set".to_owned(), setting]);
        }
        arguments
    }
}
