//! Many accounts and one service: a test bed that serves a mailbox of its own to each, and an installation that knows all.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wissel_tests::paths;
use wissel_tests::wissel::Wissel;

use crate::measure;
use crate::report::{Bound, Goal, Section};
use crate::service::Service;
use crate::statistics::Sample;

/// What the test bed lets everybody in with.
const PASSWORD: &str = "wachtwoord";
/// How often each account is polled.
const INTERVAL: Duration = Duration::from_secs(60);
/// How long after the last interval the polls of that interval may take before they are counted.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// A test bed with many accounts, and an installation with a job for each.
pub(crate) struct Fleet {
    testbed: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    begun: Instant,
    pub(crate) wissel: Wissel,
    /// Seconds that it took to add the accounts and jobs.
    pub(crate) applied: f64,
}

impl Fleet {
    /// Starts the test bed, and adds its accounts and a job for each with this line of TOML more.
    pub(crate) fn start(folder: &Path, accounts: usize, job: &str) -> Result<Self> {
        let ca = folder.join("fleet-ca.pem");
        let mut command = Command::new(paths::testbed());
        command.args([
            "--messages",
            "0",
            "--password",
            PASSWORD,
            "--fleet",
            &accounts.to_string(),
            "--ca-file",
        ]);
        command.arg(&ca).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut testbed = command.spawn().context("cannot start the test bed")?;
        let input = testbed.stdin.take().context("the test bed has no input")?;
        let mut output = BufReader::new(testbed.stdout.take().context("the test bed has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let started: Value = serde_json::from_str(&line).context("the test bed did not start")?;
        let address =
            started.get("imaps").and_then(Value::as_str).context("the test bed names no address")?;
        let address: SocketAddr = address.parse()?;
        let mut wissel = Wissel::below(folder);
        wissel.set("WISSEL_LANG", "en");
        wissel.set("FLEET_PASSWORD", PASSWORD);
        let file = folder.join("fleet.toml");
        fs::write(&file, toml(accounts, address.port(), &ca, &wissel.path("imported"), job))?;
        let applying = Instant::now();
        wissel.run(&["apply", "-f", &file.display().to_string()]).success();
        let applied = applying.elapsed().as_secs_f64();
        Ok(Self { testbed, input, output, begun, wissel, applied })
    }

    /// A command on the installation.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(paths::wissel());
        command.env("WISSEL_HOME", self.wissel.home()).env("WISSEL_CONNECTORS", paths::connectors());
        command
    }

    /// CPU seconds of the test bed until now.
    fn cpu(&self) -> Result<f64> {
        measure::cpu(self.testbed.id())
    }

    /// When each account signed in, in seconds since the test bed was started.
    pub(crate) fn sign_ins(&mut self) -> Result<Vec<Vec<f64>>> {
        self.input.write_all(b"sign-ins\n")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        let accounts = answer.as_object().context("the test bed does not say who signed in")?;
        let times =
            |times: &Value| times.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        Ok(accounts.values().map(times).collect())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.testbed.kill();
        let _ = self.testbed.wait();
    }
}

/// The accounts and their jobs, as `wissel apply` reads them.
fn toml(accounts: usize, port: u16, ca: &Path, to: &Path, job: &str) -> String {
    let (ca, to) = (ca.display(), to.display());
    let mut text = String::new();
    for number in 1..=accounts {
        text += &format!(
            "[[account]]\nname = \"fleet-{number}\"\nconnector = \"imap\"\nauth = \"password\"\n\
             [account.settings]\nhost = \"localhost\"\nport = \"{port}\"\nuser = \"fleet-{number}\"\n\
             [account.connection]\nca-file = \"{ca}\"\n\
             [account.secrets]\npassword = {{ env = \"FLEET_PASSWORD\" }}\n\
             [[job]]\nname = \"job-{number}\"\ndirectory = \"{to}/{number}\"\naction = \"leave\"\n{job}\n\
             [[job.accounts]]\naccount = \"fleet-{number}\"\nfolder = \"INBOX\"\n"
        );
    }
    text
}

/// Has one service poll every account each minute, for `minutes` after the first poll.
pub(crate) fn bench(folder: &Path, accounts: &[usize], minutes: u32) -> Result<Section> {
    let mut section = Section {
        title: "accounts that one service polls each minute, each with a mailbox of its own that has nothing new".to_owned(),
        head: vec![
            "accounts", "polls", "s to add", "s for a round", "late s, worst", "CPU %", "CPU ms, a poll", "MiB", "test bed CPU %",
        ],
        notes: vec![
            "late: how much longer than a minute it took from one sign-in of an account to its next, seen by the server.".into(),
            "a round: from the first sign-in to the last, of those that are due together. CPU: of one core, in the last minute.".into(),
        ],
        ..Section::default()
    };
    let mut data = serde_json::Map::new();
    for accounts in accounts {
        let folder = tempfile::tempdir_in(folder)?;
        let seen = poll(folder.path(), *accounts, minutes)?;
        section.rows.push(vec![
            accounts.to_string(),
            seen.polls.to_string(),
            format!("{:.1}", seen.applied),
            format!("{:.1}", seen.round),
            format!("{:.2}", seen.late.max()),
            format!("{:.1}", seen.cpu * 100.0),
            format!("{:.2}", seen.cpu_of_a_poll * 1e3),
            format!("{:.0}", seen.memory),
            format!("{:.1}", seen.testbed * 100.0),
        ]);
        let goal = |what: String, bound, seen| Goal { what, bound, seen };
        section.goals.push(goal(
            format!("{accounts} accounts: seconds late"),
            Bound::AtMost(10.0),
            seen.late.max(),
        ));
        data.insert(accounts.to_string(), seen.json());
    }
    section.data = Value::Object(data);
    Ok(section)
}

/// What one fleet took.
struct Polled {
    applied: f64,
    polls: usize,
    /// Seconds from the first to the last sign-in of the last round.
    round: f64,
    /// Seconds beyond the interval, of each account at its worst.
    late: Sample,
    /// CPU seconds in a second.
    cpu: f64,
    cpu_of_a_poll: f64,
    memory: f64,
    testbed: f64,
}

impl Polled {
    fn json(&self) -> Value {
        json!({
            "apply_seconds": self.applied, "polls": self.polls, "round_seconds": self.round,
            "late_seconds_worst": self.late.max(), "late_seconds_median": self.late.median(),
            "cpu_of_one_core": self.cpu, "cpu_seconds_of_a_poll": self.cpu_of_a_poll,
            "resident_mib": self.memory, "testbed_cpu_of_one_core": self.testbed,
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "as many polls as a service can do in minutes")]
fn poll(folder: &Path, accounts: usize, minutes: u32) -> Result<Polled> {
    let mut fleet = Fleet::start(folder, accounts, "every = \"1m\"")?;
    let service = Service::start(&mut fleet.command(), folder)?;
    std::thread::sleep(INTERVAL * (minutes - 1));
    let before = (service.cpu()?, fleet.cpu()?, count(&fleet.sign_ins()?), Instant::now());
    std::thread::sleep(INTERVAL);
    let seconds = before.3.elapsed().as_secs_f64();
    let (cpu, testbed) = (service.cpu()? - before.0, fleet.cpu()? - before.1);
    let polls = count(&fleet.sign_ins()?) - before.2;
    std::thread::sleep(AFTERWARDS);
    let ended = fleet.begun.elapsed().as_secs_f64();
    let (times, memory) = (fleet.sign_ins()?, service.memory()?);
    service.stop()?;
    let silent = times.iter().filter(|times| times.is_empty()).count();
    ensure!(silent == 0, "{silent} of {accounts} accounts were never polled");
    // An account that was polled too seldom is late until now.
    let late = times.iter().map(|times| {
        let next = times.iter().skip(1).copied().chain([ended]);
        let gaps = times.iter().zip(next).map(|(one, next)| next - one - INTERVAL.as_secs_f64());
        gaps.fold(0.0, f64::max)
    });
    let last = times.iter().map(|times| times.get(minutes as usize - 1).copied().unwrap_or(ended));
    let (first, last) = last.fold((f64::MAX, 0.0_f64), |(low, high), at| (low.min(at), high.max(at)));
    Ok(Polled {
        applied: fleet.applied,
        polls: count(&times),
        round: last - first,
        late: late.collect(),
        cpu: cpu / seconds,
        cpu_of_a_poll: cpu / polls.max(1) as f64,
        memory,
        testbed: testbed / seconds,
    })
}

fn count(times: &[Vec<f64>]) -> usize {
    times.iter().map(Vec::len).sum()
}
