//! What a program took of the machine: time, CPU, memory; and the CPU of a server that runs beside it.
//!
//! CPU is that of our ended children, in steps of 0.01 s, so one program is measured at a time. Memory is the high-water mark of
//! the process itself (`VmHWM`), read until it ends: `ru_maxrss` would count what *we* had when we started it.

use std::collections::HashMap;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::statistics::Sample;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// Clock ticks a second, the unit of times in `/proc` on Linux everywhere.
const TICKS: f64 = 100.0;

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of CPU in the program.
    pub(crate) user: f64,
    /// Seconds of CPU in the kernel for it.
    pub(crate) system: f64,
    /// The most memory it had at one time, in MiB.
    pub(crate) peak: f64,
    /// Seconds of CPU of the server meanwhile, in steps of 0.01.
    pub(crate) server: f64,
}

impl Usage {
    /// Seconds of CPU, kernel included.
    pub(crate) fn cpu(&self) -> f64 {
        self.user + self.system
    }
}

/// All runs of one program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(pub(crate) Vec<Usage>);

impl Runs {
    /// One figure of every run.
    pub(crate) fn sample(&self, figure: impl Fn(&Usage) -> f64) -> Sample {
        self.0.iter().map(figure).collect()
    }

    /// A figure of ours divided by theirs, run by run, so that what slowed a pair of runs down cancels out.
    pub(crate) fn ratio(&self, theirs: &Self, figure: impl Fn(&Usage) -> f64) -> Sample {
        self.0.iter().zip(&theirs.0).map(|(our, their)| figure(our) / figure(their)).collect()
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "wall_seconds": self.sample(|usage| usage.wall).json(),
            "cpu_seconds": self.sample(Usage::cpu).json(),
            "user_seconds": self.sample(|usage| usage.user).json(),
            "system_seconds": self.sample(|usage| usage.system).json(),
            "server_cpu_seconds": self.sample(|usage| usage.server).json(),
            "peak_mib": self.sample(|usage| usage.peak).json(),
        })
    }
}

/// Runs a program to its end, beside the server with this process id. Fails when the program does, unless its exit code
/// is in `fine`.
pub(crate) fn run(command: &mut Command, server: u32, fine: &[i32]) -> Result<(Usage, Output)> {
    settle();
    let server_before = tree_cpu(server);
    let before = children_cpu()?;
    let begun = Instant::now();
    let (output, peak) = end(command, fine)?;
    let wall = begun.elapsed().as_secs_f64();
    let after = children_cpu()?;
    let server = tree_cpu(server) - server_before;
    let usage = Usage { wall, user: after.0 - before.0, system: after.1 - before.1, peak, server };
    Ok((usage, output))
}

/// Runs a short program again and again, because CPU is counted in steps of 0.01 s, and returns what one run took.
pub(crate) fn mean(times: u32, command: &mut Command, server: u32) -> Result<Usage> {
    settle();
    let server_before = tree_cpu(server);
    let before = children_cpu()?;
    let begun = Instant::now();
    let mut peak: f64 = 0.0;
    for _ in 0..times {
        peak = peak.max(end(command, &[])?.1);
    }
    let times = f64::from(times);
    let wall = begun.elapsed().as_secs_f64() / times;
    let after = children_cpu()?;
    let server = (tree_cpu(server) - server_before) / times;
    let (user, system) = ((after.0 - before.0) / times, (after.1 - before.1) / times);
    Ok(Usage { wall, user, system, peak, server })
}

/// Runs a program to its end, and returns what it said and the most memory it had, in MiB.
fn end(command: &mut Command, fine: &[i32]) -> Result<(Output, f64)> {
    let shown = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
    let (output, peak) = wait(child)?;
    if !output.status.code().is_some_and(|code| code == 0 || fine.contains(&code)) {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("{shown} ended with {}\n{out}{err}", output.status);
    }
    Ok((output, peak))
}

/// What another run left to be written must not be waited for in this one.
fn settle() {
    let _ = Command::new("sync").status();
}

/// Waits for the end and keeps an eye on the memory.
fn wait(child: Child) -> Result<(Output, f64)> {
    let (pid, ended, peak) = (child.id(), AtomicBool::new(false), AtomicU64::new(0));
    let output = thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                peak.fetch_max(memory(pid, "VmHWM").unwrap_or_default(), Ordering::Relaxed);
                thread::sleep(LOOK);
            }
        });
        let output = child.wait_with_output();
        ended.store(true, Ordering::Relaxed);
        output
    })?;
    Ok((output, mib(peak.load(Ordering::Relaxed))))
}

/// KiB as MiB.
#[allow(clippy::cast_precision_loss, reason = "memory of this machine fits many times")]
pub(crate) fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// A line of `/proc/PID/status`, in KiB: `VmHWM` the most memory so far, `VmRSS` the memory now.
pub(crate) fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rest = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// CPU seconds of a process that runs, kernel included.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    let (_, [user, system, ..]) = stat(&pid.to_string()).context("the process has ended")?;
    Ok(user + system)
}

/// User and system seconds of all children that have ended.
fn children_cpu() -> Result<(f64, f64)> {
    let (_, [_, _, user, system]) = stat("self").context("/proc/self/stat cannot be read")?;
    Ok((user, system))
}

/// CPU seconds of a process and of all that come from it, those that have ended included.
pub(crate) fn tree_cpu(root: u32) -> f64 {
    let processes: HashMap<u32, (u32, f64)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let (parent, cpu) = stat(&pid.to_string())?;
            Some((pid, (parent, cpu.iter().sum())))
        })
        .collect();
    let below_root = |mut pid: u32| {
        while pid != root {
            match processes.get(&pid) {
                Some((parent, _)) => pid = *parent,
                None => return false,
            }
        }
        true
    };
    processes.iter().filter(|(pid, _)| below_root(**pid)).map(|(_, (_, cpu))| cpu).sum()
}

/// The parent of a process, and its CPU seconds: its own in user and system mode, and the same of its ended children
/// (proc(5), `/proc/pid/stat`).
fn stat(pid: &str) -> Option<(u32, [f64; 4])> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name may hold anything; it ends at the last parenthesis, with field 2.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent = fields.get(1)?.parse().ok()?;
    let seconds = |index: usize| Some(fields.get(index)?.parse::<f64>().ok()? / TICKS);
    Some((parent, [seconds(11)?, seconds(12)?, seconds(13)?, seconds(14)?]))
}
