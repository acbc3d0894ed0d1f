//! Push beside the poll: for jobs that ask for it, a session of its own waits on each import folder between the runs,
//! and wakes the job when something may have changed.
//!
//! Waiting is a convenience and nothing depends on it: whatever fails here, the job runs at its interval all the same.
//! A waiting session holds neither the job's lease nor one of the service's slots, and imports nothing itself.
//! Of several services on one store, the one that holds the lock file of the watching does all of it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wissel_model::connector::Wake;
use wissel_model::{Account, AccountId, ImportJob, JobAccount, JobId, OpenOptions, Session};

use crate::folders::{find, in_account, in_folder};
use crate::import::stop_after_grace;
use crate::{JobError, Workshop};

/// How long one call waits. Shorter than the ten minutes after which routers forget a silent connection.
const CALL: Duration = Duration::from_secs(9 * 60);
/// The shortest time from one wake-up to the next: a burst of changes is one.
const GAP: Duration = Duration::from_secs(5);
/// The first pause before a broken waiting is begun again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest such pause. A waiting that held so long may begin again with the first.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Sessions that are being opened at the same time: a service with many jobs does not storm the servers when it starts.
const OPENINGS: usize = 8;
/// Wake-ups that wait for the service to look.
const QUEUE: usize = 64;

/// All that is being watched.
pub(crate) struct Watches {
    shared: Arc<Shared>,
    /// Held while this service does the watching.
    lock: Option<File>,
    running: HashMap<(JobId, AccountId), Watch>,
}

struct Shared {
    shop: Workshop,
    wake: mpsc::Sender<JobId>,
    openings: Semaphore,
    /// How many sessions may still wait on each account: one fewer than its connector allows, so that a run finds room.
    rooms: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

struct Watch {
    revision: i64,
    end: CancellationToken,
    went_well: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Watches {
    /// Nothing is watched yet; the jobs to run come out of the receiver.
    pub(crate) fn new(shop: &Workshop) -> (Self, mpsc::Receiver<JobId>) {
        let (wake, woken) = mpsc::channel(QUEUE);
        let shared =
            Shared { shop: shop.clone(), wake, openings: Semaphore::new(OPENINGS), rooms: Mutex::default() };
        (Self { shared: Arc::new(shared), lock: None, running: HashMap::new() }, woken)
    }

    /// Begins and ends waiting so that it fits the jobs as they are now.
    pub(crate) async fn follow(&mut self, jobs: &[ImportJob]) {
        let wanted: HashMap<(JobId, AccountId), (&ImportJob, &JobAccount)> = jobs
            .iter()
            .filter(|job| job.enabled && job.watch && job.schedule.is_some())
            .flat_map(|job| job.accounts.iter().map(move |place| ((job.id, place.account), (job, place))))
            .collect();
        for (key, watch) in &self.running {
            if wanted.get(key).is_none_or(|(job, _)| job.revision != watch.revision) {
                watch.end.cancel();
            }
        }
        self.running.retain(|_, watch| !(watch.end.is_cancelled() && watch.task.is_finished()));
        if wanted.is_empty() || !self.has_lock().await {
            return;
        }
        for (key, (job, place)) in wanted {
            // One that is ending has its session still: the next begins when that is gone.
            self.running.entry(key).or_insert_with(|| Watch::begin(&self.shared, job, place));
        }
    }

    /// A run of the job ended well: what a person had to put right may be right now.
    pub(crate) fn went_well(&self, job: JobId) {
        for (_, watch) in self.running.iter().filter(|((of, _), _)| *of == job) {
            watch.went_well.notify_waiters();
        }
    }

    /// Ends all waiting.
    pub(crate) async fn stop(&mut self) {
        for watch in self.running.values() {
            watch.end.cancel();
        }
        for (_, watch) in self.running.drain() {
            let _ = watch.task.await;
        }
        self.lock = None;
    }

    async fn has_lock(&mut self) -> bool {
        if self.lock.is_some() {
            return true;
        }
        match lock(&self.shared.shop.home) {
            Ok(Some(file)) => {
                // What a service that was killed left behind.
                if let Err(error) = self.shared.shop.store.clear_watches(None).await {
                    tracing::warn!(%error, "the state of the watching cannot be recorded");
                }
                self.lock = Some(file);
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "nothing is watched: the lock file cannot be used; jobs run at their intervals");
                false
            }
        }
    }
}

impl Watch {
    fn begin(shared: &Arc<Shared>, job: &ImportJob, place: &JobAccount) -> Self {
        let (end, went_well) = (CancellationToken::new(), Arc::new(Notify::new()));
        let watcher = Watcher {
            shared: Arc::clone(shared),
            job: job.id,
            name: job.name.clone(),
            place: place.clone(),
            end: end.clone(),
            went_well: Arc::clone(&went_well),
            told: None,
        };
        Self { revision: job.revision, end, went_well, task: tokio::spawn(watcher.run()) }
    }
}

/// Watches the import folder of one account of a job until it is ended.
struct Watcher {
    shared: Arc<Shared>,
    job: JobId,
    name: String,
    place: JobAccount,
    end: CancellationToken,
    went_well: Arc<Notify>,
    /// What was recorded last: the problem, or that there is none.
    told: Option<Option<String>>,
}

impl Watcher {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        while !self.end.is_cancelled() {
            let begun = Instant::now();
            let Err(mut error) = self.session().await else { continue };
            if self.end.is_cancelled() {
                break;
            }
            let shop = &self.shared.shop;
            if let Ok(account) = shop.store.account(self.place.account).await {
                error.advise(&*shop.connectors, &account).await;
            }
            tracing::info!(job = self.name, %error, "watching is interrupted; the job runs at its interval");
            self.tell(Some(error.to_string())).await;
            if begun.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let transient = error.is_transient();
            let (end, went_well) = (self.end.clone(), Arc::clone(&self.went_well));
            tokio::select! {
                () = end.cancelled() => {}
                () = async {
                    // Nobody tries a refused password again before a run has got through: accounts would be locked.
                    if !transient {
                        went_well.notified().await;
                    }
                    tokio::time::sleep(pause.max(error.retry_after().unwrap_or_default())).await;
                } => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if let Err(error) = self.shared.shop.store.clear_watches(Some((self.job, self.place.account))).await {
            tracing::warn!(job = self.name, %error, "the state of the watching cannot be recorded");
        }
    }

