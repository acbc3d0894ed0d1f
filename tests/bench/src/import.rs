//! The import of a whole mailbox, durable and with every message moved afterwards, beside mbsync, fetchmail and the floor.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Map, json};
use wissel_tests::corpus;
use wissel_tests::scene::Entry;

use crate::installation::{Installation, JOB, MOVING};
use crate::measure::{self, Runs, Usage};
use crate::peers::{self, FETCHMAIL_MESSAGES};
use crate::post::{PROCESSED, Post};
use crate::report::{Bound, Goal, Section};
use crate::turns::Turns;

/// The corpus is the same on every machine.
const SEED: u64 = 1;

/// fetchmail's exit code when more is left than it was to fetch.
const LIMIT_REACHED: i32 = 13;

/// Who imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Wissel,
    Mbsync,
    Fetchmail,
    Floor,
}

const ALL: [Who; 4] = [Who::Wissel, Who::Mbsync, Who::Floor, Who::Fetchmail];

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Wissel => "wissel",
            Self::Mbsync => "mbsync",
            Self::Fetchmail => "fetchmail",
            Self::Floor => "floor",
        }
    }
}

struct Contest<'a> {
    folder: &'a Path,
    post: &'a Post,
    wissel: Installation,
    messages: usize,
}

/// Runs them in turn, `runs` times.
pub(crate) fn bench(folder: &Path, runs: usize, messages: usize) -> Result<Section> {
    let corpus = corpus::messages(SEED, messages as u64);
    let post = Post::open(&corpus)?;
    drop(corpus);
    let wissel = Installation::make(folder, &Entry::of(&post.server), MOVING)?;
    let contest = Contest { folder, post: &post, wissel, messages };
    let turns = Turns::before(post.server.tls_port)?;
    // Not timed; also warms the page cache for everybody.
    let mut counted = Vec::new();
    for who in ALL {
        contest.once(who, turns.port)?;
        counted.push(turns.take());
    }
    let mut seen: Vec<Runs> = ALL.map(|_| Runs::default()).into();
    for _ in 0..runs {
        for (who, runs) in ALL.into_iter().zip(&mut seen) {
            runs.0.push(contest.once(who, post.server.tls_port)?);
        }
    }
    Ok(contest.report(&seen, &counted))
}

impl Contest<'_> {
    /// One import by one program, from the beginning, checked in the end.
    fn once(&self, who: Who, port: u16) -> Result<Usage> {
        self.post.reset()?;
        let ca = &self.post.server.certificates().ca;
        let mut command = match who {
            Who::Wissel => {
                self.wissel.fresh()?;
                if port != self.post.server.tls_port {
                    self.wissel.turn_to(port)?;
                }
                self.wissel.command(&["job", "run", JOB, "--json"])
            }
            Who::Mbsync => peers::mbsync(self.folder, port, ca)?,
            Who::Fetchmail => peers::fetchmail(self.folder, port, ca, self.messages(who))?,
            Who::Floor => {
                let mut floor = Command::new(std::env::current_exe()?);
                floor.arg("floor").arg(port.to_string()).arg(ca);
                floor
            }
        };
        let (usage, _) = measure::run(&mut command, self.post.server.pid(), &[LIMIT_REACHED])?;
        let (brought, moved) = match who {
            Who::Wissel => (self.wissel.imported(), true),
            Who::Mbsync => (peers::mbsync_count(self.folder), false),
            Who::Fetchmail => (peers::fetchmail_count(self.folder), false),
            Who::Floor => (self.messages, true),
        };
        ensure!(brought == self.messages(who), "{} brought {brought} messages", who.name());
        let processed = if moved { self.post.count(PROCESSED)? } else { self.messages };
        ensure!(processed == self.messages, "{} moved {processed} messages", who.name());
        Ok(usage)
    }

    fn messages(&self, who: Who) -> usize {
        if who == Who::Fetchmail { FETCHMAIL_MESSAGES.min(self.messages) } else { self.messages }
    }

    #[allow(clippy::cast_precision_loss, reason = "a mailbox has fewer messages and bytes")]
    fn report(&self, seen: &[Runs], counted: &[(u64, u64)]) -> Section {
        let mut section = Section {
            title: format!(
                "{} messages, {:.0} MB, from an IMAP server on this machine, over TLS",
                self.messages,
                self.post.bytes as f64 / 1e6
            ),
            head: vec!["", "messages/s", "CPU s", "server CPU s", "peak MiB", "connections", "round trips"],
            ..Section::default()
        };
        let mut data = Map::new();
        for ((who, runs), (connections, turns)) in ALL.into_iter().zip(seen).zip(counted) {
            let messages = self.messages(who) as f64;
            let rate = runs.sample(|usage| messages / usage.wall);
            section.rows.push(vec![
                who.name().to_owned(),
                rate.shown(0),
                runs.sample(Usage::cpu).shown(2),
                runs.sample(|usage| usage.server).shown(2),
                runs.sample(|usage| usage.peak).shown(0),
                connections.to_string(),
                turns.to_string(),
            ]);
            let mut figures = runs.json();
            if let Some(figures) = figures.as_object_mut() {
                figures.insert("messages".to_owned(), json!(messages));
                figures.insert("messages_per_second".to_owned(), rate.json());
                figures.insert("connections".to_owned(), json!(connections));
                figures.insert("round_trips".to_owned(), json!(turns));
            }
            data.insert(who.name().to_owned(), figures);
        }
        section.data = data.into();
        if let [wissel, mbsync, floor, _] = seen {
            let speed = |theirs: &Runs| theirs.ratio(wissel, |usage| usage.wall).median();
            let mut goal =
                |what: &str, bound, seen| section.goals.push(Goal { what: what.to_owned(), bound, seen });
            goal("messages/s, times mbsync's", Bound::AtLeast(2.0), speed(mbsync));
            goal("CPU, times mbsync's", Bound::AtMost(1.5), wissel.ratio(mbsync, Usage::cpu).median());
            goal("messages/s, times the floor's", Bound::AtLeast(0.6), speed(floor));
        }
        section.notes = vec![
            "wissel syncs every message and its ledger, and moves every message; the floor fetches all, throws it away".into(),
            "and moves all with one command; mbsync syncs every message and moves none.".into(),
            format!("fetchmail, by far the slowest: {} messages only, into one file that is not synced, none moved.", self.messages(Who::Fetchmail)),
            "Round trips: how often the client spoke again after the server had spoken; more than it waited for, if it sends ahead.".into(),
        ];
        section
    }
}
