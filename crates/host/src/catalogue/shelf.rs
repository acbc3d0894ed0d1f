//! The files of the directory and how far each is known, while some may still be loading.
//!
//! Files are loaded beside each other and outside of any lock. A look-up by name waits only for files that may be the
//! one it looks for, so a file that takes its time in `describe` holds up nobody but who asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use wissel_model::Description;

use super::directory::{Listing, Stamp, list};
use crate::loader::{Loaded, Loader};
use crate::rejection::Rejection;

/// What a file turned out to be.
pub(super) type Reading = Result<Arc<Loaded>, Rejection>;

/// The readings that count now, in the order of the files' names.
pub(super) type Readings = BTreeMap<PathBuf, Reading>;

struct File {
    stamp: Stamp,
    /// What it is; while it is loaded, what it was before it changed.
    reading: Option<Reading>,
    loading: Option<Loading>,
}

/// Which name a file that is being loaded may turn out to have.
enum Loading {
    /// Nothing is known of it yet; its bytes are being read.
    Reading,
    /// The description of its bytes is known, they are being compiled.
    Named(String),
    /// Nobody has met these bytes before.
    New,
}

impl File {
    fn name(&self) -> Option<&str> {
        self.reading.as_ref().and_then(|reading| Some(reading.as_ref().ok()?.description.name.as_str()))
    }

    /// Whether somebody who looks for `name` has to wait for this file.
    fn may_be(&self, name: &str) -> bool {
        match &self.loading {
            None => false,
            Some(Loading::Reading) => true,
            Some(Loading::Named(known)) => known == name || self.name() == Some(name),
            Some(Loading::New) => self.name() == Some(name),
        }
    }
}

/// What a look-up by name comes to.
pub(super) enum Found {
    Loaded(Arc<Loaded>),
    /// A file that is being loaded may have that name.
    NotYet,
    /// No file has; these names there are.
    Missing(Vec<String>),
}

/// The files of the directory.
pub(super) struct Shelf {
    loader: Arc<Loader>,
    files: Mutex<BTreeMap<PathBuf, File>>,
    /// Held while the directory is listed.
    looking: tokio::sync::Mutex<()>,
    /// Told at each step that loading a file takes.
    steps: watch::Sender<()>,
}

impl Shelf {
    pub(super) fn new(loader: Arc<Loader>) -> Arc<Self> {
        Arc::new(Self {
            loader,
            files: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            steps: watch::Sender::new(()),
        })
    }

    pub(super) fn loader(&self) -> &Arc<Loader> {
        &self.loader
    }

