//! The import of a mailbox in the cloud, from a service that is 40 ms away and lets four requests be under way: beside a
//! Python client that does the same, and beside the floor, which is what those requests take if four are always under way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use wissel_tests::corpus;
use wissel_tests::graph::USER;

use crate::cloud::{Cloud, FOLDER, PROCESSED, Seen};
use crate::disk::put_aside;
use crate::installation::{Installation, JOB};
use crate::measure::{self, Runs, Usage};
use crate::report::{Bound, Goal, Section};
use crate::statistics::Sample;

/// The corpus is the same on every machine.
const SEED: u64 = 1;
/// What each request waits for.
const LATENCY: Duration = Duration::from_millis(40);
/// Requests that the service lets be under way for one mailbox.
const PARALLEL: u32 = 4;
/// The job's folders.
const MOVING: &[&str] = &["--folder", FOLDER, "--processed", PROCESSED];

/// Who imports, and how far away the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Wissel,
    /// Without any latency: what the programs themselves take.
    Near,
    Python,
}

const ALL: [Who; 3] = [Who::Wissel, Who::Near, Who::Python];

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Wissel => "wissel",
            Self::Near => "wissel, no latency",
            Self::Python => "msgraph-sdk",
        }
    }
}

/// All runs of one of them.
#[derive(Default)]
struct Findings {
    runs: Runs,
    seen: Vec<Seen>,
}

impl Findings {
    fn counted(&self, figure: impl Fn(&Seen) -> u64) -> Sample {
        #[allow(clippy::cast_precision_loss, reason = "a run has fewer requests")]
        self.seen.iter().map(|seen| figure(seen) as f64).collect()
    }

    /// Seconds that the requests of each run take when four are always under way.
    fn floors(&self) -> impl Iterator<Item = f64> {
        self.counted(|seen| seen.requests).values().to_vec().into_iter().map(floor)
    }
}

/// Seconds that so many requests take at least.
fn floor(requests: f64) -> f64 {
    requests * LATENCY.as_secs_f64() / f64::from(PARALLEL)
}

struct Contest<'a> {
    folder: &'a Path,
    cloud: Cloud,
    wissel: Installation,
    messages: usize,
}

/// Runs them in turn, `runs` times.
pub(crate) fn bench(folder: &Path, runs: usize, messages: usize) -> Result<Section> {
    let cloud = Cloud::open((0..messages).map(|index| corpus::message(SEED, index as u64)))?;
    let wissel = Installation::with(folder, &cloud.account(), cloud.fact("client_secret"), MOVING)?;
    let mut contest = Contest { folder, cloud, wissel, messages };
    // Fills the caches, the service's among them.
    contest.once(Who::Near)?;
    let mut found: [Findings; 3] = Default::default();
    for _ in 0..runs {
        for (who, findings) in ALL.into_iter().zip(&mut found) {
            let (usage, seen) = contest.once(who)?;
            findings.runs.0.push(usage);
            findings.seen.push(seen);
        }
    }
    Ok(contest.report(&found))
}

