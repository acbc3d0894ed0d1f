//! Open sessions that wait for changes: the memory of each, in one service.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::fleet::Fleet;
use crate::report::Section;
use crate::service::Service;

/// How long the sessions may take to open.
const PATIENCE: Duration = Duration::from_secs(300);

/// Opens this many, and watches them for some seconds.
pub(crate) fn bench(folder: &Path, sessions: usize, seconds: u64) -> Result<Section> {
    // The same jobs without a session each: what the jobs take themselves is no part of what a session takes.
    let job = |watch: &str| format!("every = \"1d\"\n{watch}");
    let without = {
        let folder = tempfile::tempdir_in(folder)?;
        open(folder.path(), sessions, &job(""), 1, seconds)?
    };
    let with = open(folder, sessions, &job("watch = true"), 2, seconds)?;
    let count = f64::from(u32::try_from(sessions)?);
    let each = (with.memory - without.memory) / count * 1024.0;
    Ok(Section {
        title: format!("{sessions} sessions that wait for changes, in one service"),
        head: vec!["", "MiB", "KiB each", "CPU ms in a second", "seconds to open"],
        rows: vec![
            vec![
                format!("{sessions} jobs, polled once"),
                format!("{:.1}", without.memory),
                String::new(),
                format!("{:.1}", without.cpu * 1e3),
                String::new(),
            ],
            vec![
                format!("{sessions} jobs that wait"),
                format!("{:.1}", with.memory),
                format!("{each:.1}"),
                format!("{:.1}", with.cpu * 1e3),
                format!("{:.1}", with.opening),
            ],
        ],
        notes: vec!["Each session has its sandbox, its connection and its TLS; the kernel's part of a connection is not counted.".into()],
        data: json!({
            "sessions": sessions, "without_mib": without.memory, "with_mib": with.memory, "kib_each": each,
            "cpu_in_a_second": with.cpu, "cpu_in_a_second_without": without.cpu, "opening_seconds": with.opening,
        }),
        ..Section::default()
    })
}

/// What a service had when all was open and quiet.
struct Quiet {
    memory: f64,
    cpu: f64,
    opening: f64,
}

fn open(folder: &Path, jobs: usize, job: &str, sign_ins: usize, seconds: u64) -> Result<Quiet> {
    let mut fleet = Fleet::start(folder, jobs, job)?;
    let begun = Instant::now();
    let service = Service::start(&mut fleet.command(), folder)?;
    loop {
        let all = fleet.sign_ins()?;
        if all.iter().filter(|times| times.len() >= sign_ins).count() == jobs {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "not all of {jobs} sessions were opened in time");
        thread::sleep(Duration::from_millis(100));
    }
    let opening = begun.elapsed().as_secs_f64();
    // A job that was woken runs once more; the last one may have just begun.
    thread::sleep(Duration::from_secs(10));
    let before = service.cpu()?;
    thread::sleep(Duration::from_secs(seconds));
    #[allow(clippy::cast_precision_loss, reason = "some seconds")]
    let cpu = (service.cpu()? - before) / seconds as f64;
    let memory = service.memory()?;
    service.stop()?;
    Ok(Quiet { memory, cpu, opening })
}
