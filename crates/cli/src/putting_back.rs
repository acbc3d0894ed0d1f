//! Puts restored files into place. The moment at which a restore counts is the rename of its directory to
//! `restore.ready`: before it the old installation is whole, and after it whoever opens the home finishes the rest
//! first. Each step can be repeated; what was there before is kept aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wissel_model::fault;

use crate::home::Home;
use crate::home_lock::Alone;
use crate::problem::Problem;

/// Files of the database, in the order in which they leave: without its log before it, a database is never opened.
const DATABASE: [&str; 3] = ["wissel.db-shm", "wissel.db-wal", "wissel.db"];
const KEY: [&str; 2] = ["vault.key.next", "vault.key"];

/// Makes what was staged count. From here on nothing goes back.
pub(crate) fn make_ready(home: &Home, _alone: &Alone) -> Result<(), Problem> {
    let staged = home.staged();
    let done = sync_files(&staged).and_then(|()| {
        fault::point("restore-staged");
        fs::rename(&staged, home.ready())?;
        sync(home.root())
    });
    done.map_err(|error| stuck(home, &error))?;
    fault::point("restore-ready");
    Ok(())
}

/// Puts what is ready into place. Returns where the files lie that were there before.
pub(crate) fn finish(home: &Home, _alone: &Alone) -> Result<Option<PathBuf>, Problem> {
    put_back(home).map_err(|error| stuck(home, &error))
}

fn put_back(home: &Home) -> io::Result<Option<PathBuf>> {
    let ready = home.ready();
    let aside = ready.join("before");
    fs::create_dir_all(&aside)?;
    replace(home.root(), &ready, &aside, &DATABASE)?;
    fault::point("restore-database");
    replace(home.root(), &ready, &aside, &KEY)?;
    fault::point("restore-key");
    if fs::read_dir(&aside)?.next().is_none() {
        fs::remove_dir_all(&ready)?;
        sync(home.root())?;
        return Ok(None);
    }
    // Two restores in one second are kept apart too.
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S-%6f").to_string();
    let kept = home.root().join(format!("before-restore-{now}"));
    fs::rename(&ready, &kept)?;
    sync(home.root())?;
    Ok(Some(kept.join("before")))
}

/// Puts the last of `names` into place, and the old ones aside before it.
fn replace(root: &Path, ready: &Path, aside: &Path, names: &[&str]) -> io::Result<()> {
    let Some(new) = names.last().map(|name| ready.join(name)).filter(|new| new.exists()) else {
        return Ok(());
    };
    for name in names {
        let old = root.join(name);
        if old.exists() {
            fs::rename(&old, aside.join(name))?;
            fault::point("restore-aside");
        }
    }
    sync(aside)?;
    if let Some(name) = names.last() {
        fs::rename(new, root.join(name))?;
    }
    sync(root)
}

fn sync_files(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        fs::OpenOptions::new().write(true).open(entry?.path())?.sync_all()?;
    }
    sync(directory)
}

/// Makes the names in a directory durable.
#[cfg(unix)]
pub(crate) fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// A directory cannot be opened for syncing here; the file system's journal keeps the names.
#[cfg(not(unix))]
pub(crate) fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}

fn stuck(home: &Home, error: &io::Error) -> Problem {
    Problem::home(
        format!("the restored files cannot be put into place in {}: {error}", home.root().display()),
        "Make room or give this user the right to write there; the next command goes on.",
    )
}