impl Contest<'_> {
    /// One import by one program, from the beginning, checked in the end.
    fn once(&mut self, who: Who) -> Result<(Usage, Seen)> {
        let into = self.folder.join("msgraph");
        let mut command = match who {
            Who::Wissel | Who::Near => {
                self.wissel.fresh()?;
                self.wissel.command(&["job", "run", JOB, "--json"])
            }
            Who::Python => {
                put_aside(&into)?;
                fs::create_dir(&into)?;
                self.python(&into)?
            }
        };
        self.cloud.set_latency(if who == Who::Near { Duration::ZERO } else { LATENCY });
        self.cloud.reset()?;
        let (usage, _) = measure::run(&mut command, self.cloud.pid(), &[])?;
        let seen = self.cloud.seen()?;
        let brought = match who {
            Who::Wissel | Who::Near => self.wissel.imported(),
            Who::Python => fs::read_dir(&into)?.count(),
        };
        let moved = self.cloud.count(PROCESSED)?;
        ensure!(
            (brought, moved) == (self.messages, self.messages),
            "{} brought {brought} messages and moved {moved}",
            who.name()
        );
        Ok((usage, seen))
    }

    fn python(&self, into: &Path) -> Result<Command> {
        let cloud = &self.cloud;
        let python = xtask::peers::python();
        ensure!(python.exists(), "{} is missing: run `cargo xtask setup`", python.display());
        let given = json!({
            "graph": cloud.fact("graph"),
            "token_url": cloud.token_url(),
            "client_id": cloud.fact("client_id"),
            "client_secret": cloud.fact("client_secret"),
            "ca_file": cloud.ca(),
            "user": USER,
            "folder": FOLDER,
            "processed": PROCESSED,
            "into": into,
            "parallel": PARALLEL,
        });
        let script: PathBuf = xtask::workspace::root().join("tests/bench/peers/graph_msgraph.py");
        let script = script.canonicalize().context("the Python client")?;
        let mut command = Command::new(python);
        command.arg(script).arg(given.to_string());
        Ok(command)
    }

    #[allow(clippy::cast_precision_loss, reason = "a mailbox has fewer messages")]
    fn report(&self, found: &[Findings; 3]) -> Section {
        let messages = self.messages as f64;
        let mut section = Section {
            title: format!(
                "{} messages over Microsoft Graph as the test bed serves it, each request {} ms late, {PARALLEL} at a time",
                self.messages,
                LATENCY.as_millis()
            ),
            head: vec![
                "",
                "messages/s",
                "CPU s",
                "server CPU s",
                "peak MiB",
                "requests per message",
                "most in flight",
            ],
            ..Section::default()
        };
        let mut data = Map::new();
        for (who, findings) in ALL.into_iter().zip(found) {
            let rate = findings.runs.sample(|usage| messages / usage.wall);
            let requests: Sample = findings
                .counted(|seen| seen.requests)
                .values()
                .iter()
                .map(|count| count / messages)
                .collect();
            section.rows.push(vec![
                who.name().to_owned(),
                rate.shown(1),
                findings.runs.sample(Usage::cpu).shown(2),
                findings.runs.sample(|usage| usage.server).shown(2),
                findings.runs.sample(|usage| usage.peak).shown(0),
                requests.shown(3),
                findings.counted(|seen| seen.most_in_flight).shown(0),
            ]);
            if who != Who::Near {
                let rate: Sample = findings.floors().map(|seconds| messages / seconds).collect();
                let name = format!("the floor of {}", who.name());
                let none = || String::from("");
                section.rows.push(vec![name.clone(), rate.shown(1), none(), none(), none(), none(), none()]);
                data.insert(name, json!({ "messages_per_second": rate.json() }));
            }
            let mut figures = findings.runs.json();
            if let Some(figures) = figures.as_object_mut() {
                figures.insert("messages_per_second".to_owned(), rate.json());
                figures.insert("requests_per_message".to_owned(), requests.json());
                for (name, count) in [
                    ("requests", findings.counted(|seen| seen.requests)),
                    ("operations", findings.counted(|seen| seen.operations)),
                    ("most_in_flight", findings.counted(|seen| seen.most_in_flight)),
                ] {
                    figures.insert(name.to_owned(), count.json());
                }
            }
            data.insert(who.name().to_owned(), figures);
        }
        section.data = Value::Object(data);
        let [wissel, _, python] = found;
        let shares = wissel.floors().zip(&wissel.runs.0).map(|(floor, usage)| floor / usage.wall);
        let share = shares.collect::<Sample>().median();
        let cpu = wissel.runs.ratio(&python.runs, Usage::cpu).median();
        let mut goal = |what: &str, bound, seen| {
            section.goals.push(Goal { what: what.to_owned(), bound, seen });
        };
        goal("messages/s, times the floor's", Bound::AtLeast(0.9), share);
        goal("CPU, times msgraph-sdk's", Bound::AtMost(0.1), cpu);
        section.notes = vec![
            format!("The floor: requests x {} ms / {PARALLEL}. Counted is every HTTP request at the service, with a batch as one, which", LATENCY.as_millis()),
            "is how the latency falls; the token's, which goes elsewhere and comes once, is not, and neither is a program's start.".into(),
            "wissel syncs every message and its ledger; msgraph-sdk syncs every message, keeps no ledger, and looks at nothing in them.".into(),
        ];
        section
    }
}
