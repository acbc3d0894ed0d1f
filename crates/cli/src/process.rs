//! Keeps the memory of this process, which holds opened secrets for moments, out of core dumps and away from other
//! processes of the same user. The one place that knows how, on each system.

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
