//! The benchmarks behind `cargo xtask bench`, which builds what they measure and starts this.
//!
//! Nothing here is linked into the product. Each part stands for itself: one that fails is reported, and the others go on.

mod cloud;
mod disk;
mod distant;
mod fleet;
mod floor;
mod graph;
mod hop;
mod idle;
mod import;
mod installation;
mod large;
mod measure;
mod peers;
mod poll;
mod post;
mod report;
mod scale;
mod service;
mod start;
mod statistics;
mod tax;
mod turns;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::disk::Disk;
use crate::report::{Goal, Section};

/// The benchmarks of Wissel. Started by `cargo xtask bench`.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs benchmarks
    Run(Run),
    /// The floor under the import, as a program of its own so that it is measured like the others
    #[command(hide = true)]
    Floor { port: u16, ca: PathBuf },
    /// The connector in its sandbox, as a program of its own
    #[command(hide = true)]
    Tax(tax::Place),
}

#[derive(clap::Args)]
struct Run {
    /// What to run; everything when absent
    parts: Vec<Part>,
    /// Runs of each program, in turn
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u8).range(1..=100))]
    runs: u8,
    /// Where to write every figure, for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Messages of the import, and in the folder that is polled
    #[arg(long, default_value = "2000", value_parser = clap::value_parser!(u16).range(10..))]
    messages: u16,
    /// Size of the large message
    #[arg(long, value_name = "MB", default_value = "150", value_parser = clap::value_parser!(u16).range(1..=2000))]
    large: u16,
    /// Messages of which, and of ten times as many, an import is measured
    #[arg(long, value_name = "MESSAGES", default_value = "1000", value_parser = clap::value_parser!(u16).range(20..=6000))]
    scale: u16,
    /// Sessions that wait for changes
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = clap::value_parser!(u16).range(1..))]
    sessions: u16,
    /// Sizes of the fleet, such as 100,1000,10000
    #[arg(long, value_name = "ACCOUNTS", default_value = "1000", value_delimiter = ',')]
    fleet: Vec<usize>,
    /// How long each fleet is polled
    #[arg(long, value_name = "MINUTES", default_value = "2", value_parser = clap::value_parser!(u8).range(2..))]
    minutes: u8,
    /// How long a service is watched in each state
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u16).range(2..))]
    watch: u16,
    /// The folder to work in
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

/// A benchmark.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The import of a mailbox, beside other programs
    Import,
    /// The import of a mailbox in the cloud, beside a Python client
    Graph,
    /// A poll that finds nothing new
    Poll,
    /// The memory that one large message takes
    Large,
    /// What has to happen before work begins
    Start,
    /// Ten times more messages, folders and ledger rows
    Scale,
    /// Open sessions that wait for changes
    Idle,
    /// Many accounts, polled each minute by one service
    Fleet,
    /// What the sandbox costs
    Tax,
}

impl Part {
    fn run(self, folder: &Path, run: &Run) -> Result<Section> {
        let runs = usize::from(run.runs);
        // What hardly differs from run to run is run less often.
        let few = runs.min(3);
        match self {
            Self::Import => import::bench(folder, runs, run.messages.into()),
            Self::Graph => graph::bench(folder, few, run.messages.into()),
            Self::Poll => poll::bench(folder, few, run.messages.into(), run.watch.into()),
            Self::Large => large::bench(folder, few, run.large.into()),
            Self::Start => start::bench(folder, few),
            Self::Scale => scale::bench(folder, few, run.scale.into()),
            Self::Idle => idle::bench(folder, run.sessions.into(), run.watch.into()),
            Self::Fleet => fleet::bench(folder, &run.fleet, run.minutes.into()),
            Self::Tax => tax::bench(folder, few, run.messages.into()),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(run) => bench(&run),
        Command::Floor { port, ca } => floor::run(port, &ca).map(|_| ExitCode::SUCCESS),
        Command::Tax(place) => tax::run(place).map(|messages| {
            println!("{messages}");
            ExitCode::SUCCESS
        }),
    }
}

fn bench(run: &Run) -> Result<ExitCode> {
    let disk = Disk::at(&run.folder)?;
    let machine = Machine::look();
    println!("{}", machine.shown());
    println!("works in {} ({}); a sync takes {} ms", disk.folder.display(), disk.kind, disk.sync.shown(2));
    let parts = if run.parts.is_empty() { Part::value_variants() } else { &run.parts };
    let (mut sections, mut failed, mut missed) = (Map::new(), Vec::new(), Vec::new());
    for part in parts {
        let (name, begun) = (part.name(), Instant::now());
        let result = alone(&disk, *part, run);
        let seconds = begun.elapsed().as_secs_f64();
        let mut found = match &result {
            Ok(section) => {
                section.print(&name);
                let misses = section.goals.iter().filter(|goal| !goal.met());
                missed.extend(misses.map(|Goal { what, .. }| format!("{name}: {what}")));
                section.json()
            }
            Err(error) => {
                println!("\n== {name}: FAILED: {error:#}");
                failed.push(name.clone());
                json!({ "failed": format!("{error:#}") })
            }
        };
        println!("  ({name} took {seconds:.0} s)");
        if let Some(found) = found.as_object_mut() {
            found.insert("took_seconds".to_owned(), json!(seconds));
        }
        sections.insert(name, found);
    }
    if let Some(file) = &run.json {
        let document = json!({
            "machine": machine.json(), "file_system": disk.json(), "runs": run.runs, "parts": sections,
        });
        fs::write(file, format!("{document:#}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    println!();
    for miss in &missed {
        println!("goal missed: {miss}");
    }
    println!("{} parts run, {} failed, {} goals missed", parts.len(), failed.len(), missed.len());
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a part in a folder of its own. What the drivers of the tests panic about is this part's failure and no other's.
fn alone(disk: &Disk, part: Part, run: &Run) -> Result<Section> {
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&disk.folder)?;
    catch_unwind(AssertUnwindSafe(|| part.run(folder.path(), run))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(anyhow!("{}", text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")))
    })
}

/// The machine, as far as it explains figures.
struct Machine {
    cores: usize,
    processor: String,
    load: String,
    commit: String,
}

impl Machine {
    fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let mut commit = std::process::Command::new("git");
        commit.args(["describe", "--always", "--dirty"]).current_dir(xtask::workspace::root());
        Self {
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            processor: processor.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned()),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            commit: xtask::process::capture(&mut commit).unwrap_or_default().trim().to_owned(),
        }
    }

    fn shown(&self) -> String {
        let Self { cores, processor, load, commit } = self;
        format!(
            "commit {commit}, {cores} cores ({processor}), load {load} at the start (a quiet machine has none)"
        )
    }

    fn json(&self) -> Value {
        json!({ "cores": self.cores, "processor": self.processor, "load": self.load, "commit": self.commit })
    }
}