    /// Waits in one session, until that breaks or the account is changed, or the waiting is to end.
    async fn session(&mut self) -> Result<(), JobError> {
        let (shared, end) = (Arc::clone(&self.shared), self.end.clone());
        let shop = &shared.shop;
        let account = shop.store.account(self.place.account).await?;
        let description =
            shop.connectors.description(&account.connector).await.map_err(in_account(&account))?;
        if !description.supports("wait") {
            return Err(JobError::Unsupported {
                job: self.name.clone(),
                account: account.name.clone(),
                connector: account.connector.clone(),
                operation: "wait",
            });
        }
        let room = shared.room(account.id, description.limits.parallel_sessions);
        let _room = match room.clone().try_acquire_owned() {
            Ok(room) => room,
            Err(_) => {
                self.tell(Some("the mailbox allows no further session".to_owned())).await;
                tokio::select! {
                    () = end.cancelled() => return Ok(()),
                    Ok(room) = room.acquire_owned() => room,
                }
            }
        };
        let hard = CancellationToken::new();
        let _guard = stop_after_grace(end.clone(), hard.clone());
        let options = OpenOptions { cancel: hard, interrupt: end.clone(), purpose: self.name.clone() };
        let opening = async {
            let _turn = shared.openings.acquire().await;
            shop.connectors.open(&account, options).await
        };
        let mut session = tokio::select! {
            () = end.cancelled() => return Ok(()),
            opened = opening => opened.map_err(in_account(&account))?,
        };
        let result = self.wait(&mut *session, &account).await;
        session.close().await;
        result
    }

    async fn wait(&mut self, session: &mut dyn Session, account: &Account) -> Result<(), JobError> {
        let folder = find(session, account, &self.place.folder, self.place.pin.as_ref()).await?;
        // From here on the session notices what changes; what came before is for a run to find.
        let mut wake = session.wait(&folder.id, 0).await.map_err(in_folder(account, &folder))?;
        if wake == Wake::TimedOut {
            wake = Wake::Changed;
        }
        loop {
            match wake {
                Wake::Changed => {
                    self.tell(None).await;
                    let woken = async {
                        // A service that stops has gone: the end comes.
                        let _ = self.shared.wake.send(self.job).await;
                        tokio::time::sleep(GAP).await;
                    };
                    tokio::select! {
                        () = self.end.cancelled() => return Ok(()),
                        () = woken => {}
                    }
                }
                Wake::TimedOut => {}
                Wake::Interrupted => return Ok(()),
            }
            if self.shared.shop.store.account(account.id).await? != *account {
                return Ok(());
            }
            let milliseconds = CALL.as_millis().try_into().unwrap_or(u32::MAX);
            wake = session.wait(&folder.id, milliseconds).await.map_err(in_folder(account, &folder))?;
        }
    }

    /// Records how the waiting fares, when that is news.
    async fn tell(&mut self, problem: Option<String>) {
        if self.told.as_ref() == Some(&problem) {
            return;
        }
        let (store, account) = (&self.shared.shop.store, self.place.account);
        if let Err(error) = store.put_watch(self.job, account, problem.as_deref()).await {
            tracing::warn!(job = self.name, %error, "the state of the watching cannot be recorded");
        }
        self.told = Some(problem);
    }
}

impl Shared {
    fn room(&self, account: AccountId, sessions: Option<u32>) -> Arc<Semaphore> {
        let most = sessions.map_or(Semaphore::MAX_PERMITS, |most| most.saturating_sub(1) as usize);
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rooms.entry(account).or_insert_with(|| Arc::new(Semaphore::new(most))))
    }
}

/// Whether a service of this machine watches now: what the store says of the watching is true then.
///
/// # Errors
/// The lock file cannot be read.
pub fn is_watching(home: &Path) -> Result<bool, JobError> {
    let path = lock_path(home);
    let home_error = |source| JobError::Home { path: path.display().to_string(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(home_error(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(home_error(error)),
    }
}

fn lock_path(home: &Path) -> PathBuf {
    home.join("locks").join("watch.lock")
}

/// The lock of the watching; none while another service has it.
fn lock(home: &Path) -> Result<Option<File>, JobError> {
    let path = lock_path(home);
    let home_error = |source| JobError::Home { path: path.display().to_string(), source };
    std::fs::create_dir_all(home.join("locks")).map_err(home_error)?;
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(home_error)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(home_error(source)),
    }
}
