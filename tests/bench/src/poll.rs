//! A poll that finds nothing new, in a mailbox that was imported and left as it is: by a command of its own, and in the
//! service, where nothing has to be started. Beside mbsync, which keeps a copy of the mailbox.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use wissel_tests::corpus;
use wissel_tests::scene::Entry;

use crate::installation::{Installation, JOB, LEAVING};
use crate::measure::{self, Runs, Usage};
use crate::peers;
use crate::post::Post;
use crate::report::Section;
use crate::service::Service;
use crate::statistics::Sample;
use crate::turns::Turns;

/// The corpus is the same on every machine.
const SEED: u64 = 1;
/// Runs of a command that one measurement is the mean of.
const POLLS: u32 = 10;

/// What the service takes.
struct Serving {
    /// CPU seconds of a poll.
    cpu: f64,
    /// CPU seconds in a second without a poll.
    idle: f64,
    /// MiB in memory.
    memory: f64,
    polls: f64,
    /// Round trips of a poll.
    turns: f64,
}

/// Measures all in turn, `runs` times; the service polls each second, for `seconds` each time.
pub(crate) fn bench(folder: &Path, runs: usize, messages: usize, seconds: u64) -> Result<Section> {
    let corpus = corpus::messages(SEED, messages as u64);
    let post = Post::open(&corpus)?;
    drop(corpus);
    let (port, ca, server) = (post.server.tls_port, &post.server.certificates().ca, post.server.pid());
    let wissel = Installation::make(folder, &Entry::of(&post.server), LEAVING)?;
    wissel.fresh()?;
    wissel.done(&["job", "run", JOB])?;
    ensure!(wissel.imported() == messages, "wissel imported {} messages", wissel.imported());
    measure::run(&mut peers::mbsync(folder, port, ca)?, server, &[])?;
    // The first after an import or a change of the account looks at everything again.
    let warm = || wissel.done(&["job", "run", JOB]);

    let turns = Turns::before(port)?;
    wissel.turn_to(turns.port)?;
    warm()?;
    turns.take();
    warm()?;
    let of_wissel = turns.take();
    measure::run(&mut peers::mbsync_again(folder, turns.port, ca)?, server, &[])?;
    let of_mbsync = turns.take();

    let (mut command, mut mbsync, mut service) = (Runs::default(), Runs::default(), Vec::new());
    for _ in 0..runs {
        wissel.turn_to(port)?;
        warm()?;
        command.0.push(measure::mean(POLLS, &mut wissel.command(&["job", "run", JOB, "--json"]), server)?);
        mbsync.0.push(measure::mean(POLLS, &mut peers::mbsync_again(folder, port, ca)?, server)?);
        wissel.turn_to(turns.port)?;
        warm()?;
        service.push(serve(folder, &wissel, &turns, Duration::from_secs(seconds))?);
    }
    let mut section = Section {
        title: format!("a poll of a folder with {messages} messages that finds nothing new, over TLS"),
        head: vec!["", "ms", "CPU ms", "server CPU ms", "peak MiB", "connections", "round trips"],
        ..Section::default()
    };
    let mut data = serde_json::Map::new();
    for (name, runs, (connections, turns)) in
        [("wissel job run", &command, of_wissel), ("mbsync", &mbsync, of_mbsync)]
    {
        section.rows.push(vec![
            name.to_owned(),
            runs.sample(|usage| usage.wall * 1e3).shown(0),
            runs.sample(|usage| usage.cpu() * 1e3).shown(1),
            runs.sample(|usage| usage.server * 1e3).shown(1),
            runs.sample(|usage| usage.peak).shown(0),
            connections.to_string(),
            turns.to_string(),
        ]);
        let counted = json!({ "usage": runs.json(), "connections": connections, "round_trips": turns });
        data.insert(name.to_owned(), counted);
    }
    let of = |figure: fn(&Serving) -> f64| service.iter().map(figure).collect::<Sample>();
    section.rows.push(vec![
        "wissel run, each poll".to_owned(),
        String::new(),
        of(|seen| seen.cpu * 1e3).shown(1),
        String::new(),
        of(|seen| seen.memory).shown(0),
        "1".to_owned(),
        of(|seen| seen.turns).shown(0),
    ]);
    data.insert("wissel run".to_owned(), serving(&of));
    let ratio = command.ratio(&mbsync, Usage::cpu);
    data.insert("cpu_of_command_times_mbsync".to_owned(), ratio.json());
    section.data = Value::Object(data);
    section.notes = vec![
        format!(
            "wissel job run takes {} times the CPU of mbsync; it starts a program, a database and a sandbox.",
            ratio.shown(2)
        ),
        format!(
            "wissel run polled each second, {} polls; without polls it takes {} ms of CPU in a second. Its memory is what it has, not the peak.",
            of(|seen| seen.polls).shown(0),
            of(|seen| seen.idle * 1e3).shown(1)
        ),
    ];
    Ok(section)
}

/// Watches a service, first while no job is due, then while one is each second.
fn serve(folder: &Path, wissel: &Installation, turns: &Turns, time: Duration) -> Result<Serving> {
    wissel.done(&["job", "edit", JOB, "--every", "1d"])?;
    let service = Service::start(&mut wissel.command(&[]), folder)?;
    thread::sleep(Duration::from_secs(1));
    let before = service.cpu()?;
    thread::sleep(time);
    let idle = (service.cpu()? - before) / time.as_secs_f64();
    wissel.done(&["job", "edit", JOB, "--every", "1s"])?;
    // The job has another revision: its first run looks at everything again.
    thread::sleep(Duration::from_secs(3));
    turns.take();
    let before = service.cpu()?;
    thread::sleep(time);
    let (cpu, memory) = (service.cpu()? - before, service.memory()?);
    let (polls, trips) = turns.take();
    service.stop()?;
    ensure!(polls > 0, "the service did not poll");
    #[allow(clippy::cast_precision_loss, reason = "a service polls once a second")]
    let (polls, trips) = (polls as f64, trips as f64);
    let cpu = (cpu - idle * time.as_secs_f64()) / polls;
    Ok(Serving { cpu, idle, memory, polls, turns: trips / polls })
}

fn serving(of: &impl Fn(fn(&Serving) -> f64) -> Sample) -> Value {
    json!({
        "cpu_seconds_of_a_poll": of(|seen| seen.cpu).json(),
        "idle_cpu_seconds_in_a_second": of(|seen| seen.idle).json(),
        "resident_mib": of(|seen| seen.memory).json(),
        "round_trips": of(|seen| seen.turns).json(),
        "polls": of(|seen| seen.polls).json(),
    })
}
