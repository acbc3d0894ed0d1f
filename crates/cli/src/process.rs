//! What this process asks of the system for itself, and the one place that knows how, on each system: that its memory,
//! which holds opened secrets for moments, stays out of core dumps and away from other processes of the same user; and
//! that it may have as many files open as the administrator allows.

/// Best effort: a system that refuses leaves the process as it is.
#[cfg(unix)]
pub(crate) fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Windows writes no dump of a program unless an administrator turns on local dumps of Windows Error Reporting
/// (`LocalDumps` in the registry); a program cannot forbid that for itself through a safe interface.
#[cfg(not(unix))]
pub(crate) fn keep_memory_private() {}

/// A service with a thousand jobs that wait for changes has a thousand connections, and most systems begin with room for
/// 1,024 files or fewer. Best effort, as above.
#[cfg(unix)]
pub(crate) fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raise = |to| setrlimit(Resource::Nofile, Rlimit { current: to, maximum });
    // macOS refuses to be asked for more than its OPEN_MAX, whatever its limit says.
    if current != maximum && raise(maximum).is_err() && current.is_some_and(|now| now < 10_240) {
        let _ = raise(Some(10_240));
    }
}

/// Sockets and files have no such limit there.
#[cfg(not(unix))]
pub(crate) fn allow_many_files() {}
