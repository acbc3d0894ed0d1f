//! Where the benchmarks write, and how fast that disk syncs. A benchmark of durable work in memory would be a lie.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::statistics::Sample;

/// How often the disk is asked.
const SYNCS: usize = 200;

/// The file system under the working folder.
pub(crate) struct Disk {
    /// The folder that everything which is measured is written below.
    pub(crate) folder: PathBuf,
    /// Such as `ext4`.
    pub(crate) kind: String,
    /// Milliseconds of a sync of a file of 4 KiB.
    pub(crate) sync: Sample,
}

impl Disk {
    /// Makes the folder, and refuses one in memory.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let kind = kind(&folder)?;
        if ["tmpfs", "ramfs", "devtmpfs"].contains(&kind.as_str()) {
            bail!(
                "{} lies in memory ({kind}), where a sync costs nothing: set CARGO_TARGET_DIR to a folder on a disk",
                folder.display()
            );
        }
        let sync = sync_latency(&folder)?;
        Ok(Self { folder, kind, sync })
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({ "kind": self.kind, "fsync_milliseconds_median": self.sync.median() })
    }
}

/// The file system that `folder` is on, after the longest mount point that leads to it.
fn kind(folder: &Path) -> Result<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("this benchmark needs Linux")?;
    let mount = |line: &str| {
        let mut fields = line.split(' ');
        let (point, kind) = (fields.nth(1)?.replace("\\040", " "), fields.next()?);
        folder.starts_with(&point).then(|| (point.len(), kind.to_owned()))
    };
    let longest = mounts.lines().filter_map(mount).max();
    longest.map(|(_, kind)| kind).context("no file system leads to the working folder")
}

/// Makes way for a new folder of this name; what is there is deleted only when the whole part is over. ext4 uses no
/// inode again that was freed a minute ago or less: after thousands of deletions each new file costs many times as
/// much, and that would be charged to whoever comes next.
pub(crate) fn put_aside(folder: &Path) -> Result<()> {
    let mut number = 0;
    let aside = loop {
        let aside = folder.with_extension(format!("run-{number}"));
        if !aside.exists() {
            break aside;
        }
        number += 1;
    };
    match fs::rename(folder, &aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot put {} aside", folder.display()))
        }
        _ => Ok(()),
    }
}

fn sync_latency(folder: &Path) -> Result<Sample> {
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&[b'x'; 4096])?;
        times.push(timed(&file)?);
    }
    Ok(times.into_iter().collect())
}

fn timed(file: &File) -> Result<f64> {
    let begun = Instant::now();
    file.sync_all()?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