    /// Tells when a file was loaded or is known better. Ask for it before looking.
    pub(super) fn steps(&self) -> watch::Receiver<()> {
        self.steps.subscribe()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the directory, and begins to load what is new or different.
    pub(super) async fn refresh(self: &Arc<Self>, directory: &Path) {
        // Of two looks the later one counts.
        let _one_at_a_time = self.looking.lock().await;
        let directory = directory.to_owned();
        let Ok(listing) = tokio::task::spawn_blocking(move || list(&directory)).await else { return };
        let changed = take_over(&mut self.files(), listing);
        for (path, stamp) in changed {
            let shelf = Arc::clone(self);
            tokio::spawn(async move {
                let loading = tokio::spawn({
                    let (shelf, path, stamp) = (Arc::clone(&shelf), path.clone(), stamp.clone());
                    async move { shelf.load(path, stamp).await }
                });
                if let Err(defect) = loading.await {
                    // Otherwise it would be loading for ever, and so would everybody wait who looks for a name.
                    let reading = Err(Rejection::Invalid(defect.to_string()));
                    shelf.step(&path, &stamp, |file| (file.reading, file.loading) = (Some(reading), None));
                }
            });
        }
    }

    /// Loads a file, unless it changes again meanwhile.
    async fn load(&self, path: PathBuf, stamp: Stamp) {
        let loaded = match self.loader.read(&path).await {
            Ok(read) => {
                let known = read.description.as_ref().map(|description| description.name.clone());
                self.step(&path, &stamp, |file| {
                    file.loading = Some(known.map_or(Loading::New, Loading::Named));
                });
                self.loader.finish(read).await
            }
            Err(rejection) => Err(rejection),
        };
        let reading = loaded.map(Arc::new);
        self.step(&path, &stamp, |file| (file.reading, file.loading) = (Some(reading), None));
    }

    fn step(&self, path: &Path, stamp: &Stamp, change: impl FnOnce(&mut File)) {
        let mut files = self.files();
        if files.get(path).is_some_and(|file| file.stamp == *stamp) {
            let before = readings(&files);
            files.get_mut(path).map(change);
            report(&before, &readings(&files));
        }
        drop(files);
        self.steps.send_replace(());
    }

    /// The connector of this name: the first in the order of file names, of those that are known.
    pub(super) fn find(&self, name: &str) -> Found {
        let files = self.files();
        let mut new = false;
        for file in files.values() {
            match &file.reading {
                _ if file.may_be(name) => return Found::NotYet,
                Some(Ok(loaded)) if loaded.description.name == name => {
                    return Found::Loaded(Arc::clone(loaded));
                }
                _ => new |= file.loading.is_some(),
            }
        }
        if new {
            return Found::NotYet;
        }
        let names = files.values().filter_map(File::name).map(str::to_owned);
        Found::Missing(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// Every file; none while one is being loaded.
    pub(super) fn all(&self) -> Option<Readings> {
        let files = self.files();
        files.values().all(|file| file.loading.is_none()).then(|| readings(&files))
    }
}

/// Brings the files in step with the directory; returns those that have to be loaded.
fn take_over(files: &mut BTreeMap<PathBuf, File>, listing: Listing) -> Vec<(PathBuf, Stamp)> {
    files.retain(|path, _| {
        let stays = listing.contains_key(path);
        if !stays {
            tracing::info!(file = %path.display(), "connector removed");
        }
        stays
    });
    let mut changed = Vec::new();
    for (path, stamp) in listing {
        if files.get(&path).is_some_and(|file| file.stamp == stamp) {
            continue;
        }
        let reading = files.remove(&path).and_then(|file| file.reading);
        let file = File { stamp: stamp.clone(), reading, loading: Some(Loading::Reading) };
        files.insert(path.clone(), file);
        changed.push((path, stamp));
    }
    changed
}

/// What counts now: of several files with one connector's name, the first in the order of file names is used.
fn readings(files: &BTreeMap<PathBuf, File>) -> Readings {
    let mut taken: BTreeMap<&str, &Path> = BTreeMap::new();
    let mut readings = Readings::new();
    for (path, file) in files {
        let Some(reading) = &file.reading else { continue };
        let used = file.name().and_then(|name| Some((name, *taken.get(name)?)));
        let reading = match used {
            Some((name, loaded)) => {
                Err(Rejection::DuplicateName { name: name.to_owned(), loaded: loaded.to_owned() })
            }
            None => reading.clone(),
        };
        if let Some(name) = file.name() {
            taken.entry(name).or_insert(path);
        }
        readings.insert(path.clone(), reading);
    }
    readings
}

/// Tells the log what changed.
fn report(before: &Readings, now: &Readings) {
    for (path, reading) in now {
        let file = path.display();
        match (reading, before.get(path)) {
            (Ok(new), Some(Ok(old))) if new.digest == old.digest => {}
            (Ok(new), _) => {
                let Description { name, version, .. } = &*new.description;
                tracing::info!(%file, name, version, digest = new.digest, "connector loaded");
            }
            (Err(new), Some(Err(old))) if new == old => {}
            (Err(reason), _) => tracing::warn!(%file, %reason, "connector not loaded"),
        }
    }
}
